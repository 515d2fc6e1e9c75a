//! A warehouse with a history, and the comparison of its answers with Rust's.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::config::{BehaviorVersion, Credentials, Region};
use decision::Hold;
use features::sql::{BadRows, CopySource, HeldRows, ReportsLoad};
use features::{Definition, History, NamedWindow, Parts, TrainingPeriod, sql};
use harness::holds;
use jiff::Timestamp;
use local::Postgres;
use redshift_data::{Events, Options, Quotas, Server, Storage};
use warehouse::{
    Database, RedshiftData, Row, Statement, StatementId, Status, Target, Value, Warehouse as _,
};

use crate::histories::{
    CLAIM, age, channel, customer, hold_inserts, inserts, report_lines, terminal,
};

/// The engines add the same doubles in different orders, and PostgreSQL computes variances from
/// squares.
const TOLERANCE: f64 = 1e-6;
/// Without statistics, PostgreSQL joins new tables by nested loops.
const ANALYZE: &str = "ANALYZE";
/// SQL texts that the Data API takes in one statement.
const MAX_SQLS: usize = 40;
pub(crate) const BUCKET: &str = "b";

pub(crate) async fn run(warehouse: &RedshiftData, statement: &Statement) -> StatementId {
    let id = warehouse.submit(statement).await.unwrap();
    let status = warehouse.wait(&id, Duration::from_secs(60)).await.unwrap();
    assert_eq!(status, Status::Finished);
    id
}

fn assert_close(sql: Option<f64>, rust: f64, name: &str, row: usize) {
    let sql = sql.unwrap_or(f64::NAN);
    let same =
        (sql.is_nan() && rust.is_nan()) || (sql - rust).abs() <= TOLERANCE * rust.abs().max(1.0);
    assert!(same, "{name} of {row}: {sql} by SQL, {rust} by Rust");
}

/// A statement with a token of its own, so that it runs also if it was run before.
fn statement(name: &str, sqls: Vec<String>) -> Statement {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Statement::new(format!("{name}-{number}"), 1, sqls, Vec::new())
}

async fn warehouse_rows(warehouse: &RedshiftData, sql: String) -> Vec<Row> {
    let id = run(warehouse, &statement("query", vec![sql])).await;
    warehouse.rows(&id, 1).await.unwrap()
}

pub(crate) async fn rows(warehouse: &RedshiftData, sql: String) -> BTreeMap<String, Row> {
    let rows = warehouse_rows(warehouse, sql).await.into_iter();
    rows.map(|row| (row.text("transaction_id").unwrap().to_owned(), row))
        .collect()
}

/// A warehouse with the tables of a definition and a history.
pub(crate) struct World {
    pub(crate) definition: Definition,
    pub(crate) history: History,
    pub(crate) warehouse: RedshiftData,
    /// The buckets, as folders.
    pub(crate) folder: tempfile::TempDir,
    // Stopped on drop.
    _server: Server,
    _postgres: Postgres,
}

impl World {
    pub(crate) async fn new(definition: &str, history: History) -> Self {
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
        let world = Self {
            definition,
            history,
            warehouse,
            _server: server,
            _postgres: postgres,
            folder,
        };
        world.fill().await;
        world
    }

    /// Half of the transactions are loaded before the reports, the others after them: the load of
    /// another file of reports finds these.
    async fn fill(&self) {
        let mut transactions = inserts(&self.definition, &self.history);
        let late = transactions.split_off(transactions.len() / 2);
        let mut sqls = sql::schema_ddl(&self.definition);
        sqls.extend(transactions);
        self.run_all(sqls).await;
        let lines = report_lines(&self.history);
        self.load_reports("all", &lines).await;
        self.run_all(late).await;
        self.load_reports("again", &lines).await;
        self.run_all(vec![ANALYZE.to_owned()]).await;
    }

    async fn run_all(&self, sqls: Vec<String>) {
        for sqls in sqls.chunks(MAX_SQLS) {
            self.run("rows", sqls.to_vec()).await;
        }
    }

    /// Loads a file with these fraud reports.
    pub(crate) async fn load_reports(&self, name: &str, lines: &[serde_json::Value]) {
        let manifest = self.put(name, &[lines]);
        let source = CopySource {
            manifest: &manifest,
            iam_role: "default",
            bad_rows: BadRows::Fail,
        };
        let load = ReportsLoad {
            arrived_at: "2026-02-01T00:00:00Z".parse().unwrap(),
            hours: &[],
        };
        self.run("reports", sql::load_reports(&self.definition, source, load))
            .await;
    }

