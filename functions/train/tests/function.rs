//! The function: unloading, writing the bundle, moving the pointer.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where it is"
)]

mod unloaded;

use std::error::Error as _;
use std::time::Duration;

use harness::fixture::{DEFINITION, profiled_definition};
use harness::memory;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use store::Objects as _;
use train::{Answer, Handler, HandlerError, TrainEvent};
use warehouse::{Row, Statement, StatementId, Status, Warehouse};

use self::unloaded::{HEADER, csv, lines};

/// A warehouse that unloads these files.
struct Unloading<'a> {
    objects: &'a memory::Objects,
    inner: memory::Warehouse,
    parts: Vec<String>,
    profiles: String,
}

impl Warehouse for Unloading<'_> {
    async fn submit(&self, statement: &Statement) -> Result<StatementId, warehouse::Error> {
        let sql = &statement.sqls[0];
        let (_, address) = sql
            .split_once("TO 's3://b/")
            .filter(|_| sql.starts_with("UNLOAD"))
            .unwrap();
        let (prefix, _) = address.split_once('\'').unwrap();
        let parts = if prefix.contains("/set/") {
            &self.parts[..]
        } else {
            std::slice::from_ref(&self.profiles)
        };
        for (place, part) in parts.iter().enumerate() {
            self.objects
                .put(
                    &format!("{prefix}{place:04}.gz"),
                    store::gzip(part.as_bytes()),
                )
                .await
                .unwrap();
        }
        self.inner.submit(statement).await
    }
    async fn status(&self, id: &StatementId) -> Result<Status, warehouse::Error> {
        self.inner.status(id).await
    }
    async fn rows(&self, id: &StatementId, sqls: usize) -> Result<Vec<Row>, warehouse::Error> {
        self.inner.rows(id, sqls).await
    }
    async fn cancel(&self, id: &StatementId) -> Result<(), warehouse::Error> {
        self.inner.cancel(id).await
    }
    async fn wait(&self, id: &StatementId, at_most: Duration) -> Result<Status, warehouse::Error> {
        self.inner.wait(id, at_most).await
    }
}

fn handler<'a, W>(
    objects: &'a memory::Objects,
    warehouse: &'a W,
) -> Handler<'a, memory::Objects, W> {
    Handler {
        objects,
        warehouse,
        bucket: "b".to_owned(),
        bundle: "small".to_owned(),
        statement_prefix: "p".to_owned(),
        role_arn: "default".to_owned(),
    }
}

const AS_OF: &str = "2026-01-15T00:00:00Z";

#[tokio::test]
async fn the_pointer_moves_after_the_whole_bundle_is_written() {
    let objects = memory::Objects::new();
    objects
        .put("bundles/small/bundle.toml", DEFINITION.as_bytes().to_vec())
        .await
        .unwrap();
    // A file of an earlier training must not be read.
    let stale = format!(
        "training/small/{}/set/part-9999.gz",
        AS_OF.parse::<Timestamp>().unwrap().as_second()
    );
    objects.put(&stale, store::gzip(b"stale")).await.unwrap();
    let all = lines(1_000);
    let warehouse = Unloading {
        objects: &objects,
        inner: memory::Warehouse::new(),
        parts: vec![csv(&all[..400]), csv(&all[400..])],
        profiles: String::new(),
    };
    let handler = handler(&objects, &warehouse);
    let event: TrainEvent =
        serde_json::from_str(include_str!("../../../events/train/as_of.json")).unwrap();
    let now = "2026-01-20T00:00:00Z".parse::<Timestamp>().unwrap();
    let Answer::Report(report) = handler.handle(&event, now).await.unwrap() else {
        panic!("expected a report")
    };
    let pointer: Value = serde_json::from_slice(
        &objects
            .get("bundles/small/current.json")
            .await
            .unwrap()
            .unwrap(),
    )
    .unwrap();
    assert_eq!(pointer["version"], report.version);
    let manifest = objects
        .get(&bundle::keys::file("small", &report.version, "bundle.json"))
        .await
        .unwrap();
    assert!(manifest.is_some(), "the pointer points to a whole bundle");
    let card = format!("bundles/small/cards/{}/", report.version);
    let card: Vec<String> = objects
        .list(&card)
        .await
        .unwrap()
        .into_iter()
        .map(|listed| listed.key)
        .collect();
    assert_eq!(card.len(), 5, "{card:?}");
    assert!(card.iter().any(|key| key.ends_with("/card.md")), "{card:?}");

    // A failed training does not change the active bundle.
    let before = objects.list("bundles/").await.unwrap().len();
    let failed = Status::Failed {
        error: "no such role as 'C1'".to_owned(),
    };
    warehouse.inner.script([failed]);
    let error = handler
        .handle(&event, now + SignedDuration::from_secs(1))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, HandlerError::Statement { state, .. } if state.starts_with("FAILED, Desc")),
        "{error}"
    );
    assert!(
        !error.to_string().contains("role"),
        "the warehouse's text may contain transaction values: {error}"
    );
    assert_eq!(objects.list("bundles/").await.unwrap().len(), before);
}

