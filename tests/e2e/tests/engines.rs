//! One definition, two engines: what Rust computes from a history, the warehouse's SQL computes too,
//! asked as the functions ask: over a history made to hit every edge, and over simulated cards by the
//! definition that is shipped.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where it is"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::config::{BehaviorVersion, Credentials, Region};
use decision::Hold;
use features::{Definition, Measure, PROFILE_PREFIX, TrainingPeriod, sql};
use features::{History, Label};
use harness::fixture::all_measures;
use jiff::{SignedDuration, Timestamp};
use local::Postgres;
use look::simulate::{self, Simulation, Size};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use redshift_data::{Events, Options, Quotas, Server, Storage};
use serde_json::json;
use warehouse::{
    Database, RedshiftData, Row, Statement, StatementId, Status, Target, Warehouse as _,
};

const ROWS: usize = 600;
/// Rows of one INSERT: the Data API takes 100 KB a SQL.
const ROWS_A_SQL: usize = 1_000;
const SHIPPED: &str = include_str!("../../../infra/bundles/card-fraud/bundle.toml");
/// Both engines add the same doubles in another order, and PostgreSQL's variance is of squares.
const CLOSE: f64 = 1e-6;

async fn run(warehouse: &RedshiftData, statement: &Statement) -> StatementId {
    let id = warehouse.submit(statement).await.unwrap();
    let status = warehouse.wait(&id, Duration::from_secs(60)).await.unwrap();
    assert_eq!(status, Status::Finished);
    id
}

/// Ten days of transactions of few customers and terminals, many of them at the same moment or at an
/// edge of a window, a third of them reported, early, late, or as no fraud.
fn history() -> History {
    let mut random = StdRng::seed_from_u64(7);
    let at = |millis: i64| Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap();
    let mut history = History {
        entities: vec![Vec::new(), Vec::new()],
        numbers: vec![Vec::new()],
        categories: vec![Vec::new()],
        ..History::default()
    };
    for _ in 0..ROWS {
        let hour = random.random_range(0..240_i64) * 3_600_000;
        let moment = if random.random_bool(0.5) {
            hour
        } else {
            hour + random.random_range(0..3_600_000)
        };
        history.occurred_at.push(at(moment));
        history
            .amounts
            .push(f64::from(random.random_range(0..100_000)) / 100.0);
        history.entities[0].push(random.random_range(0..8));
        history.entities[1].push(random.random_range(0..12));
        // A number of some thousand millions, whose deviation is small, and a category; both may be missing.
        let age = 1e9 + f64::from(random.random_range(0..100));
        history.numbers[0].push(if random.random_bool(0.8) {
            age
        } else {
            f64::NAN
        });
        history.categories[0].push(random.random_bool(0.8).then(|| random.random_range(0..4)));
        let reported = moment + random.random_range(0..72_i64) * 3_600_000;
        let label = Label {
            reported_at: at(reported),
            is_fraud: random.random_bool(0.8),
        };
        history
            .labels
            .push(random.random_bool(0.3).then_some(label));
    }
    history
}

/// Six weeks of simulated cards, each fraud reported a week after it.
fn simulated() -> History {
    let mut history = History {
        entities: vec![Vec::new(), Vec::new()],
        ..History::default()
    };
    for made in Simulation::new(Size {
        customers: 250,
        terminals: 1_000,
        days: 42,
        seed: 3,
    })
    .flatten()
    {
        let row = simulate::row(&made, simulate::start());
        history.occurred_at.push(row.occurred_at);
        history.amounts.push(made.amount());
        history.entities[0].push(made.customer);
        history.entities[1].push(made.terminal);
        let label = Label {
            reported_at: row.reported_at,
            is_fraud: true,
        };
        history
            .labels
            .push((row.fraud == Some(true)).then_some(label));
    }
    history
}

fn age(history: &History, row: usize) -> Option<f64> {
    Some(history.numbers.first()?[row]).filter(|age| !age.is_nan())
}

