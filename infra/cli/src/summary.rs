//! The figures of a run: `target/run/summary.json`.

mod impact;
mod table;

use std::collections::HashMap;

use decision::{Action, Decision};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use train::metrics::{ScoredLabel, choice, ranking};

use crate::audit::Audit;
use crate::consume::DecisionLog;
pub use impact::Impact;
pub use table::table;

/// The figures of one run. All times are measured on this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub transactions: usize,
    pub approved: usize,
    pub held: usize,
    pub released: usize,
    pub blocked: usize,
    pub review: usize,
    pub rejected: usize,
    /// See [`Audit::lost`].
    pub lost: usize,
    /// See [`Audit::unsettled`].
    pub unsettled: usize,
    /// From PutRecords to the time at which a consumer reads the decision.
    pub put_to_decision_ms: Percentiles,
    /// From a hold to its final decision.
    pub hold_to_final_ms: Percentiles,
    /// Score's mean time for a transaction, in microseconds. Includes the decision and its line for
    /// the bucket; excludes the decoding of the event (JSON and base64).
    pub score_us_per_transaction: Option<f64>,
    /// The first look against the labels. A hold is a positive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_stage: Option<FirstLookQuality>,
    /// Both looks against the labels. A block or a review is a positive.
    #[serde(rename = "final", skip_serializing_if = "Option::is_none")]
    pub both_looks: Option<FinalQuality>,
    /// What the second look changed about the holds.
    #[serde(rename = "confirming", skip_serializing_if = "Option::is_none")]
    pub second_look: Option<SecondLookEffect>,
    /// The effect of the decisions on money and customers, if labels and amounts are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<Impact>,
    /// The number of final decisions for each value of `settled_by`.
    pub settled_by: HashMap<String, usize>,
}

/// In milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p99: f64,
}

/// The first look against the labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirstLookQuality {
    /// Area under the ROC curve.
    pub auc: f64,
    pub average_precision: f64,
    /// The share of holds that are frauds.
    pub precision: f64,
    /// The share of frauds that were held.
    pub recall: f64,
}

/// Both looks against the labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinalQuality {
    /// The share of blocked and reviewed transactions that are frauds.
    pub precision: f64,
    /// The share of frauds that were blocked or sent to review.
    pub recall: f64,
}

/// What the second look changed about the holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecondLookEffect {
    /// The share of held frauds that were blocked or sent to review.
    pub true_holds_kept: f64,
    /// The share of held good transactions that were released.
    pub false_holds_released: f64,
}

impl Percentiles {
    /// The percentiles of values in any order; 0 if there are none.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = ((values.len() as f64 - 1.0).max(0.0) * share).round() as usize;
            values.get(place).copied().unwrap_or_default()
        };
        Self {
            p50: at(0.5),
            p99: at(0.99),
        }
    }
}

/// A transaction of the live part of a run.
#[derive(Clone, Debug)]
pub struct LiveTransaction {
    /// When it was put on the stream.
    pub put_at: Timestamp,
    /// Its partition key, which is its first entity.
    pub customer: String,
    pub amount: Option<f64>,
    /// The label, if it is known.
    pub fraud: Option<bool>,
}

/// A transaction with a label and its decisions.
pub(crate) struct Labelled<'a> {
    pub(crate) live: &'a LiveTransaction,
    pub(crate) fraud: bool,
    pub(crate) provisional: &'a Decision,
    pub(crate) final_decision: Option<&'a Decision>,
}

impl Labelled<'_> {
    fn is_held(&self) -> bool {
        self.provisional.action == Action::Hold
    }

    /// Whether the transaction was blocked or sent to review.
    fn is_stopped(&self) -> bool {
        self.final_decision
            .is_some_and(|decision| decision.action != Action::Release)
    }
}

