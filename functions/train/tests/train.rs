//! From labelled rows to a bundle, as a library and as the function.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where it is"
)]

use std::error::Error as _;
use std::time::Duration;

use bundle::Bundle;
use features::Definition;
use harness::fixture::{DEFINITION, categorised_definition, profiled_definition};
use harness::memory;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use store::Objects as _;
use train::{
    Answer, Handler, HandlerError, ImportedModels, TrainError, TrainEvent, TrainingSet, train,
};
use warehouse::{Row, Statement, StatementId, Status, Warehouse};

/// Seven days of what the warehouse would unload: an amount of 600 and more is suspicious, and it is
/// fraud where the customer pays little otherwise. The first look can't know that.
fn lines(rows: usize) -> Vec<String> {
    let line = |row: usize| {
        let moment = 1_767_225_600 + row * 7 * 86_400 / rows;
        let dear = row.is_multiple_of(10);
        let little = row.is_multiple_of(20) || !dear && row.is_multiple_of(3);
        let amount = if dear { 600 + row % 50 } else { 20 + row % 50 };
        let mean = if little {
            30 + row % 10
        } else {
            500 + row % 100
        };
        format!(
            "{moment},{amount}.5,C{row},S{row},{mean}.25,{},T{row}",
            u8::from(dear && little)
        )
    };
    (0..rows).map(line).collect()
}

const HEADER: &str =
    "occurred_at,amount,customer_id,terminal_id,customer_mean_7d,label,transaction_id";

fn csv(lines: &[String]) -> String {
    format!("{HEADER}\n{}\n", lines.join("\n"))
}

fn set(lines: &[String]) -> TrainingSet {
    let definition = Definition::parse(DEFINITION).unwrap();
    TrainingSet::read(&definition, [csv(lines).as_bytes()]).unwrap()
}

#[test]
fn the_second_look_learns_what_only_the_history_knows() {
    let mut rounds = 0;
    let trained = train(
        DEFINITION,
        &set(&lines(4_000)),
        None,
        ImportedModels::default(),
        |_| {
            rounds += 1;
        },
    )
    .unwrap();
    assert!(rounds > 0, "progress is told");
    let report = &trained.report;
    let ranking = |look: &train::LookReport| look.ranking.as_ref().unwrap().auc;
    assert!(ranking(&report.confirm) > 0.999, "{report:?}");
    assert!(ranking(&report.first) < 0.98, "{report:?}");
    assert_eq!((report.transactions, report.frauds), (4_000, 200));
    assert!(
        report.held.chosen > 0 && report.kept.precision > 0.99,
        "{report:?}"
    );
    let bundle = Bundle::open(&trained.files).unwrap();
    assert_eq!(bundle.version(), report.version);
    let golden: Value = serde_json::from_slice(&trained.files["golden.json"]).unwrap();
    assert!(
        !golden.to_string().contains("C0"),
        "a bundle carries nobody's name"
    );
}

#[test]
fn the_same_rows_give_the_same_bundle_in_whatever_order_and_parts_they_come() {
    let lines = lines(1_000);
    let one = train(
        DEFINITION,
        &set(&lines),
        None,
        ImportedModels::default(),
        |_| {},
    )
    .unwrap();
    let mut other = lines.clone();
    other.reverse();
    let definition = Definition::parse(DEFINITION).unwrap();
    let parts = [csv(&other[..300]), csv(&[]), csv(&other[300..])];
    let other = train(
        DEFINITION,
        &TrainingSet::read(&definition, parts.iter().map(String::as_bytes)).unwrap(),
        None,
        ImportedModels::default(),
        |_| {},
    );
    assert_eq!(one.files, other.unwrap().files);
    let reseeded = train(
        &DEFINITION.replace("seed = 1", "seed = 2"),
        &set(&lines),
        None,
        ImportedModels::default(),
        |_| {},
    )
    .unwrap();
    assert_ne!(one.report.version, reseeded.report.version);
}