fn channel(history: &History, row: usize) -> Option<String> {
    history.categories.first()?[row].map(|channel| format!("it's {channel}"))
}

fn hold(history: &History, row: usize) -> Hold {
    serde_json::from_value(json!({
        "decision_id": format!("0-{row}-0"), "transaction_id": format!("T{row}"), "occurred_at": history.occurred_at[row],
        "amount": history.amounts[row], "score": 0.9, "reasons": [], "model_version": "v",
        "entities": {
            "customer_id": format!("it's C{}", history.entities[0][row]), "terminal_id": format!("S{}", history.entities[1][row]),
        },
        "numbers": age(history, row).map(|age| ("age", age)).into_iter().collect::<BTreeMap<_, _>>(),
        "categories": channel(history, row).map(|channel| ("channel", channel)).into_iter().collect::<BTreeMap<_, _>>(),
        "decided_at": history.occurred_at[row], "deadline": history.occurred_at[row],
    }))
    .unwrap()
}

/// The history as rows of the warehouse.
fn inserts(history: &History) -> Vec<String> {
    let quoted = |text: &str| text.replace('\'', "''");
    let of_its_own = if history.numbers.is_empty() {
        ""
    } else {
        ", age, channel"
    };
    let mut transactions = Vec::new();
    let mut reports = Vec::new();
    for row in 0..history.len() {
        let hold = hold(history, row);
        let entity = |name: &str| quoted(&hold.entities[name]);
        let mut values = format!(
            "'{}', '{}', {}, '{}', '{}'",
            hold.transaction_id,
            hold.occurred_at,
            hold.amount,
            entity("customer_id"),
            entity("terminal_id"),
        );
        if !of_its_own.is_empty() {
            let age = age(history, row).map_or_else(|| "NULL".to_owned(), |age| age.to_string());
            let channel = channel(history, row).map_or_else(
                || "NULL".to_owned(),
                |channel| format!("'{}'", quoted(&channel)),
            );
            values.extend([", ", &age, ", ", &channel]);
        }
        transactions.push(format!("({values})"));
        if let Some(label) = history.labels[row] {
            reports.push(format!(
                "('{}', '{}', {})",
                hold.transaction_id, label.reported_at, label.is_fraud
            ));
        }
    }
    let columns =
        format!("transaction_id, occurred_at, amount, customer_id, terminal_id{of_its_own}");
    let into =
        |table: &str, rows: &[String]| format!("INSERT INTO {table} VALUES {}", rows.join(", "));
    let transactions = transactions
        .chunks(ROWS_A_SQL)
        .map(|rows| into(&format!("transactions ({columns})"), rows));
    let reports = reports.chunks(ROWS_A_SQL).map(|rows| {
        into(
            "fraud_reports (transaction_id, reported_at, is_fraud)",
            rows,
        )
    });
    transactions.chain(reports).collect()
}

fn assert_close(sql: Option<f64>, rust: f64, name: &str, row: usize) {
    let sql = sql.unwrap_or(f64::NAN);
    let same = (sql.is_nan() && rust.is_nan()) || (sql - rust).abs() <= CLOSE * rust.abs().max(1.0);
    assert!(same, "{name} of {row}: {sql} by SQL, {rust} by Rust");
}

async fn warehouse_rows(warehouse: &RedshiftData, sql: String) -> Vec<Row> {
    let id = run(
        warehouse,
        &Statement::new("query".to_owned(), 1, vec![sql], Vec::new()),
    )
    .await;
    warehouse.rows(&id, 1).await.unwrap()
}

async fn rows(warehouse: &RedshiftData, sql: String) -> BTreeMap<String, Row> {
    let rows = warehouse_rows(warehouse, sql).await.into_iter();
    rows.map(|row| (row.text("transaction_id").unwrap().to_owned(), row))
        .collect()
}

