use bundle::{Bundle, SecondScore};
use decision::{Evidence, Hold, Policy};
use features::sql;
use warehouse::Statement;

/// The part of a bundle that settling needs. Tests have an implementation with obvious scores.
pub trait SecondModel: Send + Sync {
    /// The bundle's version, for the final decisions.
    fn version(&self) -> &str;
    fn policy(&self) -> &Policy;
    /// The statement that computes the evidence of these holds. Equal arguments give an equal
    /// statement, here and in score: its client token is derived from the statement.
    fn evidence_statement(&self, name: &str, attempt: u32, holds: &[Hold]) -> Statement;
    /// Whether the evidence has all columns that the model needs; they may be NULL. Evidence that
    /// another bundle's statement computed may lack some.
    fn is_complete(&self, evidence: &Evidence) -> bool;
    fn score(&self, hold: &Hold, evidence: &Evidence) -> SecondScore;
}

impl SecondModel for Bundle {
    fn version(&self) -> &str {
        self.version()
    }

    fn policy(&self) -> &Policy {
        self.policy()
    }

    fn evidence_statement(&self, name: &str, attempt: u32, holds: &[Hold]) -> Statement {
        let parameters = sql::evidence_parameters(self.definition(), holds);
        let sqls = sql::evidence(self.definition(), parameters.len());
        Statement::new(name.to_owned(), attempt, sqls, parameters)
    }

    fn is_complete(&self, evidence: &Evidence) -> bool {
        let definition = self.definition();
        definition
            .windows(&definition.confirm)
            .iter()
            .all(|(name, _)| evidence.contains_key(*name))
    }

    fn score(&self, hold: &Hold, evidence: &Evidence) -> SecondScore {
        self.confirm(hold, evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_complete_if_it_has_each_window_of_the_second_look() {
        let bundle = harness::fixture::bundle();
        let evidence = |name: &str, value| Evidence::from([(name.to_owned(), value)]);
        assert!(bundle.is_complete(&evidence("customer_mean_7d", Some(20.0))));
        assert!(
            bundle.is_complete(&evidence("customer_mean_7d", None)),
            "NULL is an answer"
        );
        assert!(!bundle.is_complete(&evidence("customer_mean_9d", Some(20.0))));
    }
}
