use decision::Hold;
use decision::ledger::{LedgerEntry, SettleWork};
use jiff::Timestamp;
use serde::Serialize;
use store::{Objects, PutNew};

use crate::Error;

/// Writes a ledger entry for these holds, before their decisions are published. Returns the entry
/// that is in the ledger: ours, or the one that an earlier delivery of the batch wrote.
///
/// INVARIANT: each published hold is in the ledger or was settled. A redelivered batch finds the
/// entry of its first delivery, which may have progressed since, and leaves it unchanged. If the
/// earlier entry lacks one of our holds, because another bundle decided then, we write a second
/// entry, with our bundle's version in its name.
pub(crate) async fn write_ahead(
    objects: &impl Objects,
    bundle_version: &str,
    name: String,
    holds: &[Hold],
    now: Timestamp,
) -> Result<LedgerEntry, Error> {
    let first = new_entry(name, holds, now);
    let Some(existing) = put_new(objects, &first).await? else {
        return Ok(first);
    };
    if let Some(earlier) = entry_with(&existing, holds) {
        return Ok(earlier);
    }
    let second = new_entry(format!("{}-{bundle_version}", first.name), holds, now);
    let Some(existing) = put_new(objects, &second).await? else {
        return Ok(second);
    };
    if let Some(earlier) = entry_with(&existing, holds) {
        return Ok(earlier);
    }
    // The same bundle wrote this entry for the same records, so only a damaged object gets here.
    // It is of no use to the sweep: overwriting it loses nothing.
    write(objects, &second).await?;
    Ok(second)
}

pub(crate) async fn write(objects: &impl Objects, entry: &LedgerEntry) -> Result<(), Error> {
    let key = decision::keys::pending(&entry.name);
    let bytes = encoded(&key, entry)?;
    objects.put(&key, bytes).await?;
    Ok(())
}

pub(crate) fn encoded(key: &str, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|source| Error::Encode {
        key: key.to_owned(),
        source,
    })
}

fn new_entry(name: String, holds: &[Hold], now: Timestamp) -> LedgerEntry {
    LedgerEntry {
        name,
        work: SettleWork::Confirm {
            holds: holds.to_vec(),
        },
        attempts: 1,
        submitted_at: now,
        statement_id: None,
    }
}

/// `None` if the entry was written, else the bytes of the existing one.
async fn put_new(objects: &impl Objects, entry: &LedgerEntry) -> Result<Option<Vec<u8>>, Error> {
    let key = decision::keys::pending(&entry.name);
    let bytes = encoded(&key, entry)?;
    match objects.put_new(&key, bytes).await? {
        PutNew::Written => Ok(None),
        PutNew::Exists(existing) => Ok(Some(existing)),
    }
}

/// The entry in `bytes`, if it is readable and has all of these holds.
fn entry_with(bytes: &[u8], holds: &[Hold]) -> Option<LedgerEntry> {
    let entry: LedgerEntry = serde_json::from_slice(bytes).ok()?;
    let SettleWork::Confirm { holds: listed } = &entry.work else {
        return None;
    };
    for hold in holds {
        listed
            .iter()
            .find(|other| other.decision_id == hold.decision_id)?;
    }
    Some(entry)
}
