//! The ordinals of the holds of a claim: how evidence entries, the rows of `holds` and the ledger
//! name the same hold.

use std::ops::Range;

use store::Objects;

use crate::{
    BatchEntry, Claim, ClaimedEntry, Error, EvidenceEntry, Lane, TurnId, TurnNumber, WaitingEntry,
};

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
/// bundle version, spread over the evidence lanes. A turn goes on about where the one before, with
/// as many ranges, has ended: otherwise the same lanes would get the ranges of several turns.
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
    let earlier = turn.0.wrapping_mul(ranges.len() as u64);
    let lane = |number: usize| {
        let lanes = u64::from(lanes.max(1));
        u16::try_from(earlier.wrapping_add(number as u64) % lanes).unwrap_or_default()
    };
    let entry = |(number, (_, from, to))| EvidenceEntry {
        lane: lane(number),
        turn,
        from,
        to,
    };
    ranges.into_iter().enumerate().map(entry).collect()
}

/// The holds that an evidence turn is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRange {
    /// The turn of the lane of transactions that loaded them.
    pub turn: TurnNumber,
    /// The claimant of that turn: turn numbers repeat when a stack is deployed again.
    pub claimant: String,
    /// The bundle version that placed them.
    pub version: String,
    /// The first ordinal.
    pub from: u32,
    /// The ordinal after the last.
    pub to: u32,
    /// The batches that they come from, in the order of the ordinals.
    pub batches: Vec<BatchPart>,
}

/// The part of a range that comes from one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchPart {
    pub batch: BatchEntry,
    /// The ordinal of the first hold.
    pub ordinal: u32,
    /// The places of the holds in the batch's ledger object.
    pub places: Range<usize>,
}

/// The holds that the claim of an evidence lane is about: reads the claim of the turn that loaded
/// them.
pub async fn hold_range(objects: &impl Objects, claim: &Claim) -> Result<HoldRange, Error> {
    let entry = claim.entries.first().and_then(ClaimedEntry::entry);
    let Some(WaitingEntry::Evidence(range)) = entry else {
        return Err(Error::Missing {
            key: "a waiting entry of an evidence lane".to_owned(),
        });
    };
    let turn = TurnId {
        lane: Lane::Transactions,
        number: range.turn,
    };
    let loaded = read_claim(objects, turn).await?;
    let mut version = String::new();
    let mut batches = Vec::new();
    for holds in batch_holds(&loaded) {
        let from = range.from.max(holds.first);
        let to = range.to.min(holds.end());
        let claimed = loaded.entries.get(holds.place);
        let Some(WaitingEntry::Batch(batch)) = claimed.and_then(ClaimedEntry::entry) else {
            continue;
        };
        if from >= to {
            continue;
        }
        // The ledger has the holds of earlier versions first.
        let earlier = batch
            .held
            .iter()
            .take_while(|held| held.version != holds.version);
        let offset: u32 = earlier.map(|held| held.holds).sum();
        let place = |ordinal: u32| (offset + ordinal - holds.first) as usize;
        batches.push(BatchPart {
            ordinal: from,
            places: place(from)..place(to),
            batch,
        });
        version = holds.version;
    }
    Ok(HoldRange {
        turn: range.turn,
        claimant: loaded.claimant,
        version,
        from: range.from,
        to: range.to,
        batches,
    })
}

/// The claim of a turn.
pub async fn read_claim(objects: &impl Objects, turn: TurnId) -> Result<Claim, Error> {
    let key = turn.claim_key();
    let bytes = objects.get(&key).await.map_err(Error::store(turn))?;
    let bytes = bytes.ok_or_else(|| Error::Missing { key: key.clone() })?;
    serde_json::from_slice(&bytes).map_err(Error::unreadable(&key))
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
