//! The warehouse and its Data API: durations, quotas, results and completion events.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use retry::Tries;
use simulation::STACK;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;
use turns::{Attempt, Claim, Lane, Plan, TurnId, WaitingEntry};
use warehouse::{Error, Row, Statement, StatementId, Status, Value, Warehouse};

use crate::bucket::Bucket;
use crate::clock::Clock;
use crate::latency::Latencies;
use crate::quota::{Admission, Operation, Quotas};
use crate::traffic::ROW_BYTES;

/// The transactions of the customer of each hold before it.
const PAST: f64 = 1_000.0;
/// How many rows of a result one answer has: a megabyte of 15 numbers a row.
const PAGE_ROWS: u32 = 2_500;
/// The bytes of a final decision in a slice.
const SLICE_ROW_BYTES: u64 = 60;

#[derive(Clone, Debug)]
pub(crate) struct Redshift(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    latencies: Latencies,
    bucket: Bucket,
    /// The names of statements that ended.
    ended: UnboundedSender<String>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_down: bool,
    statements: Vec<Taken>,
    by_token: HashMap<String, usize>,
    /// The lanes with a running statement.
    running: BTreeSet<Lane>,
    quotas: Quotas,
    turns: Turns,
}

#[derive(Debug)]
struct Taken {
    name: String,
    lane: Lane,
    status: Status,
    /// The ordinals that a statement of evidence is about.
    ordinals: std::ops::Range<u32>,
}

/// What the turns were like.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turns {
    pub(crate) loads: u64,
    pub(crate) evidence: u64,
    pub(crate) outcomes: u64,
    pub(crate) largest_objects: usize,
    pub(crate) largest_holds: u64,
}

/// What a statement works on.
struct Work {
    duration: Duration,
    ordinals: std::ops::Range<u32>,
}