    /// Writes objects of lines and their manifest. Returns the manifest's URL.
    pub(crate) fn put(&self, name: &str, objects: &[&[serde_json::Value]]) -> String {
        let folder = self.folder.path().join(BUCKET);
        fs::create_dir_all(&folder).unwrap();
        let mut entries = Vec::new();
        for (place, lines) in objects.iter().enumerate() {
            let object = format!("{name}-{place}.ndjson.gz");
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            fs::write(folder.join(&object), store::gzip(text.as_bytes())).unwrap();
            let url = format!("s3://{BUCKET}/{object}");
            entries.push(serde_json::json!({"url": url, "mandatory": true}));
        }
        let manifest = format!("{name}.json");
        let text = serde_json::json!({ "entries": entries }).to_string();
        fs::write(folder.join(&manifest), text).unwrap();
        format!("s3://{BUCKET}/{manifest}")
    }

    pub(crate) async fn run(&self, name: &str, sqls: Vec<String>) -> StatementId {
        run(&self.warehouse, &statement(name, sqls)).await
    }

    pub(crate) async fn query(&self, sql: &str) -> Vec<Row> {
        warehouse_rows(&self.warehouse, sql.to_owned()).await
    }

    /// The evidence of the first holds of a turn, by ordinal.
    pub(crate) async fn evidence(
        &self,
        turn: u64,
        holds: usize,
        cut_off: Option<Timestamp>,
    ) -> Vec<Row> {
        let rows = HeldRows {
            turn,
            claim_id: CLAIM,
            from: 0,
            to: holds as u32,
            cut_off,
            hours: &[],
        };
        let mut found = self.query(&sql::evidence(&self.definition, rows)).await;
        found.sort_by_key(|row| row.number("ordinal").unwrap() as u32);
        let ordinals: Vec<_> = found.iter().map(|row| row.number("ordinal")).collect();
        let expected: Vec<_> = (0..holds).map(|ordinal| Some(ordinal as f64)).collect();
        assert_eq!(ordinals, expected);
        found
    }

    /// The evidence for these rows equals Rust's windows. Each cut-off has a turn of its own, from
    /// this number on.
    pub(crate) async fn compare_evidence(&self, first_turn: u64, held: &[usize]) {
        let mut by_cut_off: BTreeMap<Option<Timestamp>, Vec<usize>> = BTreeMap::new();
        for &row in held {
            by_cut_off.entry(self.cut_off(row)).or_default().push(row);
        }
        let windows = self.definition.windows(&self.definition.confirm);
        let values = self.history.second_windows(&self.definition);
        for (turn, (cut_off, rows)) in (first_turn..).zip(by_cut_off) {
            let mut sqls = hold_inserts(&self.definition, &self.history, turn, &rows);
            sqls.push(ANALYZE.to_owned());
            self.run("holds", sqls).await;
            let found = self.evidence(turn, rows.len(), cut_off).await;
            for (&row, numbers) in rows.iter().zip(found) {
                assert_eq!(numbers.0["_id_conflict"], Value::Bool(false), "T{row}");
                let mut hold = self.hold(row);
                hold.profile = self.profile(row, cut_off);
                self.assert_windows(&hold, &numbers, row, &windows, &values);
            }
        }
    }

