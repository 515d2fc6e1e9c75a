//! The service on a port of this machine.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::api::{self, Question, Submission};
use crate::events::Events;
use crate::faults::{Ending, Faults};
use crate::results;
use crate::run::Engine;
use crate::statements::{Quotas, Record, Refused, Statement, Statements, Status, Target, now};
use crate::storage::Storage;
use crate::translate::{self, Step};

const MAX_SQLS: usize = 40;
const MAX_SQL_BYTES: usize = 100_000;
const MAX_WAIT_SECONDS: u64 = 30;
const MAX_REQUEST_BYTES: usize = 8 << 20;

#[derive(Debug)]
pub struct Options {
    /// The port, on 127.0.0.1; 0 for any.
    pub port: u16,
    /// Where PostgreSQL is, in libpq's words.
    pub postgres: String,
    /// Where COPY reads and UNLOAD writes.
    pub storage: Storage,
    pub events: Events,
    pub region: String,
    pub quotas: Quotas,
}

/// Why it does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("can't prepare PostgreSQL: {0}")]
    Postgres(String),
    #[error("can't listen on 127.0.0.1:{0}")]
    Listen(u16, #[source] std::io::Error),
}

/// A running service; it ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Service {
    statements: Statements,
    engine: Engine,
    events: Events,
    region: String,
    quotas: Quotas,
    slots: Semaphore,
    faults: Mutex<Faults>,
}

impl Server {
    /// Prepares the database and listens.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let engine = Engine {
            postgres: options.postgres,
            storage: options.storage,
        };
        let client = engine.session().await.map_err(Error::Postgres)?;
        client
            .batch_execute(translate::COMPAT)
            .await
            .map_err(|error| Error::Postgres(crate::run::text_of(&error)))?;
        let listening = |source| Error::Listen(options.port, source);
        let listener = TcpListener::bind(("127.0.0.1", options.port))
            .await
            .map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let service = Arc::new(Service {
            statements: Statements::new(options.quotas),
            engine,
            events: options.events,
            region: options.region,
            quotas: options.quotas,
            slots: Semaphore::new(options.quotas.concurrency),
            faults: Mutex::default(),
        });
        let router = Router::new()
            .route("/", post(operation))
            .route("/_stand-in/faults", get(faults).post(set_faults))
            .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
            .with_state(service);
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("redshift-data: {error}");
            }
        });
        Ok(Self { address, serving })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn faults(State(service): State<Arc<Service>>) -> Json<Faults> {
    Json(service.faults().clone())
}

async fn set_faults(
    State(service): State<Arc<Service>>,
    Json(faults): Json<Faults>,
) -> Json<Faults> {
    service.faults().clone_from(&faults);
    Json(faults)
}

/// An error as the service's clients expect it.
struct Fault {
    kind: &'static str,
    message: String,
    id: Option<String>,
}

impl Fault {
    fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: "ValidationException",
            message: message.into(),
            id: None,
        }
    }

    fn unknown(id: &str) -> Self {
        let message = "Query does not exist.".to_owned();
        Self {
            kind: "ResourceNotFoundException",
            message,
            id: Some(id.to_owned()),
        }
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        let kind = match refused {
            Refused::Active(_) => "ActiveStatementsExceededException",
            Refused::Throttled => "ThrottlingException",
        };
        Self {
            kind,
            message: refused.to_string(),
            id: None,
        }
    }
}

async fn operation(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let target = headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let name = target
        .strip_prefix("RedshiftData.")
        .unwrap_or_default()
        .to_owned();
    let answer = service.answer(&name, &body).await;
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(Fault { kind, message, id }) => {
            let mut body = json!({ "__type": kind, "Message": message, "message": message });
            if let (Some(id), Some(fields)) = (id, body.as_object_mut()) {
                fields.insert("ResourceId".to_owned(), json!(id));
            }
            (StatusCode::BAD_REQUEST, body)
        }
    };
    (
        status,
        [(header::CONTENT_TYPE, "application/x-amz-json-1.1")],
        body.to_string(),
    )
        .into_response()
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, Fault> {
    serde_json::from_str(body).map_err(|error| Fault {
        kind: "SerializationException",
        message: error.to_string(),
        id: None,
    })
}

fn patience(seconds: Option<u64>) -> Result<Duration, Fault> {
    match seconds {
        None => Ok(Duration::ZERO),
        Some(seconds @ 1..=MAX_WAIT_SECONDS) => Ok(Duration::from_secs(seconds)),
        Some(_) => Err(Fault::invalid("WaitTimeSeconds must be between 1 and 30.")),
    }
}

