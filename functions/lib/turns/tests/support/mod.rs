//! Turns without work of their own.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test uses a part of it"
)]

use std::error::Error as StdError;

use harness::memory;
use jiff::{SignedDuration, Timestamp};
use store::Objects as _;
use turns::{
    BatchEntry, Completed, HoldRange, HourRanges, Lane, Limits, Load, Settings, Sql, Turns,
    VersionHolds, WaitingEntry, Work,
};

/// A lane's own work that does nothing.
pub(crate) struct NoWork;

impl Work for NoWork {
    async fn load_sql(&self, load: Load<'_>) -> Result<Sql, Box<dyn StdError + Send + Sync>> {
        Ok(Sql {
            sqls: vec![format!("COPY staging FROM '{}'", load.manifest)],
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
        true
    }
}

pub(crate) fn turns<'a>(
    objects: &'a memory::Objects,
    warehouse: &'a memory::Warehouse,
    settings: &'a Settings,
) -> Turns<'a, memory::Objects, memory::Warehouse, NoWork> {
    Turns {
        objects,
        warehouse,
        work: &NoWork,
        settings,
    }
}

pub(crate) fn settings(objects: usize) -> Settings {
    Settings {
        bucket: "b".to_owned(),
        stack: "s".to_owned(),
        limits: Limits {
            objects,
            bytes: 1_000_000,
            holds: 1_000,
            hold_groups: 1_000,
        },
        load_interval: SignedDuration::from_secs(300),
        turn_interval: SignedDuration::ZERO,
        grace: SignedDuration::from_secs(60),
        random_id: || "claimant".to_owned(),
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) fn batch(shard: &str, number: u32, holds: u32) -> BatchEntry {
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

pub(crate) async fn put(objects: &memory::Objects, entry: BatchEntry) {
    let key = WaitingEntry::Batch(entry).key();
    objects.put(&key, Vec::new()).await.unwrap();
}
