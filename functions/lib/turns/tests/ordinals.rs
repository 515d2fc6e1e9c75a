//! The ordinals of the holds of a claim, in evidence entries and in the ledger.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::Range;

use harness::interleave::finish;
use harness::memory::Objects;
use jiff::Timestamp;
use turns::{
    BatchEntry, BatchPart, Claim, ClaimedEntry, EvidenceEntry, HourRanges, Lane, TurnId,
    TurnNumber, VersionHolds, WaitingEntry, evidence_entries, hold_range, split,
};

const TURN: TurnNumber = TurnNumber(7);

/// A batch with holds of these versions.
fn batch(first: u32, held: &[(&str, u32)]) -> BatchEntry {
    let version_holds = |(version, holds): &(&str, u32)| VersionHolds {
        version: (*version).to_owned(),
        holds: *holds,
    };
    BatchEntry {
        arrived_at: Timestamp::from_second(1_000).unwrap(),
        shard: "1".to_owned(),
        first: first.to_string(),
        last: (first + 9).to_string(),
        bytes: 100,
        held: held.iter().map(version_holds).collect(),
        due: Some(Timestamp::from_second(1_200).unwrap()),
        hours: HourRanges::default(),
    }
}

/// Ordinals 0 to 3, 3 to 5 and 5 to 9 of version `v1`; 9 to 11 of version `v2`.
fn claim() -> Claim {
    let batches = [
        batch(10, &[("v1", 3)]),
        batch(20, &[("v1", 2), ("v2", 2)]),
        batch(30, &[("v1", 4)]),
    ];
    Claim {
        claimant: "claimant".to_owned(),
        entries: batches
            .map(|batch| claimed(WaitingEntry::Batch(batch)))
            .into(),
    }
}

fn claimed(entry: WaitingEntry) -> ClaimedEntry {
    ClaimedEntry {
        key: entry.key(),
        file: None,
    }
}

#[test]
fn each_range_of_a_turn_goes_to_the_next_lane() {
    let entries = evidence_entries(TURN, &claim(), &[0, 1, 2], 4, 3);
    let lanes: Vec<u16> = entries.into_iter().map(|entry| entry.lane).collect();
    assert_eq!(lanes, [1, 2, 0, 1]);
}

/// The lanes and ranges of the evidence entries for these places of the claim.
fn ranges(covered: &[usize], most: u32) -> Vec<(u16, Range<u32>)> {
    let entries = evidence_entries(TURN, &claim(), covered, most, 2);
    let range = |entry: EvidenceEntry| (entry.lane, entry.from..entry.to);
    entries.into_iter().map(range).collect()
}

#[test]
fn ranges_of_one_version_take_turns_in_the_lanes() {
    let expected = [(0, 0..4), (1, 4..8), (0, 8..9), (1, 9..11)];
    assert_eq!(ranges(&[0, 1, 2], 4), expected);
    assert_eq!(ranges(&[0, 1, 2], 5_000), [(0, 0..9), (1, 9..11)]);
    let single = [(1, 0..1), (0, 1..2), (1, 2..3)];
    assert_eq!(ranges(&[0], 1), single);
}

#[test]
fn only_covered_batches_are_asked_about() {
    assert_eq!(ranges(&[0, 2], 4), [(0, 0..3), (1, 5..9)]);
    assert_eq!(ranges(&[0, 2], 5_000), [(0, 0..3), (1, 5..9)]);
    assert_eq!(ranges(&[], 4), []);
}

fn range(from: u32, to: u32) -> EvidenceEntry {
    EvidenceEntry {
        lane: 1,
        turn: TURN,
        from,
        to,
    }
}

#[test]
fn the_holds_of_a_range_are_found_in_the_ledger() {
    let objects = Objects::new();
    let turn = TurnId {
        lane: Lane::Transactions,
        number: TURN,
    };
    objects.set(&turn.claim_key(), serde_json::to_vec(&claim()).unwrap());
    let place = |first: &str, ordinal, places| Place {
        batch: first.to_owned(),
        ordinal,
        places,
    };
    for (asked, version, expected) in [
        (0..4, "v1", vec![place("10", 0, 0..3), place("20", 3, 0..1)]),
        (4..8, "v1", vec![place("20", 4, 1..2), place("30", 5, 0..3)]),
        (8..9, "v1", vec![place("30", 8, 3..4)]),
        (9..11, "v2", vec![place("20", 9, 2..4)]),
        (10..11, "v2", vec![place("20", 10, 3..4)]),
    ] {
        let entry = WaitingEntry::Evidence(range(asked.start, asked.end));
        let claim = Claim {
            claimant: "other".to_owned(),
            entries: vec![claimed(entry)],
        };
        let found = finish(hold_range(&objects, &claim)).unwrap();
        assert_eq!(found.version, version);
        assert_eq!(found.claimant, "claimant");
        assert_eq!(found.from..found.to, asked);
        let places: Vec<Place> = found.batches.into_iter().map(Place::of).collect();
        assert_eq!(places, expected, "{asked:?}");
    }
}

/// Where the holds of a range lie.
#[derive(Debug, PartialEq)]
struct Place {
    /// The first sequence number of the batch.
    batch: String,
    ordinal: u32,
    places: Range<usize>,
}

impl Place {
    fn of(part: BatchPart) -> Self {
        Self {
            batch: part.batch.first,
            ordinal: part.ordinal,
            places: part.places,
        }
    }
}

#[test]
fn a_range_is_split_in_the_middle_and_a_single_hold_is_not() {
    assert_eq!(split(&range(4, 8)), Some([range(4, 6), range(6, 8)]));
    assert_eq!(split(&range(4, 7)), Some([range(4, 5), range(5, 7)]));
    assert_eq!(split(&range(4, 6)), Some([range(4, 5), range(5, 6)]));
    assert_eq!(split(&range(4, 5)), None);
}
