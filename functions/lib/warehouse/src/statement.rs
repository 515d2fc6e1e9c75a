use std::fmt;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::{Error, Row};

/// The warehouse's id of a submitted statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatementId(pub String);

impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for StatementId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl From<&str> for StatementId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

/// One or more SQL texts that run in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The name in events and in the ledger.
    pub name: String,
    /// 1 to 40 SQL texts, in order.
    pub sqls: Vec<String>,
    /// Values by name. The SQL texts use them as `:name`. The warehouse refuses empty values.
    pub parameters: Vec<(String, String)>,
    /// The warehouse runs statements with the same token once.
    pub token: String,
}

impl Statement {
    /// The token is derived from the whole statement and the attempt. So a repeated invocation
    /// can't run the statement twice, and the next attempt is a new statement.
    pub fn new(
        name: String,
        attempt: u32,
        sqls: Vec<String>,
        parameters: Vec<(String, String)>,
    ) -> Self {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        add(&name);
        add(&attempt.to_string());
        sqls.iter().for_each(|sql| add(sql));
        for (name, value) in &parameters {
            add(name);
            add(value);
        }
        let token = hex::encode(hash.finalize());
        Self {
            name,
            sqls,
            parameters,
            token,
        }
    }
}

/// The status of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    Running,
    /// The rows can be read.
    Finished,
    Failed {
        /// The warehouse's error text. It may quote values, so it must not be logged.
        error: String,
    },
    Aborted,
}

/// A warehouse that runs statements asynchronously.
pub trait Warehouse: Send + Sync {
    /// Submits a statement and returns its id without waiting for the end. Retries while the
    /// warehouse is busy.
    fn submit(
        &self,
        statement: &Statement,
    ) -> impl Future<Output = Result<StatementId, Error>> + Send;
    /// The status of a statement. [`Error::Unknown`] if the warehouse does not know it.
    fn status(&self, id: &StatementId) -> impl Future<Output = Result<Status, Error>> + Send;
    /// All rows of a finished statement of `sqls` SQL texts, in order. One of several texts may
    /// have no result. The warehouse refuses to return rows of a single text without a result.
    fn rows(
        &self,
        id: &StatementId,
        sqls: usize,
    ) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;
    /// Stops a statement. It is no error if the statement has ended.
    fn cancel(&self, id: &StatementId) -> impl Future<Output = Result<(), Error>> + Send;
    /// Waits for the end of a statement. [`Error::StillRunning`] after `at_most`.
    fn wait(
        &self,
        id: &StatementId,
        at_most: Duration,
    ) -> impl Future<Output = Result<Status, Error>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_attempt_repeats_its_token_and_any_change_makes_a_new_one() {
        let parameters = || vec![("holds_0".to_owned(), "[]".to_owned())];
        let statement = |name: &str, attempt, sql: &str| {
            Statement::new(name.to_owned(), attempt, vec![sql.to_owned()], parameters()).token
        };
        let token = statement("a", 1, "select 1");
        assert_eq!(token.len(), 64);
        assert_eq!(token, statement("a", 1, "select 1"));
        for other in [
            statement("b", 1, "select 1"),
            statement("a", 2, "select 1"),
            statement("a", 1, "select 2"),
        ] {
            assert_ne!(token, other);
        }
        let moved = |name: &str, sql: &str| {
            Statement::new(name.into(), 1, vec![sql.into()], Vec::new()).token
        };
        assert_ne!(moved("ab", "c"), moved("a", "bc"), "parts are kept apart");
    }
}
