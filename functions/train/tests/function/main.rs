//! The function: unloading, writing the bundle, changing the pointer.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where it is"
)]

mod refused;
#[path = "../unloaded/mod.rs"]
mod unloaded;

use std::error::Error as _;
use std::time::Duration;

use features::sql;
use harness::fixture::{DEFINITION, profiled_definition};
use harness::memory;
use jiff::{SignedDuration, Timestamp};
use store::Objects as _;
use train::{Answer, Handler, HandlerError, TrainEvent};
use warehouse::{Row, Statement, StatementId, Status, Value, Warehouse};

use self::unloaded::{csv, lines};

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
        if !sql.starts_with("UNLOAD") {
            return self.inner.submit(statement).await;
        }
        let (_, address) = sql.split_once("TO 's3://b/").unwrap();
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
        stack: "p".to_owned(),
        role_arn: "default".to_owned(),
        activation_lead: LEAD,
        memory_bytes: 3_008 << 20,
        loads_patience: Duration::ZERO,
    }
}

/// The warehouse counted 1,000 rows.
fn counted(sql: &str) -> Option<Vec<Row>> {
    let row = [
        ("frauds", Value::Integer(50)),
        ("good", Value::Integer(950)),
    ];
    sql.contains("AS good").then(|| vec![Row::from(row)])
}

fn counting() -> memory::Warehouse {
    memory::Warehouse::new().answering(|sql, _| Ok(counted(sql).unwrap_or_default()))
}

const LEAD: Duration = Duration::from_secs(60);
const AS_OF: &str = "2026-01-15T00:00:00Z";

