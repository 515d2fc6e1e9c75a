//! Faults on demand, for tests of whole systems.

use serde::{Deserialize, Serialize};

/// What to do wrong, and how often. Each counter goes down by one whenever it is used.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// How many of the next completion events are not sent.
    pub drop_events: u32,
    /// Share (0 to 1) of completion events that are not sent, drawn at random.
    pub drop_event_share: f64,
    /// How many of the next completion events are sent twice.
    pub duplicate_events: u32,
    /// How many of the next completion events are sent late.
    pub delay_events: u32,
    /// How late those are, in milliseconds.
    pub delay_ms: u64,
    /// How many of the next statements end as FAILED without being run.
    pub fail_statements: u32,
    /// How many of the next statements end as ABORTED without being run.
    pub abort_statements: u32,
    /// Only statements whose name begins with this are meant.
    pub name_prefix: String,
}

/// How a statement is to end instead of being run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Failed,
    Aborted,
}

/// What becomes of a completion event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) copies: u32,
    pub(crate) delay_ms: u64,
}

impl Faults {
    pub(crate) fn ending(&mut self, name: &str) -> Option<Ending> {
        if !name.starts_with(&self.name_prefix) {
            return None;
        }
        if take(&mut self.fail_statements) {
            return Some(Ending::Failed);
        }
        take(&mut self.abort_statements).then_some(Ending::Aborted)
    }

    pub(crate) fn delivery(&mut self, name: &str, draw: f64) -> Delivery {
        let mut delivery = Delivery {
            copies: 1,
            delay_ms: 0,
        };
        if !name.starts_with(&self.name_prefix) {
            return delivery;
        }
        if draw < self.drop_event_share || take(&mut self.drop_events) {
            delivery.copies = 0;
            return delivery;
        }
        if take(&mut self.duplicate_events) {
            delivery.copies = 2;
        }
        if take(&mut self.delay_events) {
            delivery.delay_ms = self.delay_ms;
        }
        delivery
    }
}

const fn take(counter: &mut u32) -> bool {
    let some = *counter > 0;
    *counter = counter.saturating_sub(1);
    some
}
