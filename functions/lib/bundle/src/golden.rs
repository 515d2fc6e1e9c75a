//! Golden vectors: inputs that are scored when a bundle is built, and again whenever it is opened.

use decision::{Batch, Evidence, Hold, Origin};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::reasons::matrix_of_row;
use crate::rows::{BatchRow, window_value};
use crate::{Bundle, Error};

/// How far the score of an opened bundle may be from the score when it was built: processors
/// round `exp` differently.
const TOLERANCE: f64 = 1e-6;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    pub first: Vec<GoldenFirst>,
    pub confirm: Vec<GoldenConfirm>,
}

/// A golden vector of the first look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenFirst {
    /// The JSON object as a producer sends it.
    pub transaction: serde_json::Value,
    /// The values of its windows, by name.
    pub windows: Evidence,
    pub score: f64,
}

/// A golden vector of the second look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenConfirm {
    pub hold: Hold,
    pub evidence: Evidence,
    pub score: f64,
}

impl Bundle {
    /// The first look's score of a golden vector. NaN if its transaction can't be read, so that it
    /// differs from every expected score.
    pub(crate) fn golden_score(&self, vector: &GoldenFirst) -> f64 {
        let bytes = vector.transaction.to_string();
        let mut batch = Batch::new(self.schema());
        let origin = Origin { record: 0, item: 0 };
        // Golden vectors may have any timestamp, so none may lie after its arrival.
        if batch
            .read(bytes.as_bytes(), origin, Timestamp::MAX)
            .is_err()
        {
            return f64::NAN;
        }
        let source = BatchRow {
            batch: &batch,
            row: 0,
            categories: &self.categories,
            windows: |feature| window_value(&self.definition, &vector.windows, feature),
        };
        let matrix = matrix_of_row(&self.definition, &self.definition.first, &source);
        let score = self.models.first.score_one(&matrix, 0);
        score.unwrap_or(f64::NAN)
    }

    /// Scores the golden vectors again, and compares.
    pub(crate) fn check_golden(&self, golden: &Golden) -> Result<(), Error> {
        if golden.first.is_empty() {
            return Err(Error::NoGolden("first"));
        }
        if golden.confirm.is_empty() {
            return Err(Error::NoGolden("second"));
        }
        for (index, vector) in golden.first.iter().enumerate() {
            check_score(
                "transaction",
                index,
                self.golden_score(vector),
                vector.score,
            )?;
        }
        for (index, vector) in golden.confirm.iter().enumerate() {
            let found = self.confirm(&vector.hold, &vector.evidence).score;
            check_score("hold", index, found, vector.score)?;
        }
        Ok(())
    }
}

fn check_score(kind: &'static str, index: usize, found: f64, expected: f64) -> Result<(), Error> {
    // False for NaN too.
    if (found - expected).abs() <= TOLERANCE {
        return Ok(());
    }
    Err(Error::Golden {
        kind,
        index,
        found,
        expected,
    })
}
