/// Why a batch is not finished.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source names the key.
    #[error(transparent)]
    Objects(#[from] store::Error),
    #[error("the bundle that judges the batch can't be opened")]
    Bundle(#[from] startup::BundleError),
    #[error("can't encode {key}")]
    Encode {
        key: String,
        source: serde_json::Error,
    },
    #[error("can't publish {decisions} records of decisions")]
    Publish {
        decisions: usize,
        source: store::Error,
    },
    #[error("the stream did not accept {refused} of {decisions} records of decisions")]
    Refused { refused: usize, decisions: usize },
    #[error("the function's time was nearly over {0}")]
    OutOfTime(&'static str),
    /// Neither the batch's objects nor a response can name it.
    #[error("no record of the batch has a sequence number, so all of it must be retried")]
    NoName,
    /// The lowest unfinished record can't be reported, so the whole batch must fail.
    #[error("the batch failed at a record without a sequence number, so all of it must be retried")]
    NoSequenceNumber(#[source] Box<Error>),
}
