//! Which waiting entries a turn takes: rule 3 of turns, without any call.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use store::ObjectInfo;

use crate::{BatchEntry, Lane, WaitingEntry};

/// The most that one turn takes. A turn always takes at least one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub objects: usize,
    pub bytes: u64,
    pub holds: u64,
    /// How many times one bundle version placed holds in one batch. The statement names each.
    pub hold_groups: usize,
}

impl Limits {
    /// What one statement loads in seconds, and what its text can name within the Data API's
    /// 100 KB.
    pub const DEFAULT: Self = Self {
        objects: 2_500,
        bytes: 4 << 30,
        holds: 200_000,
        hold_groups: 2_500,
    };
}

/// What a claim would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    Nothing,
    /// Entries wait, but none is held and the oldest has not waited for long enough.
    NotDue,
    /// These, in order.
    Take(Vec<WaitingEntry>),
}

/// A waiting entry as it was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) entry: WaitingEntry,
    pub(crate) modified: Timestamp,
}

impl Listed {
    /// The entries among listed objects, and the keys that are no entries.
    pub(crate) fn from_objects(objects: Vec<ObjectInfo>) -> (Vec<Self>, Vec<String>) {
        let mut listed = Vec::with_capacity(objects.len());
        let mut strangers = Vec::new();
        for object in objects {
            match WaitingEntry::parse(&object.key) {
                Some(entry) => listed.push(Self {
                    entry,
                    modified: object.modified,
                }),
                None => strangers.push(object.key),
            }
        }
        (listed, strangers)
    }
}

/// Chooses among the entries of one lane.
///
/// INVARIANT: of each shard a prefix by sequence number is taken, so within the shard of a hold
/// everything before it is loaded with it or before it.
pub(crate) fn select(
    lane: Lane,
    mut listed: Vec<Listed>,
    limits: Limits,
    load_interval: SignedDuration,
    now: Timestamp,
) -> Selection {
    let Some(oldest) = listed.iter().map(|listed| listed.modified).min() else {
        return Selection::Nothing;
    };
    let waits_for_interval = lane == Lane::Transactions
        && !listed.iter().any(|listed| listed.entry.is_held())
        && now.duration_since(oldest) < load_interval;
    if waits_for_interval {
        return Selection::NotDue;
    }
    // Keys begin with the time of arrival, or with the number of the turn.
    listed.sort_by_cached_key(|listed| listed.entry.key());
    let entries = listed.into_iter().map(|listed| listed.entry);
    Selection::Take(match lane {
        Lane::Evidence(_) => entries.take(1).collect(),
        Lane::Transactions => transactions(entries, limits),
        Lane::Labels | Lane::Outcomes => {
            let mut taken = Taken::new(limits);
            entries.take_while(|entry| taken.add(entry)).collect()
        }
    })
}

/// The oldest batches of the stream first, of each shard by sequence number; then files of history,
/// which may take half of the limits where both wait.
fn transactions(entries: impl Iterator<Item = WaitingEntry>, limits: Limits) -> Vec<WaitingEntry> {
    let mut shards: BTreeMap<String, Vec<BatchEntry>> = BTreeMap::new();
    let mut history = Vec::new();
    for entry in entries {
        match entry {
            WaitingEntry::Batch(batch) => {
                shards.entry(batch.shard.clone()).or_default().push(batch);
            }
            other => history.push(other),
        }
    }
    let for_live = if history.is_empty() {
        limits
    } else {
        limits.without(limits.half())
    };
    let mut taken = Taken::new(for_live);
    let mut live = Vec::new();
    for batch in oldest_first(shards) {
        let entry = WaitingEntry::Batch(batch);
        if !taken.add(&entry) {
            break;
        }
        live.push(entry);
    }
    let mut taken = Taken::after(limits.half(), &live);
    live.extend(history.into_iter().take_while(|entry| taken.add(entry)));
    live
}

/// Merges the shards by arrival, keeping the sequence within each.
fn oldest_first(shards: BTreeMap<String, Vec<BatchEntry>>) -> Vec<BatchEntry> {
    let mut queues: Vec<_> = shards
        .into_values()
        .map(|mut batches| {
            batches.sort_by(BatchEntry::sequence_order);
            batches.into_iter().peekable()
        })
        .collect();
    let mut merged = Vec::new();
    loop {
        let next = queues
            .iter_mut()
            .filter_map(|queue| Some((queue.peek()?.arrived_at, queue)))
            .min_by_key(|(arrived_at, _)| *arrived_at);
        match next.and_then(|(_, queue)| queue.next()) {
            Some(batch) => merged.push(batch),
            None => return merged,
        }
    }
}

impl Limits {
    const fn half(self) -> Self {
        Self {
            objects: self.objects / 2,
            bytes: self.bytes / 2,
            ..self
        }
    }

    const fn without(self, other: Self) -> Self {
        Self {
            objects: self.objects.saturating_sub(other.objects),
            bytes: self.bytes.saturating_sub(other.bytes),
            ..self
        }
    }
}

/// The sums of the taken entries, with their limits.
struct Taken {
    limits: Limits,
    objects: usize,
    bytes: u64,
    holds: u64,
    hold_groups: usize,
    first_is_free: bool,
}

impl Taken {
    const fn new(limits: Limits) -> Self {
        Self {
            limits,
            objects: 0,
            bytes: 0,
            holds: 0,
            hold_groups: 0,
            first_is_free: true,
        }
    }

    /// Counts from zero, but only grants the first entry beyond the limits if nothing was taken.
    fn after(limits: Limits, taken: &[WaitingEntry]) -> Self {
        Self {
            first_is_free: taken.is_empty(),
            ..Self::new(limits)
        }
    }

    /// Whether the entry fits; then it counts.
    fn add(&mut self, entry: &WaitingEntry) -> bool {
        let objects = self.objects + 1;
        let bytes = self.bytes.saturating_add(entry.bytes());
        let holds = self.holds.saturating_add(entry.holds());
        let hold_groups = self.hold_groups + entry.hold_groups();
        let fits = objects <= self.limits.objects
            && hold_groups <= self.limits.hold_groups
            && bytes <= self.limits.bytes
            && holds <= self.limits.holds;
        let is_free = self.first_is_free && self.objects == 0;
        if !fits && !is_free {
            return false;
        }
        self.objects = objects;
        self.bytes = bytes;
        self.holds = holds;
        self.hold_groups = hold_groups;
        true
    }
}

/// Keeps what two listings of more than one page allow.
///
/// INVARIANT: such a listing is no snapshot: an entry of page 2 may be there while an earlier one
/// of its shard, written after page 1 was read, is missing. So of each shard nothing later than its
/// last entry in the first listing is taken, and the entries themselves come from the second.
pub(crate) fn agreed(first: &[Listed], second: Vec<Listed>) -> Vec<Listed> {
    let mut last: BTreeMap<&str, &BatchEntry> = BTreeMap::new();
    for listed in first {
        let WaitingEntry::Batch(batch) = &listed.entry else {
            continue;
        };
        let place = last.entry(&batch.shard).or_insert(batch);
        if place.sequence_order(batch).is_lt() {
            *place = batch;
        }
    }
    let allowed = |listed: &Listed| match &listed.entry {
        WaitingEntry::Batch(batch) => last
            .get(batch.shard.as_str())
            .is_some_and(|last| batch.sequence_order(last).is_le()),
        _ => true,
    };
    second.into_iter().filter(allowed).collect()
}

#[cfg(test)]
mod tests;
