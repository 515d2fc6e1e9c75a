//! The owner of a stack on a `LocalStack` that another program started.
//!
//! Before a deployment, its record goes to `deployed.json` in the state folder and to the object
//! `owner` of the stack's artifacts bucket. The bucket is made first and deleted last. If the
//! two records differ, the stack belongs to another system and is never replaced or deleted.

use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::artifacts;
use super::aws::Aws;
use super::error::Error;
use crate::options::REGION;

/// The record in the artifacts bucket.
const OWNER: &str = "owner";

/// One deployment by one state folder.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Deployed {
    endpoint: String,
    stack: String,
    /// Differs for each deployment.
    id: String,
}

/// A stack, or the rest of one, at an endpoint.
pub(super) struct StackParts {
    pub(super) has_stack: bool,
    /// The stack's buckets. The artifacts bucket is the last.
    pub(super) buckets: Vec<String>,
}

impl StackParts {
    pub(super) fn find(aws: &Aws<'_>, stack: &str) -> Result<Self, Error> {
        let query = ["s3api", "list-buckets", "--query", "Buckets[].Name"];
        let artifacts = artifacts(stack);
        let mut buckets: Vec<String> = aws.answer(&query)?;
        buckets.retain(|bucket| *bucket == artifacts || is_data_bucket(bucket, stack));
        buckets.sort_by_key(|bucket| *bucket == artifacts);
        Ok(Self {
            has_stack: aws.stack_status(stack)?.is_some(),
            buckets,
        })
    }

    pub(super) fn is_absent(&self) -> bool {
        !self.has_stack && self.buckets.is_empty()
    }
}

/// Whether the template gives a bucket of this stack this name: `<stack>-<account>-<region>`.
fn is_data_bucket(bucket: &str, stack: &str) -> bool {
    let rest = bucket.strip_prefix(stack);
    let rest = rest.and_then(|rest| rest.strip_prefix('-'));
    let account = rest.and_then(|rest| rest.strip_suffix(REGION)?.strip_suffix('-'));
    account.is_some_and(|account| {
        account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Finds the stack. Fails if it exists and this state folder did not deploy it.
pub(super) fn check(aws: &Aws<'_>, endpoint: &str, stack: &str) -> Result<StackParts, Error> {
    let parts = StackParts::find(aws, stack)?;
    if parts.is_absent() || is_ours(aws, endpoint, stack)? {
        return Ok(parts);
    }
    Err(Error::NotOurs {
        stack: stack.to_owned(),
        endpoint: endpoint.to_owned(),
        state: aws.state.to_path_buf(),
    })
}

fn is_ours(aws: &Aws<'_>, endpoint: &str, stack: &str) -> Result<bool, Error> {
    let path = path(aws.state);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(Error::File { path, source }),
    };
    let Ok(deployed) = serde_json::from_slice::<Deployed>(&text) else {
        return Ok(false);
    };
    if deployed.endpoint != endpoint || deployed.stack != stack {
        return Ok(false);
    }
    let url = format!("s3://{}/{OWNER}", artifacts(stack));
    // The AWS CLI fails alike for a missing object and for one that it can't read.
    let owner = aws.run(&["s3", "cp", &url, "-"]).unwrap_or_default();
    Ok(serde_json::from_slice(&owner).is_ok_and(|owner: Deployed| owner == deployed))
}

/// Records that this state folder deploys the stack, which does not exist yet.
pub(super) fn record(aws: &Aws<'_>, endpoint: &str, stack: &str) -> Result<(), Error> {
    let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanoseconds = nanoseconds.unwrap_or_default().as_nanos();
    let deployed = Deployed {
        endpoint: endpoint.to_owned(),
        stack: stack.to_owned(),
        id: format!("{nanoseconds}-{}", process::id()),
    };
    let path = path(aws.state);
    let file = path.to_string_lossy().into_owned();
    serde_json::to_vec(&deployed)
        .map_err(io::Error::from)
        .and_then(|text| std::fs::write(&path, text))
        .map_err(|source| Error::File { path, source })?;
    let bucket = artifacts(stack);
    aws.run(&["s3api", "create-bucket", "--bucket", &bucket])?;
    aws.run(&["s3", "cp", &file, &format!("s3://{bucket}/{OWNER}")])?;
    Ok(())
}

/// Removes the record of a stack that was deleted.
pub(super) fn forget(state: &Path) -> Result<(), Error> {
    let path = path(state);
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::File { path, source })
        }
        _ => Ok(()),
    }
}

fn path(state: &Path) -> PathBuf {
    state.join("deployed.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_buckets_of_the_template_belong_to_a_stack() {
        let of = |bucket| is_data_bucket(bucket, "second-look");
        assert!(of("second-look-000000000000-us-east-1"));
        for other in [
            "second-look",
            "second-look-backup-us-east-1",
            "second-look-two-000000000000-us-east-1",
            "second-look-000000000000-eu-west-1",
        ] {
            assert!(!of(other), "{other}");
        }
    }
}
