use std::collections::BTreeMap;

use decision::{Hold, Policy};
use jiff::{SignedDuration, Timestamp};
use model::{Bundle, Definition, DefinitionError, Forest, Golden, GoldenConfirm, GoldenFirst, Look, Profiles};
use serde_json::json;

use crate::boost::{BoostError, Task, boost};
use crate::metrics::{choice, ranking};
use crate::report::{LookReport, Report};
use crate::set::{TrainingSet, evidence};

/// How many golden vectors each look gets.
const GOLDEN: usize = 8;

/// Why no bundle was made.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The definition.
    #[error("the bundle's definition can't be used")]
    Definition(#[from] DefinitionError),
    /// A look.
    #[error("can't learn the {0} look")]
    Boost(&'static str, #[source] BoostError),
    /// The bundle.
    #[error("the bundle can't be built")]
    Bundle(#[from] model::Error),
    /// Nothing was kept apart.
    #[error("no transaction falls into the holdout: widen training.span, or bring more history")]
    NoHoldout,
}

/// How far training has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// `first` or `confirming`.
    pub look: &'static str,
    /// Rounds done.
    pub round: usize,
    /// Rounds at the most.
    pub of: usize,
}

/// A bundle and what is to be said of it.
#[derive(Debug)]
pub struct Trained {
    /// The bundle's files by name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// How good it is.
    pub report: Report,
}

/// Learns both looks from labelled transactions and builds their bundle, with the profiles that its
/// first look is to begin with.
pub fn train(
    definition_text: &str,
    set: &TrainingSet,
    profiles: Option<&Profiles>,
    mut progress: impl FnMut(Progress),
) -> Result<Trained, TrainError> {
    let definition = Definition::parse(definition_text)?;
    let training = &definition.training;
    let last = set.occurred_at.iter().max().copied().unwrap_or_default();
    let apart = SignedDuration::from_secs(training.holdout as i64);
    let learn: Vec<bool> = set.occurred_at.iter().map(|moment| last.duration_since(*moment) >= apart).collect();
    if learn.iter().all(|learn| *learn) {
        return Err(TrainError::NoHoldout);
    }

    let mut look = |name: &'static str, look: &Look| {
        let rows = set.matrix(&definition, look);
        let task = Task { rows: &rows, frauds: &set.frauds, learn: &learn, training };
        let forest = boost(&task, |round| progress(Progress { look: name, round, of: training.rounds }))
            .map_err(|source| TrainError::Boost(name, source))?;
        let mut scores = Vec::new();
        forest.score(&rows, &mut scores);
        Ok::<_, TrainError>((forest, scores))
    };
    let (first, first_scores) = look("first", &definition.first)?;
    let (confirm, confirm_scores) = look("confirming", &definition.confirm)?;

    let held_out = |scores: &[f64]| -> Vec<(f64, bool)> {
        let labelled = scores.iter().copied().zip(set.frauds.iter().copied());
        labelled.zip(&learn).filter(|(_, learn)| !**learn).map(|(scored, _)| scored).collect()
    };
    let (first_out, confirm_out) = (held_out(&first_scores), held_out(&confirm_scores));
    let policy = policy(&definition, &first_out);
    let look_report = |look, forest: &Forest, out: &[_]| LookReport::new(&definition, look, forest, ranking(out));
    let golden = golden(&definition, &policy, set);
    let looks =
        [look_report(&definition.first, &first, &first_out), look_report(&definition.confirm, &confirm, &confirm_out)];
    let files = model::build(definition_text, policy.clone(), [first.into(), confirm.into()], profiles, golden)?;
    let version = Bundle::open(&files)?.version().to_owned();

    let held = choice(first_out.iter().map(|(score, fraud)| (*score >= policy.hold_at, *fraud)));
    let kept = first_out
        .iter()
        .zip(&confirm_out)
        .map(|((first, fraud), (second, _))| (*first >= policy.hold_at && *second >= policy.release_below, *fraud));
    let [first, confirm] = looks;
    let report = Report {
        bundle: definition.name.clone(),
        version,
        transactions: set.len(),
        frauds: set.frauds.iter().filter(|fraud| **fraud).count(),
        holdout: first_out.len(),
        holdout_frauds: first_out.iter().filter(|(_, fraud)| *fraud).count(),
        first,
        confirm,
        held,
        kept: choice(kept),
        thresholds: [policy.hold_at, policy.release_below, policy.block_at],
    };
    Ok(Trained { files, report })
}

