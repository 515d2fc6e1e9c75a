//! The four functions over one bucket, one stream and one warehouse.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use confirm::{CompletionEvent, EvidenceWork, Settler, fallback_policy};
use decision::{Policy, SettledBy};
use jiff::{SignedDuration, Timestamp};
use load::{LaneSql, LoadEvent, LoadWork, Response};
use score::{BatchName, DecidedBatch, Publish, RESERVE, Records};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use store::{Objects, Stream};
use sweep::{AllWork, TimeLimit};
use tokio::time::Instant;
use turns::{Limits, Settings, TurnId, Turns};
use warehouse::Warehouse;

use crate::bundles::TwoVersions;
use crate::{Bucket, DecisionStream, Flaws, Gate, TableWarehouse};

/// How many evidence lanes a system has by default.
pub const EVIDENCE_LANES: u16 = 2;
/// The age from which a turn counts as left alone by its events, by default.
pub const GRACE: SignedDuration = SignedDuration::from_secs(60);
/// The key of the file of fraud reports.
pub const LABELS: &str = "labels/reports.ndjson";
/// How many objects a turn takes: fewer than all batches.
const TURN_OBJECTS: usize = 3;
/// For callers without a clock: the sweep ends by itself.
const NO_LIMIT: TimeLimit = TimeLimit {
    new_work: Duration::from_secs(3_600),
    end: Duration::from_secs(3_600),
    pass: None,
};
const BUCKET: &str = "bucket";
pub const STACK: &str = "stack";

/// Claimants' ids differ between all systems of a process.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// A deployed stack over these adapters.
#[derive(Debug)]
pub struct System<O = Bucket, D = DecisionStream, W = TableWarehouse> {
    pub bucket: O,
    pub decisions: D,
    pub warehouse: W,
    pub settings: Settings,
    pub evidence_lanes: u16,
    pub sweep_limit: TimeLimit,
    /// The time that load and confirm have for the pauses between attempts.
    pub time_left: Duration,
    bundles: &'static TwoVersions,
    fallback: Policy,
}

/// Whether an invocation did all of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invocation {
    Succeeded,
    Failed,
}

impl Invocation {
    fn of<T, E>(result: Result<T, E>) -> Self {
        match result {
            Ok(_) => Self::Succeeded,
            Err(_) => Self::Failed,
        }
    }
}

/// A new object that S3 announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewObject {
    pub key: String,
    pub bytes: usize,
}

impl NewObject {
    /// The SQS message.
    fn message(&self) -> Value {
        let body = json!({"Records": [{
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": BUCKET},
                "object": {"key": self.key, "size": self.bytes},
            },
        }]});
        json!({"messageId": self.key, "body": body.to_string()})
    }
}

impl System {
    /// An empty system in memory. `seed` chooses the order of calls that wait side by side.
    pub fn new(seed: u64, flaws: Flaws) -> Self {
        let gate = Arc::new(Gate::closed(seed));
        let limits = Limits {
            objects: TURN_OBJECTS,
            ..Limits::DEFAULT
        };
        Self::over(
            Bucket::new(&gate),
            DecisionStream::new(&gate),
            TableWarehouse::new(&gate, flaws),
            limits,
        )
    }
}

impl<O: Objects, D: Stream, W: Warehouse> System<O, D, W> {
    /// A system over these adapters whose turns take at most `limits`.
    pub fn over(bucket: O, decisions: D, warehouse: W, limits: Limits) -> Self {
        let bundles = TwoVersions::get();
        Self {
            bucket,
            decisions,
            warehouse,
            settings: Settings {
                bucket: BUCKET.to_owned(),
                stack: STACK.to_owned(),
                limits,
                load_interval: SignedDuration::from_secs(300),
                turn_interval: SignedDuration::ZERO,
                grace: GRACE,
                random_id: || NEXT_ID.fetch_add(1, Ordering::Relaxed).to_string(),
            },
            evidence_lanes: EVIDENCE_LANES,
            sweep_limit: NO_LIMIT,
            time_left: Duration::ZERO,
            bundles,
            fallback: fallback_policy(&bundles.deployed().policy),
        }
    }

