//! A deployed stack: the functions, and what invokes them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use simulation::{Invocation, NewObject, STACK, System};
use sweep::TimeLimit;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep, sleep_until};
use turns::{Lane, Limits, TurnId};

use crate::bucket::Bucket;
use crate::clock::Clock;
use crate::decisions::Decisions;
use crate::function::Function;
use crate::holds::{Holds, SWEEP_INTERVAL};
use crate::latency::{LOST_EVENTS, Latencies};
use crate::redshift::Redshift;

/// As in the template: the queue's MessageRetentionPeriod, and the BatchSize and MaximumConcurrency
/// of its event source.
const RETENTION: Duration = Duration::from_secs(300);
const MESSAGES: usize = 10;
const POLLERS: usize = 2;
/// Lambda's pauses before it retries an asynchronous invocation.
const RETRIES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

pub(crate) struct Stack {
    pub(crate) clock: Clock,
    pub(crate) latencies: Latencies,
    pub(crate) holds: Holds,
    pub(crate) system: System<Bucket, Decisions, Redshift>,
    pub(crate) score: Function,
    pub(crate) load: Function,
    pub(crate) confirm: Function,
    pub(crate) sweep: Function,
    wake_queue: WakeQueue,
}

#[derive(Default)]
struct WakeQueue {
    messages: Mutex<VecDeque<(Instant, String)>>,
    arrived: Notify,
    sent: Mutex<u64>,
}

impl WakeQueue {
    fn send(&self, key: String) {
        let message = (Instant::now(), key);
        self.messages.lock().unwrap().push_back(message);
        *self.sent.lock().unwrap() += 1;
        self.arrived.notify_one();
    }

    /// Up to ten messages that are not too old.
    async fn receive(&self) -> Vec<NewObject> {
        loop {
            let received = self.take();
            if !received.is_empty() {
                return received;
            }
            self.arrived.notified().await;
        }
    }

    fn take(&self) -> Vec<NewObject> {
        let mut messages = self.messages.lock().unwrap();
        let is_old = |(sent, _): &(Instant, String)| sent.elapsed() > RETENTION;
        while messages.front().is_some_and(is_old) {
            messages.pop_front();
        }
        let most = messages.len().min(MESSAGES);
        let keys = messages.drain(..most).map(|(_, key)| key);
        keys.map(|key| NewObject { key, bytes: 0 }).collect()
    }
}

impl Stack {
    /// Deploys a stack. Its functions run until the runtime ends.
    pub(crate) fn deploy(slowness: u32, evidence_lanes: u16, grace: u32) -> Arc<Self> {
        let clock = Clock::start();
        let latencies = Latencies::slowed(slowness);
        let holds = Holds::new(clock);
        let (notifications, created) = unbounded_channel();
        let (completions, ended) = unbounded_channel();
        let bucket = Bucket::new(clock, latencies, notifications);
        let decisions = Decisions::new(latencies, holds.clone());
        let warehouse = Redshift::new(clock, latencies, bucket.clone(), completions);
        let mut system = System::over(bucket, decisions, warehouse, Limits::DEFAULT);
        system.evidence_lanes = evidence_lanes;
        system.settings.grace = SignedDuration::from_secs(i64::from(grace));
        system.sweep_limit = TimeLimit::DEFAULT;
        // The shorter of the time limits of load and confirm.
        system.time_left = Duration::from_secs(60);
        let stack = Arc::new(Self {
            clock,
            latencies,
            holds,
            system,
            score: Function::of_template("Score"),
            load: Function::of_template("Load"),
            confirm: Function::of_template("Confirm"),
            sweep: Function::of_template("Sweep"),
            wake_queue: WakeQueue::default(),
        });
        tokio::spawn(deliver_notifications(Arc::clone(&stack), created));
        tokio::spawn(deliver_completions(Arc::clone(&stack), ended));
        for _ in 0..POLLERS {
            tokio::spawn(poll_wake_queue(Arc::clone(&stack)));
        }
        tokio::spawn(schedule_sweeps(Arc::clone(&stack)));
        stack
    }

    pub(crate) fn functions(&self) -> [&Function; 4] {
        [&self.score, &self.load, &self.confirm, &self.sweep]
    }

    /// How many messages S3 sent to the queue.
    pub(crate) fn wake_ups(&self) -> u64 {
        *self.wake_queue.sent.lock().unwrap()
    }

    /// Whether an event arrives. If so, waits until then.
    async fn arrives(&self) -> bool {
        if fastrand::f64() < LOST_EVENTS {
            return false;
        }
        sleep(self.latencies.event.draw()).await;
        true
    }

    /// Invokes the function that handles the end of a statement, with Lambda's retries.
    async fn statement_ended(&self, name: &str) {
        let (turn, _) = TurnId::of_statement_name(STACK, name).unwrap();
        let function = match turn.lane {
            Lane::Evidence(_) => &self.confirm,
            _ => &self.load,
        };
        let mut pauses = RETRIES.iter();
        loop {
            let work = self.system.ended(name, self.clock.now());
            if function.invoke(work).await == Invocation::Succeeded {
                return;
            }
            let Some(pause) = pauses.next() else {
                return;
            };
            sleep(*pause).await;
        }
    }
}

async fn deliver_notifications(stack: Arc<Stack>, mut created: UnboundedReceiver<String>) {
    while let Some(key) = created.recv().await {
        let stack = Arc::clone(&stack);
        tokio::spawn(async move {
            if stack.arrives().await {
                stack.wake_queue.send(key);
            }
        });
    }
}

async fn deliver_completions(stack: Arc<Stack>, mut ended: UnboundedReceiver<String>) {
    while let Some(name) = ended.recv().await {
        let stack = Arc::clone(&stack);
        tokio::spawn(async move {
            if stack.arrives().await {
                stack.statement_ended(&name).await;
            }
        });
    }
}

async fn poll_wake_queue(stack: Arc<Stack>) {
    loop {
        let objects = stack.wake_queue.receive().await;
        let work = stack.system.wake(&objects, stack.clock.now());
        stack.load.invoke(work).await;
    }
}

async fn schedule_sweeps(stack: Arc<Stack>) {
    let mut next = Instant::now() + SWEEP_INTERVAL;
    loop {
        sleep_until(next).await;
        next += SWEEP_INTERVAL;
        let stack = Arc::clone(&stack);
        tokio::spawn(async move {
            let work = stack.system.sweep(stack.clock.now());
            stack.sweep.invoke(work).await;
        });
    }
}
