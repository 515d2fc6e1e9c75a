use bundle::Bundle;
use decision::{Evidence, Hold, Policy, Reason};
use features::sql;
use warehouse::Statement;

/// What settling needs of a model bundle. Tests settle with a judge whose verdicts can be seen at a
/// glance.
pub trait SecondModel: Send + Sync {
    /// The bundle's version, which its final decisions bear.
    fn version(&self) -> &str;
    /// What follows from a score, and from its absence.
    fn policy(&self) -> &Policy;
    /// The statement that asks for the evidence on these holds. The same arguments make the same
    /// statement, in score as here: its client token is derived from it.
    fn ask(&self, name: &str, attempt: u32, holds: &[Hold]) -> Statement;
    /// Whether the evidence has all that the confirming model asks for, were it only to say that it is
    /// not known. Another bundle's query may have asked for less.
    fn is_whole(&self, evidence: &Evidence) -> bool;
    /// The confirming model's probability of fraud, and its reasons.
    fn confirm(&self, hold: &Hold, evidence: &Evidence) -> (f64, Vec<Reason>);
}

impl SecondModel for Bundle {
    fn version(&self) -> &str {
        self.version()
    }

    fn policy(&self) -> &Policy {
        self.policy()
    }

    fn ask(&self, name: &str, attempt: u32, holds: &[Hold]) -> Statement {
        let parameters = sql::evidence_parameters(self.definition(), holds);
        let sqls = sql::evidence(self.definition(), parameters.len());
        Statement::new(name.to_owned(), attempt, sqls, parameters)
    }

    fn is_whole(&self, evidence: &Evidence) -> bool {
        let definition = self.definition();
        definition
            .windows(&definition.confirm)
            .iter()
            .all(|(name, _)| evidence.contains_key(*name))
    }

    fn confirm(&self, hold: &Hold, evidence: &Evidence) -> (f64, Vec<Reason>) {
        let confirmed = self.confirm(hold, evidence);
        (confirmed.score, confirmed.reasons)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_whole_that_has_each_window_of_the_confirming_model_known_or_not() {
        let bundle = harness::fixture::bundle();
        let of = |name: &str, value| Evidence::from([(name.to_owned(), value)]);
        assert!(bundle.is_whole(&of("customer_mean_7d", Some(20.0))));
        assert!(
            bundle.is_whole(&of("customer_mean_7d", None)),
            "the warehouse was asked, and knows nothing"
        );
        assert!(!bundle.is_whole(&of("customer_mean_9d", Some(20.0))));
    }
}