impl Service {
    fn faults(&self) -> std::sync::MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(self: &Arc<Self>, operation: &str, body: &str) -> Result<Value, Fault> {
        match operation {
            "ExecuteStatement" => self.submit(read(body)?, false).await,
            "BatchExecuteStatement" => self.submit(read(body)?, true).await,
            "DescribeStatement" => {
                let question: Question = read(body)?;
                let (statement, place) = self.find(&question.id)?;
                statement.wait(patience(question.wait_time_seconds)?).await;
                let mut record = statement.snapshot();
                // A sub-statement is described as a statement of its own.
                if let Some(sub) = place.and_then(|place| record.subs.get(place).cloned()) {
                    record = Record {
                        id: question.id,
                        status: sub.status,
                        error: sub.error.clone(),
                        subs: vec![sub],
                        batch: false,
                        ..record
                    };
                }
                Ok(api::description(&record))
            }
            "GetStatementResult" => self.result(&read(body)?, false).await,
            "GetStatementResultV2" => self.result(&read(body)?, true).await,
            "CancelStatement" => {
                let (statement, _) = self.find(&read::<Question>(body)?.id)?;
                let status = statement.snapshot().status;
                if status.is_end() {
                    return Err(Fault::invalid(format!(
                        "Could not cancel a query that is already in {} state.",
                        status.name()
                    )));
                }
                statement.cancel();
                statement.wait(Duration::from_secs(5)).await;
                Ok(json!({ "Status": statement.snapshot().status == Status::Aborted }))
            }
            "ListStatements" => self.list(&read(body)?),
            other => Err(Fault {
                kind: "UnknownOperationException",
                message: format!("{other} is not imitated"),
                id: None,
            }),
        }
    }

    fn find(&self, id: &str) -> Result<(Arc<Statement>, Option<usize>), Fault> {
        let (whole, place) = match id.split_once(':') {
            None => (id, None),
            Some((whole, place)) => {
                let place = place
                    .parse::<usize>()
                    .ok()
                    .and_then(|place| place.checked_sub(1));
                (whole, Some(place.ok_or_else(|| Fault::unknown(id))?))
            }
        };
        let statement = self
            .statements
            .get(whole)
            .ok_or_else(|| Fault::unknown(id))?;
        if place.is_some_and(|place| place >= statement.snapshot().subs.len()) {
            return Err(Fault::unknown(id));
        }
        Ok((statement, place))
    }

    async fn submit(self: &Arc<Self>, request: Submission, batch: bool) -> Result<Value, Fault> {
        let patience = patience(request.wait_time_seconds)?;
        let token = request.client_token.clone();
        let record = checked(request, batch)?;
        let (statement, fresh) = self.statements.submit(record, token)?;
        if fresh {
            tokio::spawn(Arc::clone(self).carry_out(Arc::clone(&statement)));
        }
        statement.wait(patience).await;
        Ok(api::submitted(&statement.snapshot()))
    }

    /// Takes a statement from SUBMITTED to its end, and tells of it.
    async fn carry_out(self: Arc<Self>, statement: Arc<Statement>) {
        let set = |status| statement.change(|record| record.status = status);
        let name = statement.snapshot().name.unwrap_or_default();
        let ending = self.faults().ending(&name);
        let started = Instant::now();
        let slot = tokio::select! {
            slot = self.slots.acquire() => Some(slot),
            () = statement.cancellation() => None,
        };
        let (status, error) = match ending {
            _ if slot.is_none() => (Status::Aborted, None),
            Some(Ending::Failed) => (Status::Failed, Some("ERROR: told to fail".to_owned())),
            Some(Ending::Aborted) => (Status::Aborted, None),
            None => {
                set(Status::Picked);
                self.engine.run(&statement).await
            }
        };
        drop(slot);
        statement.change(|record| {
            record.status = status;
            record.error = error;
            record.duration = started.elapsed();
            let open = record.subs.iter_mut().filter(|sub| !sub.status.is_end());
            open.for_each(|sub| {
                sub.status = if status == Status::Finished {
                    status
                } else {
                    Status::Aborted
                }
            });
        });
        let record = statement.snapshot();
        if record.with_event {
            let delivery = self.faults().delivery(&name, rand::random());
            self.events.send(&record, &self.region, delivery).await;
        }
    }

    async fn result(&self, question: &Question, csv: bool) -> Result<Value, Fault> {
        let (statement, place) = self.find(&question.id)?;
        statement.wait(patience(question.wait_time_seconds)?).await;
        let record = statement.snapshot();
        if record.batch && place.is_none() {
            return Err(Fault::invalid(
                "A batch has results for its sub-statements only: ask for <id>:<number>.",
            ));
        }
        let sub = record
            .subs
            .get(place.unwrap_or(0))
            .filter(|sub| sub.status == Status::Finished);
        let sub = sub.filter(|sub| !sub.columns.is_empty()).ok_or_else(|| {
            let message =
                "Query does not have result. Please check query status with DescribeStatement.";
            Fault {
                message: message.to_owned(),
                ..Fault::unknown(&question.id)
            }
        })?;
        if csv != record.csv {
            return Err(Fault::invalid(
                "ResultFormat and operation do not fit: JSON is GetStatementResult's, CSV is GetStatementResultV2's.",
            ));
        }
        let from = match question.next_token.as_deref() {
            None => 0,
            Some(token) => token
                .parse()
                .map_err(|_| Fault::invalid("NextToken is not one of ours."))?,
        };
        let page = if csv {
            results::csv_page
        } else {
            results::page
        };
        Ok(page(sub, from, self.quotas.page_rows))
    }

