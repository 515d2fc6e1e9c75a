use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The fields of every transaction.
pub(crate) const REQUIRED: [&str; 3] = ["transaction_id", "occurred_at", "amount"];

/// Names that the warehouse's tables and decisions use.
const TAKEN: [&str; 19] = [
    "action",
    "arrived_at",
    "bundle_version",
    "claim_id",
    "decided_at",
    "deadline",
    "decision_id",
    "degraded",
    "evidence",
    "held_ms",
    "identity_hash",
    "ordinal",
    "reasons",
    "score",
    "settled_by",
    "stage",
    "transaction",
    "turn",
    "label",
];

/// Redshift's reserved words (Amazon Redshift Database Developer Guide, "Reserved words").
/// PostgreSQL accepts some of them as column names.
const RESERVED: &str = "\
    aes128 aes256 all allowoverwrite analyse analyze and any array as asc authorization az64 backup between \
    binary blanksasnull both bytedict bzip2 case cast check collate column constraint create credentials \
    cross current_date current_time current_timestamp current_user current_user_id default deferrable \
    deflate defrag delta delta32k desc disable distinct do else emptyasnull enable encode encrypt encryption \
    end except explicit false for foreign freeze from full globaldict256 globaldict64k grant group gzip \
    having identity ignore ilike in initially inner intersect interval into is isnull join leading left like \
    limit localtime localtimestamp lun luns lzo lzop minus mostly16 mostly32 mostly8 natural new not notnull \
    null nulls off offline offset oid old on only open or order outer overlaps parallel partition percent \
    permissions pivot placing primary raw readratio recover references rejectlog resort respect restore \
    right select session_user similar snapshot some sysdate system table tag tdes text255 text32k then \
    timestamp to top trailing true truncatecolumns union unique unnest unpivot user using verbose wallet \
    when where with without";

/// The fields that a bundle declares beyond the required three.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The entities of a transaction, such as customer and terminal. Required strings. The first is
    /// the partition key. Without entities there are no windows, and the transaction id is the
    /// partition key.
    #[serde(default)]
    pub entities: Vec<String>,
    #[serde(default)]
    pub numbers: Vec<String>,
    /// Optional categories: strings.
    #[serde(default)]
    pub categories: Vec<String>,
}

/// Why a schema can't be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    #[error(
        "field `{0}` is no plain name: lower case letters, digits and _, at most 64, a letter first"
    )]
    NotPlain(String),
    #[error("field `{0}` is a reserved word of Redshift: rename it")]
    Reserved(String),
    #[error("field `{0}` is declared twice, or is a name that every transaction or decision has")]
    Taken(String),
}

impl Schema {
    /// Checks that every name is a valid JSON field and column name.
    pub fn check(&self) -> Result<(), SchemaError> {
        let mut seen: BTreeSet<&str> = REQUIRED.iter().chain(&TAKEN).copied().collect();
        for name in self.declared() {
            let plain = name.len() <= 64
                && name.starts_with(|c: char| c.is_ascii_lowercase())
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if !plain {
                return Err(SchemaError::NotPlain(name.to_owned()));
            }
            if RESERVED.split(' ').any(|word| word == name) {
                return Err(SchemaError::Reserved(name.to_owned()));
            }
            if !seen.insert(name) {
                return Err(SchemaError::Taken(name.to_owned()));
            }
        }
        Ok(())
    }

    /// Every declared name: entities, numbers, categories, in this order.
    pub fn declared(&self) -> impl Iterator<Item = &str> {
        self.entities
            .iter()
            .chain(&self.numbers)
            .chain(&self.categories)
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(entities: &[&str], numbers: &[&str]) -> Schema {
        let own = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect();
        Schema {
            entities: own(entities),
            numbers: own(numbers),
            categories: Vec::new(),
        }
    }

    #[test]
    fn names_that_cannot_be_columns_are_refused() {
        assert_eq!(schema(&["customer_id"], &["age"]).check(), Ok(()));
        assert_eq!(
            schema(&[], &["age"]).check(),
            Ok(()),
            "a plain table has no entity"
        );
        for bad in ["", "Customer", "1st", "a b", "a\"b", "é", &"x".repeat(65)] {
            assert_eq!(
                schema(&[bad], &[]).check(),
                Err(SchemaError::NotPlain(bad.to_owned()))
            );
        }
        for word in ["aes128", "open", "user", "without"] {
            assert_eq!(
                schema(&[word], &[]).check(),
                Err(SchemaError::Reserved(word.to_owned()))
            );
        }
        for taken in ["amount", "score", "customer_id"] {
            assert_eq!(
                schema(&["customer_id"], &[taken]).check(),
                Err(SchemaError::Taken(taken.to_owned()))
            );
        }
    }
}
