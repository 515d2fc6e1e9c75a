use std::error::Error as StdError;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// Why the bucket or the stream did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A call failed after all retries.
    #[error("{operation} failed for {name}{}", code.as_deref().map(|c| format!(": {c}")).unwrap_or_default())]
    Call {
        /// What was asked, as the service calls it.
        operation: &'static str,
        /// The key, prefix or stream.
        name: String,
        /// The service's error code, where it gave one.
        code: Option<String>,
        /// Whether the same call may succeed later.
        transient: bool,
        /// The client's own error.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Bytes that should be gzip are not.
    #[error("{0} is not gzip")]
    NotGzip(String, #[source] std::io::Error),
}

impl Error {
    /// Whether the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Call { transient, .. } => *transient,
            Self::NotGzip(..) => false,
        }
    }

    /// What the SDK says, kept with what it was about.
    pub(crate) fn call<E, R>(operation: &'static str, name: &str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let code = error.code().map(str::to_owned);
        let transient = match &error {
            SdkError::ServiceError(_) => !code.as_deref().is_some_and(is_permanent),
            SdkError::ConstructionFailure(_) => false,
            _ => true,
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

/// Codes of requests that will fail the same way again.
fn is_permanent(code: &str) -> bool {
    const PERMANENT: [&str; 9] = [
        "AccessDenied",
        "AccessDeniedException",
        "InvalidArgument",
        "InvalidArgumentException",
        "KeyTooLongError",
        "NoSuchBucket",
        "PreconditionFailed",
        "ResourceNotFoundException",
        "ValidationException",
    ];
    PERMANENT.contains(&code)
}
