//! Waiting entries: objects with a key that says that a batch, a file or a range of holds waits for
//! a statement of its lane.
//!
//! | key | content |
//! |---|---|
//! | `waiting/transactions/live/<arrival>-<shard>-<first>-<last>-b<bytes>-v<versions>-d<due minute>-h<hours>.held` (or `.plain`) | none |
//! | `waiting/transactions/history/<arrival>-<id>-b<bytes>-h<hours>.held` | the key of the file |
//! | `waiting/evidence-<i>/<turn>-<from>-<to>.held` | none |
//! | `waiting/labels/<arrival>-<id>-b<bytes>-h<hours>.held` | the key of the file |
//! | `waiting/outcomes/<decided at>-<name>-b<bytes>.plain` | none |
//!
//! The part `-h<hours>` of a file is absent if its hours are not known.
//!
//! Keys are canonical: [`WaitingEntry::parse`] accepts what [`WaitingEntry::key`] writes, and
//! nothing else.

mod batch;
mod parts;

use jiff::Timestamp;

pub use batch::{BatchEntry, VersionHolds};
use parts::{KeyParts, key_time, parse_key_time};

use crate::{HourRanges, Lane, TurnNumber};

/// Where all waiting entries lie.
const WAITING: &str = "waiting/";

/// One waiting entry, as its key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitingEntry {
    Batch(BatchEntry),
    History(FileEntry),
    Evidence(EvidenceEntry),
    Labels(FileEntry),
    Outcomes(SliceEntry),
}

/// A file that waits to be loaded. The entry's content is the file's key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileEntry {
    /// When the file was created, to the millisecond.
    pub arrived_at: Timestamp,
    /// Tells files of one arrival apart: a hash of the file's key and version, in hexadecimal.
    pub id: String,
    pub bytes: u64,
    /// The hours of the transactions that the file contains or reports; empty if not known.
    pub hours: HourRanges,
}

/// A range of the holds that turn `turn` of [`Lane::Transactions`] loaded, of one bundle version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EvidenceEntry {
    pub lane: u16,
    pub turn: TurnNumber,
    /// The first ordinal of the range.
    pub from: u32,
    /// The ordinal after the last.
    pub to: u32,
}

/// A slice of final decisions, at `outcomes/dt=<date>/<name>.ndjson.gz`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SliceEntry {
    /// When the earliest of them was decided, to the millisecond.
    pub decided_at: Timestamp,
    /// Letters, digits, `_` and `.`.
    pub name: String,
    pub bytes: u64,
}

impl WaitingEntry {
    /// Where the entries of a lane lie. The entries of history lie apart from the live ones.
    pub fn prefix(lane: Lane) -> String {
        format!("{WAITING}{lane}/")
    }

    /// The prefixes to list for a lane's entries: live ones and history apart.
    pub(crate) fn prefixes(lane: Lane) -> Vec<String> {
        let prefix = Self::prefix(lane);
        match lane {
            Lane::Transactions => vec![format!("{prefix}live/"), format!("{prefix}history/")],
            Lane::Evidence(_) | Lane::Labels | Lane::Outcomes => vec![prefix],
        }
    }

    pub const fn lane(&self) -> Lane {
        match self {
            Self::Batch(_) | Self::History(_) => Lane::Transactions,
            Self::Evidence(entry) => Lane::Evidence(entry.lane),
            Self::Labels(_) => Lane::Labels,
            Self::Outcomes(_) => Lane::Outcomes,
        }
    }

    /// Whether the entry starts a turn at once, not only when it has waited for a while.
    pub fn is_held(&self) -> bool {
        match self {
            Self::Batch(entry) => entry.holds() > 0,
            Self::History(_) | Self::Evidence(_) | Self::Labels(_) => true,
            Self::Outcomes(_) => false,
        }
    }

    /// The size of the object to load; 0 for evidence.
    pub const fn bytes(&self) -> u64 {
        match self {
            Self::Batch(entry) => entry.bytes,
            Self::History(entry) | Self::Labels(entry) => entry.bytes,
            Self::Evidence(_) => 0,
            Self::Outcomes(entry) => entry.bytes,
        }
    }

