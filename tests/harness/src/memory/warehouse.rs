use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use tokio::task::yield_now;
use warehouse::{Error, Row, Statement, StatementId, Status};

use super::faults::Course;
use super::{Faults, lock};

/// The result of one SQL text: its rows, or an error text.
pub type Answer = Result<Vec<Row>, String>;

/// A warehouse in memory. A function computes its answers.
///
/// A statement runs when it is submitted. It ends at once, unless statuses are scripted.
pub struct Warehouse {
    answer: Box<dyn Fn(&str, &[(String, String)]) -> Answer + Send + Sync>,
    state: Mutex<State>,
    faults: Faults,
}

#[derive(Debug, Default)]
struct State {
    submitted: Vec<(StatementId, Statement)>,
    ended: BTreeMap<StatementId, Result<Vec<Row>, String>>,
    script: VecDeque<Status>,
    statuses: BTreeMap<StatementId, Status>,
}

impl fmt::Debug for Warehouse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warehouse")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Default for Warehouse {
    fn default() -> Self {
        Self::new()
    }
}

impl Warehouse {
    /// A warehouse without faults that answers every SQL text with no rows.
    pub fn new() -> Self {
        Self::with(&Faults::none())
    }

    /// A warehouse with these faults that answers every SQL text with no rows.
    pub fn with(faults: &Faults) -> Self {
        Self {
            answer: Box::new(|_, _| Ok(Vec::new())),
            state: Mutex::default(),
            faults: faults.clone(),
        }
    }

    /// Sets the function that answers, from the SQL text and all parameters of its statement.
    #[must_use]
    pub fn answering(
        mut self,
        answer: impl Fn(&str, &[(String, String)]) -> Answer + Send + Sync + 'static,
    ) -> Self {
        self.answer = Box::new(answer);
        self
    }

    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The answers to the next calls of `status` or `wait`, one each, for any statement.
    pub fn script(&self, statuses: impl IntoIterator<Item = Status>) {
        lock(&self.state).script.extend(statuses);
    }

    /// Sets the status of a statement from now on.
    pub fn set_status(&self, id: &StatementId, status: Status) {
        lock(&self.state).statuses.insert(id.clone(), status);
    }

    /// Makes the warehouse forget a statement.
    pub fn forget(&self, id: &StatementId) {
        lock(&self.state).ended.remove(id);
    }

    /// Every submitted statement, once each, in order.
    pub fn submitted(&self) -> Vec<(StatementId, Statement)> {
        lock(&self.state).submitted.clone()
    }

    async fn course(&self, operation: &'static str, name: &str) -> Result<Course, Error> {
        self.faults.wait().await;
        yield_now().await;
        match self.faults.answered(operation, name).await {
            Course::Refused => Err(injected(operation, name)),
            course => Ok(course),
        }
    }

    fn take(&self, statement: &Statement) -> StatementId {
        let mut state = lock(&self.state);
        if let Some((id, _)) = state
            .submitted
            .iter()
            .find(|(_, s)| s.token == statement.token)
        {
            return id.clone();
        }
        let id = StatementId(format!(
            "00000000-0000-4000-8000-{:012}",
            state.submitted.len() + 1
        ));
        let mut rows = Ok(Vec::new());
        for sql in &statement.sqls {
            match ((self.answer)(sql, &statement.parameters), &mut rows) {
                (Ok(more), Ok(rows)) => rows.extend(more),
                (Err(error), rows @ Ok(_)) => *rows = Err(error),
                (_, Err(_)) => {}
            }
        }
        state.ended.insert(id.clone(), rows);
        state.submitted.push((id.clone(), statement.clone()));
        id
    }

    fn known(&self, id: &StatementId) -> Result<Status, Error> {
        let mut state = lock(&self.state);
        if !state.ended.contains_key(id) {
            return Err(Error::Unknown(id.clone()));
        }
        if let Some(status) = state.script.pop_front() {
            return Ok(status);
        }
        if let Some(status) = state.statuses.get(id) {
            return Ok(status.clone());
        }
        Ok(match state.ended.get(id) {
            Some(Err(error)) => Status::Failed {
                error: error.clone(),
            },
            _ => Status::Finished,
        })
    }
}

fn injected(operation: &'static str, name: &str) -> Error {
    let source = "injected by the test".into();
    Error::Call {
        operation,
        name: name.to_owned(),
        code: None,
        transient: true,
        source,
    }
}

impl warehouse::Warehouse for Warehouse {
    async fn submit(&self, statement: &Statement) -> Result<StatementId, Error> {
        let course = self.course("submit", &statement.name).await?;
        let id = self.take(statement);
        if course == Course::AnswerLost {
            Err(injected("submit", &statement.name))
        } else {
            Ok(id)
        }
    }

    async fn status(&self, id: &StatementId) -> Result<Status, Error> {
        self.course("status", &id.0).await?;
        self.known(id)
    }

    async fn rows(&self, id: &StatementId, _sqls: usize) -> Result<Vec<Row>, Error> {
        self.course("rows", &id.0).await?;
        match lock(&self.state).ended.get(id) {
            Some(Ok(rows)) => Ok(rows.clone()),
            _ => Err(Error::Unknown(id.clone())),
        }
    }

    async fn cancel(&self, id: &StatementId) -> Result<(), Error> {
        self.course("cancel", &id.0).await?;
        if self.known(id)? == Status::Running {
            self.set_status(id, Status::Aborted);
        }
        Ok(())
    }

    async fn wait(&self, id: &StatementId, at_most: Duration) -> Result<Status, Error> {
        self.course("wait", &id.0).await?;
        // No time passes here: a statement that runs at the end of the script runs forever.
        for _ in 0..1_000 {
            match self.known(id)? {
                Status::Running => yield_now().await,
                ended => return Ok(ended),
            }
        }
        Err(Error::StillRunning {
            id: id.clone(),
            waited: at_most,
        })
    }
}