    fn assert_windows(
        &self,
        hold: &Hold,
        numbers: &Row,
        row: usize,
        windows: &[NamedWindow<'_>],
        values: &[Vec<f64>],
    ) {
        let numbers = numbers.numbers("ordinal");
        let evidence = self.definition.evidence(hold, &numbers).unwrap();
        assert_eq!(evidence.len(), windows.len());
        for ((name, _), values) in windows.iter().zip(values) {
            assert_close(evidence[*name], values[row], name, row);
        }
    }

    /// The cut-off of the profiles that are active when a transaction arrives.
    fn cut_off(&self, row: usize) -> Option<Timestamp> {
        let times = (self.history.occurred_at[row], self.history.arrived_at[row]);
        let cut_offs = self.definition.cut_offs?;
        Some(cut_offs.of(times.0, times.1))
    }

    /// A hold of this transaction, as score places it, without the numbers of profiles.
    fn hold(&self, row: usize) -> Hold {
        let schema = self.definition.schema();
        let entities = [customer(&self.history, row), terminal(&self.history, row)];
        let mut hold = holds::hold(&format!("T{row}"), 0);
        hold.occurred_at = self.history.occurred_at[row];
        hold.arrived_at = self.history.arrived_at[row];
        hold.amount = self.history.amounts[row];
        hold.entities = schema.entities.iter().cloned().zip(entities).collect();
        let age = age(&self.history, row);
        hold.numbers = age.map(|age| ("age".to_owned(), age)).into_iter().collect();
        let channel = channel(&self.history, row);
        let channel = channel.map(|channel| ("channel".to_owned(), channel));
        hold.categories = channel.into_iter().collect();
        hold
    }

    /// The numbers of Rust's profiles of a transaction's entities.
    fn profile(&self, row: usize, cut_off: Option<Timestamp>) -> decision::ProfileNumbers {
        let mut numbers = decision::ProfileNumbers::new();
        let Some(cut_off) = cut_off else {
            return numbers;
        };
        for entity in self.definition.profiled_entities() {
            let windows = self.definition.profile_windows(entity);
            let profiles = self.history.profiles(&self.definition, entity, cut_off);
            let value = self.history.entities[entity][row];
            let Some((_, parts)) = profiles.into_iter().find(|(found, _)| *found == value) else {
                continue;
            };
            for ((name, window), parts) in windows.iter().zip(parts) {
                let known = |number: f64| Some(number).filter(|number| number.is_finite());
                let of_window = parts.aggregates(window.measure).map(known).collect();
                numbers.insert((*name).to_owned(), of_window);
            }
        }
        numbers
    }

    /// The training set from this time on has the windows of both looks, each as of its own time.
    pub(crate) async fn compare_training_set(&self, from: Timestamp) {
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
        // All frauds, and the good transactions that the hash of their ids chooses.
        let sample = definition.training.good_sample();
        let is_in = |row: usize| history.is_fraud(row, to) || sample.contains(&format!("T{row}"));
        let asked: Vec<usize> = (0..history.len())
            .filter(|&row| history.occurred_at[row] >= from && is_in(row))
            .collect();
        let query = sql::training_count(definition, &period);
        let counted = warehouse_rows(warehouse, query).await;
        let counted = ["frauds", "good"].map(|column| counted[0].number(column).unwrap());
        let frauds = asked
            .iter()
            .filter(|row| history.is_fraud(**row, to))
            .count();
        assert_eq!(
            counted,
            [frauds, asked.len() - frauds].map(|count| count as f64)
        );
        assert_eq!(found.len(), asked.len());
        let second = definition.windows(&definition.confirm);
        let second_values = history.second_windows(definition);
        let first = definition.windows(&definition.first);
        let first_values = history.first_windows(definition);
        for row in asked {
            let numbers = &found[&format!("T{row}")];
            let label = if history.is_fraud(row, to) { 1.0 } else { 0.0 };
            assert_eq!(numbers.number("label"), Some(label), "T{row}");
            let mut hold = self.hold(row);
            hold.profile = definition.profile_numbers(|column| numbers.number(column));
            self.assert_windows(&hold, numbers, row, &second, &second_values);
            for ((name, window), values) in first.iter().zip(&first_values) {
                let numbers = hold.profile[*name].iter();
                let numbers = numbers.map(|number| number.unwrap_or(f64::NAN));
                let parts = Parts::of_aggregates(window.measure, numbers);
                let value = parts.value(window.measure, self.cut_off(row).unwrap());
                assert_close(Some(value), values[row], name, row);
            }
        }
    }

    /// Profiles are the numbers of the windows at the cut-off, for the entities that have any
    /// transactions or known frauds in them.
    pub(crate) async fn compare_profiles(&self, cut_off: Timestamp) {
        let Self {
            definition,
            history,
            warehouse,
            ..
        } = self;
        for entity in definition.profiled_entities() {
            let query = sql::profiles(definition, entity, cut_off).unwrap();
            let found = warehouse_rows(warehouse, query).await;
            let mut found: BTreeMap<String, Row> = found
                .into_iter()
                .map(|row| (row.text("entity").unwrap().to_owned(), row))
                .collect();
            let prefix = ["it's C", "S"][entity];
            let windows = definition.profile_windows(entity);
            for (value, parts) in history.profiles(definition, entity, cut_off) {
                let row = found.remove(&format!("{prefix}{value}")).unwrap();
                let profile = definition.profile_numbers(|column| row.number(column));
                for ((name, window), rust) in windows.iter().zip(parts) {
                    let numbers = profile[*name].iter();
                    let numbers = numbers.map(|number| number.unwrap_or(f64::NAN));
                    let sql = Parts::of_aggregates(window.measure, numbers);
                    let of = |parts: Parts| parts.value(window.measure, cut_off);
                    assert_close(Some(of(sql)), of(rust), name, value as usize);
                }
            }
            assert!(found.is_empty(), "by SQL alone: {found:?}");
        }
    }
}
