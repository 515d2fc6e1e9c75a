//! Where the first look's windows are in the profiles.

use features::{Definition, Feature, FeatureKind};

#[derive(Clone, Debug)]
pub(crate) struct ProfileSlots {
    /// Indexed by feature; `None` for features that are not windows of the first look.
    slots: Vec<Option<ProfileSlot>>,
    tables: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ProfileSlot {
    pub(crate) table: usize,
    pub(crate) column: usize,
    /// The value of a window without transactions. An entity without a profile has this value.
    pub(crate) empty_value: f64,
}

impl ProfileSlots {
    pub(crate) fn new(definition: &Definition) -> Self {
        let features = definition.features().iter();
        Self {
            slots: features.map(|feature| slot(definition, feature)).collect(),
            tables: definition.profiled_entities().count(),
        }
    }

    pub(crate) fn get(&self, feature: usize) -> Option<ProfileSlot> {
        self.slots.get(feature).copied().flatten()
    }

    /// The number of profile tables. Each profiled entity has one.
    pub(crate) fn tables(&self) -> usize {
        self.tables
    }
}

fn slot(definition: &Definition, feature: &Feature) -> Option<ProfileSlot> {
    let FeatureKind::Window(window) = &feature.kind else {
        return None;
    };
    let table = definition
        .profiled_entities()
        .position(|entity| entity == window.entity)?;
    let column = definition
        .profile_columns(window.entity)
        .iter()
        .position(|(name, _)| *name == feature.name)?;
    Some(ProfileSlot {
        table,
        column,
        empty_value: window.measure.empty_value(),
    })
}
