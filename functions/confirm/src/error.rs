use std::time::Duration;

/// Why a ledger entry could not be settled now. The next call of [`crate::Settler::settle`]
/// continues where this one stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source names the key.
    #[error(transparent)]
    Objects(#[from] store::Error),
    /// The source names the statement.
    #[error(transparent)]
    Submit(warehouse::Error),
    #[error("can't read status or result of {statement}")]
    Warehouse {
        statement: String,
        source: warehouse::Error,
    },
    #[error("no answer about {statement} from the warehouse within {} s", waited.as_secs_f32())]
    TimedOut { statement: String, waited: Duration },
    #[error("no bundle to settle {statement}: its holds expire at their deadlines")]
    NoBundle { statement: String },
    #[error("can't publish the final decisions of {statement}")]
    Stream {
        statement: String,
        source: store::Error,
    },
    #[error("the stream did not accept {refused} of {all} final decisions of {statement}")]
    Refused {
        statement: String,
        refused: usize,
        all: usize,
    },
    #[error("{key} is unreadable at line {line}, column {column}: expected JSON that we wrote")]
    Unreadable {
        key: String,
        line: usize,
        column: usize,
    },
    #[error("{key} is not a ledger entry of holds")]
    NotHolds { key: String },
}

impl Error {
    pub(crate) fn warehouse(statement: &str) -> impl FnOnce(warehouse::Error) -> Self {
        move |source| Self::Warehouse {
            statement: statement.to_owned(),
            source,
        }
    }

    pub(crate) fn unreadable(key: &str) -> impl FnOnce(serde_json::Error) -> Self {
        // serde's message may quote a value of the transaction, so it is not kept.
        move |error| Self::Unreadable {
            key: key.to_owned(),
            line: error.line(),
            column: error.column(),
        }
    }
}
