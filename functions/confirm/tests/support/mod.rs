//! The real handler over the in-memory adapters, with models that take the evidence as the score.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::panic,
    reason = "each test uses a part of it, and fails by panicking"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use confirm::{
    CompletionEvent, Error, EvidenceWork, Handler, HoldToSettle, Known, PartToSettle, Settler,
};
use decision::ledger::LedgerObject;
use decision::settle::IdConflict;
use decision::{Decision, Evidence, Hold, Identity, Policy, SettledBy, keys};
use harness::holds::{PREFIX, PlainModel, World, at, batch, policy};
use harness::memory::{Bundles, Objects, Stream, Warehouse};
use jiff::{SignedDuration, Timestamp};
use load::{LaneSql, LoadWork};
use turns::{Lane, Limits, Progress, Settings, Starter, Turns};

/// Makes an id that no other call makes.
fn random_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{:032x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A deployment without its adapters.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) bundles: PlainBundles,
    fallback: Policy,
    settings: Settings,
}

type PlainBundles = Bundles<PlainModel>;
pub(crate) type PlainSettler<'a> = Settler<'a, Objects, Stream, PlainBundles>;
type PlainWork<'a> = EvidenceWork<'a, Objects, Warehouse, Stream, PlainBundles, PlainBundles>;

impl Stack {
    pub(crate) fn new() -> Self {
        Self {
            bundles: PlainModel::bundles(),
            // Not the actions of the bundles' policy.
            fallback: Policy {
                on_expiry: decision::Action::Block,
                on_missing_evidence: decision::Action::Review,
                ..policy()
            },
            settings: Settings {
                bucket: "bucket".to_owned(),
                stack: PREFIX.to_owned(),
                limits: Limits {
                    objects: 100,
                    bytes: 1_000_000,
                    holds: 10_000,
                    hold_groups: 1_000,
                },
                load_interval: SignedDuration::from_secs(300),
                turn_interval: SignedDuration::ZERO,
                grace: SignedDuration::from_secs(60),
                random_id,
            },
        }
    }

    pub(crate) fn settler<'a>(&'a self, world: &'a World) -> PlainSettler<'a> {
        Settler {
            objects: &world.objects,
            decisions: &world.decisions,
            bundles: &self.bundles,
            fallback: &self.fallback,
            first_entity: Some("terminal_id"),
        }
    }

    fn sql(&self) -> LaneSql<'_, PlainBundles> {
        LaneSql {
            deployed: &self.bundles.definition.definition,
            definitions: &self.bundles,
            role_arn: "default",
        }
    }

    fn turns<'a, K>(&'a self, world: &'a World, work: &'a K) -> Turns<'a, Objects, Warehouse, K> {
        Turns {
            objects: &world.objects,
            warehouse: &world.warehouse,
            work,
            settings: &self.settings,
        }
    }

    /// Loads all batches that wait, and submits the first evidence statement about their holds.
    pub(crate) async fn load(&self, world: &World) {
        let work = LoadWork {
            objects: &world.objects,
            warehouse: &world.warehouse,
            sql: self.sql(),
            evidence_lanes: 1,
        };
        let turns = self.turns(world, &work);
        let lane = Lane::Transactions;
        turns.start(lane, Starter::Event, at(1)).await.unwrap();
        turns.advance(lane, at(1)).await.unwrap();
    }

    fn work<'a>(&'a self, world: &'a World) -> PlainWork<'a> {
        EvidenceWork {
            settler: self.settler(world),
            warehouse: &world.warehouse,
            sql: self.sql(),
            settled_by: SettledBy::Confirm,
        }
    }

    /// Looks for the next turn of the evidence lane, as the sweep does.
    pub(crate) async fn start(&self, world: &World, now: Timestamp) {
        let work = self.work(world);
        let turns = self.turns(world, &work);
        let started = turns.start(Lane::Evidence(0), Starter::Sweep, now).await;
        started.unwrap();
    }

    /// Handles a completion event.
    pub(crate) async fn handle(
        &self,
        world: &World,
        event: CompletionEvent,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Progress>, Error> {
        let work = self.work(world);
        let handler = Handler {
            turns: self.turns(world, &work),
            evidence_lanes: 2,
        };
        handler.handle(event, now, Duration::ZERO).await
    }

    /// Handles the event that says that the first evidence statement finished.
    pub(crate) async fn confirm(&self, world: &World, now: Timestamp) -> Result<(), Error> {
        let handled = self.handle(world, event("finished.json"), now).await;
        handled.map(drop)
    }
}

