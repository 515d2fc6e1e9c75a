//! The ledger: the holds of each batch, until all of them have their final decisions.
//!
//! An object has one JSON object a line: first `Header`, then each [`Hold`], those of one bundle
//! version together. It is written before its decisions are published, and deleted by a process
//! that has published the final decision of each of its holds.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Hold;

/// The holds of one batch.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerObject {
    /// The key of the batch's waiting entry. If that entry is lost, the sweep writes it again.
    pub waiting: String,
    pub holds: Vec<Hold>,
}

/// The first line of a ledger object.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    waiting: String,
}

/// A line that this version does not write. The parser's own message quotes the line, so it is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unreadable at line {line}, column {column}: expected a hold as JSON")]
pub struct LedgerError {
    /// Counts from 1.
    pub line: usize,
    pub column: usize,
}

impl LedgerObject {
    /// Sorts the holds by bundle version, and otherwise keeps their order.
    pub fn new(waiting: String, mut holds: Vec<Hold>) -> Self {
        holds.sort_by(|one, two| one.bundle_version.cmp(&two.bundle_version));
        Self { waiting, holds }
    }

    pub fn to_ndjson(&self) -> Result<Vec<u8>, serde_json::Error> {
        let header = Header {
            waiting: self.waiting.clone(),
        };
        let mut lines = serde_json::to_vec(&header)?;
        lines.push(b'\n');
        for hold in &self.holds {
            serde_json::to_writer(&mut lines, hold)?;
            lines.push(b'\n');
        }
        Ok(lines)
    }

    pub fn parse(ndjson: &[u8]) -> Result<Self, LedgerError> {
        let mut lines = (1..).zip(ndjson.split(|&byte| byte == b'\n'));
        let (line, header) = lines.next().unwrap_or_default();
        let Header { waiting } = read(line, header)?;
        let mut holds = Vec::new();
        for (line, text) in lines {
            if !text.is_empty() {
                holds.push(read(line, text)?);
            }
        }
        Ok(Self { waiting, holds })
    }

    /// How many holds each bundle version placed, in the order of the holds.
    pub fn versions(&self) -> Vec<(&str, u32)> {
        let mut versions: Vec<(&str, u32)> = Vec::new();
        for hold in &self.holds {
            match versions.last_mut() {
                Some((version, holds)) if *version == hold.bundle_version => *holds += 1,
                _ => versions.push((&hold.bundle_version, 1)),
            }
        }
        versions
    }
}

fn read<'t, T: Deserialize<'t>>(line: usize, text: &'t [u8]) -> Result<T, LedgerError> {
    serde_json::from_slice(text).map_err(|error| LedgerError {
        line,
        column: error.column(),
    })
}

/// Names the holds that one bundle version placed in one batch: 16 hexadecimal digits. The rows of
/// the batch's object and the statement that loads them name the same holds by it.
pub fn hold_group(batch: &str, bundle_version: &str) -> String {
    let mut group = hex::encode(Sha256::digest(format!("{batch}/{bundle_version}")));
    group.truncate(16);
    group
}

#[cfg(test)]
mod tests;
