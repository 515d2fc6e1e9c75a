//! Lambda functions: their time limits as in the template, and what they are billed for.

use std::sync::Mutex;
use std::time::Duration;

use simulation::Invocation;
use tokio::time::{Instant, timeout};

const TEMPLATE: &str = include_str!("../../../../infra/template.yaml");

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) memory_mb: u32,
    pub(crate) timeout: Duration,
    used: Mutex<Used>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    pub(crate) invocations: u64,
    pub(crate) failures: u64,
    /// Invocations that were stopped at the time limit.
    pub(crate) timeouts: u64,
    pub(crate) time: Duration,
    pub(crate) longest: Duration,
}

impl Function {
    /// The function whose resource in the template has this name.
    pub(crate) fn of_template(name: &'static str) -> Self {
        let seconds = setting(name, "Timeout");
        Self {
            name,
            memory_mb: setting(name, "MemorySize"),
            timeout: Duration::from_secs(u64::from(seconds)),
            used: Mutex::default(),
        }
    }

    pub(crate) fn used(&self) -> Used {
        *self.used.lock().unwrap()
    }

    /// Runs one invocation, at most until the time limit.
    pub(crate) async fn invoke(&self, work: impl Future<Output = Invocation>) -> Invocation {
        let started = Instant::now();
        let ended = timeout(self.timeout, work).await;
        let took = started.elapsed();
        let mut used = self.used.lock().unwrap();
        used.invocations += 1;
        used.time += took;
        used.longest = used.longest.max(took);
        used.timeouts += u64::from(ended.is_err());
        let invocation = ended.unwrap_or(Invocation::Failed);
        used.failures += u64::from(invocation == Invocation::Failed);
        invocation
    }
}

/// A number among the properties of a function.
fn setting(function: &str, property: &str) -> u32 {
    let (_, resource) = TEMPLATE.split_once(&format!("\n  {function}:\n")).unwrap();
    let (_, value) = resource.split_once(&format!("      {property}: ")).unwrap();
    let digits = value.split(|c: char| !c.is_ascii_digit()).next().unwrap();
    digits.parse().unwrap()
}
