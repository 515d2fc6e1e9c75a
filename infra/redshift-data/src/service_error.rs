//! Errors in the words of the real service.

use serde_json::{Value, json};

use crate::statements::ActiveStatementsExceeded;

/// An error answer of the Data API.
pub(crate) struct ServiceError {
    /// Its type, such as `ValidationException`.
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    /// The id of the statement that does not exist.
    pub(crate) id: Option<String>,
}

impl ServiceError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: "ValidationException",
            message: message.into(),
            id: None,
        }
    }

    pub(crate) fn unknown(id: &str) -> Self {
        Self {
            kind: "ResourceNotFoundException",
            message: "Query does not exist.".to_owned(),
            id: Some(id.to_owned()),
        }
    }

    pub(crate) fn throttled() -> Self {
        Self {
            kind: "ThrottlingException",
            message: "Rate exceeded".to_owned(),
            id: None,
        }
    }

    /// The body of the HTTP answer. Some clients read `Message`, others `message`.
    pub(crate) fn body(&self) -> Value {
        let message = &self.message;
        let mut body = json!({ "__type": self.kind, "Message": message, "message": message });
        if let (Some(id), Some(fields)) = (&self.id, body.as_object_mut()) {
            fields.insert("ResourceId".to_owned(), json!(id));
        }
        body
    }
}

impl From<ActiveStatementsExceeded> for ServiceError {
    fn from(error: ActiveStatementsExceeded) -> Self {
        Self {
            kind: "ActiveStatementsExceededException",
            message: error.to_string(),
            id: None,
        }
    }
}