#[test]
fn a_category_is_learnt_without_the_answer_of_the_row_itself() {
    // Frauds come by phone; besides, every transaction has come by a way of its own.
    let lines = lines(3_000);
    let channel = |row: usize| match row {
        _ if row.is_multiple_of(2) => format!("way {row}"),
        _ if row.is_multiple_of(3) => "phone".to_owned(),
        _ => "shop".to_owned(),
    };
    let label = |row: usize| {
        u8::from(!row.is_multiple_of(2) && row.is_multiple_of(3) || row.is_multiple_of(100))
    };
    let line = |(row, line): (usize, &String)| {
        let fields: Vec<&str> = line.split(',').collect();
        let (before, id) = (fields[..5].join(","), fields[6]);
        format!("{before},{},{id},{}", label(row), channel(row))
    };
    let lines: Vec<String> = lines.iter().enumerate().map(line).collect();
    // All that comes by phone has one score.
    let text = categorised_definition().replace("hold_share = 0.02", "hold_share = 0.2");
    let definition = Definition::parse(&text).unwrap();
    let read = |lines: &[String]| {
        let csv = format!("{HEADER},channel\n{}\n", lines.join("\n"));
        TrainingSet::read(&definition, [csv.as_bytes()]).unwrap()
    };
    let set = read(&lines);
    let matrix = set.matrix(&definition, &definition.first);
    let prior = set.tables(&definition).value("channel", None);
    for row in (0..set.len()).filter(|row| row.is_multiple_of(2)) {
        assert!(
            (f64::from(matrix.row(row)[1]) - prior).abs() < 0.01,
            "row {row} knows its own answer"
        );
    }
    let trained = train(&text, &set, None, ImportedModels::default(), |_| {}).unwrap();
    assert!(
        trained.report.first.ranking.unwrap().auc > 0.95,
        "{:?}",
        trained.report
    );
    let tables: Value = serde_json::from_slice(&trained.files["categories.json"]).unwrap();
    let rate = |channel: &str| tables["channel"]["values"][channel].as_f64();
    assert!(rate("phone").unwrap() > 0.9 && rate("shop").unwrap() < 0.1);
    assert_eq!(rate("way 2998"), None, "the holdout leaves no trace");

    let mut reversed = lines.clone();
    reversed.reverse();
    assert_eq!(
        train(
            &text,
            &read(&reversed),
            None,
            ImportedModels::default(),
            |_| {}
        )
        .unwrap()
        .files,
        trained.files
    );
}

#[test]
fn what_nothing_can_be_learnt_from_is_refused_with_what_to_do() {
    let lines = lines(1_000);
    let good: Vec<String> = lines
        .iter()
        .filter(|line| line.contains(",0,T"))
        .cloned()
        .collect();
    let error = train(
        DEFINITION,
        &set(&good),
        None,
        ImportedModels::default(),
        |_| {},
    )
    .unwrap_err();
    assert!(
        error.source().unwrap().to_string().contains("0 frauds and"),
        "{error:?}"
    );
    let error = train(
        DEFINITION,
        &set(&[]),
        None,
        ImportedModels::default(),
        |_| {},
    )
    .unwrap_err();
    assert!(matches!(error, TrainError::NoHoldout), "{error}");

    let definition = Definition::parse(DEFINITION).unwrap();
    let read = |text: &str| {
        TrainingSet::read(&definition, [text.as_bytes()])
            .unwrap_err()
            .to_string()
    };
    let without = csv(&lines[..3]).replace("customer_mean_7d", "customer_mean_8d");
    assert_eq!(
        read(&without),
        "the unloaded CSV has no column `customer_mean_7d`: unload it again with this definition"
    );
    let wrong = format!("{HEADER}\n1767225600,1.5,C,S,,0,T\n1767225600,much,C,S,1,0,T\n");
    assert_eq!(
        read(&wrong),
        "unloaded CSV, line 3, column `amount`: expected a number or an empty field"
    );
    let empty = format!("{HEADER}\n1767225600,,C,S,,0,T\n");
    assert_eq!(
        read(&empty),
        "unloaded CSV, line 2, column `amount`: expected a number"
    );
}

