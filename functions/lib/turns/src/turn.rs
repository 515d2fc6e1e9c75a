//! Turns and their objects.
//!
//! | key | content |
//! |---|---|
//! | `turns/<lane>/<9999999999 − n>/claim` | [`Claim`] |
//! | `turns/<lane>/<9999999999 − n>/<k, four digits>` | [`Attempt`] |
//! | `turns/<lane>/<9999999999 − n>/<k, four digits>-statement` | the id of its statement, as JSON |
//! | `turns/<lane>/<9999999999 − n>/manifest-<writer>.json` | the COPY manifest of an attempt |
//! | `turns/<lane>/<9999999999 − n>/ended` | [`Ended`]: the mark |
//!
//! Numbers count down in keys, so that the first key under `turns/<lane>/` belongs to the latest
//! turn.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use decision::keys;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Lane, WaitingEntry};

/// Counts down from here in keys.
const LARGEST: u64 = 9_999_999_999;

/// The number of a turn within its lane, from 1. A number is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnNumber(pub u64);

impl TurnNumber {
    pub const FIRST: Self = Self(1);

    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(Self(text.parse().ok()?))
    }
}

impl fmt::Display for TurnNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}", self.0)
    }
}

/// One turn of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnId {
    pub lane: Lane,
    pub number: TurnNumber,
}

impl fmt::Display for TurnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.lane, self.number)
    }
}

impl TurnId {
    /// Where the turns of a lane lie.
    pub fn lane_prefix(lane: Lane) -> String {
        format!("turns/{lane}/")
    }

    /// Where the objects of this turn lie.
    pub fn prefix(self) -> String {
        let countdown = LARGEST.saturating_sub(self.number.0);
        format!("{}{countdown:010}/", Self::lane_prefix(self.lane))
    }

    /// The turn that a key under `turns/` belongs to.
    pub fn of_key(key: &str) -> Option<Self> {
        let mut parts = key.strip_prefix("turns/")?.splitn(3, '/');
        let lane = Lane::from_name(parts.next()?)?;
        let countdown: u64 = parts.next().filter(|part| part.len() == 10)?.parse().ok()?;
        parts.next()?;
        let number = TurnNumber(LARGEST.checked_sub(countdown)?);
        Some(Self { lane, number })
    }

    pub fn claim_key(self) -> String {
        format!("{}claim", self.prefix())
    }

    pub fn ended_key(self) -> String {
        format!("{}ended", self.prefix())
    }

    pub fn attempt_key(self, attempt: u32) -> String {
        format!("{}{attempt:04}", self.prefix())
    }

    /// Where the warehouse's id of an attempt's statement is noted.
    pub fn statement_key(self, attempt: u32) -> String {
        format!("{}{attempt:04}-statement", self.prefix())
    }

    pub fn manifest_key(self, writer: &str) -> String {
        format!("{}manifest-{writer}.json", self.prefix())
    }

    /// The name of an attempt's statement: `<stack>/<lane>/<n>/<k>`. Completion events bring it
    /// back.
    pub fn statement_name(self, stack: &str, attempt: u32) -> String {
        format!("{stack}/{}/{}/{attempt}", self.lane, self.number.0)
    }

    /// The turn and the attempt that a statement name stands for; `None` for a name that is not
    /// ours.
    pub fn of_statement_name(stack: &str, name: &str) -> Option<(Self, u32)> {
        let mut parts = name.strip_prefix(stack)?.strip_prefix('/')?.split('/');
        let lane = Lane::from_name(parts.next()?)?;
        let number = TurnNumber::parse(parts.next()?)?;
        let attempt = parts.next()?.parse().ok()?;
        parts
            .next()
            .is_none()
            .then_some((Self { lane, number }, attempt))
    }

    /// A number from 0 to 1 that differs from attempt to attempt.
    pub(crate) fn jitter(self, claimant: &str, attempt: u32) -> f64 {
        let mut hash = DefaultHasher::new();
        (self, claimant, attempt).hash(&mut hash);
        hash.finish() as f64 / u64::MAX as f64
    }

    /// The client token of an attempt.
    ///
    /// INVARIANT: it depends on the claimant's random id. Numbers repeat when a stack is deployed
    /// again; tokens, which the warehouse remembers for hours, must not.
    pub(crate) fn token(self, bucket: &str, claimant: &str, attempt: u32) -> String {
        let mut hash = Sha256::new();
        for part in [bucket, &self.to_string(), claimant, &attempt.to_string()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
}

/// What a turn is about. Written once: who writes it makes the turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The random id of the process that made the claim.
    pub claimant: String,
    pub entries: Vec<ClaimedEntry>,
}

/// A waiting entry that a turn covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimedEntry {
    /// The key of the waiting entry.
    pub key: String,
    /// For an entry that names its file in its content: the file's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl ClaimedEntry {
    /// What the key says. A claim holds only keys that could be parsed when it was made.
    pub fn entry(&self) -> Option<WaitingEntry> {
        WaitingEntry::parse(&self.key)
    }

