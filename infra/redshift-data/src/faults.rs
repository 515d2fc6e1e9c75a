//! Faults that a test can inject.

use serde::{Deserialize, Serialize};

/// The faults that remain. Each use of a counter decreases it by one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The number of next completion events that are not sent.
    pub drop_events: u32,
    /// The share (0 to 1) of completion events that are not sent, at random.
    pub drop_event_share: f64,
    /// The number of next completion events that are sent twice.
    pub duplicate_events: u32,
    /// The number of next completion events that are sent late.
    pub delay_events: u32,
    /// The delay of late events, in milliseconds.
    pub delay_ms: u64,
    /// The number of next statements that end as FAILED without running.
    pub fail_statements: u32,
    /// The number of next statements that end as ABORTED without running.
    pub abort_statements: u32,
    /// The faults apply only to statements with this prefix of their name.
    pub name_prefix: String,
}

/// The state of a statement that does not run because of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Failed,
    Aborted,
}

/// How often and how late a completion event is sent.
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
