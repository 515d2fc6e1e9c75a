//! Rules of claims and turns, on in-memory twins.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::error::Error as StdError;

use harness::interleave::{interleave, runs};
use harness::memory;
use jiff::Timestamp;
use store::Objects as _;
use turns::{
    Attempt, Claim, ClaimedEntry, Completed, EvidenceEntry, FileEntry, HoldRange, HourRanges, Lane,
    Load, Progress, SliceEntry, Sql, Started, Starter, TurnId, TurnNumber, Turns, WaitingEntry,
    Work, evidence_entries,
};

use support::{at, batch, put, settings};

/// The keys of the entries that a turn covers.
fn claimed(objects: &memory::Objects, number: u64) -> Vec<String> {
    let turn = TurnId {
        lane: Lane::Transactions,
        number: TurnNumber(number),
    };
    let claim = objects.bytes(&turn.claim_key()).unwrap();
    let claim: Claim = serde_json::from_slice(&claim).unwrap();
    claim.entries.into_iter().map(|entry| entry.key).collect()
}

#[test]
fn a_waiting_key_is_read_back_and_only_in_its_canonical_form() {
    let file = FileEntry {
        arrived_at: Timestamp::from_millisecond(1_700_000_000_123).unwrap(),
        id: "0a1b2c3d".to_owned(),
        bytes: 12,
        hours: HourRanges::default(),
    };
    let of_hours = FileEntry {
        hours: HourRanges::from_timestamps([at(0), at(1_700_000_000)]),
        ..file.clone()
    };
    let entries = [
        WaitingEntry::Batch(batch("000000000001", 7, 3)),
        WaitingEntry::Batch(batch("000000000001", 8, 0)),
        WaitingEntry::History(file.clone()),
        WaitingEntry::Labels(file),
        WaitingEntry::History(of_hours.clone()),
        WaitingEntry::Labels(of_hours),
        WaitingEntry::Evidence(EvidenceEntry {
            lane: 1,
            turn: TurnNumber(42),
            from: 5,
            to: 10,
        }),
        WaitingEntry::Outcomes(SliceEntry {
            decided_at: at(1_700_000_000),
            name: "slice_1".to_owned(),
            bytes: 99,
        }),
    ];
    for entry in entries {
        let key = entry.key();
        assert!(key.len() < 1_024, "{key}");
        assert_eq!(WaitingEntry::parse(&key), Some(entry), "{key}");
        for other in [
            key.replace("-b", "-b0"),
            key.replace("-b", "-x-b"),
            key.replace(".held", "-x.held"),
            format!("{key}x"),
            key.to_uppercase(),
        ] {
            assert!(
                other == key || WaitingEntry::parse(&other).is_none(),
                "{other}"
            );
        }
    }
}

#[test]
fn a_key_without_holds_is_no_key_of_held_work() {
    let key = WaitingEntry::Batch(batch("1", 7, 3)).key();
    for other in [
        "waiting/evidence-1/0000000042-0000005-0000005.held".to_owned(),
        "waiting/evidence-1/0000000042-0000005-0000004.held".to_owned(),
        key.replace(".3-d", ".0-d"),
        key.replace("-v5af15e73.3-", "-v5af15e73.3_other.0-"),
    ] {
        assert_eq!(WaitingEntry::parse(&other), None, "{other}");
    }
}

#[test]
fn successive_turns_spread_their_ranges_over_all_evidence_lanes() {
    let key = WaitingEntry::Batch(batch("000000000001", 7, 30)).key();
    let claim = Claim {
        claimant: "claimant".to_owned(),
        entries: vec![ClaimedEntry { key, file: None }],
    };
    let mut used = vec![0; 12];
    for number in 1..=4 {
        for entry in evidence_entries(TurnNumber(number), &claim, &[0], 10, 12) {
            used[usize::from(entry.lane)] += 1;
        }
    }
    assert_eq!(used, [1; 12], "four turns of three ranges");
}

#[tokio::test]
async fn the_end_of_a_turn_submits_nothing_again() {
    let faults = memory::Faults::none();
    let objects = memory::Objects::with(&faults);
    let warehouse = memory::Warehouse::with(&faults);
    let settings = settings(10);
    let turns = support::turns(&objects, &warehouse, &settings);
    let submissions = || {
        let calls = faults.calls().into_iter();
        calls.filter(|call| call.starts_with("submit")).count()
    };
    put(&objects, batch("000000000001", 1, 1)).await;
    let now = at(1_010);
    turns
        .start(Lane::Transactions, Starter::Event, now)
        .await
        .unwrap();
    turns.advance(Lane::Transactions, now).await.unwrap();
    assert_eq!(submissions(), 1, "the id of the statement was noted");

    // A process died between the submission and the note.
    put(&objects, batch("000000000001", 2, 1)).await;
    turns
        .start(Lane::Transactions, Starter::Event, now)
        .await
        .unwrap();
    let second = TurnId {
        lane: Lane::Transactions,
        number: TurnNumber(2),
    };
    objects.delete(&second.statement_key(0)).await.unwrap();
    let progress = turns.advance(Lane::Transactions, now).await.unwrap();
    assert_eq!(progress, Progress::Ended);
    assert_eq!(submissions(), 3);
    assert_eq!(warehouse.submitted().len(), 2, "one statement a turn");
}