    /// The key of the object to load; `None` for an entry of an evidence lane.
    pub fn object_key(&self) -> Option<String> {
        match self.entry()? {
            WaitingEntry::Batch(batch) => {
                let batch_name = batch.batch_name();
                Some(keys::transactions(batch.arrived_at, &batch_name))
            }
            WaitingEntry::Outcomes(slice) => {
                Some(keys::outcome_slice(slice.decided_at, &slice.name))
            }
            WaitingEntry::History(_) | WaitingEntry::Labels(_) => self.file.clone(),
            WaitingEntry::Evidence(_) => None,
        }
    }
}

/// One step of a turn: a statement, or the record of a decision that needs none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    pub plan: Plan,
    /// Whether an earlier attempt of the turn timed out.
    pub after_timeout: bool,
    /// As it was written first: the statement is submitted from here, never derived again, since
    /// another deployment would derive other SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<PlannedStatement>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Plan {
    /// Load the objects of these entries, named by their places in the claim.
    Load {
        entries: Vec<usize>,
        on_bad_rows: OnBadRows,
        /// Entries with an object that went to quarantine whole, by place.
        quarantined: Vec<usize>,
    },
    /// Every object of the claim is in quarantine, so no statement is needed.
    NothingToLoad { quarantined: Vec<usize> },
    /// Ask for the evidence of the claim's one entry.
    Evidence,
    /// Evidence failed for a reason of the data: the entry becomes two.
    Split,
    /// Evidence of a single hold failed for a reason of the data: it is settled without evidence.
    WithoutEvidence,
}

/// What COPY does with a row that it can't convert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBadRows {
    Fail,
    /// `MAXERROR`: the row is left out and reported.
    LeaveOut,
}

/// The text of an attempt's statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedStatement {
    pub name: String,
    pub token: String,
    pub sqls: Vec<String>,
    pub parameters: Vec<(String, String)>,
}

impl From<PlannedStatement> for warehouse::Statement {
    fn from(planned: PlannedStatement) -> Self {
        Self {
            name: planned.name,
            sqls: planned.sqls,
            parameters: planned.parameters,
            token: planned.token,
        }
    }
}

/// The mark at the end of a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    pub attempt: u32,
    /// How many waiting entries the turn covered and deleted.
    pub entries: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: TurnId = TurnId {
        lane: Lane::Evidence(1),
        number: TurnNumber(42),
    };

    #[test]
    fn the_latest_turn_has_the_first_key() {
        let next = TurnId {
            number: TURN.number.next(),
            ..TURN
        };
        assert!(next.attempt_key(0) < next.claim_key());
        assert!(next.ended_key() < TURN.attempt_key(0));
        assert_eq!(TURN.claim_key(), "turns/evidence-1/9999999957/claim");
        for key in [
            TURN.claim_key(),
            TURN.attempt_key(3),
            TURN.manifest_key("x"),
        ] {
            assert_eq!(TurnId::of_key(&key), Some(TURN), "{key}");
        }
        assert_eq!(TurnId::of_key("turns/evidence-1/1/claim"), None);
    }

    #[test]
    fn a_statement_name_brings_back_its_turn() {
        let name = TURN.statement_name("stack/a", 3);
        assert_eq!(name, "stack/a/evidence-1/42/3");
        assert_eq!(TurnId::of_statement_name("stack/a", &name), Some((TURN, 3)));
        for other in [
            "other/labels/1/0",
            "stack/a/labels/1",
            "stack/a/labels/1/0/0",
            "",
        ] {
            assert_eq!(TurnId::of_statement_name("stack/a", other), None, "{other}");
        }
    }

    #[test]
    fn a_token_changes_with_bucket_claimant_lane_number_and_attempt() {
        let other = TurnId {
            lane: Lane::Labels,
            ..TURN
        };
        let tokens = [
            TURN.token("b", "c", 0),
            TURN.token("b2", "c", 0),
            TURN.token("b", "c2", 0),
            TURN.token("b", "c", 1),
            other.token("b", "c", 0),
        ];
        let distinct: std::collections::BTreeSet<_> = tokens.iter().collect();
        assert_eq!(distinct.len(), tokens.len());
        assert!(tokens.iter().all(|token| token.len() == 64));
    }
}
