use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_redshiftdata::error::{ProvideErrorMetadata, SdkError};

use crate::StatementId;

/// Why the warehouse did not do what it was asked to. A statement that fails is not an error of
/// these calls: its status says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A call failed after all retries.
    #[error("{operation} failed for {name}{}", code.as_deref().map(|c| format!(": {c}")).unwrap_or_default())]
    Call {
        /// What was asked, as the service calls it.
        operation: &'static str,
        /// The statement's name or id.
        name: String,
        /// The service's error code, where it gave one.
        code: Option<String>,
        /// Whether the same call may succeed later.
        transient: bool,
        /// The client's own error.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The warehouse does not know the statement (any more): it keeps them for a day.
    #[error("statement {0} is not known to the warehouse")]
    Unknown(StatementId),
    /// An answer without what an answer must have.
    #[error("answer about {name} lacks {what}")]
    Incomplete {
        /// The statement's name or id.
        name: String,
        /// What is missing.
        what: &'static str,
    },
    /// The statement was still running when we stopped waiting for it.
    #[error("statement {id} has not ended within {} s", waited.as_secs())]
    StillRunning {
        /// The statement.
        id: StatementId,
        /// For how long we waited.
        waited: Duration,
    },
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

    /// What the SDK says, kept with what it was about.
    pub(crate) fn call<E, R>(operation: &'static str, name: &str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let code = error.code().map(str::to_owned);
        let transient = match &error {
            SdkError::ServiceError(_) => !is_permanent(code.as_deref(), error.message()),
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

/// Whether a request that was refused like this would be refused again.
fn is_permanent(code: Option<&str>, message: Option<&str>) -> bool {
    match code {
        // Redshift Serverless wraps its throttling into one of these.
        Some("ValidationException") => !is_busy(code, message),
        Some(
            "ResourceNotFoundException" | "AccessDeniedException" | "UnrecognizedClientException",
        ) => true,
        _ => false,
    }
}

/// Whether the warehouse refused because there is too much to do just now.
pub(crate) fn is_busy(code: Option<&str>, message: Option<&str>) -> bool {
    match code {
        Some(
            "ThrottlingException"
            | "ActiveStatementsExceededException"
            | "ActiveSessionsExceededException"
            | "ActiveWaitingRequestsExceededException",
        ) => true,
        Some("ValidationException") => message
            .is_some_and(|m| m.contains("ThrottlingException") || m.contains("Too Many Requests")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_is_known_in_every_disguise() {
        assert!(is_busy(Some("ActiveStatementsExceededException"), None));
        let wrapped =
            Some("Received error from Redshift Serverless: ThrottlingException: Rate exceeded");
        assert!(is_busy(Some("ValidationException"), wrapped));
        assert!(!is_permanent(Some("ValidationException"), wrapped));
        assert!(!is_busy(
            Some("ValidationException"),
            Some("Database name is required")
        ));
        assert!(is_permanent(
            Some("ValidationException"),
            Some("Database name is required")
        ));
        assert!(!is_permanent(Some("InternalServerException"), None));
    }
}
