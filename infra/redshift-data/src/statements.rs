//! Statements: their states over time, client tokens, quotas.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;

/// Limits of the service.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Statements that were submitted and have not ended.
    pub active_statements: usize,
    /// Submissions within any second.
    pub submissions_per_second: usize,
    /// Rows per page of a result.
    pub page_rows: usize,
    /// Statements that run at the same time. The others wait as SUBMITTED.
    pub concurrency: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            active_statements: 500,
            submissions_per_second: 30,
            page_rows: 1000,
            concurrency: 15,
        }
    }
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

/// The warehouse that the request named. It is echoed and never looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) cluster: Option<String>,
    pub(crate) workgroup: Option<String>,
    pub(crate) database: String,
    pub(crate) db_user: Option<String>,
    pub(crate) secret: Option<String>,
}

/// One column of a result.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) type_name: String,
}

pub(crate) type Rows = Vec<Vec<Option<String>>>;

/// One SQL text of a statement. A statement that is no batch has one.
#[derive(Clone, Debug)]
pub(crate) struct Sub {
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
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) batch: bool,
    pub(crate) auto_commit: bool,
    pub(crate) with_event: bool,
    pub(crate) csv: bool,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) target: Target,
    pub(crate) status: Status,
    pub(crate) error: Option<String>,
    pub(crate) subs: Vec<Sub>,
    pub(crate) created: f64,
    pub(crate) updated: f64,
    pub(crate) duration: Duration,
}

impl Record {
    pub(crate) fn sub(sql: String) -> Sub {
        Sub {
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

/// A statement that can be watched, changed and cancelled.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) record: watch::Sender<Record>,
    cancelled: watch::Sender<bool>,
}

impl Statement {
    pub(crate) fn snapshot(&self) -> Record {
        self.record.borrow().clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Record)) {
        self.record.send_modify(|record| {
            change(record);
            record.updated = now();
        });
    }

    /// Asks for cancellation. The task that runs the statement carries it out.
    pub(crate) fn cancel(&self) {
        self.cancelled.send_replace(true);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow()
    }

    /// Waits until cancellation is asked for.
    pub(crate) async fn cancellation(&self) {
        // The sender is a field of this statement, so it exists.
        let _ = self
            .cancelled
            .subscribe()
            .wait_for(|cancelled| *cancelled)
            .await;
    }

    /// Waits until the statement has ended, for at most `patience`.
    pub(crate) async fn wait(&self, patience: Duration) {
        let mut watcher = self.record.subscribe();
        // A timeout is no error: the caller reads the status.
        let _ =
            tokio::time::timeout(patience, watcher.wait_for(|record| record.status.is_end())).await;
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    Timestamp::now().as_millisecond() as f64 / 1000.0
}

/// Why a submission is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("Active statements exceeded the allowed quota ({0}).")]
    Active(usize),
    #[error("Rate exceeded")]
    Throttled,
}

#[derive(Debug, Default)]
struct Inner {
    by_id: HashMap<String, Arc<Statement>>,
    order: Vec<String>,
    tokens: HashMap<String, (String, Instant)>,
    recent: VecDeque<Instant>,
}

const TOKEN_LIFE: Duration = Duration::from_secs(8 * 3600);

#[derive(Debug)]
pub(crate) struct Statements {
    quotas: Quotas,
    inner: Mutex<Inner>,
}

impl Statements {
    pub(crate) fn new(quotas: Quotas) -> Self {
        Self {
            quotas,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a statement. For a known token: the first statement with that token, and false.
    pub(crate) fn submit(
        &self,
        record: Record,
        token: Option<String>,
    ) -> Result<(Arc<Statement>, bool), Refused> {
        let mut inner = self.lock();
        let now = Instant::now();
        while inner
            .recent
            .front()
            .is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1))
        {
            inner.recent.pop_front();
        }
        if inner.recent.len() >= self.quotas.submissions_per_second {
            return Err(Refused::Throttled);
        }
        inner.recent.push_back(now);
        inner
            .tokens
            .retain(|_, (_, at)| now.duration_since(*at) < TOKEN_LIFE);
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
            return Err(Refused::Active(self.quotas.active_statements));
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

    /// All statements, newest first.
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