/// Thresholds: the first look's from its budget of holds, on the holdout; the confirming look's from
/// what each mistake costs, at the probability where the cheaper action changes.
fn policy(definition: &Definition, first_out: &[(f64, bool)]) -> Policy {
    let (costs, rules) = (&definition.costs, &definition.rules);
    Policy {
        hold_at: hold_at(first_out, definition.hold_share),
        release_below: costs.review / costs.missed_fraud,
        block_at: 1.0 - costs.review / costs.false_block,
        hold_deadline_seconds: rules.hold_deadline,
        max_attempts: rules.max_attempts,
        on_expiry: rules.on_expiry,
        on_failure: rules.on_failure,
        on_missing_evidence: rules.on_missing_evidence,
    }
}

/// The lowest score at which the share of holds stays within the budget. Where even the highest
/// score is shared by more, that score: a first look that holds nothing has no second.
fn hold_at(scored: &[(f64, bool)], share: f64) -> f64 {
    let budget = (scored.len() as f64 * share).floor() as usize;
    let mut scores: Vec<f64> = scored.iter().map(|(score, _)| *score).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    let mut threshold = scores.first().copied().unwrap_or(1.0);
    let mut held = 0;
    for equal in scores.chunk_by(|a, b| a == b) {
        held += equal.len();
        match equal.first() {
            Some(score) if held <= budget => threshold = *score,
            _ => break,
        }
    }
    threshold
}

/// Vectors from across the training set, with ids of their own: a bundle carries nobody's name.
fn golden(definition: &Definition, policy: &Policy, set: &TrainingSet) -> Golden {
    let schema = definition.schema();
    let mut golden = Golden::default();
    for vector in 0..GOLDEN.min(set.len()) {
        let row = vector * (set.len() - 1) / (GOLDEN - 1);
        let occurred_at = set.occurred_at.get(row).copied().unwrap_or_default();
        let amount = set.amounts.get(row).copied().unwrap_or_default();
        let id = format!("golden-{vector}");
        let numbers = set.numbers(definition, row);
        let entities: BTreeMap<String, String> =
            schema.entities.iter().map(|name| (name.clone(), "golden".to_owned())).collect();
        let mut transaction = json!({ "transaction_id": id, "occurred_at": occurred_at, "amount": amount });
        if let Some(fields) = transaction.as_object_mut() {
            fields.extend(numbers.iter().map(|(name, value)| (name.clone(), json!(value))));
            fields.extend(entities.iter().map(|(name, value)| (name.clone(), json!(value))));
        }
        golden.first.push(GoldenFirst { transaction, profiles: evidence(&set.profiles, row), score: 0.0 });
        let hold = Hold {
            decision_id: id.clone(),
            transaction_id: id,
            occurred_at,
            amount,
            entities,
            numbers,
            categories: BTreeMap::new(),
            score: policy.hold_at,
            reasons: Vec::new(),
            model_version: String::new(),
            decided_at: Timestamp::UNIX_EPOCH,
            deadline: Timestamp::UNIX_EPOCH,
        };
        golden.confirm.push(GoldenConfirm { hold, evidence: set.evidence(row), score: 0.0 });
    }
    golden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_keeps_to_the_budget_of_holds() {
        let scored: Vec<(f64, bool)> = (1..=100).map(|i| (f64::from(i) / 100.0, false)).collect();
        assert_eq!(hold_at(&scored, 0.05), 0.96);
        let tied: Vec<(f64, bool)> = (0..100).map(|i| (if i < 10 { 0.9 } else { 0.1 }, false)).collect();
        assert_eq!(hold_at(&tied, 0.2), 0.9, "the next score would hold everyone");
        assert_eq!(hold_at(&tied, 0.05), 0.9, "the highest score is held whatever the budget");
    }
}
