//! What a run says of itself: `target/run/summary.json`.

use std::collections::HashMap;

use decision::{Action, Decision};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use train::metrics::{choice, ranking};

use crate::audit::Audit;
use crate::consume::Seen;

/// The figures of one run. Times are of this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub transactions: usize,
    pub approved: usize,
    pub held: usize,
    pub released: usize,
    pub blocked: usize,
    /// Holds handed to a person.
    pub review: usize,
    /// Items that could not be read.
    pub rejected: usize,
    /// See [`Audit::lost`].
    pub lost: usize,
    /// See [`Audit::unsettled`].
    pub unsettled: usize,
    /// From PutRecords to the decision's arrival at a consumer.
    pub put_to_decision_ms: Quantiles,
    /// From a hold to its final decision.
    pub hold_to_final_ms: Quantiles,
    /// Time that score took over a transaction: from its record to its decision and its line, without
    /// the event's own JSON and base64.
    pub score_us_per_transaction: Option<f64>,
    /// The first look against the labels; what it chose is what it held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_stage: Option<FirstStage>,
    /// Both looks together against the labels; what they chose is what was blocked or handed to review.
    #[serde(rename = "final", skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// What the confirming look did with the first look's holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirming: Option<Confirming>,
    /// Who settled, and how often.
    pub settled_by: HashMap<String, usize>,
}

/// Two quantiles, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    pub p50: f64,
    /// All but one in a hundred are below.
    pub p99: f64,
}

/// The first look against the labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirstStage {
    /// Area under the ROC curve.
    pub auc: f64,
    pub average_precision: f64,
    /// Share of holds that are frauds.
    pub precision: f64,
    /// Share of frauds that were held.
    pub recall: f64,
}

/// Both looks against the labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// Share of the stopped that are frauds.
    pub precision: f64,
    /// Share of frauds that were stopped.
    pub recall: f64,
}

/// What the confirming look did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confirming {
    /// Share of held frauds that were blocked or handed to review.
    pub true_holds_kept: f64,
    /// Share of held good transactions that were released.
    pub false_holds_released: f64,
}

