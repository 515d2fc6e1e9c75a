use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The producer's id of a transaction: 1 to 64 printable characters, opaque to us.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransactionId(String);

impl TransactionId {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<String> for TransactionId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl From<&str> for TransactionId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

/// Maps with this key can be searched by a borrowed id.
impl Borrow<str> for TransactionId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for TransactionId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for TransactionId {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// A Kinesis record's place in its shard: a decimal number too long for an integer type. Empty if
/// the record came without one. `SequenceNumber<&str>` borrows from the event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SequenceNumber<S = String>(S);

impl<S: AsRef<str>> SequenceNumber<S> {
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    pub fn to_owned(&self) -> SequenceNumber {
        SequenceNumber(self.as_str().to_owned())
    }
}

impl<'n> SequenceNumber<&'n str> {
    pub const fn into_inner(self) -> &'n str {
        self.0
    }
}

impl<S: AsRef<str>> fmt::Display for SequenceNumber<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<S> From<S> for SequenceNumber<S> {
    fn from(number: S) -> Self {
        Self(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_strings_in_json() {
        let id: TransactionId = serde_json::from_str("\"t-1\"").unwrap();
        assert_eq!(id, "t-1");
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"t-1\"");
        let number: SequenceNumber = serde_json::from_str("\"495\"").unwrap();
        assert_eq!(number, SequenceNumber::from("495").to_owned());
        assert_eq!(serde_json::to_string(&number).unwrap(), "\"495\"");
    }
}