/// A warehouse with this definition's tables and this history in them.
struct World {
    definition: Definition,
    history: History,
    warehouse: RedshiftData,
    // Ended and removed at the end.
    _server: Server,
    _postgres: Postgres,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new(definition: &str, history: History) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = Postgres::start(&folder.path().join("postgres")).unwrap();
        let server = Server::start(Options {
            port: 0,
            postgres: postgres.connection().to_owned(),
            storage: Storage::Folder(folder.path().to_owned()),
            events: Events::Nowhere,
            region: "us-east-1".to_owned(),
            quotas: Quotas::default(),
        });
        let server = server.await.unwrap();
        let config = aws_sdk_redshiftdata::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(format!("http://{}", server.address()));
        let target = Target::Workgroup("local".to_owned());
        let database = Database {
            target,
            name: "dev".to_owned(),
            secret_arn: None,
        };
        let warehouse = RedshiftData::new(Client::from_conf(config.build()), database);
        let definition = Definition::parse(definition).unwrap();
        run(
            &warehouse,
            &Statement::new(
                "tables".to_owned(),
                1,
                sql::schema_ddl(&definition),
                Vec::new(),
            ),
        )
        .await;
        run(
            &warehouse,
            &Statement::new("rows".to_owned(), 1, inserts(&history), Vec::new()),
        )
        .await;
        Self {
            definition,
            history,
            warehouse,
            _server: server,
            _postgres: postgres,
            _folder: folder,
        }
    }

    /// The evidence for holds of these rows is what Rust computes for each, once.
    async fn compare_evidence(&self, name: &str, held: &[usize]) {
        let holds: Vec<Hold> = held.iter().map(|&row| hold(&self.history, row)).collect();
        let parameters = sql::evidence_parameters(&self.definition, &holds);
        let sqls = sql::evidence(&self.definition, parameters.len());
        let statement = Statement::new(name.to_owned(), 1, sqls, parameters);
        let id = run(&self.warehouse, &statement).await;
        let found = self
            .warehouse
            .rows(&id, statement.sqls.len())
            .await
            .unwrap();
        let different: BTreeSet<usize> = held.iter().copied().collect();
        assert_eq!(found.len(), different.len(), "{name}");
        let id = |row: &Row| row.text("transaction_id").unwrap().to_owned();
        let found: BTreeMap<String, _> = found
            .iter()
            .map(|row| (id(row), row.numbers("transaction_id")))
            .collect();
        let windows = self.definition.windows(&self.definition.confirm);
        let values = self
            .history
            .windows(&self.definition, &self.definition.confirm);
        for row in different {
            let evidence = &found[&format!("T{row}")];
            assert_eq!(evidence.len(), windows.len());
            for ((name, _), values) in windows.iter().zip(&values) {
                assert_close(evidence[*name], values[row], name, row);
            }
        }
    }

    /// The training set of what happened from this moment on has the windows of both looks, each at its
    /// own moment.
    async fn compare_training_set(&self, from: Timestamp) {
        let Self {
            definition,
            history,
            warehouse,
            ..
        } = self;
        let to = "2030-01-01T00:00:00Z".parse().unwrap();
        let period = TrainingPeriod {
            from,
            to,
            as_of: to,
        };
        let found = rows(warehouse, sql::training_set(definition, &period)).await;
        let asked: Vec<usize> = (0..history.len())
            .filter(|&row| history.occurred_at[row] >= from)
            .collect();
        assert_eq!(found.len(), asked.len());
        for (look, prefix) in [
            (&definition.confirm, ""),
            (&definition.first, PROFILE_PREFIX),
        ] {
            let windows = definition.windows(look);
            for ((name, _), values) in windows.iter().zip(history.windows(definition, look)) {
                for &row in &asked {
                    assert_close(
                        found[&format!("T{row}")].number(&format!("{prefix}{name}")),
                        values[row],
                        name,
                        row,
                    );
                }
            }
        }
    }

    /// Profiles are the windows at the cut-off, of those who have any.
    async fn compare_profiles(&self, cut_off: Timestamp) {
        let Self {
            definition,
            history,
            warehouse,
            ..
        } = self;
        for entity in definition.profiled_entities() {
            let found = warehouse_rows(warehouse, sql::profiles(definition, entity, cut_off)).await;
            let mut found: BTreeMap<String, Row> = found
                .into_iter()
                .map(|row| (row.text("entity").unwrap().to_owned(), row))
                .collect();
            let prefix = ["it's C", "S"][entity];
            for (value, windows) in history.profiles(definition, entity, cut_off) {
                let row = found.remove(&format!("{prefix}{value}")).unwrap();
                for ((name, _), rust) in definition.profile_columns(entity).iter().zip(windows) {
                    assert_close(row.number(name), rust, name, value as usize);
                }
            }
            assert!(found.is_empty(), "by SQL alone: {found:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_see_the_same_history() {
    let world = World::new(&all_measures(), history()).await;
    world
        .compare_evidence("all", &(0..ROWS).collect::<Vec<_>>())
        .await;
    // Held twice in one batch, as when its producer sends it again, it counts no more than once.
    world.compare_evidence("twice", &[5, 5, 7]).await;
    world.compare_training_set(Timestamp::UNIX_EPOCH).await;
    world.compare_profiles(world.history.occurred_at[0]).await;

    // A column that came later is NULL in what was there before: of nobody nothing is known, as in serving.
    let nobody = "INSERT INTO transactions (transaction_id, occurred_at, amount, terminal_id) VALUES ('N', '2029-01-01', 1, 'S')";
    run(
        &world.warehouse,
        &Statement::new("nobody".to_owned(), 1, vec![nobody.to_owned()], Vec::new()),
    )
    .await;
    let [from, to] =
        ["2028-12-31T00:00:00Z", "2030-01-01T00:00:00Z"].map(|text| text.parse().unwrap());
    let period = TrainingPeriod {
        from,
        to,
        as_of: to,
    };
    let found = rows(
        &world.warehouse,
        sql::training_set(&world.definition, &period),
    )
    .await;
    let windows = world.definition.windows(&world.definition.first);
    let counted = windows
        .iter()
        .filter(|(_, window)| window.measure == Measure::Count);
    let counts = counted
        .map(|(name, _)| found["N"].number(&format!("{PROFILE_PREFIX}{name}")))
        .collect::<Vec<_>>();
    assert!(
        counts.len() > 1 && counts.iter().all(|count| *count == Some(0.0)),
        "{counts:?}"
    );

    // A held transaction counts once, whether it was loaded meanwhile or not. The last one is in no
    // other's windows.
    let last = (0..ROWS)
        .max_by_key(|&row| world.history.occurred_at[row])
        .unwrap();
    let delete = format!("DELETE FROM transactions WHERE transaction_id = 'T{last}'");
    run(
        &world.warehouse,
        &Statement::new("delete".to_owned(), 1, vec![delete], Vec::new()),
    )
    .await;
    world.compare_evidence("absent", &[last]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_see_the_same_cards_by_the_definition_that_is_shipped() {
    let world = World::new(SHIPPED, simulated()).await;
    let rows = world.history.len();
    let frauds = world.history.labels.iter().flatten().count();
    assert!(rows > 2_000 && frauds > 100, "{frauds} frauds of {rows}");
    // Held ones lie all over the six weeks, the last of them with full windows of 28 days and a delay.
    world
        .compare_evidence("some", &(0..rows).step_by(11).collect::<Vec<_>>())
        .await;
    let midnight = simulate::start() + SignedDuration::from_hours(40 * 24);
    assert!(world.definition.profiled_entities().count() > 0);
    // From noon on: the first look's windows of its first rows reach half a day further back.
    world
        .compare_training_set(midnight + SignedDuration::from_hours(12))
        .await;
    world.compare_profiles(midnight).await;
}
