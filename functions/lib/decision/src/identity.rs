use std::fmt;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// Tells transactions apart by their content: the first 128 bits of the SHA-256 over id, timestamp,
/// amount and entities. As text, 32 hexadecimal digits.
///
/// A transaction that is sent again with the same content has the same identity. A transaction that
/// reuses an id with other content has another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity([u8; 16]);

impl Identity {
    /// `entities` are the values in the schema's order. The timestamp counts to the microsecond.
    pub fn new<'e>(
        transaction_id: &str,
        occurred_at: Timestamp,
        amount: f64,
        entities: impl IntoIterator<Item = &'e str>,
    ) -> Self {
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            // The length keeps the parts apart.
            hash.update((part.len() as u32).to_be_bytes());
            hash.update(part);
        };
        add(transaction_id.as_bytes());
        add(&occurred_at.as_microsecond().to_be_bytes());
        add(&amount.to_bits().to_be_bytes());
        entities
            .into_iter()
            .for_each(|entity| add(entity.as_bytes()));
        let digest: [u8; 32] = hash.finalize().into();
        let mut bytes = [0; 16];
        bytes
            .iter_mut()
            .zip(digest)
            .for_each(|(byte, first)| *byte = first);
        Self(bytes)
    }

    /// Reads 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        let identity = Self(bytes);
        (identity.digits() == text.as_bytes()).then_some(identity)
    }

    fn digits(self) -> [u8; 32] {
        let mut digits = [0; 32];
        // INVARIANT: 16 bytes are 32 digits, so there is room.
        let _ = hex::encode_to_slice(self.0, &mut digits);
        digits
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl Serialize for Identity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Identity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not 32 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(id: &str, second: i64, amount: f64, entities: &[&str]) -> Identity {
        let occurred_at = Timestamp::from_second(second).unwrap();
        Identity::new(id, occurred_at, amount, entities.iter().copied())
    }

    #[test]
    fn the_same_content_has_the_same_identity_and_other_content_has_another() {
        let first = identity("a", 1, 2.0, &["c", "t"]);
        assert_eq!(first, identity("a", 1, 2.0, &["c", "t"]));
        for other in [
            identity("b", 1, 2.0, &["c", "t"]),
            identity("a", 2, 2.0, &["c", "t"]),
            identity("a", 1, 2.5, &["c", "t"]),
            identity("a", 1, 2.0, &["c", "u"]),
            identity("a", 1, 2.0, &["ct", ""]),
            identity("a", 1, 2.0, &["c"]),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn an_identity_reads_back_from_its_text() {
        let identity = identity("a", 1, 2.0, &[]);
        let text = identity.to_string();
        assert_eq!(text.len(), 32);
        assert_eq!(Identity::parse(&text), Some(identity));
        let json = serde_json::to_string(&identity).unwrap();
        assert_eq!(serde_json::from_str::<Identity>(&json).unwrap(), identity);
        for other in ["", "0", &text.to_uppercase(), &format!("{text}0")] {
            assert_eq!(Identity::parse(other), None, "{other}");
        }
    }
}