#[tokio::test]
async fn the_end_of_a_turn_starts_the_next_one() {
    let objects = memory::Objects::new();
    let (warehouse, settings) = (memory::Warehouse::new(), settings(1));
    let turns = support::turns(&objects, &warehouse, &settings);
    put(&objects, batch("a", 1, 1)).await;
    put(&objects, batch("a", 2, 1)).await;
    let started = turns
        .start(Lane::Transactions, Starter::Event, at(0))
        .await
        .unwrap();
    assert!(matches!(started, Started::Claimed(_)), "{started:?}");
    let busy = turns
        .start(Lane::Transactions, Starter::Event, at(0))
        .await
        .unwrap();
    assert_eq!(busy, Started::Busy);
    let ended = turns.advance(Lane::Transactions, at(0)).await.unwrap();
    assert_eq!(ended, Progress::Ended);
    assert_eq!(
        warehouse.submitted().len(),
        2,
        "the second turn runs without a sweep"
    );
    assert_eq!(
        turns.advance(Lane::Transactions, at(0)).await.unwrap(),
        Progress::Ended
    );
    assert_eq!(objects.keys("waiting/"), [""; 0]);
    assert_eq!(
        turns.advance(Lane::Transactions, at(0)).await.unwrap(),
        Progress::Idle
    );
}

#[tokio::test]
async fn batches_without_holds_wait_for_the_load_interval() {
    let objects = memory::Objects::new();
    objects.set_time(at(0));
    let (warehouse, settings) = (memory::Warehouse::new(), settings(10));
    let turns = support::turns(&objects, &warehouse, &settings);
    put(&objects, batch("a", 1, 0)).await;
    let early = turns
        .start(Lane::Transactions, Starter::Event, at(299))
        .await
        .unwrap();
    assert_eq!(early, Started::NotDue);
    let due = turns
        .start(Lane::Transactions, Starter::Event, at(300))
        .await
        .unwrap();
    assert!(matches!(due, Started::Claimed(_)), "{due:?}");
}

#[tokio::test]
async fn a_turn_takes_a_prefix_of_each_shard() {
    let objects = memory::Objects::new();
    let (warehouse, settings) = (memory::Warehouse::new(), settings(3));
    let turns = support::turns(&objects, &warehouse, &settings);
    for (shard, number) in [("a", 9), ("a", 10), ("b", 11), ("a", 12)] {
        put(&objects, batch(shard, number, 1)).await;
    }
    turns
        .start(Lane::Transactions, Starter::Event, at(0))
        .await
        .unwrap();
    let expected = [batch("a", 9, 1), batch("a", 10, 1), batch("b", 11, 1)];
    assert_eq!(
        claimed(&objects, 1),
        expected.map(|entry| WaitingEntry::Batch(entry).key())
    );
}

/// A lane's work in another deployment, which derives other SQL.
struct OtherSql(&'static str);

impl Work for OtherSql {
    async fn load_sql(&self, _: Load<'_>) -> Result<Sql, Box<dyn StdError + Send + Sync>> {
        Ok(Sql {
            sqls: vec![self.0.to_owned()],
            parameters: Vec::new(),
        })
    }

    async fn evidence_sql(
        &self,
        _: &HoldRange,
    ) -> Result<Option<Sql>, Box<dyn StdError + Send + Sync>> {
        Ok(None)
    }

    async fn complete(
        &self,
        _: Completed<'_>,
        _: Timestamp,
    ) -> Result<Vec<Lane>, Box<dyn StdError + Send + Sync>> {
        Ok(Vec::new())
    }

    fn completes(&self, _: Lane) -> bool {
        false
    }
}

#[test]
fn the_attempt_that_was_written_first_stands() {
    let turn = TurnId {
        lane: Lane::Transactions,
        number: TurnNumber(1),
    };
    let claim = Claim {
        claimant: "claimant".to_owned(),
        entries: vec![ClaimedEntry {
            key: WaitingEntry::Batch(batch("a", 1, 1)).key(),
            file: None,
        }],
    };
    let settings = settings(1);
    for order in runs(6) {
        let objects = memory::Objects::new();
        let warehouse = memory::Warehouse::new();
        objects.set(&turn.claim_key(), serde_json::to_vec(&claim).unwrap());
        let one = OtherSql("one");
        let two = OtherSql("two");
        let turns = |work| Turns {
            objects: &objects,
            warehouse: &warehouse,
            work,
            settings: &settings,
        };
        let first = turns(&one);
        let second = turns(&two);
        let (first, second) = interleave(
            first.advance(turn.lane, at(0)),
            second.advance(turn.lane, at(0)),
            order.clone(),
        );
        first.unwrap();
        second.unwrap();
        let attempt = objects.bytes(&turn.attempt_key(0)).unwrap();
        let attempt: Attempt = serde_json::from_slice(&attempt).unwrap();
        let submitted = warehouse.submitted();
        assert_eq!(submitted.len(), 1, "{order:?}");
        let sqls = submitted.into_iter().map(|(_, statement)| statement.sqls);
        assert_eq!(
            { sqls }.next(),
            attempt.statement.map(|planned| planned.sqls),
            "{order:?}"
        );
    }
}
