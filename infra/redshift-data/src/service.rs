//! The operations of the Data API.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::api::{self, Question, Submission};
use crate::calls::Calls;
use crate::events::Events;
use crate::faults::{Ending, FaultSwitch};
use crate::rates::{Limiter, Operation};
use crate::results;
use crate::run::{self, Engine};
use crate::service_error::ServiceError;
use crate::statements::{Quotas, ResultFormat, Statement, StatementRecord, Statements, Status};
use crate::submission::{self, SubmissionKind};

const MAX_WAIT_SECONDS: u64 = 30;
const NO_RESULT: &str =
    "Query does not have result. Please check query status with DescribeStatement.";

#[derive(Debug)]
pub(crate) struct Service {
    statements: Statements,
    engine: Engine,
    events: Events,
    region: String,
    quotas: Quotas,
    slots: Semaphore,
    limiter: Limiter,
    pub(crate) faults: FaultSwitch,
    pub(crate) calls: Calls,
}

impl Service {
    pub(crate) fn new(engine: Engine, events: Events, region: String, quotas: Quotas) -> Self {
        Self {
            statements: Statements::new(quotas),
            engine,
            events,
            region,
            quotas,
            slots: Semaphore::new(quotas.concurrency),
            limiter: Limiter::new(quotas.rates),
            faults: FaultSwitch::new(),
            calls: Calls::default(),
        }
    }

