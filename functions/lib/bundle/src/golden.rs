//! Golden vectors: inputs whose scores are computed when a bundle is built, and again whenever it is
//! opened.

use decision::{Batch, Evidence, Hold, Origin};
use features::{Profiles, TableBuilder};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Bundle, Error, Scratch};

/// How far a rescored golden vector may be from what it was.
const TOLERANCE: f64 = 1e-6;

/// Scores that were computed when the bundle was built.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// Transactions with their profiles, and the first look's probability.
    pub first: Vec<GoldenFirst>,
    /// Held transactions and their evidence, and the confirming look's probability.
    pub confirm: Vec<GoldenConfirm>,
}

/// One golden vector of the first look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenFirst {
    /// The transaction, as it would come.
    pub transaction: serde_json::Value,
    /// The windows that its entities' profiles hold.
    pub profiles: Evidence,
    /// The probability.
    pub score: f64,
}

/// One golden vector of the confirming look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenConfirm {
    /// The held transaction.
    pub hold: Hold,
    /// Its evidence.
    pub evidence: Evidence,
    /// The probability.
    pub score: f64,
}

impl Bundle {
    /// The first look at one golden transaction; NaN if it can't be read.
    pub(crate) fn first_score(
        &self,
        GoldenFirst {
            transaction,
            profiles,
            ..
        }: &GoldenFirst,
    ) -> f64 {
        let bytes = transaction.to_string();
        let mut batch = Batch::new(self.schema());
        // Golden vectors are of any time, so that none lies ahead of its arrival.
        if batch
            .read(
                bytes.as_bytes(),
                Origin { record: 0, item: 0 },
                Timestamp::MAX,
            )
            .is_err()
        {
            return f64::NAN;
        }
        let table = |entity| {
            let mut table = TableBuilder::new(&self.definition, entity)?;
            let columns = self.definition.profile_columns(entity).into_iter();
            let values =
                columns.map(|(name, _)| profiles.get(name).copied().flatten().unwrap_or(f64::NAN));
            table.push(batch.entity(0, entity), values);
            Some(table)
        };
        let tables = self
            .definition
            .profiled_entities()
            .filter_map(table)
            .collect();
        let Ok(profiles) = Profiles::build(Timestamp::UNIX_EPOCH, tables) else {
            return f64::NAN;
        };
        let mut scratch = Scratch::default();
        self.first_rows(Some(&profiles), &batch, &mut scratch);
        self.models
            .first
            .score_one(&scratch.matrix, 0)
            .unwrap_or(f64::NAN)
    }

    pub(crate) fn rescore(&self, golden: &Golden) -> Result<(), Error> {
        let close = |what, place, found: f64, expected: f64| {
            let same = (found - expected).abs() <= TOLERANCE;
            if same {
                Ok(())
            } else {
                Err(Error::Golden {
                    what,
                    place,
                    found,
                    expected,
                })
            }
        };
        if golden.first.is_empty() {
            return Err(Error::NoGolden("first"));
        }
        if golden.confirm.is_empty() {
            return Err(Error::NoGolden("confirming"));
        }
        for (place, vector) in golden.first.iter().enumerate() {
            close("transaction", place, self.first_score(vector), vector.score)?;
        }
        for (
            place,
            GoldenConfirm {
                hold,
                evidence,
                score,
            },
        ) in golden.confirm.iter().enumerate()
        {
            close("hold", place, self.confirm(hold, evidence).score, *score)?;
        }
        Ok(())
    }
}
