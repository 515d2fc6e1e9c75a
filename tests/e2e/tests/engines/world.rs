//! A warehouse with a history, and the comparison of its answers with Rust's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::config::{BehaviorVersion, Credentials, Region};
use features::sql::HeldRows;
use features::{Definition, History, PROFILE_PREFIX, TrainingPeriod, sql};
use jiff::Timestamp;
use local::Postgres;
use redshift_data::{Events, Options, Quotas, Server, Storage};
use warehouse::{
    Database, RedshiftData, Row, Statement, StatementId, Status, Target, Value, Warehouse as _,
};

use crate::histories::{CLAIM, hold_inserts, inserts};

/// The engines add the same doubles in different orders, and PostgreSQL computes variances from
/// squares.
const TOLERANCE: f64 = 1e-6;
/// Without statistics, PostgreSQL joins new tables by nested loops.
const ANALYZE: &str = "ANALYZE";
/// SQL texts that the Data API takes in one statement.
const MAX_SQLS: usize = 40;

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
        let mut sqls = sql::schema_ddl(&definition);
        sqls.extend(inserts(&definition, &history));
        sqls.push(ANALYZE.to_owned());
        for sqls in sqls.chunks(MAX_SQLS) {
            run(&warehouse, &statement("rows", sqls.to_vec())).await;
        }
        Self {
            definition,
            history,
            warehouse,
            _server: server,
            _postgres: postgres,
            folder,
        }
    }

    pub(crate) async fn run(&self, name: &str, sqls: Vec<String>) -> StatementId {
        run(&self.warehouse, &statement(name, sqls)).await
    }

    pub(crate) async fn query(&self, sql: &str) -> Vec<Row> {
        warehouse_rows(&self.warehouse, sql.to_owned()).await
    }

    /// The evidence of the first holds of a turn, by ordinal.
    pub(crate) async fn evidence(&self, turn: u64, holds: usize) -> Vec<Row> {
        let rows = HeldRows {
            turn,
            claim_id: CLAIM,
            from: 0,
            to: holds as u32,
        };
        let mut found = self.query(&sql::evidence(&self.definition, rows)).await;
        found.sort_by_key(|row| row.number("ordinal").unwrap() as u32);
        let ordinals: Vec<_> = found.iter().map(|row| row.number("ordinal")).collect();
        let expected: Vec<_> = (0..holds).map(|ordinal| Some(ordinal as f64)).collect();
        assert_eq!(ordinals, expected);
        found
    }

    /// The evidence for these rows, as the holds of this turn, equals Rust's windows.
    pub(crate) async fn compare_evidence(&self, turn: u64, held: &[usize]) {
        let mut sqls = hold_inserts(&self.definition, &self.history, turn, held);
        sqls.push(ANALYZE.to_owned());
        self.run("holds", sqls).await;
        let found = self.evidence(turn, held.len()).await;
        let look = &self.definition.confirm;
        let windows = self.definition.windows(look);
        let values = self.history.windows(&self.definition, look);
        for (&row, evidence) in held.iter().zip(found) {
            // Beside the windows: the ordinal, and whether there is a conflict.
            assert_eq!(evidence.0.len(), 2 + windows.len());
            assert_eq!(evidence.0["_id_conflict"], Value::Bool(false), "T{row}");
            for ((name, _), values) in windows.iter().zip(&values) {
                assert_close(evidence.number(name), values[row], name, row);
            }
        }
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

    /// Profiles are the windows at the cut-off, for the entities that have any transactions in
    /// them.
    pub(crate) async fn compare_profiles(&self, cut_off: Timestamp) {
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