#[tokio::test]
async fn profiles_come_with_a_bundle_and_can_be_updated_alone() {
    let objects = memory::Objects::new();
    objects
        .put(
            "bundles/small/bundle.toml",
            profiled_definition().into_bytes(),
        )
        .await
        .unwrap();
    let all: Vec<String> = lines(1_000)
        .iter()
        .map(|line| format!("{line},40.5"))
        .collect();
    let set = format!("{HEADER},_profile_customer_mean_7d\n{}\n", all.join("\n"));
    let profiles =
        |mean: &str| format!("entity,customer_mean_7d\nC1,{mean}\n\"it's \"\"C2\"\"\",\n");
    let mut warehouse = Unloading {
        objects: &objects,
        inner: memory::Warehouse::new(),
        parts: vec![set],
        profiles: profiles("12.25"),
    };
    let open = async || startup::open_bundle("small", &objects).await.unwrap();
    let now = "2026-01-20T10:00:00Z".parse::<Timestamp>().unwrap();
    let refresh: TrainEvent =
        serde_json::from_str(include_str!("../../../events/train/profiles.json")).unwrap();
    let error = handler(&objects, &warehouse)
        .handle(&refresh, now)
        .await
        .unwrap_err();
    assert!(matches!(error, HandlerError::InUse(_)), "{error}");

    let event: TrainEvent =
        serde_json::from_str(include_str!("../../../events/train/as_of.json")).unwrap();
    handler(&objects, &warehouse)
        .handle(&event, now)
        .await
        .unwrap();
    let trained = open().await;
    assert_eq!(trained.cut_off(), Some(AS_OF.parse().unwrap()));

    warehouse.profiles = profiles("99");
    let Answer::Profiles(update) = handler(&objects, &warehouse)
        .handle(&refresh, now)
        .await
        .unwrap()
    else {
        panic!("expected a profiles update")
    };
    let refreshed = open().await;
    assert_eq!(
        (update.version.as_str(), update.profiles),
        (refreshed.version(), 2)
    );
    assert_eq!(
        (update.cut_off, refreshed.cut_off()),
        (
            "2026-01-20T00:00:00Z".parse().unwrap(),
            Some(update.cut_off)
        )
    );
    assert_ne!(trained.version(), refreshed.version());
    assert_eq!(trained.policy(), refreshed.policy());
    let submitted = warehouse.inner.submitted();
    let names: Vec<&str> = submitted
        .iter()
        .map(|(_, statement)| statement.name.as_str())
        .collect();
    let seconds = AS_OF.parse::<Timestamp>().unwrap().as_second();
    assert_eq!(
        names[..2],
        [
            format!("p-train-set-{seconds}"),
            format!("p-train-customer_id-{seconds}")
        ]
    );
    assert_eq!(
        names[2],
        format!("p-train-customer_id-{}", update.cut_off.as_second())
    );
}

#[tokio::test]
async fn a_missing_definition_is_named_with_its_key() {
    let (objects, warehouse) = (memory::Objects::new(), memory::Warehouse::new());
    let handler = handler(&objects, &warehouse);
    // An invocation without a payload is an empty object.
    let event: TrainEvent = serde_json::from_str("{}").unwrap();
    let error = handler.handle(&event, Timestamp::now()).await.unwrap_err();
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .contains("bundles/small/bundle.toml"),
        "{error:?}"
    );
}
