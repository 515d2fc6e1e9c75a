use std::error::Error as StdError;

/// Why a step of a load failed. Each step may be repeated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source names the turn.
    #[error(transparent)]
    Turns(#[from] turns::Error),
    /// The source names the key.
    #[error(transparent)]
    Objects(#[from] store::Error),
    #[error("the rows that turn {turn} refused are not readable")]
    Refused {
        turn: String,
        source: warehouse::Error,
    },
    #[error("the definition of bundle version {version} is not readable")]
    Definition {
        version: String,
        source: Box<dyn StdError + Send + Sync>,
    },
    #[error("lane {0} has no statement that loads")]
    NoLoad(String),
    #[error("can't encode a refused row of {key}")]
    Encode {
        key: String,
        source: serde_json::Error,
    },
}
