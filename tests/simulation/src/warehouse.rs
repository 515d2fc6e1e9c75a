//! A warehouse whose statements run until the test ends them, with the effects of the real ones.

use std::mem::take;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use turns::{Attempt, Claim, Lane, Plan, TurnId, WaitingEntry};
use warehouse::{Error, Row, Statement, StatementId, Status, Warehouse};

use crate::system::STACK;
use crate::tables::{LoadStatement, read};
use crate::{Bucket, Flaws, Gate, Tables};

#[derive(Debug)]
pub struct TableWarehouse {
    gate: Arc<Gate>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    statements: Vec<Submitted>,
    tables: Tables,
    flaws: Flaws,
    /// The names of cancelled statements whose completion event was not sent yet.
    cancelled: Vec<String>,
    /// The names of statements that were submitted while another one of their lane ran.
    overlapping: Vec<String>,
}

#[derive(Debug)]
struct Submitted {
    name: String,
    token: String,
    lane: Lane,
    status: Status,
    hangs: bool,
    rows: Vec<Row>,
}

impl Submitted {
    fn new(statement: &Statement) -> Self {
        let turn = TurnId::of_statement_name(STACK, &statement.name);
        Self {
            name: statement.name.clone(),
            token: statement.token.clone(),
            lane: turn.unwrap().0.lane,
            status: Status::Running,
            hangs: false,
            rows: Vec::new(),
        }
    }

    fn runs(&self) -> bool {
        self.status == Status::Running
    }

    fn end(&mut self, result: Result<Vec<Row>, String>) -> &Status {
        match result {
            Ok(rows) => {
                self.status = Status::Finished;
                self.rows = rows;
            }
            Err(error) => self.status = Status::Failed { error },
        }
        &self.status
    }
}

impl State {
    fn submit(&mut self, statement: &Statement) -> usize {
        let mut known = self.statements.iter();
        if let Some(index) = known.position(|known| known.token == statement.token) {
            return index;
        }
        let submitted = Submitted::new(statement);
        let lane = submitted.lane;
        let mut running = self.statements.iter().filter(|other| other.runs());
        if running.any(|other| other.lane == lane) {
            self.overlapping.push(statement.name.clone());
        }
        self.statements.push(submitted);
        self.statements.len() - 1
    }

    fn cancel(&mut self, index: usize) {
        let statement = &mut self.statements[index];
        if statement.runs() {
            statement.status = Status::Aborted;
            self.cancelled.push(statement.name.clone());
        }
    }

    fn effect(&mut self, name: &str, bucket: &Bucket) -> Result<Vec<Row>, String> {
        let (turn, number) = TurnId::of_statement_name(STACK, name).unwrap();
        let attempt: Attempt = read(bucket, &turn.attempt_key(number));
        let claim: Claim = read(bucket, &turn.claim_key());
        if attempt.plan != Plan::Evidence {
            let load = LoadStatement::of(turn, &claim, &attempt.plan);
            return self.tables.load(&load, &mut self.flaws, bucket);
        }
        let Some(WaitingEntry::Evidence(range)) = claim.entries[0].entry() else {
            panic!("evidence is about an evidence entry");
        };
        self.tables.evidence(&range, &self.flaws, bucket)
    }
}

impl TableWarehouse {
    pub fn new(gate: &Arc<Gate>, flaws: Flaws) -> Self {
        Self {
            gate: Arc::clone(gate),
            state: Mutex::new(State {
                flaws,
                ..State::default()
            }),
        }
    }

    /// The indices of the statements that run and don't hang.
    pub fn running(&self) -> Vec<usize> {
        let state = self.state.lock().unwrap();
        let all = state.statements.iter().enumerate();
        let running = all.filter(|(_, statement)| statement.runs() && !statement.hangs);
        running.map(|(index, _)| index).collect()
    }

    pub fn name(&self, index: usize) -> String {
        self.state.lock().unwrap().statements[index].name.clone()
    }

    /// Looks at what the statements wrote.
    pub fn with_tables<T>(&self, look: impl FnOnce(&Tables) -> T) -> T {
        look(&self.state.lock().unwrap().tables)
    }

    /// Ends a running statement: it has its effect, or fails for a reason of the data.
    pub fn end(&self, index: usize, bucket: &Bucket) -> Status {
        let mut state = self.state.lock().unwrap();
        let name = state.statements[index].name.clone();
        let result = state.effect(&name, bucket);
        state.statements[index].end(result).clone()
    }

    /// Ends a running statement without an effect.
    pub fn fail(&self, index: usize, error: &str) {
        let mut state = self.state.lock().unwrap();
        state.statements[index].end(Err(error.to_owned()));
    }

    /// From now on the statement ends only if it is cancelled.
    pub fn hang(&self, index: usize) {
        self.state.lock().unwrap().statements[index].hangs = true;
    }

    /// The names of statements that were cancelled since this was asked for last.
    pub fn take_cancelled(&self) -> Vec<String> {
        take(&mut self.state.lock().unwrap().cancelled)
    }

    /// A statement that was submitted while another one of its lane ran.
    pub fn overlapping(&self) -> Option<String> {
        self.state.lock().unwrap().overlapping.first().cloned()
    }

    async fn call<T>(
        &self,
        operation: &'static str,
        name: &str,
        effect: impl FnOnce(&mut State) -> T,
    ) -> Result<T, Error> {
        let effect = || effect(&mut self.state.lock().unwrap());
        self.gate.call(effect, || failed(operation, name)).await
    }
}

fn failed(operation: &'static str, name: &str) -> Error {
    Error::Call {
        operation,
        name: name.to_owned(),
        code: None,
        transient: true,
        source: "the test lets the call fail".into(),
    }
}

fn index(id: &StatementId) -> usize {
    id.0.parse().unwrap()
}

impl Warehouse for TableWarehouse {
    async fn submit(&self, statement: &Statement) -> Result<StatementId, Error> {
        let submit = |state: &mut State| StatementId(state.submit(statement).to_string());
        self.call("submit", &statement.name, submit).await
    }

    async fn status(&self, id: &StatementId) -> Result<Status, Error> {
        let status = |state: &mut State| state.statements[index(id)].status.clone();
        self.call("status", &id.0, status).await
    }

    async fn rows(&self, id: &StatementId, _: usize) -> Result<Vec<Row>, Error> {
        let rows = |state: &mut State| state.statements[index(id)].rows.clone();
        self.call("rows", &id.0, rows).await
    }

    async fn cancel(&self, id: &StatementId) -> Result<(), Error> {
        self.call("cancel", &id.0, |state| state.cancel(index(id)))
            .await
    }

    async fn wait(&self, id: &StatementId, _: Duration) -> Result<Status, Error> {
        self.status(id).await
    }
}