/// A warehouse that unloads these parts of training sets, and this part of profiles.
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
            .split_once(" TO 's3://b/")
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
    async fn wait(&self, id: &StatementId, at_most: Duration) -> Result<Status, warehouse::Error> {
        self.inner.wait(id, at_most).await
    }
}

fn context<'a, W>(
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
async fn the_function_writes_the_bundle_and_then_moves_the_pointer() {
    let objects = memory::Objects::new();
    objects
        .put("bundles/small/bundle.toml", DEFINITION.as_bytes().to_vec())
        .await
        .unwrap();
    // What a training before has left is no part of this one.
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
    let context = context(&objects, &warehouse);
    let event: TrainEvent =
        serde_json::from_str(include_str!("../../../events/train/as_of.json")).unwrap();
    let now = "2026-01-20T00:00:00Z".parse::<Timestamp>().unwrap();
    let Answer::Report(report) = context.handle(&event, now).await.unwrap() else {
        panic!("no report")
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

    // Failing, it leaves the bundle in use.
    let before = objects.list("bundles/").await.unwrap().len();
    let failed = Status::Failed {
        error: "no such role as 'C1'".to_owned(),
    };
    warehouse.inner.script([failed]);
    let error = context
        .handle(&event, now + SignedDuration::from_secs(1))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, HandlerError::Statement { state, .. } if state.starts_with("FAILED: Desc")),
        "{error}"
    );
    assert!(
        !error.to_string().contains("role"),
        "the warehouse's text may quote values: {error}"
    );
    assert_eq!(objects.list("bundles/").await.unwrap().len(), before);
}

#[tokio::test]
async fn profiles_come_with_a_bundle_and_are_refreshed_alone() {
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
    let set = format!("{HEADER},profile_customer_mean_7d\n{}\n", all.join("\n"));
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
    let error = context(&objects, &warehouse)
        .handle(&refresh, now)
        .await
        .unwrap_err();
    assert!(matches!(error, HandlerError::InUse(_)), "{error}");

    let event: TrainEvent =
        serde_json::from_str(include_str!("../../../events/train/as_of.json")).unwrap();
    context(&objects, &warehouse)
        .handle(&event, now)
        .await
        .unwrap();
    let trained = open().await;
    assert_eq!(trained.cut_off(), Some(AS_OF.parse().unwrap()));

    warehouse.profiles = profiles("99");
    let Answer::Profiles(told) = context(&objects, &warehouse)
        .handle(&refresh, now)
        .await
        .unwrap()
    else {
        panic!("trained")
    };
    let refreshed = open().await;
    assert_eq!(
        (told.version.as_str(), told.profiles),
        (refreshed.version(), 2)
    );
    assert_eq!(
        (told.cut_off, refreshed.cut_off()),
        ("2026-01-20T00:00:00Z".parse().unwrap(), Some(told.cut_off))
    );
    assert_ne!(trained.version(), refreshed.version());
    assert_eq!(trained.policy(), refreshed.policy());
    let asked = warehouse.inner.submitted();
    let names: Vec<&str> = asked
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
        format!("p-train-customer_id-{}", told.cut_off.as_second())
    );
}

#[tokio::test]
async fn without_a_definition_there_is_a_word_on_what_to_do() {
    let (objects, warehouse) = (memory::Objects::new(), memory::Warehouse::new());
    let context = context(&objects, &warehouse);
    // An invocation without a payload is an empty object.
    let event: TrainEvent = serde_json::from_str("{}").unwrap();
    let error = context.handle(&event, Timestamp::now()).await.unwrap_err();
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .contains("bundles/small/bundle.toml"),
        "{error:?}"
    );
}
