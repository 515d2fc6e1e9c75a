//! Where the numbers of windows are in the profiles.

use features::{Definition, FeatureKind, Measure, NamedWindow, Parts, Profiles};
use jiff::Timestamp;

#[derive(Clone, Debug)]
pub(crate) struct ProfileSlots {
    /// Indexed by feature; `None` for features whose numbers are not in the profiles.
    slots: Vec<Option<ProfileSlot>>,
    /// Whether the second look needs the numbers. Indexed by feature.
    in_second_look: Vec<bool>,
    /// Whether the first look needs any.
    pub(crate) in_first_look: bool,
    tables: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ProfileSlot {
    pub(crate) table: usize,
    /// The place of the first number.
    first: usize,
    measure: Measure,
}

impl ProfileSlots {
    pub(crate) fn new(definition: &Definition) -> Self {
        let mut slots = vec![None; definition.features().len()];
        for (table, entity) in definition.profiled_entities().enumerate() {
            let mut first = 0;
            for (name, window) in definition.profile_windows(entity) {
                let measure = window.measure;
                let slot = ProfileSlot {
                    table,
                    first,
                    measure,
                };
                let features = definition.features().iter().zip(&mut slots);
                for (feature, place) in features {
                    if feature.name == name && matches!(feature.kind, FeatureKind::Window(_)) {
                        *place = Some(slot);
                    }
                }
                first += measure.aggregates().len();
            }
        }
        let second = definition.windows(&definition.confirm);
        let is_needed = |name: &str| {
            let long = |(other, window): &NamedWindow<'_>| {
                *other == name && definition.has_profile_part(window)
            };
            second.iter().any(long)
        };
        let features = definition.features().iter();
        Self {
            in_second_look: features.map(|feature| is_needed(&feature.name)).collect(),
            in_first_look: !definition.windows(&definition.first).is_empty(),
            slots,
            tables: definition.profiled_entities().count(),
        }
    }

    pub(crate) fn get(&self, feature: usize) -> Option<ProfileSlot> {
        self.slots.get(feature).copied().flatten()
    }

    /// As [`ProfileSlots::get`], for windows of the second look that begin at the cut-off.
    pub(crate) fn of_second_look(&self, feature: usize) -> Option<ProfileSlot> {
        let is_needed = self.in_second_look.get(feature) == Some(&true);
        self.get(feature).filter(|_| is_needed)
    }

    /// The number of profile tables. Each profiled entity has one.
    pub(crate) fn tables(&self) -> usize {
        self.tables
    }
}

/// The profiles of one transaction's entities.
#[derive(Clone, Copy)]
pub(crate) struct EntityProfiles<'p> {
    pub(crate) slots: &'p ProfileSlots,
    pub(crate) profiles: Option<&'p Profiles>,
    /// For each table, the row of the transaction's entity. `None` if it has no profile.
    pub(crate) rows: &'p [Option<u32>],
}

impl EntityProfiles<'_> {
    /// The value of a window at the cut-off. An entity without a profile has that of no
    /// transactions.
    pub(crate) fn value(&self, feature: usize) -> f64 {
        let Some(slot) = self.slots.get(feature) else {
            return f64::NAN;
        };
        let numbers = self.numbers(slot).iter().copied();
        let parts = Parts::of_aggregates(slot.measure, numbers);
        let cut_off = self
            .profiles
            .map_or(Timestamp::UNIX_EPOCH, Profiles::cut_off);
        parts.value(slot.measure, cut_off)
    }

    /// The numbers of a window; none if the entity has no profile.
    pub(crate) fn numbers(&self, slot: ProfileSlot) -> &[f64] {
        match (self.profiles, self.rows.get(slot.table)) {
            (Some(profiles), Some(&Some(row))) => {
                let numbers = profiles.numbers(slot.table, row, slot.first);
                let count = slot.measure.aggregates().len();
                numbers.get(..count).unwrap_or_default()
            }
            _ => &[],
        }
    }
}