    /// Answers the operation `name`, such as `ExecuteStatement`, with the JSON text `body` as its
    /// request.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        name: &str,
        body: &str,
    ) -> Result<Value, ServiceError> {
        let operation = Operation::from_name(name).ok_or_else(|| ServiceError {
            kind: "UnknownOperationException",
            message: format!("The stand-in does not have the operation {name}."),
            id: None,
        })?;
        let statement_name = self.statement_name(body);
        self.faults.call_released(&statement_name).await;
        let is_accepted = self.limiter.accepts(operation, Instant::now());
        if !is_accepted || self.faults.throttles(&statement_name) {
            return Err(ServiceError::throttled());
        }
        match operation {
            Operation::Execute => self.submit(read(body)?, SubmissionKind::Single).await,
            Operation::BatchExecute => self.submit(read(body)?, SubmissionKind::Batch).await,
            Operation::Describe => self.describe(read(body)?).await,
            Operation::GetResult => self.result(&read(body)?, ResultFormat::Json).await,
            Operation::GetResultV2 => self.result(&read(body)?, ResultFormat::Csv).await,
            Operation::Cancel => self.cancel(&read(body)?).await,
            Operation::List => self.list(&read(body)?),
        }
    }

    /// The name of the statement that a request submits or asks about. Empty if it has none.
    fn statement_name(&self, body: &str) -> String {
        let request: Question = serde_json::from_str(body).unwrap_or_default();
        let id = request.id.split(':').next().unwrap_or_default();
        let known = self.statements.get(id).map(|statement| statement.name());
        known.or(request.statement_name).unwrap_or_default()
    }

    async fn describe(&self, question: Question) -> Result<Value, ServiceError> {
        let (statement, place) = self.find(&question.id)?;
        statement.wait(patience(question.wait_time_seconds)?).await;
        let mut record = statement.snapshot();
        // The answer describes a sub-statement like a statement.
        if let Some(sub) = place.and_then(|place| record.subs.get(place).cloned()) {
            record = StatementRecord {
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

    async fn cancel(&self, question: &Question) -> Result<Value, ServiceError> {
        let (statement, _) = self.find(&question.id)?;
        let status = statement.snapshot().status;
        if status.is_end() {
            return Err(ServiceError::invalid(format!(
                "Could not cancel a query that is already in {} state.",
                status.name()
            )));
        }
        statement.cancel();
        statement.wait(Duration::from_secs(5)).await;
        Ok(json!({ "Status": statement.snapshot().status == Status::Aborted }))
    }

    /// Finds a statement by `<id>`, or a sub-statement by `<id>:<number>`. The second part of the
    /// answer is the index of the sub-statement.
    fn find(&self, id: &str) -> Result<(Arc<Statement>, Option<usize>), ServiceError> {
        let (whole, place) = match id.split_once(':') {
            None => (id, None),
            Some((whole, place)) => {
                let place = place
                    .parse::<usize>()
                    .ok()
                    .and_then(|place| place.checked_sub(1));
                (whole, Some(place.ok_or_else(|| ServiceError::unknown(id))?))
            }
        };
        let statement = self.statements.get(whole);
        let statement = statement
            .filter(|statement| !self.is_expired(statement))
            .ok_or_else(|| ServiceError::unknown(id))?;
        if place.is_some_and(|place| place >= statement.snapshot().subs.len()) {
            return Err(ServiceError::unknown(id));
        }
        Ok((statement, place))
    }

    fn is_expired(&self, statement: &Statement) -> bool {
        let lifetime = self.faults.result_lifetime(&statement.name());
        statement.is_expired(lifetime.unwrap_or(self.quotas.result_lifetime))
    }

    async fn submit(
        self: &Arc<Self>,
        request: Submission,
        kind: SubmissionKind,
    ) -> Result<Value, ServiceError> {
        let patience = patience(request.wait_time_seconds)?;
        let token = request.client_token.clone();
        let record = submission::check(request, kind)?;
        let (statement, fresh) = self.statements.submit(record, token)?;
        if fresh {
            tokio::spawn(Arc::clone(self).execute(Arc::clone(&statement)));
        }
        statement.wait(patience).await;
        Ok(api::submitted(&statement.snapshot()))
    }

    /// Runs a submitted statement to its end and sends its completion event.
    async fn execute(self: Arc<Self>, statement: Arc<Statement>) {
        let set = |status| statement.change(|record| record.status = status);
        let name = statement.name();
        let ending = self.faults.ending(&name);
        let started = Instant::now();
        let slot = tokio::select! {
            slot = self.slots.acquire() => Some(slot),
            () = statement.cancellation() => None,
        };
        let (status, error) = match ending {
            _ if slot.is_none() => (Status::Aborted, None),
            Some(Ending::Failed(error)) => (Status::Failed, Some(error)),
            Some(Ending::Aborted) => (Status::Aborted, None),
            None => {
                set(Status::Picked);
                self.run(&statement, &name).await
            }
        };
        drop(slot);
        statement.change(|record| {
            record.status = status;
            record.error = error;
            record.duration = started.elapsed();
            for sub in record.subs.iter_mut().filter(|sub| !sub.status.is_end()) {
                sub.status = match status {
                    Status::Finished => Status::Finished,
                    _ => Status::Aborted,
                };
            }
        });
        let record = statement.snapshot();
        if record.with_event {
            let delivery = self.faults.delivery(&name);
            self.events.send(&record, &self.region, delivery).await;
        }
    }

    /// Runs the SQL of a statement, unless it hangs until it is cancelled.
    async fn run(&self, statement: &Statement, name: &str) -> (Status, Option<String>) {
        statement.change(|record| record.status = Status::Started);
        tokio::select! {
            () = self.faults.statement_released(name) => {}
            () = statement.cancellation() => return run::cancelled(),
        }
        self.engine.run(statement, self.faults.pause(name)).await
    }

    async fn result(
        &self,
        question: &Question,
        format: ResultFormat,
    ) -> Result<Value, ServiceError> {
        let (statement, place) = self.find(&question.id)?;
        statement.wait(patience(question.wait_time_seconds)?).await;
        let record = statement.snapshot();
        if record.batch && place.is_none() {
            return Err(ServiceError::invalid(
                "A batch has results only for its sub-statements. Use the id <id>:<number>.",
            ));
        }
        let sub = record
            .subs
            .get(place.unwrap_or(0))
            .filter(|sub| sub.status == Status::Finished && !sub.columns.is_empty())
            .ok_or_else(|| ServiceError {
                message: NO_RESULT.to_owned(),
                ..ServiceError::unknown(&question.id)
            })?;
        if format != record.format {
            return Err(ServiceError::invalid(
                "Use GetStatementResult for the result format JSON and GetStatementResultV2 for CSV.",
            ));
        }
        let from = start_of_page(question)?;
        let page_rows = self.quotas.page_rows;
        Ok(match format {
            ResultFormat::Json => results::page(sub, from, page_rows),
            ResultFormat::Csv => results::csv_page(sub, from, page_rows),
        })
    }

    fn list(&self, question: &Question) -> Result<Value, ServiceError> {
        let from = start_of_page(question)?;
        let size = question.max_results.unwrap_or(100).clamp(1, 100);
        let status = question.status.as_deref().unwrap_or("FINISHED");
        let name = question.statement_name.as_deref().unwrap_or_default();
        let records: Vec<StatementRecord> = self
            .statements
            .all()
            .iter()
            .filter(|statement| !self.is_expired(statement))
            .map(|statement| statement.snapshot())
            .collect();
        let fitting: Vec<&StatementRecord> = records
            .iter()
            .filter(|record| status == "ALL" || record.status.name() == status)
            .filter(|record| record.name.as_deref().unwrap_or_default().starts_with(name))
            .collect();
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

fn read<T: DeserializeOwned>(body: &str) -> Result<T, ServiceError> {
    serde_json::from_str(body).map_err(|error| ServiceError {
        kind: "SerializationException",
        message: error.to_string(),
        id: None,
    })
}

fn patience(seconds: Option<u64>) -> Result<Duration, ServiceError> {
    match seconds {
        None => Ok(Duration::ZERO),
        Some(seconds @ 1..=MAX_WAIT_SECONDS) => Ok(Duration::from_secs(seconds)),
        Some(_) => Err(ServiceError::invalid(
            "WaitTimeSeconds must be between 1 and 30.",
        )),
    }
}

/// The index of the first row or statement of a page. A token is this index as text.
fn start_of_page(question: &Question) -> Result<usize, ServiceError> {
    match question.next_token.as_deref() {
        None => Ok(0),
        Some(token) => token
            .parse()
            .map_err(|_| ServiceError::invalid("NextToken is not valid.")),
    }
}
