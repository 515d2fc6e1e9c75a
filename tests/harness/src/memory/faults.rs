use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::yield_now;

use super::lock;

/// How many steps other tasks take before a slow call takes effect.
const SLOW_STEPS: usize = 100;

/// The injected faults, shared by all twins that were created with them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    faults: Vec<Fault>,
    calls: usize,
    dead_after: Option<usize>,
    latency: Duration,
    log: Vec<String>,
}

/// One injected fault.
#[derive(Clone, Debug)]
pub struct Fault {
    operation: &'static str,
    name: String,
    skip: usize,
    times: usize,
    how: Course,
}

impl Fault {
    /// Every call of this operation fails: `get`, `put`, `put_new`, `replace`, `delete`, `list`, `publish`,
    /// `record` (one record of a publish is not accepted), `submit`, `status`, `rows`, `wait`.
    pub fn on(operation: &'static str) -> Self {
        Self {
            operation,
            name: String::new(),
            skip: 0,
            times: usize::MAX,
            how: Course::Refused,
        }
    }
    /// Only calls with a key, partition key, statement name or id that begins like this.
    #[must_use]
    pub fn name(mut self, begins: &str) -> Self {
        begins.clone_into(&mut self.name);
        self
    }
    /// Skips the first `calls` of them.
    #[must_use]
    pub const fn after(mut self, calls: usize) -> Self {
        self.skip = calls;
        self
    }
    #[must_use]
    pub const fn times(mut self, calls: usize) -> Self {
        self.times = calls;
        self
    }
    /// The call takes effect, but its answer is lost.
    #[must_use]
    pub const fn late(mut self) -> Self {
        self.how = Course::AnswerLost;
        self
    }
    /// The call takes effect after many other calls.
    #[must_use]
    pub const fn slow(mut self) -> Self {
        self.how = Course::Slow;
        self
    }
    /// The call is never answered and has no effect.
    #[must_use]
    pub const fn hang(mut self) -> Self {
        self.how = Course::Hangs;
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    Good,
    Refused,
    AnswerLost,
    Slow,
    Hangs,
}

impl Faults {
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a fault.
    pub fn add(&self, fault: Fault) {
        lock(&self.0).faults.push(fault);
    }

    /// After `calls` more calls of any kind, every call fails, as if the process had died.
    pub fn die_after(&self, calls: usize) {
        let mut state = lock(&self.0);
        state.dead_after = Some(state.calls + calls);
    }

    /// From now on, each call takes so long.
    pub fn set_latency(&self, latency: Duration) {
        lock(&self.0).latency = latency;
    }

    /// Waits as long as a call takes.
    pub(super) async fn wait(&self) {
        let latency = lock(&self.0).latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
    }

    /// Removes all faults.
    pub fn clear(&self) {
        let mut state = lock(&self.0);
        state.faults.clear();
        state.dead_after = None;
    }

    /// Every call so far, as `operation name`.
    pub fn calls(&self) -> Vec<String> {
        lock(&self.0).log.clone()
    }

    /// The course of a call. A call that hangs does not return.
    pub(super) async fn answered(&self, operation: &'static str, name: &str) -> Course {
        let course = self.course(operation, name);
        match course {
            Course::Hangs => std::future::pending::<()>().await,
            Course::Slow => {
                for _ in 0..SLOW_STEPS {
                    yield_now().await;
                }
            }
            Course::Good | Course::Refused | Course::AnswerLost => {}
        }
        course
    }

    pub(super) fn course(&self, operation: &'static str, name: &str) -> Course {
        let mut state = lock(&self.0);
        // A record is a part of a call and not counted.
        if operation != "record" {
            state.calls += 1;
            state.log.push(format!("{operation} {name}"));
            if state.dead_after.is_some_and(|calls| state.calls > calls) {
                return Course::Refused;
            }
        }
        let matching = state
            .faults
            .iter_mut()
            .filter(|f| f.operation == operation && name.starts_with(&f.name));
        for fault in matching {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.times > 0 {
                fault.times -= 1;
                return fault.how;
            }
        }
        Course::Good
    }
}
