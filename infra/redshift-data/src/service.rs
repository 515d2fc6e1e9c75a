//! The operations of the Data API.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::api::{self, Question, Submission};
use crate::events::Events;
use crate::fault::Fault;
use crate::faults::{Ending, Faults};
use crate::results;
use crate::run::Engine;
use crate::statements::{Quotas, Record, Statement, Statements, Status};
use crate::submission::checked;

const MAX_WAIT_SECONDS: u64 = 30;

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) statements: Statements,
    pub(crate) engine: Engine,
    pub(crate) events: Events,
    pub(crate) region: String,
    pub(crate) quotas: Quotas,
    pub(crate) slots: Semaphore,
    pub(crate) faults: Mutex<Faults>,
}

impl Service {
    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one operation. `body` is the request as JSON.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        operation: &str,
        body: &str,
    ) -> Result<Value, Fault> {
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
                message: format!("{other} is not emulated"),
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

    /// Takes a statement from SUBMITTED to its end and sends its completion event.
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
