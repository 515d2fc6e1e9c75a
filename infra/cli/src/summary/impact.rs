//! A run in money and customers.

use std::collections::HashSet;

use decision::Action;
use serde::{Deserialize, Serialize};

use super::{Labelled, Percentiles};

/// What the decisions of a run meant, by its labels. Amounts are in the unit of the transactions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Impact {
    /// Good transactions that the first look held.
    pub good_held: usize,
    /// Good transactions that the second look released.
    pub good_released: usize,
    /// Distinct customers of the good transactions that were held.
    pub customers_held: usize,
    /// Distinct customers of the good transactions that were released.
    pub customers_released: usize,
    /// How long the released good transactions were held.
    pub good_held_ms: Percentiles,
    /// The amount of all frauds.
    pub fraud_amount: f64,
    /// The amount of the frauds that were blocked or sent to review.
    pub fraud_amount_stopped: f64,
}

impl Impact {
    /// `None` without labels, or if an amount is missing.
    pub(super) fn new(labelled: &[Labelled<'_>]) -> Option<Self> {
        if labelled.is_empty() {
            return None;
        }
        let held = labelled.iter().filter(|one| one.is_held() && !one.fraud);
        let released = held.clone().filter(|one| {
            one.final_decision
                .is_some_and(|decision| decision.action == Action::Release)
        });
        let held_ms = released
            .clone()
            .filter_map(|one| one.final_decision?.held_ms)
            .map(|ms| ms as f64);
        let frauds = labelled.iter().filter(|one| one.fraud);
        let stopped = frauds.clone().filter(|one| one.is_stopped());
        Some(Self {
            good_held: held.clone().count(),
            good_released: released.clone().count(),
            customers_held: customers(held),
            customers_released: customers(released),
            good_held_ms: Percentiles::of(held_ms.collect()),
            fraud_amount: amount(frauds)?,
            fraud_amount_stopped: amount(stopped)?,
        })
    }
}

fn customers<'a>(transactions: impl Iterator<Item = &'a Labelled<'a>>) -> usize {
    let customers: HashSet<&str> = transactions.map(|one| one.live.customer.as_str()).collect();
    customers.len()
}

fn amount<'a>(transactions: impl Iterator<Item = &'a Labelled<'a>>) -> Option<f64> {
    transactions.map(|one| one.live.amount).sum()
}
