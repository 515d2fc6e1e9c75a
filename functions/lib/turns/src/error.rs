use std::error::Error as StdError;

/// Why a step of a turn failed. Every step may be taken again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{turn}: the bucket failed")]
    Store { turn: String, source: store::Error },
    #[error("{turn}: the warehouse failed")]
    Warehouse {
        turn: String,
        source: warehouse::Error,
    },
    /// The parser's own message quotes the object's text, so it is not kept.
    #[error(
        "{key}: unreadable at line {line}, column {column}: not an object that this version writes"
    )]
    Unreadable {
        key: String,
        line: usize,
        column: usize,
    },
    #[error("{key} is missing, but its turn refers to it")]
    Missing { key: String },
    /// The lane's own work failed.
    #[error("{turn}: the lane's own work failed")]
    Work {
        turn: String,
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    pub(crate) fn store(turn: impl std::fmt::Display) -> impl FnOnce(store::Error) -> Self {
        let turn = turn.to_string();
        |source| Self::Store { turn, source }
    }

    pub(crate) fn warehouse(turn: impl std::fmt::Display) -> impl FnOnce(warehouse::Error) -> Self {
        let turn = turn.to_string();
        |source| Self::Warehouse { turn, source }
    }

    pub(crate) fn work(
        turn: impl std::fmt::Display,
    ) -> impl FnOnce(Box<dyn StdError + Send + Sync>) -> Self {
        let turn = turn.to_string();
        |source| Self::Work { turn, source }
    }

    pub(crate) fn unreadable(key: &str) -> impl FnOnce(serde_json::Error) -> Self {
        let key = key.to_owned();
        |error| Self::Unreadable {
            key,
            line: error.line(),
            column: error.column(),
        }
    }
}
