//! Faults that a test can inject.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

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
    /// The error text of these statements. Empty means `ERROR: injected fault`.
    pub fail_error: String,
    /// The number of next statements that end as ABORTED without running.
    pub abort_statements: u32,
    /// Each statement takes at least this time, in milliseconds. It waits before its last SQL, in
    /// its transaction and under its timeout.
    pub slow_ms: u64,
    /// Statements that begin now stay STARTED until they are cancelled or this is false again.
    /// Statement timeouts do not end them.
    pub hang_statements: bool,
    /// Calls have no answer and no effect until this is false again.
    pub hang_calls: bool,
    /// The share (0 to 1) of calls that are answered by ThrottlingException, at random.
    pub throttle_share: f64,
    /// Statements and results are forgotten after this time, in milliseconds. Absent means the
    /// lifetime that the stand-in was started with.
    pub result_lifetime_ms: Option<u64>,
    /// The faults apply only to statements with this prefix of their name, and to calls that name
    /// such a statement or have its id.
    pub name_prefix: String,
}

/// The state of a statement that does not run because of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With the error text.
    Failed(String),
    Aborted,
}

/// How often and how late a completion event is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) copies: u32,
    pub(crate) delay_ms: u64,
}

impl Faults {
    fn apply_to(&self, name: &str) -> bool {
        name.starts_with(&self.name_prefix)
    }

    fn ending(&mut self, name: &str) -> Option<Ending> {
        if !self.apply_to(name) {
            return None;
        }
        if take(&mut self.fail_statements) {
            let text = match self.fail_error.as_str() {
                "" => "ERROR: injected fault",
                chosen => chosen,
            };
            return Some(Ending::Failed(text.to_owned()));
        }
        take(&mut self.abort_statements).then_some(Ending::Aborted)
    }

    fn delivery(&mut self, name: &str, draw: f64) -> Delivery {
        let mut delivery = Delivery {
            copies: 1,
            delay_ms: 0,
        };
        if !self.apply_to(name) {
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

/// The faults of a running service. Each method takes the name of a statement, or an empty name.
#[derive(Debug)]
pub(crate) struct FaultSwitch {
    faults: watch::Sender<Faults>,
}

impl FaultSwitch {
    pub(crate) fn new() -> Self {
        Self {
            faults: watch::Sender::new(Faults::default()),
        }
    }

    pub(crate) fn get(&self) -> Faults {
        self.faults.borrow().clone()
    }

    /// Replaces all faults. What hangs continues, unless the new faults let it hang.
    pub(crate) fn set(&self, faults: Faults) {
        self.faults.send_replace(faults);
    }

    pub(crate) fn ending(&self, name: &str) -> Option<Ending> {
        let mut ending = None;
        self.faults
            .send_modify(|faults| ending = faults.ending(name));
        ending
    }

    pub(crate) fn delivery(&self, name: &str) -> Delivery {
        let mut delivery = Delivery {
            copies: 1,
            delay_ms: 0,
        };
        let draw = rand::random();
        self.faults
            .send_modify(|faults| delivery = faults.delivery(name, draw));
        delivery
    }

    pub(crate) fn pause(&self, name: &str) -> Duration {
        let faults = self.faults.borrow();
        if faults.apply_to(name) {
            Duration::from_millis(faults.slow_ms)
        } else {
            Duration::ZERO
        }
    }

    pub(crate) fn throttles(&self, name: &str) -> bool {
        let faults = self.faults.borrow();
        faults.apply_to(name) && rand::random::<f64>() < faults.throttle_share
    }

    pub(crate) fn result_lifetime(&self, name: &str) -> Option<Duration> {
        let faults = self.faults.borrow();
        let lifetime = faults.result_lifetime_ms.filter(|_| faults.apply_to(name));
        lifetime.map(Duration::from_millis)
    }

    /// Waits while statements of this name hang.
    pub(crate) async fn statement_released(&self, name: &str) {
        let released = |faults: &Faults| !(faults.hang_statements && faults.apply_to(name));
        // `wait_for` fails only if the sender is dropped, and the sender is in `self`.
        let _ = self.faults.subscribe().wait_for(released).await;
    }

    /// Waits while calls for this name hang.
    pub(crate) async fn call_released(&self, name: &str) {
        let released = |faults: &Faults| !(faults.hang_calls && faults.apply_to(name));
        let _ = self.faults.subscribe().wait_for(released).await;
    }
}
