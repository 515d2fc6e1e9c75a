use decision::keys::FORMAT;
use serde::{Deserialize, Serialize};
use store::{Objects, PutNew};

/// The layout that this version reads and writes.
const VERSION: u32 = 1;

/// `format.json`.
#[derive(Serialize, Deserialize)]
struct Format {
    version: u32,
}

/// Why the bucket's layout can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The source names the key.
    #[error(transparent)]
    Objects(#[from] store::Error),
    #[error(
        "{FORMAT} says that the bucket has layout {found}, but this version reads layout \
         {VERSION}: deploy the version of Second Look that wrote it, or use a new bucket"
    )]
    Other { found: u32 },
    #[error("{FORMAT} is unreadable: expected {{\"version\":{VERSION}}}")]
    Unreadable(#[source] serde_json::Error),
}

/// Refuses a bucket with another layout. A bucket without one gets this version's.
pub async fn check_format(objects: &impl Objects) -> Result<(), FormatError> {
    let ours = serde_json::to_vec(&Format { version: VERSION });
    let ours = ours.map_err(FormatError::Unreadable)?;
    let PutNew::Exists(bytes) = objects.put_new(FORMAT, ours).await? else {
        return Ok(());
    };
    let found: Format = serde_json::from_slice(&bytes).map_err(FormatError::Unreadable)?;
    if found.version == VERSION {
        return Ok(());
    }
    Err(FormatError::Other {
        found: found.version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bucket_with_another_layout_is_refused() {
        let objects = harness::memory::Objects::new();
        check_format(&objects).await.unwrap();
        check_format(&objects).await.unwrap();
        assert!(objects.bytes(FORMAT).is_some());
        objects.set(FORMAT, r#"{ "version": 1 }"#);
        check_format(&objects).await.unwrap();
        objects.set(FORMAT, r#"{"version":2}"#);
        let error = check_format(&objects).await.unwrap_err();
        assert!(error.to_string().contains("layout 2"), "{error}");
        objects.set(FORMAT, "");
        assert!(matches!(
            check_format(&objects).await,
            Err(FormatError::Unreadable(_))
        ));
    }
}
