use std::collections::BTreeSet;
use std::time::Duration;

use decision::Hold;
use decision::ledger::{LedgerEntry, SettleWork};
use store::Objects;
use tokio::time::timeout;

use crate::Error;

/// A ledger entry of holds while it is being settled.
#[derive(Debug)]
pub(crate) struct HoldsEntry {
    key: String,
    /// The entry as it is in the ledger.
    pub(crate) pending: LedgerEntry,
    /// All holds of the entry.
    pub(crate) holds: Vec<Hold>,
    /// The holds that this call has not settled yet, one for each transaction.
    pub(crate) open: Vec<Hold>,
    /// How long to wait for one answer of the warehouse. `None`: no limit of ours.
    ///
    /// INVARIANT: if a hold is overdue, no call waits longer than this. So a warehouse that does
    /// not answer delays neither these holds nor those that a sweep settles after them.
    pub(crate) patience: Option<Duration>,
}

impl HoldsEntry {
    /// Reads the entry of this statement. `None` if there is none.
    pub(crate) async fn read(objects: &impl Objects, name: &str) -> Result<Option<Self>, Error> {
        let key = decision::keys::pending(name);
        let Some(bytes) = objects.get(&key).await? else {
            return Ok(None);
        };
        let pending: LedgerEntry =
            serde_json::from_slice(&bytes).map_err(Error::unreadable(&key))?;
        let SettleWork::Confirm { holds } = &pending.work else {
            return Err(Error::NotHolds { key });
        };
        let holds = holds.clone();
        let mut transactions = BTreeSet::new();
        let mut open = Vec::with_capacity(holds.len());
        for hold in &holds {
            if transactions.insert(&hold.transaction_id) {
                open.push(hold.clone());
            }
        }
        Ok(Some(Self {
            key,
            pending,
            holds,
            open,
            patience: None,
        }))
    }

    pub(crate) async fn write(&self, objects: &impl Objects) -> Result<(), Error> {
        let bytes = serde_json::to_vec(&self.pending).map_err(Error::unreadable(&self.key))?;
        objects.put(&self.key, bytes).await?;
        Ok(())
    }

    pub(crate) async fn remove(&self, objects: &impl Objects) -> Result<(), Error> {
        objects.delete(&self.key).await?;
        Ok(())
    }

    pub(crate) fn statement(&self) -> &str {
        &self.pending.name
    }

    /// Waits for an answer of the warehouse, at most for `patience`.
    pub(crate) async fn within_patience<T>(
        &self,
        answer: impl Future<Output = Result<T, warehouse::Error>>,
    ) -> Result<Result<T, warehouse::Error>, Error> {
        let Some(waited) = self.patience else {
            return Ok(answer.await);
        };
        timeout(waited, answer).await.map_err(|_| Error::TimedOut {
            statement: self.statement().to_owned(),
            waited,
        })
    }
}
