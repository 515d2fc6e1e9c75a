use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use aws_sdk_redshiftdata::error::{ProvideErrorMetadata, SdkError};
use retry::{Transient, lacks_credentials, refuses_caller};

use crate::StatementId;

/// Why a call of the Data API failed, after all retries. The text names the operation and the
/// statement once: callers need not repeat them. A statement that fails is not an error of these
/// calls: its status says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{operation} failed for {name}{}", Code(code))]
    Call {
        /// As the service calls it: `ExecuteStatement`.
        operation: &'static str,
        /// The statement's name or id.
        name: String,
        /// The service's error code, if it gave one.
        code: Option<String>,
        transient: bool,
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The warehouse keeps a statement for a day.
    #[error("statement {0} is unknown to the warehouse")]
    Unknown(StatementId),
    #[error("the answer about statement {name} lacks {what}")]
    Incomplete {
        /// The statement's name or id.
        name: String,
        what: &'static str,
    },
    #[error("statement {id} still runs after {} s", waited.as_secs())]
    StillRunning { id: StatementId, waited: Duration },
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
            Self::StillRunning { .. } => true,
            Self::Unknown(_) | Self::Incomplete { .. } => false,
        }
    }

    pub(crate) fn call<E, R>(operation: &'static str, name: &str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        let code = error.code().map(str::to_owned);
        let transient = match &error {
            SdkError::ServiceError(_) => !is_permanent(code.as_deref(), error.message()),
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

/// Whether the same request would be refused again.
fn is_permanent(code: Option<&str>, message: Option<&str>) -> bool {
    match code {
        // Redshift Serverless wraps its throttling into one of these.
        Some("ValidationException") => !message.is_some_and(is_throttling),
        Some("ResourceNotFoundException") => true,
        Some(code) => refuses_caller(code),
        None => false,
    }
}

fn is_throttling(message: &str) -> bool {
    message.contains("ThrottlingException") || message.contains("Too Many Requests")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_is_transient_in_every_form() {
        const VALIDATION: Option<&str> = Some("ValidationException");
        let wrapped = "Received error from Redshift Serverless: ThrottlingException: Rate exceeded";
        assert!(!is_permanent(VALIDATION, Some(wrapped)));
        assert!(is_permanent(VALIDATION, Some("Database name is required")));
        assert!(is_permanent(VALIDATION, None));
        for code in [
            "ThrottlingException",
            "ActiveStatementsExceededException",
            "ActiveSessionsExceededException",
            "ActiveWaitingRequestsExceededException",
            "InternalServerException",
        ] {
            assert!(!is_permanent(Some(code), None), "{code}");
        }
    }
}
