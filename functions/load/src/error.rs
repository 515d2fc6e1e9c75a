/// Why a step of a load failed. Each step may be repeated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source names the key.
    #[error(transparent)]
    Objects(#[from] store::Error),
    /// The source names the statement.
    #[error(transparent)]
    Submit(warehouse::Error),
    #[error("can't read the status of {statement}")]
    Status {
        statement: String,
        source: warehouse::Error,
    },
    #[error("{key} is unreadable at line {line}, column {column}: expected JSON that we wrote")]
    Unreadable {
        key: String,
        line: usize,
        column: usize,
    },
    #[error("{key} is not a ledger entry of a load")]
    NotALoad { key: String },
}

impl Error {
    pub(crate) fn unreadable(key: &str) -> impl FnOnce(serde_json::Error) -> Self {
        // serde's message may quote a value of the object, so it is not kept.
        move |error| Self::Unreadable {
            key: key.to_owned(),
            line: error.line(),
            column: error.column(),
        }
    }
}
