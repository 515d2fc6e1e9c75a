//! S3 event notifications, as they come in the bodies of SQS messages.

use serde::Deserialize;

/// A new object, as the notification tells of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewObject {
    /// The bucket.
    pub bucket: String,
    /// The object's key, decoded.
    pub key: String,
    /// What tells this version of the object from the one before. Repeated when the same
    /// notification comes twice.
    pub version: String,
}

/// Why a message can't be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The message has no body.
    #[error("the message has no body")]
    NoBody,
    /// The body is no S3 notification.
    #[error("the message body is no S3 notification")]
    NotANotification,
    /// A key is not what percent encoding can be decoded to.
    #[error("an object key in the notification is not percent-encoded UTF-8")]
    Key,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Notification {
        #[serde(rename = "Records")]
        records: Vec<Record>,
    },
    /// What S3 sends once, when notifications are switched on.
    Test {
        #[serde(rename = "Event")]
        event: String,
    },
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    name: String,
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
}

/// The objects that a message's body tells of. Removals, and S3's own test message, tell of none.
pub fn new_objects(body: Option<&str>) -> Result<Vec<NewObject>, Error> {
    let body: Body =
        serde_json::from_str(body.ok_or(Error::NoBody)?).map_err(|_| Error::NotANotification)?;
    let records = match body {
        Body::Notification { records } => records,
        Body::Test { event } => {
            tracing::info!(event, "no notification of objects");
            return Ok(Vec::new());
        }
    };
    // EventBridge and S3 differ in whether the name begins with `s3:`.
    let created = |record: &Record| {
        record
            .name
            .trim_start_matches("s3:")
            .starts_with("ObjectCreated:")
    };
    records
        .into_iter()
        .filter(created)
        .map(NewObject::read)
        .collect()
}

impl NewObject {
    fn read(record: Record) -> Result<Self, Error> {
        let Entity { bucket, object } = record.s3;
        let key = decoded(&object.key).ok_or(Error::Key)?;
        Ok(Self {
            bucket: bucket.name,
            key,
            version: format!("{}-{}", object.sequencer, object.etag),
        })
    }
}

/// A key as S3 writes it in notifications, `+` for a space and `%XX` for other bytes, decoded.
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
    fn a_body_that_is_no_notification_is_refused() {
        assert!(matches!(new_objects(None), Err(Error::NoBody)));
        for body in ["", "{", "[]", "{}", r#"{"Records":[{"s3":{}}]}"#] {
            assert!(
                matches!(new_objects(Some(body)), Err(Error::NotANotification)),
                "{body}"
            );
        }
    }
}
