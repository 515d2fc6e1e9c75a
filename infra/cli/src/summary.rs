//! What a run says of itself: `target/run/summary.json`.

use std::collections::HashMap;

use decision::{Action, Decision};
use jiff::Timestamp;
use serde::Serialize;
use train::metrics::{choice, ranking};

use crate::audit::Audit;
use crate::consume::Seen;

/// The figures of one run. Times are of this machine.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Transactions sent.
    pub transactions: usize,
    /// Approved at once.
    pub approved: usize,
    /// Held.
    pub held: usize,
    /// Holds released.
    pub released: usize,
    /// Holds blocked.
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
    /// Time that score took over a transaction, decoding and encoding included.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// The median.
    pub p50: f64,
    /// All but one in a hundred are below.
    pub p99: f64,
}

/// The first look against the labels.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct FirstStage {
    /// Area under the ROC curve.
    pub auc: f64,
    /// Average precision.
    pub average_precision: f64,
    /// Share of holds that are frauds.
    pub precision: f64,
    /// Share of frauds that were held.
    pub recall: f64,
}

/// Both looks against the labels.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct End {
    /// Share of the stopped that are frauds.
    pub precision: f64,
    /// Share of frauds that were stopped.
    pub recall: f64,
}

/// What the confirming look did.
#[derive(Clone, Copy, Debug, Serialize)]
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
        Self { p50: at(0.5), p99: at(0.99) }
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
        let ended = |action| seen.finals.values().filter(|(decision, _)| decision.action == action).count();
        let waits = seen.provisional.iter().filter_map(|(id, (_, arrived))| {
            Some((arrived.as_millisecond() - put_at.get(id)?.as_millisecond()) as f64)
        });
        let held_for = seen.finals.values().filter_map(|(decision, _)| decision.held_ms).map(|ms| ms as f64);
        let mut settled_by = HashMap::new();
        for by in seen.finals.values().filter_map(|(decision, _)| decision.settled_by) {
            let by = serde_json::to_value(by).ok().and_then(|by| by.as_str().map(str::to_owned));
            *settled_by.entry(by.unwrap_or_default()).or_default() += 1;
        }
        let (first_stage, end, confirming) = judged(seen, fraud);
        Self {
            transactions: audit.sent,
            approved: seen.provisional.values().filter(|(decision, _)| decision.action == Action::Approve).count(),
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

fn judged(seen: &Seen, fraud: &HashMap<String, bool>) -> (Option<FirstStage>, Option<End>, Option<Confirming>) {
    let known: Vec<(&Decision, Option<&Decision>, bool)> = seen
        .provisional
        .iter()
        .filter_map(|(id, (decision, _))| Some((decision, seen.finals.get(id).map(|(end, _)| end), *fraud.get(id)?)))
        .collect();
    let scored: Vec<(f64, bool)> = known.iter().map(|(decision, _, fraud)| (decision.score, *fraud)).collect();
    let Some(ranked) = ranking(&scored) else { return (None, None, None) };
    let held = choice(known.iter().map(|(decision, _, fraud)| (decision.action == Action::Hold, *fraud)));
    let is_stopped = |end: Option<&Decision>| end.is_some_and(|end| end.action != Action::Release);
    let stopped = choice(known.iter().map(|(_, end, fraud)| (is_stopped(*end), *fraud)));
    let share = |of: bool, kept: bool| {
        let ends: Vec<bool> = known
            .iter()
            .filter(|(_, end, fraud)| end.is_some() && *fraud == of)
            .map(|(_, end, _)| is_stopped(*end))
            .collect();
        let hits = ends.iter().filter(|stopped| **stopped == kept).count();
        if ends.is_empty() { 0.0 } else { hits as f64 / ends.len() as f64 }
    };
    (
        Some(FirstStage {
            auc: ranked.auc,
            average_precision: ranked.average_precision,
            precision: held.precision,
            recall: held.recall,
        }),
        Some(End { precision: stopped.precision, recall: stopped.recall }),
        Some(Confirming { true_holds_kept: share(true, true), false_holds_released: share(false, false) }),
    )
}
