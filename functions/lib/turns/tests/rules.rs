//! Rules of claims and turns, on in-memory twins.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error as StdError;

use harness::memory;
use jiff::{SignedDuration, Timestamp};
use store::Objects as _;
use turns::{
    BatchEntry, Claim, Completed, EvidenceEntry, FileEntry, HourRanges, Lane, Limits, Plan,
    Progress, Settings, SliceEntry, Sql, Started, TurnId, TurnNumber, Turns, VersionHolds,
    WaitingEntry, Work,
};

/// A lane's own work that does nothing.
struct NoWork;

impl Work for NoWork {
    async fn sql(
        &self,
        _: TurnId,
        _: &Claim,
        _: &Plan,
        manifest: Option<&str>,
    ) -> Result<Sql, Box<dyn StdError + Send + Sync>> {
        Ok(Sql {
            sqls: vec![format!(
                "COPY staging FROM '{}'",
                manifest.unwrap_or_default()
            )],
            parameters: Vec::new(),
        })
    }

    async fn complete(
        &self,
        _: Completed<'_>,
        _: Timestamp,
    ) -> Result<Vec<Lane>, Box<dyn StdError + Send + Sync>> {
        Ok(Vec::new())
    }

    fn completes(&self, _: Lane) -> bool {
        true
    }
}

fn settings(objects: usize) -> Settings {
    Settings {
        bucket: "b".to_owned(),
        stack: "s".to_owned(),
        limits: Limits {
            objects,
            bytes: 1_000_000,
            holds: 1_000,
        },
        load_interval: SignedDuration::from_secs(300),
        random_id: || "claimant".to_owned(),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn batch(shard: &str, number: u32, holds: u32) -> BatchEntry {
    let held = VersionHolds {
        version: "5af15e73".to_owned(),
        holds,
    };
    BatchEntry {
        arrived_at: at(1_000 + i64::from(number)),
        shard: shard.to_owned(),
        first: format!("{number}0"),
        last: format!("{number}9"),
        bytes: 428,
        held: if holds > 0 { vec![held] } else { Vec::new() },
        due: (holds > 0).then(|| at(1_260)),
        hours: HourRanges::from_timestamps([at(0), at(86_400)]),
    }
}

async fn put(objects: &memory::Objects, entry: BatchEntry) {
    let key = WaitingEntry::Batch(entry).key();
    objects.put(&key, Vec::new()).await.unwrap();
}

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
        arrived_at: at(1_700_000_000),
        id: "0a1b2c3d".to_owned(),
        bytes: 12,
    };
    let entries = [
        WaitingEntry::Batch(batch("000000000001", 7, 3)),
        WaitingEntry::Batch(batch("000000000001", 8, 0)),
        WaitingEntry::History(file.clone()),
        WaitingEntry::Labels(file),
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

#[tokio::test]
async fn the_end_of_a_turn_starts_the_next_one() {
    let objects = memory::Objects::new();
    let (warehouse, settings) = (memory::Warehouse::new(), settings(1));
    let turns = Turns {
        objects: &objects,
        warehouse: &warehouse,
        work: &NoWork,
        settings: &settings,
    };
    put(&objects, batch("a", 1, 1)).await;
    put(&objects, batch("a", 2, 1)).await;
    let started = turns.start(Lane::Transactions, at(0)).await.unwrap();
    assert!(matches!(started, Started::Claimed(_)), "{started:?}");
    let busy = turns.start(Lane::Transactions, at(0)).await.unwrap();
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
    let turns = Turns {
        objects: &objects,
        warehouse: &warehouse,
        work: &NoWork,
        settings: &settings,
    };
    put(&objects, batch("a", 1, 0)).await;
    let early = turns.start(Lane::Transactions, at(299)).await.unwrap();
    assert_eq!(early, Started::NotDue);
    let due = turns.start(Lane::Transactions, at(300)).await.unwrap();
    assert!(matches!(due, Started::Claimed(_)), "{due:?}");
}

#[tokio::test]
async fn a_turn_takes_a_prefix_of_each_shard() {
    let objects = memory::Objects::new();
    let (warehouse, settings) = (memory::Warehouse::new(), settings(3));
    let turns = Turns {
        objects: &objects,
        warehouse: &warehouse,
        work: &NoWork,
        settings: &settings,
    };
    for (shard, number) in [("a", 9), ("a", 10), ("b", 11), ("a", 12)] {
        put(&objects, batch(shard, number, 1)).await;
    }
    turns.start(Lane::Transactions, at(0)).await.unwrap();
    let expected = [batch("a", 9, 1), batch("a", 10, 1), batch("b", 11, 1)];
    assert_eq!(
        claimed(&objects, 1),
        expected.map(|entry| WaitingEntry::Batch(entry).key())
    );
}
