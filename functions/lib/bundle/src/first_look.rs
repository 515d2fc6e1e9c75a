//! The first look: a score for each transaction of a batch, from the transaction and the profiles.

use decision::{Batch, ProfileNumbers, Reason};
use features::{FeatureSource, Profiles};
use jiff::Timestamp;
use scoring::Matrix;

use crate::Bundle;
use crate::profile_slots::EntityProfiles;
use crate::reasons::reasons;
use crate::rows::BatchRow;

/// Memory that scoring reuses from batch to batch.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(crate) matrix: Matrix,
    scores: Vec<f64>,
    profile_rows: Vec<Option<u32>>,
    missing: Vec<MissingProfiles>,
}

/// The profiles that were missing when a score was computed. [`Bundle::degraded`] returns the
/// texts.
///
/// Bits, with n = the number of profiled entities: 0 to n − 1, the transaction's entity has no
/// profile; n, the profiles are stale; n + 1, the bundle has no profiles (then no other bit is
/// set).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MissingProfiles(u8);

/// The first scores of a batch. Both slices have one element for each row, in the batch's order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FirstScores<'s> {
    pub scores: &'s [f64],
    pub missing: &'s [MissingProfiles],
}

impl Bundle {
    /// Scores every row of a batch. Allocates only if `scratch` must grow.
    pub fn first_scores<'s>(&self, batch: &Batch<'_>, scratch: &'s mut Scratch) -> FirstScores<'s> {
        self.first_rows(batch, scratch);
        self.models
            .first
            .score(&scratch.matrix, &mut scratch.scores);
        FirstScores {
            scores: &scratch.scores,
            missing: &scratch.missing,
        }
    }

    /// Whether a score used profiles that newer ones should have replaced.
    pub fn has_stale_profiles(&self, missing: MissingProfiles) -> bool {
        let tables = self.slots.tables();
        missing.0 & (1 << tables) != 0 && missing.0 >> (tables + 1) == 0
    }

    /// The texts for a decision's `degraded`.
    pub fn degraded(&self, missing: MissingProfiles) -> &[String] {
        self.degraded
            .get(usize::from(missing.0))
            .map_or(&[], Vec::as_slice)
    }

    /// The features that contributed most to the score of a row.
    pub fn first_reasons(&self, batch: &Batch<'_>, row: usize) -> Vec<Reason> {
        let mut rows = Vec::new();
        find_profiles(self.profiles(), batch, row, &mut rows);
        let source = self.batch_row(batch, row, self.entity_profiles(&rows));
        let look = &self.definition.first;
        reasons(&self.definition, look, &self.models.first, &source)
    }

    /// The numbers of the profiles that a row's second look needs. Empty without profiles.
    pub fn profile_numbers(&self, batch: &Batch<'_>, row: usize) -> ProfileNumbers {
        let mut rows = Vec::new();
        find_profiles(self.profiles(), batch, row, &mut rows);
        let profiles = self.entity_profiles(&rows);
        let mut numbers = ProfileNumbers::new();
        for (index, feature) in self.definition.features().iter().enumerate() {
            let Some(slot) = self.slots.of_second_look(index) else {
                continue;
            };
            let of_window = profiles.numbers(slot).iter();
            let known: Vec<Option<f64>> = of_window
                .map(|number| Some(*number).filter(|number| number.is_finite()))
                .collect();
            if !known.is_empty() {
                numbers.insert(feature.name.clone(), known);
            }
        }
        numbers
    }

    /// Fills the matrix of `scratch` with the features of each row of the batch.
    fn first_rows(&self, batch: &Batch<'_>, scratch: &mut Scratch) {
        let look = &self.definition.first;
        scratch.matrix.reset(look.features.len(), batch.len());
        scratch.missing.clear();
        for row in 0..batch.len() {
            find_profiles(self.profiles(), batch, row, &mut scratch.profile_rows);
            let profiles = self.entity_profiles(&scratch.profile_rows);
            let source = self.batch_row(batch, row, profiles);
            scratch.matrix.extend(self.definition.row(look, &source));
            let missing = self.missing(batch.occurred_at(row), &scratch.profile_rows);
            scratch.missing.push(missing);
        }
    }

    fn entity_profiles<'p>(&'p self, rows: &'p [Option<u32>]) -> EntityProfiles<'p> {
        EntityProfiles {
            slots: &self.slots,
            profiles: self.profiles(),
            rows,
        }
    }

    fn batch_row<'r>(
        &'r self,
        batch: &'r Batch<'r>,
        row: usize,
        profiles: EntityProfiles<'r>,
    ) -> impl FeatureSource + 'r {
        BatchRow {
            batch,
            row,
            categories: &self.categories,
            windows: move |feature| profiles.value(feature),
        }
    }

    fn missing(&self, occurred_at: Timestamp, profile_rows: &[Option<u32>]) -> MissingProfiles {
        let tables = self.slots.tables();
        let Some(cut_offs) = self
            .definition
            .cut_offs
            .filter(|_| self.slots.in_first_look)
        else {
            return MissingProfiles(0);
        };
        let Some(profiles) = self.profiles() else {
            return MissingProfiles(1 << (tables + 1));
        };
        let mut bits = 0;
        for (table, row) in profile_rows.iter().enumerate() {
            bits |= u8::from(row.is_none()) << table;
        }
        let expected = cut_offs.of(occurred_at, occurred_at);
        let is_stale = profiles.cut_off() < expected;
        MissingProfiles(bits | u8::from(is_stale) << tables)
    }
}

/// Fills `profile_rows`: for each table of the profiles, the row of the transaction's entity, or
/// `None` if the entity has no profile.
fn find_profiles(
    profiles: Option<&Profiles>,
    batch: &Batch<'_>,
    row: usize,
    profile_rows: &mut Vec<Option<u32>>,
) {
    profile_rows.clear();
    if let Some(profiles) = profiles {
        for (table, entity) in profiles.entities().enumerate() {
            profile_rows.push(profiles.find(table, batch.entity(row, entity)));
        }
    }
}