#[tokio::test]
async fn the_pointer_changes_after_the_whole_bundle_is_written() {
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
        inner: counting(),
        parts: vec![csv(&all[..400]), csv(&all[400..])],
        profiles: format!("{PROFILES_HEADER}\n"),
    };
    let handler = handler(&objects, &warehouse);
    let event: TrainEvent =
        serde_json::from_str(include_str!("../../../../events/train/as_of.json")).unwrap();
    let now = "2026-01-20T00:00:00Z".parse::<Timestamp>().unwrap();
    let Answer::Report(training) = handler.handle(&event, now).await.unwrap() else {
        panic!("expected a report")
    };
    let report = &training.report;
    assert_eq!(report.rows, 1_000, "both files are read");
    let pointer = startup::read_pointer("small", &objects).await.unwrap();
    assert_eq!(pointer.latest().version, report.version);
    let at_once = training.active_from.duration_since(now);
    assert!(!at_once.is_negative() && at_once < SignedDuration::from_mins(5));
    let writes = objects.faults().calls();
    let pointed = |call: &String| *call == "put_new bundles/small/current.json";
    let place = writes.iter().position(pointed).unwrap();
    let later = &writes[place..];
    let is_file = |call: &String| call.starts_with("put bundles/");
    assert!(!later.iter().any(is_file), "the pointer is written last");
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
    let profiles = |mean: &str| format!("{PROFILES_HEADER}\nC1,1,{mean}\n\"it's \"\"C2\"\"\",0,\n");
    let mut warehouse = Unloading {
        objects: &objects,
        inner: counting(),
        parts: vec![csv(&lines(1_000))],
        profiles: profiles("12.25"),
    };
    // Far in the future, the latest version is active.
    let far = "2027-01-01T00:00:00Z".parse::<Timestamp>().unwrap();
    let open = async || {
        let bundles = startup::Bundles::open("small", LEAD, far, &objects).await;
        bundles.unwrap().bundle_at(far, &objects).await.unwrap()
    };
    let now = "2026-01-20T10:00:00Z".parse::<Timestamp>().unwrap();
    let refresh: TrainEvent =
        serde_json::from_str(include_str!("../../../../events/train/profiles.json")).unwrap();
    let error = handler(&objects, &warehouse)
        .handle(&refresh, now)
        .await
        .unwrap_err();
    assert!(matches!(error, HandlerError::InUse(_)), "{error}");

    let event: TrainEvent =
        serde_json::from_str(include_str!("../../../../events/train/as_of.json")).unwrap();
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
    let lead = update.active_from.duration_since(now);
    assert!(lead >= SignedDuration::try_from(LEAD).unwrap(), "{lead}");
    let pointer = startup::read_pointer("small", &objects).await.unwrap();
    assert_eq!(pointer.version_at(now), trained.version());
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
        names[..3],
        [
            format!("p-train-count-{seconds}"),
            format!("p-train-set-{seconds}"),
            format!("p-train-customer_id-{seconds}")
        ]
    );
    assert_eq!(names[3], "p-train-columns");
    assert_eq!(
        names[4],
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

/// A bucket with a definition of profiles and what the warehouse unloads.
async fn profiled_bucket(objects: &memory::Objects) -> (Vec<String>, String) {
    let text = profiled_definition().into_bytes();
    objects
        .put("bundles/small/bundle.toml", text)
        .await
        .unwrap();
    let profiles = format!("{PROFILES_HEADER}\nC1,1,12.25\n");
    (vec![csv(&lines(1_000))], profiles)
}

const PROFILES_HEADER: &str =
    "entity,_profile_customer_mean_7d_values,_profile_customer_mean_7d_sum";

#[tokio::test]
async fn of_two_trainings_at_once_both_versions_end_in_the_pointer() {
    let objects = memory::Objects::new();
    let (parts, profiles) = profiled_bucket(&objects).await;
    let unloading = |profiles: &str| Unloading {
        objects: &objects,
        inner: counting(),
        parts: parts.clone(),
        profiles: profiles.to_owned(),
    };
    let now = "2026-01-20T10:00:00Z".parse::<Timestamp>().unwrap();
    let event: TrainEvent =
        serde_json::from_str(include_str!("../../../../events/train/as_of.json")).unwrap();
    let one = unloading(&profiles);
    handler(&objects, &one).handle(&event, now).await.unwrap();

    // Both train until they promote; then another version appears between read and write.
    let first = unloading(&format!("{PROFILES_HEADER}\nC1,1,20\n"));
    let second = unloading(&format!("{PROFILES_HEADER}\nC1,1,30\n"));
    let earlier = TrainEvent {
        as_of: Some("2026-01-14T00:00:00Z".parse().unwrap()),
        only: None,
    };
    let first = handler(&objects, &first);
    let second = handler(&objects, &second);
    let trained = tokio::join!(first.handle(&event, now), second.handle(&earlier, now));
    let mut expected = vec![];
    for answer in [trained.0, trained.1] {
        let Answer::Report(training) = answer.unwrap() else {
            panic!("expected a report")
        };
        expected.push(training.report.version.clone());
    }
    let pointer = startup::read_pointer("small", &objects).await.unwrap();
    let found: Vec<&str> = pointer.activations().map(|a| a.version.as_str()).collect();
    assert_eq!(found.len(), 3, "{found:?}");
    for version in expected {
        assert!(found.contains(&version.as_str()), "{found:?}");
    }
}

#[tokio::test]
async fn a_bundle_is_not_promoted_while_the_tables_lack_its_columns() {
    let objects = memory::Objects::new();
    let (parts, profiles) = profiled_bucket(&objects).await;
    let definition = features::Definition::parse(&profiled_definition()).unwrap();
    let has = |table: &str, column: &str| {
        let is_missing = column == "terminal_id" || column == "held_ms";
        (!is_missing).then(|| {
            Row::from([
                ("table_name", Value::Text(table.to_owned())),
                ("column_name", Value::Text(column.to_owned())),
            ])
        })
    };
    let mut columns = Vec::new();
    for table in sql::TABLES {
        let declared = sql::columns(&definition, table).unwrap();
        columns.extend(declared.iter().filter_map(|(column, _)| has(table, column)));
    }
    let answer = move |text: &str, _: &[(String, String)]| {
        if text == sql::table_columns() {
            return Ok(columns.clone());
        }
        if let Some(rows) = counted(text) {
            return Ok(rows);
        }
        match text.contains("terminal_id") && text.starts_with("SELECT") {
            true => Err("column \"terminal_id\" does not exist".to_owned()),
            false => Ok(Vec::new()),
        }
    };
    let warehouse = Unloading {
        objects: &objects,
        inner: memory::Warehouse::new().answering(answer),
        parts,
        profiles,
    };
    let event: TrainEvent =
        serde_json::from_str(include_str!("../../../../events/train/as_of.json")).unwrap();
    let handler = handler(&objects, &warehouse);
    let refused = handler.handle(&event, Timestamp::now()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the warehouse lacks the columns transactions.terminal_id, holds.terminal_id, \
         known_frauds.terminal_id, outcomes.held_ms: add them with `look init`"
    );
    assert_eq!(objects.keys("bundles/small/current.json"), [""; 0]);
}
