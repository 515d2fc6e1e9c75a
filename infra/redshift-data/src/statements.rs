//! All statements with their states, client tokens and quotas.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::rates::Rates;

#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// How many statements may be submitted and not yet ended.
    pub active_statements: usize,
    /// How many calls of each operation are accepted within one second.
    pub rates: Rates,
    /// Rows in one page of a result.
    pub page_rows: usize,
    /// How many statements run at the same time. Others wait in the state SUBMITTED.
    pub concurrency: usize,
    /// The time after which a SQL statement is cancelled. Zero means never.
    pub statement_timeout: Duration,
    /// How long statements and results are kept after the submission.
    pub result_lifetime: Duration,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            active_statements: 500,
            rates: Rates::default(),
            page_rows: 1000,
            concurrency: 15,
            statement_timeout: Duration::ZERO,
            result_lifetime: Duration::from_secs(24 * 3600),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResultFormat {
    Json,
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Submitted,
    Picked,
    Started,
    Finished,
    Failed,
    Aborted,
}

impl Status {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Picked => "PICKED",
            Self::Started => "STARTED",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Aborted => "ABORTED",
        }
    }

    pub(crate) const fn is_end(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Aborted)
    }
}

/// The warehouse of a request. Answers repeat it; the stand-in has only one database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) cluster: Option<String>,
    pub(crate) workgroup: Option<String>,
    pub(crate) database: String,
    pub(crate) db_user: Option<String>,
    pub(crate) secret: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) type_name: String,
}

pub(crate) type Rows = Vec<Vec<Option<String>>>;

/// One SQL text of a statement. ExecuteStatement makes one.
#[derive(Clone, Debug)]
pub(crate) struct SubStatement {
    pub(crate) sql: String,
    pub(crate) status: Status,
    pub(crate) error: Option<String>,
    pub(crate) result_rows: i64,
    pub(crate) size: i64,
    pub(crate) duration: Duration,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Arc<Rows>,
    pub(crate) updated: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct StatementRecord {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) batch: bool,
    pub(crate) auto_commit: bool,
    pub(crate) with_event: bool,
    pub(crate) format: ResultFormat,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) target: Target,
    pub(crate) status: Status,
    pub(crate) error: Option<String>,
    pub(crate) subs: Vec<SubStatement>,
    pub(crate) created: f64,
    pub(crate) updated: f64,
    pub(crate) duration: Duration,
}

impl StatementRecord {
    pub(crate) fn sub(sql: String) -> SubStatement {
        SubStatement {
            sql,
            status: Status::Submitted,
            error: None,
            result_rows: -1,
            size: 0,
            duration: Duration::ZERO,
            columns: Vec::new(),
            rows: Arc::default(),
            updated: now(),
        }
    }
}

/// A statement that tasks can watch, change and cancel at the same time.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) record: watch::Sender<StatementRecord>,
    cancelled: watch::Sender<bool>,
}

impl Statement {
    pub(crate) fn snapshot(&self) -> StatementRecord {
        self.record.borrow().clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut StatementRecord)) {
        self.record.send_modify(|record| {
            change(record);
            record.updated = now();
        });
    }

    pub(crate) fn name(&self) -> String {
        self.record.borrow().name.clone().unwrap_or_default()
    }

    /// True for an ended statement that was submitted at least `lifetime` ago.
    pub(crate) fn is_expired(&self, lifetime: Duration) -> bool {
        let record = self.record.borrow();
        record.status.is_end() && now() - record.created >= lifetime.as_secs_f64()
    }

    /// Requests the cancellation. The task that runs the statement ends it.
    pub(crate) fn cancel(&self) {
        self.cancelled.send_replace(true);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow()
    }

    /// Waits for a request to cancel it.
    pub(crate) async fn cancellation(&self) {
        // `wait_for` fails only if the sender is dropped, and the sender is in `self`.
        let _ = self
            .cancelled
            .subscribe()
            .wait_for(|cancelled| *cancelled)
            .await;
    }

    /// Waits until the statement has ended, but not longer than `patience`.
    pub(crate) async fn wait(&self, patience: Duration) {
        let mut watcher = self.record.subscribe();
        // A timeout is not an error: the caller reads the status.
        let _ =
            tokio::time::timeout(patience, watcher.wait_for(|record| record.status.is_end())).await;
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    Timestamp::now().as_millisecond() as f64 / 1000.0
}

/// Too many statements are active. It contains their maximum number.
#[derive(Debug, thiserror::Error)]
#[error("Active statements exceeded the allowed quota ({0}).")]
pub(crate) struct ActiveStatementsExceeded(usize);

#[derive(Debug, Default)]
struct StatementTable {
    by_id: HashMap<String, Arc<Statement>>,
    order: Vec<String>,
    tokens: HashMap<String, (String, Instant)>,
}

impl StatementTable {
    /// Removes ended statements that are older than `lifetime`.
    fn forget(&mut self, lifetime: Duration) {
        let is_kept = |statement: &Arc<Statement>| !statement.is_expired(lifetime);
        self.by_id.retain(|_, statement| is_kept(statement));
        self.order.retain(|id| self.by_id.contains_key(id));
    }
}

const TOKEN_LIFETIME: Duration = Duration::from_secs(8 * 3600);

#[derive(Debug)]
pub(crate) struct Statements {
    quotas: Quotas,
    inner: Mutex<StatementTable>,
}

impl Statements {
    pub(crate) fn new(quotas: Quotas) -> Self {
        Self {
            quotas,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, StatementTable> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a statement and returns it with `true`. For a token that is known it returns the
    /// earlier statement and `false`.
    pub(crate) fn submit(
        &self,
        record: StatementRecord,
        token: Option<String>,
    ) -> Result<(Arc<Statement>, bool), ActiveStatementsExceeded> {
        let mut inner = self.lock();
        inner.forget(self.quotas.result_lifetime);
        let now = Instant::now();
        inner
            .tokens
            .retain(|_, (_, at)| now.duration_since(*at) < TOKEN_LIFETIME);
        let known = token
            .as_ref()
            .and_then(|token| inner.tokens.get(token))
            .map(|(id, _)| id.clone());
        if let Some(known) = known.and_then(|id| inner.by_id.get(&id).cloned()) {
            return Ok((known, false));
        }
        let active = inner
            .by_id
            .values()
            .filter(|statement| !statement.record.borrow().status.is_end())
            .count();
        if active >= self.quotas.active_statements {
            return Err(ActiveStatementsExceeded(self.quotas.active_statements));
        }
        let id = record.id.clone();
        let statement = Arc::new(Statement {
            record: watch::Sender::new(record),
            cancelled: watch::Sender::new(false),
        });
        inner.by_id.insert(id.clone(), Arc::clone(&statement));
        inner.order.push(id.clone());
        if let Some(token) = token {
            inner.tokens.insert(token, (id, now));
        }
        Ok((statement, true))
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Statement>> {
        self.lock().by_id.get(id).cloned()
    }

    /// All statements, the newest first.
    pub(crate) fn all(&self) -> Vec<Arc<Statement>> {
        let inner = self.lock();
        inner
            .order
            .iter()
            .rev()
            .filter_map(|id| inner.by_id.get(id).cloned())
            .collect()
    }
}
