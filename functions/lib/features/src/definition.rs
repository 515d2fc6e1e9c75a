//! A bundle's definition: `bundle.toml` as the user wrote it, checked.

mod check;
mod column_mapping;
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
pub use error::DefinitionError;
pub use feature::{Calendar, Feature, FeatureKind, PROFILE_PREFIX};
pub use look::Look;
pub use policy::PolicySettings;
pub use thresholds::{Costs, HoldBy, ReviewBy};
pub use training::{Boost, Logistic, ProbabilityForest, Training, TrainingPeriod};
pub use window::{DistinctField, Measure, NamedWindow, Quantity, Reach, Window};

/// [`Definition::parse`] reads and checks it, so that every index in it is valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub name: String,
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

    /// The entities that the first look has windows of, as ascending indexes into the schema.
    pub fn profiled_entities(&self) -> impl Iterator<Item = usize> {
        let entities = 0..self.schema.entities.len();
        entities.filter(|&entity| !self.profile_columns(entity).is_empty())
    }

    /// The columns of an entity's profiles: the windows of this entity that the first look needs.
    pub fn profile_columns(&self, entity: usize) -> Vec<NamedWindow<'_>> {
        let mut windows = self.windows(&self.first);
        windows.retain(|(_, window)| window.entity == entity);
        windows
    }

    /// Every window that a look needs, each once, in the order of the file. Windows that only a
    /// ratio or a difference needs are included.
    pub fn windows(&self, look: &Look) -> Vec<NamedWindow<'_>> {
        let mut needed = vec![false; self.features.len()];
        for &index in &look.features {
            self.mark_needed(index, &mut needed);
        }
        let mut windows = Vec::new();
        for (feature, needed) in self.features.iter().zip(needed) {
            if let (FeatureKind::Window(window), true) = (&feature.kind, needed) {
                windows.push((feature.name.as_str(), window));
            }
        }
        windows
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
