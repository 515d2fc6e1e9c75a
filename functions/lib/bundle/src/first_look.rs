//! The first look: a score for each transaction of a batch, from the transaction and the profiles.

use decision::{Batch, Reason};
use features::Profiles;
use jiff::Timestamp;
use scoring::Matrix;

use crate::Bundle;
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
        self.first_rows(self.profiles(), batch, scratch);
        self.models
            .first
            .score(&scratch.matrix, &mut scratch.scores);
        FirstScores {
            scores: &scratch.scores,
            missing: &scratch.missing,
        }
    }

    /// The texts for a decision's `degraded`.
    pub fn degraded(&self, missing: MissingProfiles) -> &[String] {
        self.degraded
            .get(usize::from(missing.0))
            .map_or(&[], Vec::as_slice)
    }

    /// The features that contributed most to the score of a row.
    pub fn first_reasons(&self, batch: &Batch<'_>, row: usize) -> Vec<Reason> {
        let profiles = self.profiles();
        let mut profile_rows = Vec::new();
        find_profiles(profiles, batch, row, &mut profile_rows);
        let source = self.batch_row(batch, row, profiles, &profile_rows);
        let look = &self.definition.first;
        reasons(&self.definition, look, &self.models.first, &source)
    }

    /// Fills the matrix of `scratch` with the features of each row of the batch.
    pub(crate) fn first_rows(
        &self,
        profiles: Option<&Profiles>,
        batch: &Batch<'_>,
        scratch: &mut Scratch,
    ) {
        let look = &self.definition.first;
        scratch.matrix.reset(look.features.len(), batch.len());
        scratch.missing.clear();
        for row in 0..batch.len() {
            find_profiles(profiles, batch, row, &mut scratch.profile_rows);
            let source = self.batch_row(batch, row, profiles, &scratch.profile_rows);
            scratch.matrix.extend(self.definition.row(look, &source));
            let occurred_at = batch.occurred_at(row);
            scratch
                .missing
                .push(self.missing(profiles, occurred_at, &scratch.profile_rows));
        }
    }

    fn batch_row<'r>(
        &'r self,
        batch: &'r Batch<'r>,
        row: usize,
        profiles: Option<&'r Profiles>,
        profile_rows: &'r [Option<u32>],
    ) -> BatchRow<'r> {
        BatchRow {
            batch,
            row,
            categories: &self.categories,
            profiles,
            slots: &self.slots,
            profile_rows,
        }
    }

    fn missing(
        &self,
        profiles: Option<&Profiles>,
        occurred_at: Timestamp,
        profile_rows: &[Option<u32>],
    ) -> MissingProfiles {
        let look = &self.definition.first;
        let tables = self.slots.tables();
        let Some(period) = look.cut_off else {
            return MissingProfiles(0);
        };
        let Some(profiles) = profiles else {
            return MissingProfiles(1 << (tables + 1));
        };
        let mut bits = 0;
        for (table, row) in profile_rows.iter().enumerate() {
            bits |= u8::from(row.is_none()) << table;
        }
        // One period behind is normal while the next profiles are built.
        let behind = look
            .window_end(occurred_at)
            .duration_since(profiles.cut_off());
        let is_stale = behind > period;
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