impl Summary {
    pub fn new(
        log: &DecisionLog,
        audit: &Audit,
        live: &HashMap<String, LiveTransaction>,
        score_us_per_transaction: Option<f64>,
    ) -> Self {
        let finals = || log.finals.values().map(|read| &read.decision);
        let with_action = |action| {
            finals()
                .filter(|decision| decision.action == action)
                .count()
        };
        let waits = log.provisional.values().filter_map(|read| {
            let put_at = live.get(read.decision.transaction_id.as_str())?.put_at;
            Some((read.read_at.as_millisecond() - put_at.as_millisecond()) as f64)
        });
        let held_for = finals()
            .filter_map(|decision| decision.held_ms)
            .map(|ms| ms as f64);
        let provisional = log.provisional.values().map(|read| &read.decision);
        let labelled = labelled(log, live);
        Self {
            transactions: audit.sent,
            approved: provisional
                .filter(|decision| decision.action == Action::Approve)
                .count(),
            held: audit.held,
            released: with_action(Action::Release),
            blocked: with_action(Action::Block),
            review: with_action(Action::Review),
            rejected: audit.rejected,
            lost: audit.lost,
            unsettled: audit.unsettled,
            put_to_decision_ms: Percentiles::of(waits.collect()),
            hold_to_final_ms: Percentiles::of(held_for.collect()),
            score_us_per_transaction,
            first_stage: first_look_quality(&labelled),
            both_looks: final_quality(&labelled),
            second_look: second_look_effect(&labelled),
            impact: Impact::new(&labelled),
            settled_by: settled_by(finals()),
        }
    }
}

fn labelled<'a>(
    log: &'a DecisionLog,
    live: &'a HashMap<String, LiveTransaction>,
) -> Vec<Labelled<'a>> {
    let mut labelled = Vec::new();
    for (id, provisional) in &log.provisional {
        let transaction_id = provisional.decision.transaction_id.as_str();
        let Some(transaction) = live.get(transaction_id) else {
            continue;
        };
        let Some(fraud) = transaction.fraud else {
            continue;
        };
        labelled.push(Labelled {
            live: transaction,
            fraud,
            provisional: &provisional.decision,
            final_decision: log.finals.get(id).map(|read| &read.decision),
        });
    }
    // The quality measures are defined only if there are both frauds and good transactions.
    let frauds = labelled.iter().filter(|one| one.fraud).count();
    if frauds == 0 || frauds == labelled.len() {
        labelled.clear();
    }
    labelled
}