    /// How many holds the entry brings.
    pub fn holds(&self) -> u64 {
        match self {
            Self::Batch(entry) => entry.holds(),
            Self::Evidence(entry) => u64::from(entry.to.saturating_sub(entry.from)),
            Self::History(_) | Self::Labels(_) | Self::Outcomes(_) => 0,
        }
    }

    /// How many bundle versions placed holds in the batch.
    pub(crate) fn hold_groups(&self) -> usize {
        match self {
            Self::Batch(entry) => entry.held.len(),
            _ => 0,
        }
    }

    pub fn key(&self) -> String {
        let prefix = Self::prefix(self.lane());
        let suffix = if self.is_held() { ".held" } else { ".plain" };
        match self {
            Self::Batch(entry) => format!("{prefix}live/{}{suffix}", entry.name()),
            Self::History(entry) => format!("{prefix}history/{}{suffix}", entry.name()),
            Self::Labels(entry) => format!("{prefix}{}{suffix}", entry.name()),
            Self::Evidence(EvidenceEntry { turn, from, to, .. }) => {
                format!("{prefix}{turn}-{from:07}-{to:07}{suffix}")
            }
            Self::Outcomes(entry) => {
                let decided_at = key_time(entry.decided_at);
                format!(
                    "{prefix}{decided_at}-{}-b{}{suffix}",
                    entry.name, entry.bytes
                )
            }
        }
    }

    /// The entry that a key stands for; `None` for a key that [`WaitingEntry::key`] does not write.
    pub fn parse(key: &str) -> Option<Self> {
        let (lane, rest) = key.strip_prefix(WAITING)?.split_once('/')?;
        let stem = rest
            .strip_suffix(".held")
            .or_else(|| rest.strip_suffix(".plain"))?;
        let entry = match Lane::from_name(lane)? {
            Lane::Transactions => match stem.split_once('/')? {
                ("live", name) => Self::Batch(BatchEntry::parse(name)?),
                ("history", name) => Self::History(FileEntry::parse(name)?),
                _ => return None,
            },
            Lane::Labels => Self::Labels(FileEntry::parse(stem)?),
            Lane::Evidence(lane) => Self::Evidence(EvidenceEntry::parse(lane, stem)?),
            Lane::Outcomes => Self::Outcomes(SliceEntry::parse(stem)?),
        };
        (entry.key() == key).then_some(entry)
    }
}

impl FileEntry {
    fn name(&self) -> String {
        let name = format!("{}-{}-b{}", key_time(self.arrived_at), self.id, self.bytes);
        if self.hours.ranges().is_empty() {
            return name;
        }
        format!("{name}-h{}", self.hours)
    }

    fn parse(name: &str) -> Option<Self> {
        let mut parts = KeyParts::new(name);
        Some(Self {
            arrived_at: parse_key_time(parts.next()?)?,
            id: parts.next()?.to_owned(),
            bytes: parts.tagged("b")?.parse().ok()?,
            hours: match parts.next() {
                Some(part) => HourRanges::parse(part.strip_prefix('h')?)?,
                None => HourRanges::default(),
            },
        })
    }
}

impl EvidenceEntry {
    fn parse(lane: u16, name: &str) -> Option<Self> {
        let mut parts = KeyParts::new(name);
        let entry = Self {
            lane,
            turn: TurnNumber::parse(parts.next()?)?,
            from: parts.next()?.parse().ok()?,
            to: parts.next()?.parse().ok()?,
        };
        (entry.from < entry.to).then_some(entry)
    }
}

impl SliceEntry {
    fn parse(name: &str) -> Option<Self> {
        let mut parts = KeyParts::new(name);
        Some(Self {
            decided_at: parse_key_time(parts.next()?)?,
            name: parts.next()?.to_owned(),
            bytes: parts.tagged("b")?.parse().ok()?,
        })
    }
}
