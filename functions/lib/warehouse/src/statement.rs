use std::fmt;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::{Error, Row};

/// What the warehouse calls a statement that it has taken.
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

/// One statement for the warehouse: one or more SQLs that run in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is called in events and in the ledger.
    pub name: String,
    /// The SQLs, 1 to 40, in order.
    pub sqls: Vec<String>,
    /// Values by the names that stand in the SQLs as `:name`. Never empty texts: the warehouse
    /// refuses them.
    pub parameters: Vec<(String, String)>,
    /// The warehouse runs a statement with the same token once, however often it is submitted.
    pub token: String,
}

impl Statement {
    /// A statement whose token is derived from all of it and the attempt: a function that is invoked
    /// again can't run it twice, and a next attempt is another statement.
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

/// How far a statement has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    Running,
    /// Its rows can be read.
    Finished,
    /// It ended with an error.
    Failed {
        /// What the warehouse says was wrong. May quote values: for the operator's eyes, not for logs.
        error: String,
    },
    Aborted,
}

/// A warehouse that runs statements by itself and tells later.
pub trait Warehouse: Send + Sync {
    /// Hands the statement over and returns its id without waiting for its end. Waits and tries
    /// again where the warehouse is too busy to take it.
    fn submit(
        &self,
        statement: &Statement,
    ) -> impl Future<Output = Result<StatementId, Error>> + Send;
    /// How far it has come. [`Error::Unknown`] where the warehouse does not know it.
    fn status(&self, id: &StatementId) -> impl Future<Output = Result<Status, Error>> + Send;
    /// All rows of a finished statement of `sqls` SQLs, in order. Of several, those without a
    /// result have none; asked of a single one without a result, the warehouse refuses.
    fn rows(
        &self,
        id: &StatementId,
        sqls: usize,
    ) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;
    /// Waits until it has ended, or [`Error::StillRunning`] after `at_most`.
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
    fn a_token_is_repeated_by_the_same_attempt_and_changed_by_anything_else() {
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