/// Evidence that leads to this score.
pub(crate) fn evidence(score: f64) -> Known {
    Known::Evidence {
        numbers: Evidence::from([("p".to_owned(), Some(score))]),
        id_conflict: IdConflict::None,
    }
}

/// The holds at these places of a ledger object. The same is known of each.
pub(crate) fn part(
    ledger: &str,
    places: impl IntoIterator<Item = usize>,
    known: &Known,
) -> PartToSettle {
    let hold = |place| HoldToSettle {
        place,
        known: known.clone(),
    };
    PartToSettle {
        ledger: ledger.to_owned(),
        holds: places.into_iter().map(hold).collect(),
    }
}

/// An event under events/confirm, as AWS sends it.
pub(crate) fn event(name: &str) -> CompletionEvent {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/confirm");
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// A hold of the same transaction in another record.
pub(crate) fn sent_again(hold: &Hold, record: &str) -> Hold {
    Hold {
        decision_id: format!("000000000001-{record}-0"),
        ..hold.clone()
    }
}

/// A hold of another transaction that reuses the id.
pub(crate) fn with_amount(hold: Hold, amount: f64) -> Hold {
    let entities = ["c1", "t1"];
    let id = hold.transaction_id.as_str();
    Hold {
        identity: Identity::new(id, hold.occurred_at, amount, entities),
        decision_id: format!("{}-{amount}", hold.decision_id),
        amount,
        ..hold
    }
}

/// Places these batches of one shard as score does. Returns the keys of their ledger objects.
pub(crate) fn place(world: &World, batches: &[Vec<Hold>]) -> Vec<String> {
    let mut keys = Vec::new();
    for (first, holds) in (100..).step_by(100).zip(batches) {
        keys.push(world.place(&batch("000000000000", first, holds), holds));
    }
    keys
}

/// The ledger objects that exist.
pub(crate) fn ledgers(world: &World) -> Vec<String> {
    world.objects.keys(keys::LEDGER)
}

/// What each of these holds must have been published as: the outcome of its identity.
///
/// # Panics
/// If an identity has no outcome.
pub(crate) fn decisions_of(world: &World, holds: &[Hold]) -> BTreeMap<String, Decision> {
    let mut decisions = BTreeMap::new();
    for hold in holds {
        let key = keys::outcome(hold.identity);
        let bytes = world.objects.bytes(&key);
        let bytes = bytes.unwrap_or_else(|| panic!("{} has no outcome", hold.decision_id));
        let outcome: decision::settle::Outcome = serde_json::from_slice(&bytes).unwrap();
        decisions.insert(hold.decision_id.clone(), outcome.decision(hold));
    }
    decisions
}

/// Each hold was published as the outcome of its identity, and kept for the warehouse.
pub(crate) fn assert_settled(world: &World, holds: &[Hold]) {
    let expected = decisions_of(world, holds);
    assert_eq!(world.published(), expected, "on the stream");
    assert_eq!(world.slices(), expected, "in the slices");
    assert_eq!(ledgers(world), [""; 0], "the ledger is empty");
}

/// A ledger object that is gone was deleted after each of its holds was published.
pub(crate) fn assert_deleted_last(world: &World, batches: &[Vec<Hold>], keys: &[String]) {
    let published = world.published();
    for (holds, key) in batches.iter().zip(keys) {
        if world.objects.bytes(key).is_some() {
            continue;
        }
        for hold in LedgerObject::new(String::new(), holds.clone()).holds {
            let id = &hold.decision_id;
            assert!(published.contains_key(id), "{id} was not published");
        }
    }
}
