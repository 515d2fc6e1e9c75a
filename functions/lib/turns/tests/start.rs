//! When a turn starts, and which process starts it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use harness::interleave::{finish, interleave, runs};
use harness::memory;
use jiff::SignedDuration;
use turns::{
    Claim, FileEntry, HourRanges, Lane, Limits, Settings, Started, Starter, Turns, WaitingEntry,
};

use support::{NoWork, at, batch, put, settings};

/// What a look for the next turn of the lane of transactions finds.
fn start(objects: &memory::Objects, settings: &Settings, starter: Starter, second: i64) -> Started {
    let turns = Turns {
        objects,
        warehouse: &memory::Warehouse::new(),
        work: &NoWork,
        settings,
    };
    finish(turns.start(Lane::Transactions, starter, at(second))).unwrap()
}

fn advance(objects: &memory::Objects, settings: &Settings, second: i64) {
    let turns = Turns {
        objects,
        warehouse: &memory::Warehouse::new(),
        work: &NoWork,
        settings,
    };
    finish(turns.advance(Lane::Transactions, at(second))).unwrap();
}

fn age(objects: &memory::Objects, settings: &Settings, second: i64) -> Option<SignedDuration> {
    let turns = Turns {
        objects,
        warehouse: &memory::Warehouse::new(),
        work: &NoWork,
        settings,
    };
    finish(turns.age(Lane::Transactions, at(second))).unwrap()
}

#[test]
fn with_a_turn_interval_only_the_sweep_starts_turns_and_not_too_early() {
    let objects = memory::Objects::new();
    objects.set_time(at(100));
    let settings = Settings {
        turn_interval: SignedDuration::from_secs(60),
        ..settings(1)
    };
    finish(put(&objects, batch("a", 1, 1)));
    finish(put(&objects, batch("a", 2, 1)));
    assert_eq!(
        start(&objects, &settings, Starter::Event, 100),
        Started::NotDue
    );
    let first = start(&objects, &settings, Starter::Sweep, 100);
    assert!(matches!(first, Started::Claimed(_)), "{first:?}");
    advance(&objects, &settings, 100);
    assert_eq!(
        start(&objects, &settings, Starter::Sweep, 159),
        Started::NotDue
    );
    let second = start(&objects, &settings, Starter::Sweep, 160);
    assert!(matches!(second, Started::Claimed(_)), "{second:?}");
}

#[test]
fn a_turn_interval_delays_no_other_lane() {
    let objects = memory::Objects::new();
    let settings = Settings {
        turn_interval: SignedDuration::from_secs(60),
        ..settings(1)
    };
    let turns = Turns {
        objects: &objects,
        warehouse: &memory::Warehouse::new(),
        work: &NoWork,
        settings: &settings,
    };
    let labels = finish(turns.start(Lane::Labels, Starter::Event, at(0)));
    assert_eq!(labels.unwrap(), Started::NothingWaits);
}

#[test]
fn the_age_of_a_turn_is_that_of_its_newest_object() {
    let objects = memory::Objects::new();
    let settings = settings(1);
    objects.set_time(at(100));
    finish(put(&objects, batch("a", 1, 1)));
    assert_eq!(age(&objects, &settings, 100), None);
    start(&objects, &settings, Starter::Event, 100);
    let ten = SignedDuration::from_secs(10);
    assert_eq!(age(&objects, &settings, 110), Some(ten));
    advance(&objects, &settings, 110);
    assert_eq!(age(&objects, &settings, 120), None, "the turn has ended");
}

#[test]
fn one_of_two_processes_claims_a_turn() {
    for order in runs(5) {
        let objects = memory::Objects::new();
        let warehouse = memory::Warehouse::new();
        finish(put(&objects, batch("a", 1, 1)));
        let settings_of = |random_id| Settings {
            random_id,
            ..settings(1)
        };
        let one = settings_of(|| "one".to_owned());
        let two = settings_of(|| "two".to_owned());
        let turns = |settings| Turns {
            objects: &objects,
            warehouse: &warehouse,
            work: &NoWork,
            settings,
        };
        let first = turns(&one);
        let second = turns(&two);
        let (first, second) = interleave(
            first.start(Lane::Transactions, Starter::Event, at(0)),
            second.start(Lane::Transactions, Starter::Event, at(0)),
            order.clone(),
        );
        let started = [first.unwrap(), second.unwrap()];
        let claimed = started
            .iter()
            .filter(|one| matches!(one, Started::Claimed(_)));
        assert_eq!(claimed.count(), 1, "{order:?}: {started:?}");
        assert_eq!(warehouse.submitted().len(), 1, "{order:?}");
    }
}

#[test]
fn a_claim_names_the_file_of_an_entry_that_contains_its_key() {
    let objects = memory::Objects::new();
    let settings = settings(1);
    let entry = WaitingEntry::Labels(FileEntry {
        arrived_at: at(0),
        id: "0a1b".to_owned(),
        bytes: 12,
        hours: HourRanges::default(),
    });
    objects.set(&entry.key(), b"labels/reports.csv".to_vec());
    let turns = Turns {
        objects: &objects,
        warehouse: &memory::Warehouse::new(),
        work: &NoWork,
        settings: &settings,
    };
    let started = finish(turns.start(Lane::Labels, Starter::Event, at(0))).unwrap();
    let Started::Claimed(turn) = started else {
        panic!("{started:?}");
    };
    let claim = objects.bytes(&turn.claim_key()).unwrap();
    let claim: Claim = serde_json::from_slice(&claim).unwrap();
    let files: Vec<_> = claim.entries.into_iter().map(|entry| entry.file).collect();
    assert_eq!(files, [Some("labels/reports.csv".to_owned())]);
}

/// How often the entries are listed for a claim among this many.
fn listings(entries: u32) -> usize {
    let objects = memory::Objects::new();
    let mut settings = settings(0);
    settings.limits = Limits::DEFAULT;
    for number in 1..=entries {
        finish(put(&objects, batch("a", number, 1)));
    }
    start(&objects, &settings, Starter::Event, 0);
    let calls = objects.faults().calls();
    let listing = "list waiting/transactions/live/";
    calls.iter().filter(|call| *call == listing).count()
}

#[test]
fn entries_of_more_than_one_page_are_listed_twice() {
    assert_eq!(listings(1_000), 1);
    assert_eq!(listings(1_001), 2);
}
