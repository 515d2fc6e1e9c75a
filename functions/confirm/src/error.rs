use std::error::Error as StdError;

/// Why holds could not be settled. Every step may be repeated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source names the key.
    #[error(transparent)]
    Objects(#[from] store::Error),
    /// The source names the turn.
    #[error(transparent)]
    Turns(#[from] turns::Error),
    #[error("can't open bundle version {version}")]
    Bundle {
        version: String,
        source: Box<dyn StdError + Send + Sync>,
    },
    #[error("can't read the evidence of turn {turn}")]
    Rows {
        turn: String,
        source: warehouse::Error,
    },
    #[error("can't publish final decisions")]
    Stream(#[source] store::Error),
    /// The ledger objects of these holds stay, so that they are published again.
    #[error("the stream did not accept {refused} of {all} final decisions")]
    Refused { refused: usize, all: usize },
    #[error("can't encode {0} as JSON")]
    Encode(String),
    #[error("{0} is not a turn of an evidence lane")]
    NoEvidence(String),
}

impl Error {
    /// Whether the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Objects(error) | Self::Stream(error) => error.is_transient(),
            Self::Rows { source, .. } => source.is_transient(),
            Self::Turns(_) | Self::Bundle { .. } | Self::Refused { .. } => true,
            Self::Encode(_) | Self::NoEvidence(_) => false,
        }
    }

    /// serde's message may quote a value of the transaction, so it is not kept.
    pub(crate) fn encode(what: &str) -> impl FnOnce(serde_json::Error) -> Self {
        |_| Self::Encode(what.to_owned())
    }
}
