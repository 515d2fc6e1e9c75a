use std::cmp::Ordering;
use std::fmt::Write as _;

use jiff::Timestamp;

use decision::keys::{minute, parse_minute};

use super::parts::{KeyParts, key_time, parse_key_time};
use crate::HourRanges;

/// A batch of the stream. Its key says all that a claim needs, so that a claim reads no batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchEntry {
    /// When Kinesis accepted the batch's first record, to the millisecond.
    pub arrived_at: Timestamp,
    /// Digits or letters.
    pub shard: String,
    /// The first record's sequence number: digits.
    pub first: String,
    /// The last record's sequence number: digits.
    pub last: String,
    /// The size of the batch's object.
    pub bytes: u64,
    /// The holds of the batch by the bundle version that placed them, in the ledger's order.
    pub held: Vec<VersionHolds>,
    /// The minute of the batch's ledger object; only for a batch with holds.
    pub due: Option<Timestamp>,
    /// The hours that the batch's rows span.
    pub hours: HourRanges,
}

/// How many holds one bundle version placed in a batch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionHolds {
    /// Letters and digits.
    pub version: String,
    pub holds: u32,
}

impl BatchEntry {
    pub fn holds(&self) -> u64 {
        self.held.iter().map(|held| u64::from(held.holds)).sum()
    }

    /// How the batch is called in all its objects: `<shard>-<first>-<last>`.
    pub fn batch_name(&self) -> String {
        format!("{}-{}-{}", self.shard, self.first, self.last)
    }

    pub(super) fn name(&self) -> String {
        let mut held = String::new();
        for (place, VersionHolds { version, holds }) in self.held.iter().enumerate() {
            let separator = if place > 0 { "_" } else { "" };
            // INVARIANT: writing into a String cannot fail.
            let _ = write!(held, "{separator}{version}.{holds}");
        }
        format!(
            "{}-{}-b{}-v{held}-d{}-h{}",
            key_time(self.arrived_at),
            self.batch_name(),
            self.bytes,
            self.due.map(minute).unwrap_or_default(),
            self.hours,
        )
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut parts = KeyParts::new(name);
        let entry = Self {
            arrived_at: parse_key_time(parts.next()?)?,
            shard: parts.next()?.to_owned(),
            first: parts.next()?.to_owned(),
            last: parts.next()?.to_owned(),
            bytes: parts.tagged("b")?.parse().ok()?,
            held: parse_held(parts.tagged("v")?)?,
            due: match parts.tagged("d")? {
                "" => None,
                minute => Some(parse_minute(minute)?),
            },
            hours: HourRanges::parse(parts.tagged("h")?)?,
        };
        (entry.due.is_some() == (entry.holds() > 0)).then_some(entry)
    }

    /// By first, then by last sequence number. Sequence numbers are numbers of many digits.
    pub(crate) fn sequence_order(&self, other: &Self) -> Ordering {
        by_number(&self.first, &other.first).then_with(|| by_number(&self.last, &other.last))
    }
}

fn by_number(one: &str, two: &str) -> Ordering {
    one.len().cmp(&two.len()).then_with(|| one.cmp(two))
}

fn parse_held(text: &str) -> Option<Vec<VersionHolds>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let version_holds = |text: &str| {
        let (version, holds) = text.split_once('.')?;
        Some(VersionHolds {
            version: version.to_owned(),
            holds: holds.parse().ok().filter(|holds| *holds > 0)?,
        })
    };
    text.split('_').map(version_holds).collect()
}
