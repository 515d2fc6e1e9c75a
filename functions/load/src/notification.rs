//! S3 event notifications in the bodies of SQS messages.

use jiff::Timestamp;
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewObject {
    pub bucket: String,
    /// Decoded.
    pub key: String,
    /// Differs for each write of the object. A repeated notification has the same value.
    pub version: String,
    pub bytes: u64,
    /// When it was created, as the notification says. 1970 if it does not say.
    pub created_at: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the message has no body")]
    MissingBody,
    #[error("the message body is not an S3 notification")]
    NotANotification,
    #[error("an object key in the notification is not percent-encoded UTF-8")]
    Key,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Notification {
        #[serde(rename = "Records")]
        records: Vec<NotificationRecord>,
    },
    /// S3 sends this once, when notifications are configured.
    Test {
        #[serde(rename = "Event")]
        event: String,
    },
}

#[derive(Deserialize)]
struct NotificationRecord {
    #[serde(rename = "eventName")]
    name: String,
    #[serde(rename = "eventTime", default)]
    time: Option<Timestamp>,
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    #[serde(rename = "eTag", default)]
    etag: String,
    #[serde(default)]
    sequencer: String,
    #[serde(default)]
    size: u64,
}

/// The new objects in a message's body. Removals and S3's test message have none.
pub fn new_objects(body: Option<&str>) -> Result<Vec<NewObject>, Error> {
    let body: Body = serde_json::from_str(body.ok_or(Error::MissingBody)?)
        .map_err(|_| Error::NotANotification)?;
    let records = match body {
        Body::Notification { records } => records,
        Body::Test { event } => {
            tracing::info!(event, "message without objects");
            return Ok(Vec::new());
        }
    };
    records
        .into_iter()
        .filter(NotificationRecord::is_creation)
        .map(NewObject::read)
        .collect()
}

impl NotificationRecord {
    fn is_creation(&self) -> bool {
        // Notifications through EventBridge lack the `s3:`.
        let name = self.name.trim_start_matches("s3:");
        name.starts_with("ObjectCreated:")
    }
}

impl NewObject {
    fn read(record: NotificationRecord) -> Result<Self, Error> {
        let Entity { bucket, object } = record.s3;
        let key = decoded(&object.key).ok_or(Error::Key)?;
        Ok(Self {
            bucket: bucket.name,
            key,
            version: format!("{}-{}", object.sequencer, object.etag),
            bytes: object.size,
            created_at: record.time.unwrap_or(Timestamp::UNIX_EPOCH),
        })
    }
}

/// Decodes a key of a notification: `+` is a space, `%XX` is another byte.
fn decoded(key: &str) -> Option<String> {
    decision::keys::percent_decoded(&key.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_as_s3_encodes_them() {
        assert_eq!(
            decoded("dt%3D2026/a+b%2Bc%25.gz").as_deref(),
            Some("dt=2026/a b+c%.gz")
        );
        assert_eq!(decoded("%C3%A4").as_deref(), Some("ä"));
        for wrong in ["%", "%4", "%zz", "%+1", "%FF", "%-1"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_body_of_another_kind_is_refused() {
        assert!(matches!(new_objects(None), Err(Error::MissingBody)));
        for body in ["", "{", "[]", "{}", r#"{"Records":[{"s3":{}}]}"#] {
            assert!(
                matches!(new_objects(Some(body)), Err(Error::NotANotification)),
                "{body}"
            );
        }
    }
}