    /// The version of the deployed bundle.
    pub fn bundle_version(&self) -> &'static str {
        self.bundles.deployed_version()
    }

    /// Delivers one batch to score. Returns the sequence number from which on Lambda delivers it
    /// again.
    pub async fn score(&self, records: Records, now: Timestamp) -> Option<String> {
        let time_left = RESERVE + Duration::from_secs(3_600);
        let mut handler = self.score_handler();
        let response = handler.handle(records, now, time_left).await.unwrap();
        let failure = response.batch_item_failures.into_iter().next()?;
        failure.item_identifier
    }

    /// Runs the part of score that follows the decisions on a batch.
    pub async fn carry_out(
        &self,
        name: BatchName<'_>,
        decided: DecidedBatch,
        stop: Instant,
    ) -> Invocation {
        let handler = self.score_handler();
        Invocation::of(handler.carry_out(name, decided, stop).await)
    }

    fn score_handler(&self) -> score::Handler<&O, &D> {
        score::Handler {
            bundles: self.bundles.first_look.clone(),
            objects: &self.bucket,
            decisions: &self.decisions,
            publish: Publish::AllDecisions,
        }
    }

    /// Delivers the notifications of new objects to one invocation of load. It fails if SQS
    /// delivers one of them again.
    pub async fn wake(&self, objects: &[NewObject], now: Timestamp) -> Invocation {
        let messages: Vec<Value> = objects.iter().map(NewObject::message).collect();
        let event = serde_json::from_value(json!({"Records": messages})).unwrap();
        let work = self.load_work();
        let handler = load::Handler {
            turns: self.turns(&work),
        };
        let handled = handler.handle(LoadEvent::Objects(event), now, self.time_left);
        match handled.await {
            Ok(Response::Objects(response)) if response.batch_item_failures.is_empty() => {
                Invocation::Succeeded
            }
            _ => Invocation::Failed,
        }
    }

    /// Delivers the completion event of a statement to its function.
    pub async fn ended(&self, name: &str, now: Timestamp) -> Invocation {
        let detail = json!({"statementId": "id", "state": "FINISHED", "statementName": name});
        let event = json!({"detail": detail});
        let (turn, _) = TurnId::of_statement_name(STACK, name).unwrap();
        if turn.lane.loads() {
            let work = self.load_work();
            let handler = load::Handler {
                turns: self.turns(&work),
            };
            let event: LoadEvent = serde_json::from_value(event).unwrap();
            Invocation::of(handler.handle(event, now, self.time_left).await)
        } else {
            let work = self.evidence_work(SettledBy::Confirm);
            let handler = confirm::Handler {
                turns: self.turns(&work),
                evidence_lanes: self.evidence_lanes,
            };
            let event: CompletionEvent = serde_json::from_value(event).unwrap();
            Invocation::of(handler.handle(event, now, self.time_left).await)
        }
    }

    /// Makes one sweep.
    pub async fn sweep(&self, now: Timestamp) -> Invocation {
        let load = self.load_work();
        let evidence = self.evidence_work(SettledBy::Sweep);
        let work = AllWork {
            load: &load,
            evidence: &evidence,
        };
        let handler = sweep::Handler {
            turns: self.turns(&work),
            settler: self.settler(),
            evidence_lanes: self.evidence_lanes,
            time_limit: self.sweep_limit,
        };
        Invocation::of(handler.handle(IgnoredAny, now).await)
    }

    fn turns<'s, K>(&'s self, work: &'s K) -> Turns<'s, O, W, K> {
        Turns {
            objects: &self.bucket,
            warehouse: &self.warehouse,
            work,
            settings: &self.settings,
        }
    }

    fn sql(&self) -> LaneSql<'_, TwoVersions> {
        LaneSql {
            deployed: self.bundles.deployed(),
            definitions: self.bundles,
            role_arn: "default",
        }
    }

    fn load_work(&self) -> LoadWork<'_, O, W, TwoVersions> {
        LoadWork {
            objects: &self.bucket,
            warehouse: &self.warehouse,
            sql: self.sql(),
            evidence_lanes: self.evidence_lanes,
        }
    }

    fn settler(&self) -> Settler<'_, O, D, TwoVersions> {
        Settler {
            objects: &self.bucket,
            decisions: &self.decisions,
            bundles: self.bundles,
            fallback: &self.fallback,
            first_entity: Some("customer_id"),
        }
    }

    fn evidence_work(
        &self,
        settled_by: SettledBy,
    ) -> EvidenceWork<'_, O, W, D, TwoVersions, TwoVersions> {
        EvidenceWork {
            settler: self.settler(),
            warehouse: &self.warehouse,
            sql: self.sql(),
            settled_by,
        }
    }
}

/// A transaction as its producer sends it. The fixture's first look holds amounts of 500 and more.
pub fn record(transaction_id: &str, amount: u32) -> Vec<u8> {
    let transaction = json!({
        "transaction_id": transaction_id, "occurred_at": "2026-01-31T08:59:00Z",
        "amount": amount, "customer_id": "c1", "terminal_id": "t1",
    });
    transaction.to_string().into_bytes()
}
