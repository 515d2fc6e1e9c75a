//! The real sweep over in-memory adapters, with a model that takes the evidence as the score.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test uses a part of it"
)]

use std::time::Duration;

use confirm::{EvidenceWork, Settler};
use decision::{Policy, SettledBy};
use harness::holds::{PlainModel, World, policy};
use harness::memory::{Bundles, Objects, Stream};
use jiff::{SignedDuration, Timestamp};
use load::{LaneSql, LoadWork};
use serde::de::IgnoredAny;
use sweep::{AllWork, Error, Handler, SweepReport, TimeLimit};
use turns::{Limits, Settings, Turns};

pub(crate) const GRACE: SignedDuration = SignedDuration::from_secs(60);
const EVIDENCE_LANES: u16 = 2;

pub(crate) fn settings() -> Settings {
    Settings {
        bucket: "bucket".to_owned(),
        stack: "stack".to_owned(),
        limits: Limits::DEFAULT,
        load_interval: SignedDuration::from_secs(300),
        turn_interval: SignedDuration::ZERO,
        grace: GRACE,
        random_id: || fastrand_id(),
    }
}

fn fastrand_id() -> String {
    format!("{:032x}", fastrand::u128(..))
}

fn settler<'a>(
    world: &'a World,
    bundles: &'a Bundles<PlainModel>,
    fallback: &'a Policy,
) -> Settler<'a, Objects, Stream, Bundles<PlainModel>> {
    Settler {
        objects: &world.objects,
        decisions: &world.decisions,
        bundles,
        fallback,
        first_entity: Some("customer_id"),
    }
}

/// Makes one sweep at this time.
pub(crate) async fn sweep(world: &World, now: Timestamp) -> Result<SweepReport, Error> {
    sweep_within(world, ONE_PASS, now).await
}

pub(crate) async fn sweep_within(
    world: &World,
    time_limit: TimeLimit,
    now: Timestamp,
) -> Result<SweepReport, Error> {
    world.objects.set_time(now);
    let settings = settings();
    let fallback = policy();
    let bundles = PlainModel::bundles();
    let sql = LaneSql {
        deployed: &bundles.definition.definition,
        definitions: &bundles,
        role_arn: "default",
    };
    let load = LoadWork {
        objects: &world.objects,
        warehouse: &world.warehouse,
        sql,
        evidence_lanes: EVIDENCE_LANES,
    };
    let evidence = EvidenceWork {
        settler: settler(world, &bundles, &fallback),
        warehouse: &world.warehouse,
        sql,
        settled_by: SettledBy::Sweep,
    };
    let work = AllWork {
        load: &load,
        evidence: &evidence,
    };
    let handler = Handler {
        turns: Turns {
            objects: &world.objects,
            warehouse: &world.warehouse,
            work: &work,
            settings: &settings,
        },
        settler: settler(world, &bundles, &fallback),
        evidence_lanes: EVIDENCE_LANES,
        time_limit,
    };
    handler.handle(IgnoredAny, now).await
}

/// Short, for a warehouse that does not answer.
pub(crate) const SHORT: TimeLimit = TimeLimit {
    new_work: Duration::from_millis(800),
    end: Duration::from_secs(1),
    pass: None,
};

/// The deployed limits, for sweeps at times that the test chooses.
const ONE_PASS: TimeLimit = TimeLimit {
    pass: None,
    ..TimeLimit::DEFAULT
};

/// For a sweep that makes passes in real time.
pub(crate) const PASSES: TimeLimit = TimeLimit {
    new_work: Duration::from_millis(1_900),
    end: Duration::from_secs(10),
    pass: Some(Duration::from_millis(600)),
};
