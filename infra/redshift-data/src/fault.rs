//! Errors as the service's clients expect them.

use crate::statements::Refused;

/// The kind and the message of an error answer.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    /// The id of the statement that was asked for.
    pub(crate) id: Option<String>,
}

impl Fault {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: "ValidationException",
            message: message.into(),
            id: None,
        }
    }

    pub(crate) fn unknown(id: &str) -> Self {
        let message = "Query does not exist.".to_owned();
        Self {
            kind: "ResourceNotFoundException",
            message,
            id: Some(id.to_owned()),
        }
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        let kind = match refused {
            Refused::Active(_) => "ActiveStatementsExceededException",
            Refused::Throttled => "ThrottlingException",
        };
        Self {
            kind,
            message: refused.to_string(),
            id: None,
        }
    }
}