    fn list(&self, question: &Question) -> Result<Value, Fault> {
        let from: usize = match question.next_token.as_deref() {
            None => 0,
            Some(token) => token
                .parse()
                .map_err(|_| Fault::invalid("NextToken is not one of ours."))?,
        };
        let size = question.max_results.unwrap_or(100).clamp(1, 100);
        let status = question.status.as_deref().unwrap_or("FINISHED");
        let name = question.statement_name.as_deref().unwrap_or_default();
        let records: Vec<Record> = self
            .statements
            .all()
            .iter()
            .map(|statement| statement.snapshot())
            .collect();
        let fits = |record: &&Record| {
            (status == "ALL" || record.status.name() == status)
                && (name.is_empty()
                    || record
                        .name
                        .as_deref()
                        .is_some_and(|other| other.starts_with(name)))
        };
        let fitting: Vec<&Record> = records.iter().filter(fits).collect();
        let page: Vec<Value> = fitting
            .iter()
            .skip(from)
            .take(size)
            .map(|record| api::listed(record))
            .collect();
        let mut answer = json!({ "Statements": page });
        if let (true, Some(fields)) = (from + size < fitting.len(), answer.as_object_mut()) {
            fields.insert("NextToken".to_owned(), json!((from + size).to_string()));
        }
        Ok(answer)
    }
}

/// A submission, checked as the real service checks it before it takes it.
fn checked(request: Submission, batch: bool) -> Result<Record, Fault> {
    let sqls = if batch {
        request.sqls
    } else {
        request.sql.into_iter().collect()
    };
    if sqls.is_empty() || sqls.len() > MAX_SQLS {
        return Err(Fault::invalid("Expected 1 to 40 SQL statements."));
    }
    if sqls
        .iter()
        .any(|sql| sql.trim().is_empty() || sql.len() > MAX_SQL_BYTES)
    {
        return Err(Fault::invalid(
            "A SQL statement must have 1 to 100,000 bytes.",
        ));
    }
    let Some(database) = request.database else {
        return Err(Fault::invalid("Database is missing."));
    };
    if request.cluster_identifier.is_some() == request.workgroup_name.is_some() {
        return Err(Fault::invalid(
            "Expected one of ClusterIdentifier and WorkgroupName.",
        ));
    }
    if request
        .client_token
        .as_ref()
        .is_some_and(|token| token.is_empty() || token.len() > 64)
    {
        return Err(Fault::invalid("ClientToken must have 1 to 64 characters."));
    }
    let auto_commit = match request.execution_mode.as_deref() {
        None | Some("TRANSACTION") => false,
        Some("AUTO_COMMIT") => true,
        Some(_) => {
            return Err(Fault::invalid(
                "ExecutionMode must be TRANSACTION or AUTO_COMMIT.",
            ));
        }
    };
    let parameters: Vec<(String, String)> = request
        .parameters
        .unwrap_or_default()
        .into_iter()
        .map(|p| (p.name, p.value))
        .collect();
    let mut names = HashSet::new();
    if let Some((twice, _)) = parameters.iter().find(|(name, _)| !names.insert(name)) {
        return Err(Fault::invalid(format!("Parameter {twice} is given twice.")));
    }
    // What can't be translated fails later, as a statement: then nobody can say what it uses.
    let steps: Option<Vec<Step>> = sqls
        .iter()
        .map(|sql| translate::steps(sql).ok())
        .collect::<Option<Vec<_>>>()
        .map(|s| s.into_iter().flatten().collect());
    if let Some(steps) = steps {
        let used: Vec<&String> = steps
            .iter()
            .filter_map(|step| {
                if let Step::Sql { parameters, .. } = step {
                    Some(parameters)
                } else {
                    None
                }
            })
            .flatten()
            .collect();
        if let Some((unused, _)) = parameters.iter().find(|(name, _)| !used.contains(&name)) {
            return Err(Fault::invalid(format!(
                "Parameter {unused} is not used in any SQL statement."
            )));
        }
    }
    Ok(Record {
        id: id(),
        name: request.statement_name,
        batch,
        auto_commit,
        with_event: request.with_event,
        csv: request
            .result_format
            .as_deref()
            .is_some_and(|format| format.eq_ignore_ascii_case("csv")),
        parameters,
        target: Target {
            cluster: request.cluster_identifier,
            workgroup: request.workgroup_name,
            database,
            db_user: request.db_user,
            secret: request.secret_arn,
        },
        status: Status::Submitted,
        error: None,
        subs: sqls.into_iter().map(Record::sub).collect(),
        created: now(),
        updated: now(),
        duration: Duration::ZERO,
    })
}

/// A random UUID, version 4.
fn id() -> String {
    let bits: u128 = rand::random();
    let bits = (bits & !(0xF << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    [0..8, 8..12, 12..16, 16..20, 20..32]
        .map(|part| hex.get(part).unwrap_or_default())
        .join("-")
}