fn first_look_quality(labelled: &[Labelled<'_>]) -> Option<FirstLookQuality> {
    let scored = labelled
        .iter()
        .map(|one| ScoredLabel::new(one.provisional.score, one.fraud));
    let ranked = ranking(&scored.collect::<Vec<_>>())?;
    let held = choice(labelled.iter().map(|one| (one.is_held(), one.fraud)));
    Some(FirstLookQuality {
        auc: ranked.auc,
        average_precision: ranked.average_precision,
        precision: held.precision,
        recall: held.recall,
    })
}

fn final_quality(labelled: &[Labelled<'_>]) -> Option<FinalQuality> {
    if labelled.is_empty() {
        return None;
    }
    let stopped = choice(labelled.iter().map(|one| (one.is_stopped(), one.fraud)));
    Some(FinalQuality {
        precision: stopped.precision,
        recall: stopped.recall,
    })
}

fn second_look_effect(labelled: &[Labelled<'_>]) -> Option<SecondLookEffect> {
    if labelled.is_empty() {
        return None;
    }
    let share = |fraud: bool, stopped: bool| {
        let settled = labelled
            .iter()
            .filter(|one| one.final_decision.is_some() && one.fraud == fraud);
        let all = settled.clone().count();
        let hits = settled.filter(|one| one.is_stopped() == stopped).count();
        if all == 0 {
            0.0
        } else {
            hits as f64 / all as f64
        }
    };
    Some(SecondLookEffect {
        true_holds_kept: share(true, true),
        false_holds_released: share(false, false),
    })
}

fn settled_by<'a>(finals: impl Iterator<Item = &'a Decision>) -> HashMap<String, usize> {
    let mut settled_by = HashMap::new();
    for by in finals.filter_map(|decision| decision.settled_by) {
        let name = serde_json::to_value(by).ok();
        let name = name.as_ref().and_then(|name| name.as_str());
        *settled_by
            .entry(name.unwrap_or_default().to_owned())
            .or_default() += 1;
    }
    settled_by
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::consume::ReadDecision;

    fn log(decisions: &[(&str, &str, f64)]) -> DecisionLog {
        let mut log = DecisionLog::default();
        for (id, action, score) in decisions {
            let is_final = !["hold", "approve"].contains(action);
            let decision = json!({
                "decision_id": id, "transaction_id": id, "action": action, "score": score, "reasons": [],
                "bundle_version": "v", "decided_at": Timestamp::UNIX_EPOCH,
                "stage": if is_final { "final" } else { "provisional" },
                "deadline": (*action == "hold").then_some(Timestamp::UNIX_EPOCH),
                "held_ms": is_final.then_some(250), "settled_by": is_final.then_some("sweep"),
            });
            let entry = ReadDecision {
                decision: serde_json::from_value(decision).unwrap(),
                read_at: Timestamp::from_second(2).unwrap(),
            };
            if is_final {
                &mut log.finals
            } else {
                &mut log.provisional
            }
            .insert((*id).to_owned(), entry);
        }
        log
    }

    /// The summary of four transactions as JSON: `c` and `d` were held. `fraud` has the labels.
    fn summary(fraud: &[(&str, bool)]) -> Value {
        let log = log(&[
            ("a", "approve", 0.1),
            ("b", "approve", 0.2),
            ("c", "hold", 0.8),
            ("c", "release", 0.3),
            ("d", "hold", 0.9),
            ("d", "review", 0.95),
        ]);
        let audit = Audit {
            sent: 4,
            held: 2,
            rejected: 1,
            lost: 3,
            unsettled: 5,
            ..Audit::default()
        };
        let live = ["a", "b", "c", "d"].map(|id| {
            let transaction = LiveTransaction {
                put_at: Timestamp::from_second(1).unwrap(),
                customer: format!("customer of {id}"),
                amount: Some(100.0),
                fraud: fraud
                    .iter()
                    .find(|(known, _)| *known == id)
                    .map(|(_, fraud)| *fraud),
            };
            (id.to_owned(), transaction)
        });
        serde_json::to_value(Summary::new(&log, &audit, &live.into(), Some(2.5))).unwrap()
    }

    #[test]
    fn the_figures_have_their_documented_names() {
        let expected = json!({
            "transactions": 4, "approved": 2, "held": 2, "released": 1, "blocked": 0, "review": 1, "rejected": 1,
            "lost": 3, "unsettled": 5, "settled_by": { "sweep": 2 },
            "put_to_decision_ms": { "p50": 1000.0, "p99": 1000.0 }, "hold_to_final_ms": { "p50": 250.0, "p99": 250.0 },
            "score_us_per_transaction": 2.5,
            "first_stage": { "auc": 0.75, "average_precision": 0.8333, "precision": 0.5, "recall": 0.5 },
            "final": { "precision": 1.0, "recall": 0.5 },
            "confirming": { "true_holds_kept": 1.0, "false_holds_released": 1.0 },
            "impact": {
                "good_held": 1, "good_released": 1, "customers_held": 1, "customers_released": 1,
                "good_held_ms": { "p50": 250.0, "p99": 250.0 },
                "fraud_amount": 200.0, "fraud_amount_stopped": 100.0,
            },
        });
        let mut found = summary(&[("a", false), ("b", true), ("c", false), ("d", true)]);
        let precision = found["first_stage"]["average_precision"].as_f64().unwrap();
        found["first_stage"]["average_precision"] = json!((precision * 1e4).round() / 1e4);
        assert_eq!(found, expected);
    }

    #[test]
    fn a_run_without_labels_has_no_quality_measures() {
        let found = summary(&[]);
        for name in ["first_stage", "final", "confirming", "impact"] {
            assert_eq!(found.get(name), None, "{name}");
        }
    }

    #[test]
    fn percentiles_are_values_of_the_input() {
        assert_eq!(
            Percentiles::of((1..=101).rev().map(f64::from).collect()),
            Percentiles {
                p50: 51.0,
                p99: 100.0
            }
        );
        assert_eq!(Percentiles::of(Vec::new()), Percentiles::default());
    }
}
