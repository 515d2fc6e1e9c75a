//! How often each caller called, as CloudTrail has it in an AWS account.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The numbers of calls by access key, since the start of the stand-in.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<BTreeMap<String, u64>>);

impl Calls {
    /// Counts a call with this header `authorization`.
    pub(crate) fn count(&self, authorization: &str) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = access_key(authorization).unwrap_or_default();
        *calls.entry(key.to_owned()).or_default() += 1;
    }

    pub(crate) fn by_access_key(&self) -> BTreeMap<String, u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The access key of a signature of version 4: `AWS4-HMAC-SHA256 Credential=<key>/<date>/…`.
fn access_key(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_the_access_key_of_their_signature() {
        let calls = Calls::default();
        let signed = "AWS4-HMAC-SHA256 Credential=ASIA1/20261128/us-east-1/redshift-data/aws4_request, \
                      SignedHeaders=host, Signature=0";
        for authorization in [signed, "", signed, "Bearer x"] {
            calls.count(authorization);
        }
        let expected = [("", 2), ("ASIA1", 2)].map(|(key, count)| (key.to_owned(), count));
        assert_eq!(calls.by_access_key(), expected.into());
    }
}