impl Quantiles {
    /// Of these, in any order; 0 of none.
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

impl Summary {
    /// Puts the figures together. `put_at` says when each transaction was put on the stream, `fraud`
    /// what is known of it.
    pub fn new(
        seen: &Seen,
        audit: &Audit,
        put_at: &HashMap<String, Timestamp>,
        fraud: &HashMap<String, bool>,
        score_us_per_transaction: Option<f64>,
    ) -> Self {
        let ended = |action| {
            seen.finals
                .values()
                .filter(|(decision, _)| decision.action == action)
                .count()
        };
        let waits = seen.provisional.iter().filter_map(|(id, (_, arrived))| {
            Some((arrived.as_millisecond() - put_at.get(id)?.as_millisecond()) as f64)
        });
        let held_for = seen
            .finals
            .values()
            .filter_map(|(decision, _)| decision.held_ms)
            .map(|ms| ms as f64);
        let mut settled_by = HashMap::new();
        for by in seen
            .finals
            .values()
            .filter_map(|(decision, _)| decision.settled_by)
        {
            let by = serde_json::to_value(by)
                .ok()
                .and_then(|by| by.as_str().map(str::to_owned));
            *settled_by.entry(by.unwrap_or_default()).or_default() += 1;
        }
        let (first_stage, end, confirming) = judged(seen, fraud);
        Self {
            transactions: audit.sent,
            approved: seen
                .provisional
                .values()
                .filter(|(decision, _)| decision.action == Action::Approve)
                .count(),
            held: audit.held,
            released: ended(Action::Release),
            blocked: ended(Action::Block),
            review: ended(Action::Review),
            rejected: audit.rejected,
            lost: audit.lost,
            unsettled: audit.unsettled,
            put_to_decision_ms: Quantiles::of(waits.collect()),
            hold_to_final_ms: Quantiles::of(held_for.collect()),
            score_us_per_transaction,
            first_stage,
            end,
            confirming,
            settled_by,
        }
    }
}

fn judged(
    seen: &Seen,
    fraud: &HashMap<String, bool>,
) -> (Option<FirstStage>, Option<End>, Option<Confirming>) {
    let known: Vec<(&Decision, Option<&Decision>, bool)> = seen
        .provisional
        .iter()
        .filter_map(|(id, (decision, _))| {
            Some((
                decision,
                seen.finals.get(id).map(|(end, _)| end),
                *fraud.get(id)?,
            ))
        })
        .collect();
    let scored: Vec<(f64, bool)> = known
        .iter()
        .map(|(decision, _, fraud)| (decision.score, *fraud))
        .collect();
    let Some(ranked) = ranking(&scored) else {
        return (None, None, None);
    };
    let held = choice(
        known
            .iter()
            .map(|(decision, _, fraud)| (decision.action == Action::Hold, *fraud)),
    );
    let is_stopped = |end: Option<&Decision>| end.is_some_and(|end| end.action != Action::Release);
    let stopped = choice(
        known
            .iter()
            .map(|(_, end, fraud)| (is_stopped(*end), *fraud)),
    );
    let share = |of: bool, kept: bool| {
        let ends: Vec<bool> = known
            .iter()
            .filter(|(_, end, fraud)| end.is_some() && *fraud == of)
            .map(|(_, end, _)| is_stopped(*end))
            .collect();
        let hits = ends.iter().filter(|stopped| **stopped == kept).count();
        if ends.is_empty() {
            0.0
        } else {
            hits as f64 / ends.len() as f64
        }
    };
    (
        Some(FirstStage {
            auc: ranked.auc,
            average_precision: ranked.average_precision,
            precision: held.precision,
            recall: held.recall,
        }),
        Some(End {
            precision: stopped.precision,
            recall: stopped.recall,
        }),
        Some(Confirming {
            true_holds_kept: share(true, true),
            false_holds_released: share(false, false),
        }),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn seen(decisions: &[(&str, &str, f64)]) -> Seen {
        let mut seen = Seen::default();
        for (id, action, score) in decisions {
            let is_final = !["hold", "approve"].contains(action);
            let decision = json!({
                "decision_id": id, "transaction_id": id, "action": action, "score": score, "reasons": [],
                "model_version": "v", "decided_at": Timestamp::UNIX_EPOCH,
                "stage": if is_final { "final" } else { "provisional" },
                "deadline": (*action == "hold").then_some(Timestamp::UNIX_EPOCH),
                "held_ms": is_final.then_some(250), "settled_by": is_final.then_some("sweep"),
            });
            let entry = (
                serde_json::from_value(decision).unwrap(),
                Timestamp::from_second(2).unwrap(),
            );
            if is_final {
                &mut seen.finals
            } else {
                &mut seen.provisional
            }
            .insert((*id).to_owned(), entry);
        }
        seen
    }

    /// Four transactions: two good ones and two frauds; one of each was held.
    fn summary(fraud: &[(&str, bool)]) -> Value {
        let seen = seen(&[
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
        let put_at = ["a", "b", "c", "d"]
            .map(|id| (id.to_owned(), Timestamp::from_second(1).unwrap()))
            .into();
        let fraud = fraud
            .iter()
            .map(|(id, fraud)| ((*id).to_owned(), *fraud))
            .collect();
        serde_json::to_value(Summary::new(&seen, &audit, &put_at, &fraud, Some(2.5))).unwrap()
    }

    #[test]
    fn the_figures_have_the_names_that_are_documented() {
        let expected = json!({
            "transactions": 4, "approved": 2, "held": 2, "released": 1, "blocked": 0, "review": 1, "rejected": 1,
            "lost": 3, "unsettled": 5, "settled_by": { "sweep": 2 },
            "put_to_decision_ms": { "p50": 1000.0, "p99": 1000.0 }, "hold_to_final_ms": { "p50": 250.0, "p99": 250.0 },
            "score_us_per_transaction": 2.5,
            "first_stage": { "auc": 0.75, "average_precision": 0.8333, "precision": 0.5, "recall": 0.5 },
            "final": { "precision": 1.0, "recall": 0.5 },
            "confirming": { "true_holds_kept": 1.0, "false_holds_released": 1.0 },
        });
        let mut found = summary(&[("a", false), ("b", true), ("c", false), ("d", true)]);
        let precision = found["first_stage"]["average_precision"].as_f64().unwrap();
        found["first_stage"]["average_precision"] = json!((precision * 1e4).round() / 1e4);
        assert_eq!(found, expected);
    }

    #[test]
    fn without_labels_nothing_is_said_of_quality() {
        let found = summary(&[]);
        for name in ["first_stage", "final", "confirming"] {
            assert_eq!(found.get(name), None, "{name}");
        }
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        assert_eq!(
            Quantiles::of((1..=101).rev().map(f64::from).collect()),
            Quantiles {
                p50: 51.0,
                p99: 100.0
            }
        );
        assert_eq!(Quantiles::of(Vec::new()), Quantiles::default());
    }
}