impl Redshift {
    pub(crate) fn new(
        clock: Clock,
        latencies: Latencies,
        bucket: Bucket,
        ended: UnboundedSender<String>,
    ) -> Self {
        Self(Arc::new(Inner {
            clock,
            latencies,
            bucket,
            ended,
            state: Mutex::default(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    pub(crate) fn quotas(&self) -> Quotas {
        self.state().quotas.clone()
    }

    pub(crate) fn turns(&self) -> Turns {
        self.state().turns
    }

    /// From now on, every call fails. Statements that run fail too.
    pub(crate) fn go_down(&self) {
        let running: Vec<usize> = {
            let mut state = self.state();
            state.is_down = true;
            let all = state.statements.iter().enumerate();
            let running = all.filter(|(_, taken)| taken.status == Status::Running);
            running.map(|(index, _)| index).collect()
        };
        let error = "connection reset by peer".to_owned();
        let failed = Status::Failed { error };
        for index in running {
            self.end(index, failed.clone());
        }
    }

    pub(crate) fn come_back(&self) {
        self.state().is_down = false;
    }

    /// One call with the adapter's retries.
    async fn call(&self, operation: Operation, name: &str) -> Result<(), Error> {
        let mut tries = Tries::new();
        loop {
            sleep(self.0.latencies.data_api).await;
            if self.admits(operation) {
                return Ok(());
            }
            if !tries.next().await {
                return Err(Error::Call {
                    operation: "Call",
                    name: name.to_owned(),
                    code: None,
                    transient: true,
                    source: "throttled or not reachable".into(),
                });
            }
        }
    }

    fn admits(&self, operation: Operation) -> bool {
        let now = self.0.clock.elapsed();
        let mut state = self.state();
        if state.is_down {
            return false;
        }
        let active = state.running.len();
        state.quotas.admit(operation, active, now) == Admission::Accepted
    }

    /// Starts the statement, unless its token is known.
    fn take(&self, statement: &Statement) -> usize {
        if let Some(known) = self.state().by_token.get(&statement.token) {
            return *known;
        }
        let (turn, number) = TurnId::of_statement_name(STACK, &statement.name).unwrap();
        let work = self.work(turn, number);
        let mut state = self.state();
        let is_free = state.running.insert(turn.lane);
        assert!(is_free, "two statements run in lane {}", turn.lane);
        state.statements.push(Taken {
            name: statement.name.clone(),
            lane: turn.lane,
            status: Status::Running,
            ordinals: work.ordinals,
        });
        let index = state.statements.len() - 1;
        state.by_token.insert(statement.token.clone(), index);
        let warehouse = self.clone();
        let run = async move {
            sleep(work.duration).await;
            warehouse.end(index, Status::Finished);
        };
        tokio::spawn(run);
        index
    }

    /// Reads the turn's objects, as the SQL would name them.
    fn work(&self, turn: TurnId, number: u32) -> Work {
        let attempt: Attempt = self.0.bucket.read(&turn.attempt_key(number));
        let claim: Claim = self.0.bucket.read(&turn.claim_key());
        let entries: Vec<WaitingEntry> = match &attempt.plan {
            Plan::Load { entries, .. } => {
                let claimed = entries.iter().map(|place| &claim.entries[*place]);
                claimed.map(|claimed| claimed.entry().unwrap()).collect()
            }
            Plan::Evidence => vec![claim.entries[0].entry().unwrap()],
            other => panic!("{other:?} has no statement"),
        };
        let holds: u64 = entries.iter().map(WaitingEntry::holds).sum();
        let bytes: u64 = entries.iter().map(WaitingEntry::bytes).sum();
        let files = entries.len();
        let latencies = self.0.latencies;
        let turns = &mut self.state().turns;
        let duration = match turn.lane {
            Lane::Transactions => {
                turns.loads += 1;
                turns.largest_objects = turns.largest_objects.max(files);
                turns.largest_holds = turns.largest_holds.max(holds);
                latencies.copy(files, bytes / ROW_BYTES)
            }
            Lane::Outcomes => {
                turns.outcomes += 1;
                latencies.copy(files, bytes / SLICE_ROW_BYTES)
            }
            Lane::Evidence(_) => {
                turns.evidence += 1;
                latencies.evidence(holds)
            }
            Lane::Labels => panic!("the bench has no fraud reports"),
        };
        let ordinals = match entries.first() {
            Some(WaitingEntry::Evidence(entry)) => entry.from..entry.to,
            _ => 0..0,
        };
        Work { duration, ordinals }
    }

    fn end(&self, index: usize, status: Status) {
        let mut state = self.state();
        let taken = &mut state.statements[index];
        if taken.status != Status::Running {
            return;
        }
        taken.status = status;
        let lane = taken.lane;
        let name = taken.name.clone();
        state.running.remove(&lane);
        // Nobody listens at the end of a scenario.
        let _ = self.0.ended.send(name);
    }
}

/// A mean that makes the fixture's second look release every third hold and block the others.
fn row(ordinal: u32) -> Row {
    let mean = if ordinal.is_multiple_of(3) {
        500.0
    } else {
        100.0
    };
    Row::from([
        ("ordinal", Value::Integer(i64::from(ordinal))),
        ("_id_conflict", Value::Bool(false)),
        ("_recent_customer_mean_7d_values", Value::Number(PAST)),
        ("_recent_customer_mean_7d_sum", Value::Number(PAST * mean)),
    ])
}

fn index(id: &StatementId) -> usize {
    id.0.parse().unwrap()
}

impl Warehouse for Redshift {
    async fn submit(&self, statement: &Statement) -> Result<StatementId, Error> {
        let text: usize = statement.sqls.iter().map(String::len).sum();
        assert!(
            text <= 100 * 1_024,
            "{}: {text} bytes of SQL",
            statement.name
        );
        let operation = match statement.sqls.len() {
            1 => Operation::Execute,
            _ => Operation::BatchExecute,
        };
        self.call(operation, &statement.name).await?;
        Ok(StatementId(self.take(statement).to_string()))
    }

    async fn status(&self, id: &StatementId) -> Result<Status, Error> {
        self.call(Operation::Describe, &id.0).await?;
        Ok(self.state().statements[index(id)].status.clone())
    }

    async fn rows(&self, id: &StatementId, _: usize) -> Result<Vec<Row>, Error> {
        let ordinals = self.state().statements[index(id)].ordinals.clone();
        let pages = (ordinals.end - ordinals.start).div_ceil(PAGE_ROWS).max(1);
        for _ in 0..pages {
            self.call(Operation::GetResult, &id.0).await?;
        }
        Ok(ordinals.map(row).collect())
    }

    async fn cancel(&self, id: &StatementId) -> Result<(), Error> {
        self.call(Operation::Cancel, &id.0).await?;
        self.end(index(id), Status::Aborted);
        Ok(())
    }

    async fn wait(&self, _: &StatementId, _: Duration) -> Result<Status, Error> {
        unreachable!("only train waits for statements")
    }
}
