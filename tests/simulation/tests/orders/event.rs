//! What wakes the functions.

use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};
use score::Records;
use simulation::{Invocation, LABELS, NewObject, System, activation, record};

/// An event that is to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The records of a shard that no process has finished yet.
    Records { shard: usize },
    /// The records of the first shard, all in one batch.
    Recut,
    /// The notification of a new object, by its key.
    Object(String),
    /// The completion event of a statement, by its name.
    StatementEnded(String),
}

impl Event {
    /// Whether the event is delivered until a process has handled it.
    pub(crate) fn is_retried(&self) -> bool {
        match self {
            Self::Records { .. } | Self::Recut => true,
            Self::Object(key) => key == LABELS,
            Self::StatementEnded(_) => false,
        }
    }
}

/// How many batches of each shard are finished.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints([Cell<usize>; 2]);

/// The number of all transactions, of all records, and of those that are held.
pub(crate) const TRANSACTIONS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
pub(crate) const RECORDS: usize = 8;
pub(crate) const HOLDS: usize = 4;

/// The batches of the shards, each transaction with its amount. Amounts of 500 and more are held.
/// The transaction `a` comes in both shards, and one batch has no holds.
type Amounts = &'static [(&'static str, u32)];
const FIRST: [Amounts; 2] = [&[("a", 900), ("b", 5)], &[("c", 900)]];
const SECOND: [Amounts; 2] = [&[("d", 900), ("a", 900), ("e", 5)], &[("f", 5), ("g", 5)]];

/// The ids of a shard's transactions up to this sequence number.
pub(crate) fn transactions_until(shard: &str, last: u64) -> Vec<&'static str> {
    let shard: usize = shard.parse().unwrap();
    let mut ids = Vec::new();
    for (place, amounts) in [FIRST, SECOND][shard - 1].iter().enumerate() {
        for (number, (id, _)) in (first_number(place)..).zip(*amounts) {
            if number <= last {
                ids.push(*id);
            }
        }
    }
    ids
}

/// The sequence number of the first record of a shard's batch.
const fn first_number(place: usize) -> u64 {
    10 * (place as u64 + 1)
}

/// The second batch of each shard arrives when the second bundle version is active.
fn batch(shard: usize, place: usize) -> Records {
    let amounts = [FIRST, SECOND][shard][place];
    let mut records = Records::of_shard(&(shard + 1).to_string());
    let active_for = SignedDuration::from_secs(if place == 0 { -5 } else { 4 });
    for (number, (id, amount)) in (first_number(place)..).zip(amounts) {
        let arrived_at = activation() + active_for;
        records.push(&number.to_string(), arrived_at, &record(id, *amount));
    }
    records
}

fn recut() -> Records {
    let mut all = Records::of_shard("1");
    for batch in [batch(0, 0), batch(0, 1)] {
        for record in batch.iter() {
            let number = record.sequence_number.as_str();
            all.push(number, record.arrived_at, record.data);
        }
    }
    all
}

/// The process that handles an event. Returns the event if it is delivered again.
pub(crate) async fn handle(
    event: Event,
    system: &System,
    checkpoints: &Checkpoints,
    now: Timestamp,
) -> Option<Event> {
    match event {
        Event::Records { shard } => deliver(shard, system, checkpoints, now).await,
        Event::Recut => {
            let unfinished = system.score(recut(), now).await;
            unfinished.map(|_| Event::Recut)
        }
        Event::Object(key) => {
            let bytes = system.bucket.bytes(&key).map_or(0, |bytes| bytes.len());
            let object = NewObject { key, bytes };
            let invocation = system.wake(std::slice::from_ref(&object), now).await;
            (invocation == Invocation::Failed).then_some(Event::Object(object.key))
        }
        Event::StatementEnded(name) => {
            system.ended(&name, now).await;
            None
        }
    }
}

/// Delivers the batches of a shard one after the other, each until it is finished.
async fn deliver(
    shard: usize,
    system: &System,
    checkpoints: &Checkpoints,
    now: Timestamp,
) -> Option<Event> {
    let finished = &checkpoints.0[shard];
    while finished.get() < FIRST.len() {
        let place = finished.get();
        if system.score(batch(shard, place), now).await.is_some() {
            return Some(Event::Records { shard });
        }
        finished.set(finished.get().max(place + 1));
    }
    None
}
