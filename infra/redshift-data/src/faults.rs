//! Faults that a test asks for.

use serde::{Deserialize, Serialize};

/// The faults to inject. Each counter goes down by one with each use.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The number of next completion events that are not sent.
    pub drop_events: u32,
    /// The share (0 to 1) of completion events that are not sent, chosen at random.
    pub drop_event_share: f64,
    /// The number of next completion events that are sent twice.
    pub duplicate_events: u32,
    /// The number of next completion events that are sent late.
    pub delay_events: u32,
    /// The delay of late events in milliseconds.
    pub delay_ms: u64,
    /// The number of next statements that end as FAILED and are not run.
    pub fail_statements: u32,
    /// The number of next statements that end as ABORTED and are not run.
    pub abort_statements: u32,
    /// If set, only statements with names that begin like this are affected.
    pub name_prefix: String,
}

/// How a statement ends that is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Failed,
    Aborted,
}

/// How a completion event is delivered.
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
