//! The second look: a score for a hold, from its transaction and its evidence.

use decision::{Evidence, Hold, Reason};

use crate::Bundle;
use crate::reasons::{matrix_of_row, reasons};
use crate::rows::HeldRow;

#[derive(Clone, Debug, PartialEq)]
pub struct SecondScore {
    pub score: f64,
    /// At most three, the strongest first.
    pub reasons: Vec<Reason>,
}

impl Bundle {
    /// Scores a hold. `evidence` has a value for each window of the second look; one that is not
    /// there is missing.
    pub fn confirm(&self, hold: &Hold, evidence: &Evidence) -> SecondScore {
        let source = HeldRow {
            definition: &self.definition,
            categories: &self.categories,
            hold,
            evidence,
        };
        let look = &self.definition.confirm;
        let model = &self.models.confirm;
        let matrix = matrix_of_row(&self.definition, look, &source);
        // INVARIANT: `open` compared the model's columns with the look's, so there is a score. If
        // there were none, `release_below` would send the hold to review.
        let score = model.score_one(&matrix, 0);
        SecondScore {
            score: score.unwrap_or(self.policy.release_below),
            reasons: reasons(&self.definition, look, model, &source),
        }
    }
}
