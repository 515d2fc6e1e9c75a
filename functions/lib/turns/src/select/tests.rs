use super::*;
use crate::{EvidenceEntry, FileEntry, HourRanges, TurnNumber, VersionHolds};

const WIDE: Limits = Limits {
    objects: 100,
    bytes: 1_000,
    holds: 100,
    hold_groups: 100,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A batch of 10 bytes without holds.
fn batch(shard: &str, number: u32, arrived_at: i64) -> BatchEntry {
    BatchEntry {
        arrived_at: at(arrived_at),
        shard: shard.to_owned(),
        first: number.to_string(),
        last: number.to_string(),
        bytes: 10,
        held: Vec::new(),
        due: None,
        hours: HourRanges::default(),
    }
}

/// Four batches of one shard, each with holds of this many versions.
fn batches(versions: u32, holds: u32) -> Vec<WaitingEntry> {
    let held = |number| VersionHolds {
        version: format!("v{number}"),
        holds,
    };
    let with_holds = |number| {
        WaitingEntry::Batch(BatchEntry {
            held: (0..versions).map(held).collect(),
            due: Some(at(1_000)),
            ..batch("a", number, 0)
        })
    };
    (1..5).map(with_holds).collect()
}

fn file(number: i64, bytes: u64) -> FileEntry {
    FileEntry {
        arrived_at: at(number),
        id: "f".to_owned(),
        bytes,
        hours: HourRanges::default(),
    }
}

fn listed(entries: Vec<WaitingEntry>) -> Vec<Listed> {
    let listed = |entry| Listed {
        entry,
        modified: at(0),
    };
    entries.into_iter().map(listed).collect()
}

fn take(lane: Lane, entries: Vec<WaitingEntry>, limits: Limits) -> Vec<WaitingEntry> {
    let interval = SignedDuration::ZERO;
    match select(lane, listed(entries), limits, interval, at(0)) {
        Selection::Take(entries) => entries,
        other => panic!("{other:?}"),
    }
}

fn count(entries: Vec<WaitingEntry>, limits: Limits) -> usize {
    take(Lane::Transactions, entries, limits).len()
}

#[test]
fn a_turn_takes_what_each_limit_allows() {
    let four = || batches(0, 0);
    assert_eq!(count(four(), WIDE), 4);
    assert_eq!(count(four(), Limits { objects: 3, ..WIDE }), 3);
    assert_eq!(count(four(), Limits { bytes: 30, ..WIDE }), 3);
    assert_eq!(count(four(), Limits { bytes: 29, ..WIDE }), 2);
    assert_eq!(count(batches(1, 2), Limits { holds: 6, ..WIDE }), 3);
    assert_eq!(count(batches(1, 2), Limits { holds: 5, ..WIDE }), 2);
    let hold_groups = |hold_groups| Limits {
        hold_groups,
        ..WIDE
    };
    assert_eq!(count(batches(2, 1), hold_groups(6)), 3);
    assert_eq!(count(batches(2, 1), hold_groups(5)), 2);
}

#[test]
fn a_turn_takes_four_gibibytes_by_default() {
    let gibibyte = |number| {
        WaitingEntry::Batch(BatchEntry {
            bytes: 1_073_741_824,
            ..batch("a", number, 0)
        })
    };
    assert_eq!(count((1..7).map(gibibyte).collect(), Limits::DEFAULT), 4);
}

#[test]
fn the_first_entry_is_taken_whatever_its_size() {
    for limits in [
        Limits { bytes: 1, ..WIDE },
        Limits { holds: 1, ..WIDE },
        Limits {
            hold_groups: 1,
            ..WIDE
        },
        Limits { objects: 0, ..WIDE },
    ] {
        assert_eq!(count(batches(2, 1), limits), 1, "{limits:?}");
    }
}

/// How many batches and how many files of history a turn takes, of four files of this size.
fn live_and_history(live: Vec<WaitingEntry>, bytes: u64, limits: Limits) -> (usize, usize) {
    let files = (0..4).map(|number| WaitingEntry::History(file(number, bytes)));
    let entries = files.chain(live).collect();
    let taken = take(Lane::Transactions, entries, limits);
    let is_live = |entry: &WaitingEntry| matches!(entry, WaitingEntry::Batch(_));
    let live = taken.iter().take_while(|entry| is_live(entry)).count();
    assert!(!taken[live..].iter().any(is_live), "live before history");
    (live, taken.len() - live)
}

#[test]
fn history_takes_at_most_half_of_the_limits() {
    let four = || batches(0, 0);
    let objects = |objects| Limits { objects, ..WIDE };
    assert_eq!(live_and_history(four(), 10, objects(5)), (3, 2));
    assert_eq!(live_and_history(four(), 10, objects(4)), (2, 2));
    assert_eq!(live_and_history(Vec::new(), 10, objects(6)), (0, 3));
    let bytes = |bytes| Limits { bytes, ..WIDE };
    assert_eq!(live_and_history(four(), 10, bytes(50)), (2, 2));
    assert_eq!(live_and_history(four(), 10, bytes(60)), (3, 3));
    // A large file waits for a turn without batches.
    assert_eq!(live_and_history(four(), 600, WIDE), (4, 0));
    assert_eq!(live_and_history(Vec::new(), 600, WIDE), (0, 1));
}

#[test]
fn shards_are_merged_by_arrival_and_each_keeps_its_sequence() {
    let all = [
        batch("a", 9, 30),
        batch("a", 10, 10),
        batch("b", 1, 20),
        batch("b", 2, 40),
    ];
    let taken = take(
        Lane::Transactions,
        all.map(WaitingEntry::Batch).into(),
        WIDE,
    );
    let expected = ["b-1-1", "a-9-9", "a-10-10", "b-2-2"];
    let names: Vec<String> = taken
        .into_iter()
        .map(|entry| match entry {
            WaitingEntry::Batch(batch) => batch.batch_name(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, expected);
}

#[test]
fn an_evidence_turn_takes_one_entry_and_other_lanes_take_many() {
    let evidence = |from| {
        WaitingEntry::Evidence(EvidenceEntry {
            lane: 0,
            turn: TurnNumber(1),
            from,
            to: from + 1,
        })
    };
    let taken = take(Lane::Evidence(0), vec![evidence(1), evidence(0)], WIDE);
    assert_eq!(taken, [evidence(0)]);
    let labels: Vec<_> = (0..4)
        .map(|number| WaitingEntry::Labels(file(number, 10)))
        .collect();
    assert_eq!(take(Lane::Labels, labels.clone(), WIDE).len(), 4);
    let limits = Limits { bytes: 30, ..WIDE };
    assert_eq!(take(Lane::Labels, labels, limits).len(), 3);
}

#[test]
fn batches_without_holds_wait_for_the_interval() {
    let minute = SignedDuration::from_mins(1);
    let due = |entries: Vec<WaitingEntry>, now| {
        let selection = select(Lane::Transactions, listed(entries), WIDE, minute, at(now));
        matches!(selection, Selection::Take(_))
    };
    assert!(!due(batches(0, 0), 59));
    assert!(due(batches(0, 0), 60));
    assert!(due(batches(1, 1), 0));
    let history = WaitingEntry::History(file(0, 10));
    assert!(due(vec![history], 0));
    let nothing = select(Lane::Transactions, Vec::new(), WIDE, minute, at(60));
    assert_eq!(nothing, Selection::Nothing);
}

#[test]
fn of_two_listings_no_shard_goes_beyond_its_last_entry_in_the_first() {
    let list = |numbers: &[(&str, u32)]| {
        let batch = |(shard, number): &(&str, u32)| WaitingEntry::Batch(batch(shard, *number, 0));
        listed(numbers.iter().map(batch).collect())
    };
    let first = list(&[("a", 10), ("a", 9), ("b", 2)]);
    let second = list(&[
        ("a", 8),
        ("a", 9),
        ("a", 10),
        ("a", 11),
        ("b", 2),
        ("b", 3),
        ("c", 1),
    ]);
    let agreed = agreed(&first, second);
    assert_eq!(agreed, list(&[("a", 8), ("a", 9), ("a", 10), ("b", 2)]));
}
