//! What the sweep asks about lanes, and which turns it deletes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;

use harness::interleave::finish;
use harness::memory;
use turns::{
    BatchEntry, Claim, ClaimedEntry, EvidenceEntry, FileEntry, HourRanges, Lane, Settings, TurnId,
    TurnNumber, Turns, WaitingEntry,
};

use support::{NoWork, at, batch, settings};

const DAY: i64 = 24 * 60 * 60;

struct Stack {
    objects: memory::Objects,
    warehouse: memory::Warehouse,
    settings: Settings,
}

impl Stack {
    fn new() -> Self {
        let objects = memory::Objects::new();
        objects.set_time(at(0));
        Self {
            objects,
            warehouse: memory::Warehouse::new(),
            settings: settings(10),
        }
    }

    fn turns(&self) -> Turns<'_, memory::Objects, memory::Warehouse, NoWork> {
        Turns {
            objects: &self.objects,
            warehouse: &self.warehouse,
            work: &NoWork,
            settings: &self.settings,
        }
    }

    fn wait(&self, entry: &WaitingEntry) {
        self.objects.set(&entry.key(), Vec::new());
    }

    /// Writes the claim of a turn.
    fn claim(&self, lane: Lane, number: u64, entries: &[WaitingEntry]) -> TurnId {
        let turn = TurnId {
            lane,
            number: TurnNumber(number),
        };
        let claimed = |entry: &WaitingEntry| ClaimedEntry {
            key: entry.key(),
            file: None,
        };
        let claim = Claim {
            claimant: "claimant".to_owned(),
            entries: entries.iter().map(claimed).collect(),
        };
        let bytes = serde_json::to_vec(&claim).unwrap();
        self.objects.set(&turn.claim_key(), bytes);
        turn
    }

    fn end(&self, turn: TurnId) {
        self.objects.set(&turn.ended_key(), Vec::new());
    }

    /// The numbers of the lane's turns that have a claim.
    fn numbers(&self, lane: Lane) -> Vec<u64> {
        let keys = self.objects.keys(&TurnId::lane_prefix(lane));
        let numbers = keys.iter().map(|key| TurnId::of_key(key).unwrap().number.0);
        numbers.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

fn evidence(lane: u16, turn: u64, from: u32, to: u32) -> WaitingEntry {
    WaitingEntry::Evidence(EvidenceEntry {
        lane,
        turn: TurnNumber(turn),
        from,
        to,
    })
}

fn history() -> WaitingEntry {
    WaitingEntry::History(FileEntry {
        arrived_at: at(0),
        id: "0a1b".to_owned(),
        bytes: 12,
        hours: HourRanges::default(),
    })
}

fn batch_of(number: u32, holds: u32) -> BatchEntry {
    batch("a", number, holds)
}

#[test]
fn the_oldest_entry_says_since_when_a_lane_waits() {
    let stack = Stack::new();
    let since = |lane| finish(stack.turns().waiting_since(lane)).unwrap();
    assert_eq!(since(Lane::Transactions), None);
    stack.objects.set_time(at(50));
    stack.wait(&WaitingEntry::Batch(batch_of(1, 0)));
    stack.objects.set_time(at(60));
    stack.wait(&WaitingEntry::Batch(batch_of(0, 0)));
    assert_eq!(since(Lane::Transactions), Some(at(50)));
    stack.objects.set_time(at(40));
    stack.wait(&history());
    assert_eq!(since(Lane::Transactions), Some(at(40)));
    assert_eq!(since(Lane::Evidence(0)), None);
}

#[test]
fn evidence_lanes_beyond_those_in_use_are_worked_off() {
    let stack = Stack::new();
    stack.wait(&evidence(5, 1, 0, 1));
    stack.wait(&evidence(5, 2, 0, 1));
    stack.claim(Lane::Evidence(12), 1, &[evidence(12, 1, 0, 1)]);
    let lanes = finish(stack.turns().evidence_lanes(2)).unwrap();
    assert_eq!(lanes, BTreeSet::from([0, 1, 5, 12].map(Lane::Evidence)));
}

#[test]
fn batches_are_on_their_way_from_their_entry_to_the_end_of_their_evidence() {
    let stack = Stack::new();
    let loaded = [batch_of(10, 3), batch_of(20, 2), batch_of(30, 4)];
    let loaded = loaded.map(WaitingEntry::Batch);
    stack.end(stack.claim(Lane::Transactions, 1, &loaded));
    let running = [WaitingEntry::Batch(batch_of(40, 1)), history()];
    stack.claim(Lane::Transactions, 2, &running);
    stack.wait(&WaitingEntry::Batch(batch_of(50, 1)));
    stack.wait(&history());
    // The first batch has the ordinals 0 to 2, the second 3 and 4, the third 5 to 8.
    stack.wait(&evidence(7, 1, 3, 5));
    stack.claim(Lane::Evidence(0), 1, &[evidence(0, 1, 5, 6)]);
    stack.end(stack.claim(Lane::Evidence(1), 1, &[evidence(1, 1, 0, 3)]));
    let pending = finish(stack.turns().pending_batches(2)).unwrap();
    let expected = [20, 30, 40, 50].map(|number| batch_of(number, 1).batch_name());
    assert_eq!(pending, BTreeSet::from(expected));
}

#[test]
fn a_marked_turn_stands_for_no_batch() {
    let stack = Stack::new();
    let loaded = [WaitingEntry::Batch(batch_of(10, 3))];
    stack.end(stack.claim(Lane::Transactions, 1, &loaded));
    let pending = finish(stack.turns().pending_batches(2)).unwrap();
    assert_eq!(pending, BTreeSet::new());
}

#[test]
fn turns_are_deleted_after_a_day_if_nothing_needs_them() {
    let stack = Stack::new();
    for number in 1..=6 {
        stack.end(stack.claim(Lane::Transactions, number, &[]));
    }
    // Waiting evidence and an unmarked evidence turn need their loads.
    stack.wait(&evidence(0, 2, 0, 1));
    stack.claim(Lane::Evidence(0), 1, &[evidence(0, 3, 0, 1)]);
    stack.end(stack.claim(Lane::Evidence(1), 1, &[evidence(1, 4, 0, 1)]));
    stack.objects.set_time(at(10));
    stack.end(TurnId {
        lane: Lane::Transactions,
        number: TurnNumber(5),
    });
    let clean_up = |second| {
        let turns = stack.turns();
        finish(turns.clean_up(Lane::Transactions, 2, at(second))).unwrap()
    };
    assert_eq!(clean_up(DAY), 0, "not older than a day");
    assert_eq!(clean_up(DAY + 1), 2);
    assert_eq!(stack.numbers(Lane::Transactions), [2, 3, 5, 6]);
    assert_eq!(clean_up(DAY + 11), 1);
    assert_eq!(stack.numbers(Lane::Transactions), [2, 3, 6]);
}
