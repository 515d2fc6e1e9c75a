/// Why a batch is not finished.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source names the key.
    #[error(transparent)]
    Objects(#[from] store::Error),
    #[error("can't encode {key}")]
    Encode {
        key: String,
        source: serde_json::Error,
    },
    #[error("can't publish {decisions} decisions")]
    Publish {
        decisions: usize,
        source: store::Error,
    },
    #[error("the stream did not accept {refused} of {decisions} decisions")]
    Refused { refused: usize, decisions: usize },
    /// The lowest unfinished record can't be reported, so the whole batch must fail.
    #[error("the batch failed at a record without a sequence number, so all of it must be retried")]
    NoSequenceNumber(#[source] Box<Error>),
}
