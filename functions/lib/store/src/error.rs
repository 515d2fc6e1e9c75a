use std::error::Error as StdError;
use std::fmt;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use retry::{Transient, lacks_credentials, refuses_caller};

/// Why a call of S3 or Kinesis failed, after all retries. The text names the operation and the key
/// once: callers need not repeat them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{operation} failed for {name}{}", Code(code))]
    Call {
        /// As the service calls it: `PutObject`.
        operation: &'static str,
        /// The key, prefix or stream.
        name: String,
        /// The service's error code, if it gave one.
        code: Option<String>,
        transient: bool,
        source: Box<dyn StdError + Send + Sync>,
    },
    #[error("{0} is not gzip")]
    NotGzip(String, #[source] std::io::Error),
}

struct Code<'e>(&'e Option<String>);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |code| write!(f, ": {code}"))
    }
}

impl Error {
    /// Whether the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Call { transient, .. } => *transient,
            Self::NotGzip(..) => false,
        }
    }

    pub(crate) fn call<E, R>(operation: &'static str, name: &str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        let code = error.code().map(str::to_owned);
        let transient = match &error {
            SdkError::ServiceError(_) => !code.as_deref().is_some_and(is_permanent),
            SdkError::ConstructionFailure(_) => false,
            error => !lacks_credentials(error),
        };
        Self::Call {
            operation,
            name: name.to_owned(),
            code,
            transient,
            source: Box::new(error),
        }
    }
}

impl Transient for Error {
    fn is_transient(&self) -> bool {
        Self::is_transient(self)
    }
}

/// Whether the same request would fail the same way again.
pub(crate) fn is_permanent(code: &str) -> bool {
    const WRONG_REQUESTS: [&str; 7] = [
        "InvalidArgument",
        "InvalidArgumentException",
        "KeyTooLongError",
        "NoSuchBucket",
        "PreconditionFailed",
        "ResourceNotFoundException",
        "ValidationException",
    ];
    refuses_caller(code) || WRONG_REQUESTS.contains(&code)
}
