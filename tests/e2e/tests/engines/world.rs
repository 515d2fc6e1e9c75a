//! A warehouse with a history, and the comparison of its answers with Rust's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::config::{BehaviorVersion, Credentials, Region};
use decision::Hold;
use features::{Definition, History, PROFILE_PREFIX, TrainingPeriod, sql};
use jiff::Timestamp;
use local::Postgres;
use redshift_data::{Events, Options, Quotas, Server, Storage};
use warehouse::{
    Database, RedshiftData, Row, Statement, StatementId, Status, Target, Warehouse as _,
};

use crate::histories::{hold, inserts};

/// The engines add the same doubles in different orders, and PostgreSQL computes variances from squares.
const TOLERANCE: f64 = 1e-6;

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

async fn warehouse_rows(warehouse: &RedshiftData, sql: String) -> Vec<Row> {
    let id = run(
        warehouse,
        &Statement::new("query".to_owned(), 1, vec![sql], Vec::new()),
    )
    .await;
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
    // Stopped and removed on drop.
    _server: Server,
    _postgres: Postgres,
    _folder: tempfile::TempDir,
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
            &Statement::new(
                "rows".to_owned(),
                1,
                inserts(&definition, &history),
                Vec::new(),
            ),
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

    /// The evidence for these rows equals Rust's windows. Each transaction has one row.
    pub(crate) async fn compare_evidence(&self, name: &str, held: &[usize]) {
        let hold = |&row: &usize| hold(&self.definition, &self.history, row);
        let holds: Vec<Hold> = held.iter().map(hold).collect();
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

    /// Profiles are the windows at the cut-off, for the entities that have any transactions in them.
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
