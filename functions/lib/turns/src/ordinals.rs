//! The ordinals of the holds of a claim: how evidence entries, the rows of `holds` and the ledger
//! name the same hold.

use crate::{Claim, EvidenceEntry, TurnNumber, WaitingEntry};

/// The holds that one bundle version placed in one batch of a claim. Their ordinals are
/// consecutive, in the ledger's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchHolds {
    pub version: String,
    /// The place of the batch in the claim.
    pub place: usize,
    /// The ordinal of the first of them.
    pub first: u32,
    pub holds: u32,
}

impl BatchHolds {
    /// The ordinal after the last.
    pub const fn end(&self) -> u32 {
        self.first.saturating_add(self.holds)
    }
}

/// All holds of a claim of the lane of transactions, by version and then in the claim's order.
///
/// INVARIANT: ordinals depend on the claim alone, not on the attempt that succeeded. So they are
/// the same in every process and in every repetition.
pub fn batch_holds(claim: &Claim) -> Vec<BatchHolds> {
    let mut all = Vec::new();
    for (place, claimed) in claim.entries.iter().enumerate() {
        let Some(WaitingEntry::Batch(batch)) = claimed.entry() else {
            continue;
        };
        all.extend(batch.held.into_iter().map(|held| BatchHolds {
            version: held.version,
            place,
            first: 0,
            holds: held.holds,
        }));
    }
    all.sort_by(|one, two| (&one.version, one.place).cmp(&(&two.version, two.place)));
    let mut next = 0;
    for holds in &mut all {
        holds.first = next;
        next = holds.end();
    }
    all
}

/// The evidence entries for the covered batches of a turn: ranges of at most `most` holds of one
/// bundle version, spread over the evidence lanes.
pub fn evidence_entries(
    turn: TurnNumber,
    claim: &Claim,
    covered: &[usize],
    most: u32,
    lanes: u16,
) -> Vec<EvidenceEntry> {
    let mut ranges: Vec<(String, u32, u32)> = Vec::new();
    for holds in batch_holds(claim) {
        if !covered.contains(&holds.place) {
            continue;
        }
        let mut from = holds.first;
        while from < holds.end() {
            let extends = ranges.last_mut().filter(|(version, first, end)| {
                *version == holds.version && *end == from && *end - *first < most
            });
            let to = match &extends {
                Some((_, first, _)) => holds.end().min(first.saturating_add(most)),
                None => holds.end().min(from.saturating_add(most.max(1))),
            };
            match extends {
                Some((_, _, end)) => *end = to,
                None => ranges.push((holds.version.clone(), from, to)),
            }
            from = to;
        }
    }
    let lane = |number: usize| {
        let lanes = u64::from(lanes.max(1));
        u16::try_from((turn.0 + number as u64) % lanes).unwrap_or_default()
    };
    let entry = |(number, (_, from, to))| EvidenceEntry {
        lane: lane(number),
        turn,
        from,
        to,
    };
    ranges.into_iter().enumerate().map(entry).collect()
}

/// A range in two halves; `None` for a single hold.
pub fn split(entry: &EvidenceEntry) -> Option<[EvidenceEntry; 2]> {
    let holds = entry.to.saturating_sub(entry.from);
    if holds < 2 {
        return None;
    }
    let middle = entry.from + holds / 2;
    let first = EvidenceEntry {
        to: middle,
        ..entry.clone()
    };
    let second = EvidenceEntry {
        from: middle,
        ..entry.clone()
    };
    Some([first, second])
}
