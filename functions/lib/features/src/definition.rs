//! A bundle's definition: `bundle.toml` as the user wrote it, checked.

mod check;
mod column_mapping;
mod cut_offs;
mod duration;
mod error;
mod feature;
mod feature_check;
mod file;
mod look;
mod policy;
mod thresholds;
mod training;
mod window;
mod window_check;

use decision::Schema;

pub use column_mapping::{ColumnMapping, FieldSource};
pub use cut_offs::CutOffs;
pub use error::DefinitionError;
pub use feature::{Calendar, Feature, FeatureKind};
pub use look::Look;
pub use policy::PolicySettings;
pub use thresholds::{Costs, HoldBy, ReviewBy};
pub use training::{Boost, GoodSample, Logistic, ProbabilityForest, Training, TrainingPeriod};
pub use window::{DistinctField, Measure, NamedWindow, Quantity, Window};

/// [`Definition::parse`] reads and checks it, so that every index in it is valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub name: String,
    /// `None` if no feature needs profiles.
    pub cut_offs: Option<CutOffs>,
    schema: Schema,
    features: Vec<Feature>,
    /// `[table]`: how to read a file with the user's own column names.
    pub column_mapping: Option<ColumnMapping>,
    pub first: Look,
    /// How the first look's threshold is chosen.
    pub hold: HoldBy,
    pub confirm: Look,
    /// How the second look's thresholds are chosen, together with the costs.
    pub review: ReviewBy,
    pub costs: Costs,
    pub policy: PolicySettings,
    pub training: Training,
}

impl Definition {
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// All features, in the order of the file.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The feature at an index of [`Definition::features`].
    pub fn feature(&self, index: usize) -> Option<&Feature> {
        self.features.get(index)
    }

    /// Names of a look's columns.
    pub fn names(&self, look: &Look) -> Vec<&str> {
        look.features
            .iter()
            .filter_map(|&index| self.feature(index))
            .map(|feature| feature.name.as_str())
            .collect()
    }

    /// The categories that are features, each once: index in the schema, and name.
    pub fn category_features(&self) -> impl Iterator<Item = (usize, &str)> {
        let categories = self.schema.categories.iter().enumerate();
        categories
            .filter(|(index, _)| self.has_category_feature(*index))
            .map(|(index, name)| (index, name.as_str()))
    }

    fn has_category_feature(&self, category: usize) -> bool {
        let kind = FeatureKind::Category(category);
        self.features.iter().any(|feature| feature.kind == kind)
    }

    /// The entities that have profiles, as ascending indexes into the schema.
    pub fn profiled_entities(&self) -> impl Iterator<Item = usize> {
        let entities = 0..self.schema.entities.len();
        entities.filter(|&entity| !self.profile_windows(entity).is_empty())
    }

    /// The windows whose parts are in an entity's profiles: those of the first look, and those of
    /// the second look that are [long](Definition::is_long) and count transactions. In the order
    /// of the file.
    pub fn profile_windows(&self, entity: usize) -> Vec<NamedWindow<'_>> {
        if self.cut_offs.is_none() {
            return Vec::new();
        }
        let first = self.needed(&self.first);
        let second = self.needed(&self.confirm);
        let mut windows = Vec::new();
        for (index, feature) in self.features.iter().enumerate() {
            let FeatureKind::Window(window) = &feature.kind else {
                continue;
            };
            let in_first = first.get(index) == Some(&true);
            let in_second = second.get(index) == Some(&true) && self.has_profile_part(window);
            if window.entity == entity && (in_first || in_second) {
                windows.push((feature.name.as_str(), window));
            }
        }
        windows
    }

    /// Whether a window of the second look takes a part from the profiles: it is
    /// [long](Definition::is_long) and counts transactions.
    pub fn has_profile_part(&self, window: &Window) -> bool {
        self.is_long(window) && !window.measure.is_of_frauds()
    }

    /// Whether a window of the second look begins at a cut-off: it is at least a cut-off period
    /// long.
    pub fn is_long(&self, window: &Window) -> bool {
        let is_short = |period| window.length.is_some_and(|length| length < period);
        self.cut_offs
            .is_some_and(|cut_offs| !is_short(cut_offs.period))
    }

    /// Every window that a look needs, each once, in the order of the file. Windows that only a
    /// ratio or a difference needs are included.
    pub fn windows(&self, look: &Look) -> Vec<NamedWindow<'_>> {
        let needed = self.needed(look);
        let mut windows = Vec::new();
        for (feature, needed) in self.features.iter().zip(needed) {
            if let (FeatureKind::Window(window), true) = (&feature.kind, needed) {
                windows.push((feature.name.as_str(), window));
            }
        }
        windows
    }

    /// For each feature, whether a look needs it, itself or for a ratio or a difference.
    fn needed(&self, look: &Look) -> Vec<bool> {
        let mut needed = vec![false; self.features.len()];
        for &index in &look.features {
            self.mark_needed(index, &mut needed);
        }
        needed
    }

    fn mark_needed(&self, index: usize, needed: &mut [bool]) {
        if let Some(needed) = needed.get_mut(index) {
            *needed = true;
        }
        // INVARIANT: features refer to earlier features only, so the recursion ends.
        if let Some(FeatureKind::Ratio(left, right) | FeatureKind::Difference(left, right)) =
            self.feature(index).map(|feature| &feature.kind)
        {
            self.mark_needed(*left, needed);
            self.mark_needed(*right, needed);
        }
    }
}
