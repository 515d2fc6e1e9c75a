//! The ledger objects that are in memory while their holds are settled.

use std::collections::BTreeSet;

use decision::ledger::LedgerObject;
use decision::{Decision, Hold};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use store::{Objects, Stream};

use crate::settler::{HoldToSettle, Known};
use crate::{Bundles, Error, SettleReport, Settler};

/// How many S3 calls are made at a time.
pub(crate) const CONCURRENCY: usize = 32;

#[derive(Default)]
pub(crate) struct Group {
    pub(crate) ledgers: Vec<OpenLedger>,
    pub(crate) report: SettleReport,
}

/// A ledger object while its holds are settled.
pub(crate) struct OpenLedger {
    pub(crate) key: String,
    pub(crate) ledger: LedgerObject,
    /// The state of each hold, by place.
    states: Vec<HoldState>,
}

/// The state of a hold in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HoldState {
    Open,
    /// This process published its final decision.
    Published,
    /// Its outcome is damaged, or the stream refused its final decision.
    Failed,
}

/// A hold of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The index of the ledger object in the group.
    pub(crate) ledger: usize,
    /// The index of the hold in the object.
    pub(crate) hold: usize,
}

/// A hold's final decision.
pub(crate) struct Final {
    pub(crate) place: Place,
    pub(crate) decision: Decision,
}

/// The result of reading an object of the ledger.
enum LedgerRead {
    Opened(OpenLedger),
    Gone,
    Damaged,
}

impl OpenLedger {
    pub(crate) fn is_partly_published(&self) -> bool {
        self.states.contains(&HoldState::Published) && !self.states.contains(&HoldState::Failed)
    }

    fn is_published(&self) -> bool {
        self.states
            .iter()
            .all(|&state| state == HoldState::Published)
    }
}

impl Group {
    pub(crate) fn hold(&self, place: Place) -> Option<&Hold> {
        self.ledgers.get(place.ledger)?.ledger.holds.get(place.hold)
    }

    pub(crate) fn set(&mut self, place: Place, state: HoldState) {
        let states = self
            .ledgers
            .get_mut(place.ledger)
            .map(|open| &mut open.states);
        if let Some(now) = states.and_then(|states| states.get_mut(place.hold)) {
            *now = state;
        }
    }

    /// The places in this group of holds of the ledger object with this key; none if it is gone or
    /// damaged.
    pub(crate) fn places(&mut self, key: &str, holds: Vec<HoldToSettle>) -> Vec<(Place, Known)> {
        let with_key = |open: &OpenLedger| open.key == key;
        let Some(ledger) = self.ledgers.iter().position(with_key) else {
            return Vec::new();
        };
        let there = self.ledgers.get(ledger).map_or(0, |open| open.states.len());
        let mut places = Vec::with_capacity(holds.len());
        for HoldToSettle { place: hold, known } in holds {
            if hold < there {
                places.push((Place { ledger, hold }, known));
            } else {
                tracing::error!(key, hold, there, "ledger object lacks a hold of its batch");
                self.report.damaged += 1;
            }
        }
        places
    }

    /// The holds after their own deadline.
    pub(crate) fn overdue(&self, now: Timestamp) -> Vec<(Place, Known)> {
        let mut overdue = Vec::new();
        for (ledger, open) in self.ledgers.iter().enumerate() {
            for (hold, held) in open.ledger.holds.iter().enumerate() {
                if held.deadline <= now {
                    overdue.push((Place { ledger, hold }, Known::Deadline));
                }
            }
        }
        overdue
    }

    /// The holds, not settled yet, of the ledger objects that `of` chooses.
    pub(crate) fn open_places(&self, of: impl Fn(&OpenLedger) -> bool) -> Vec<Place> {
        let mut places = Vec::new();
        for (ledger, open) in self.ledgers.iter().enumerate().filter(|(_, open)| of(open)) {
            for (hold, state) in open.states.iter().enumerate() {
                if *state == HoldState::Open {
                    places.push(Place { ledger, hold });
                }
            }
        }
        places
    }
}

impl<O: Objects, D: Stream, B: Bundles> Settler<'_, O, D, B> {
    /// Reads these ledger objects, each once. Those that are gone or damaged are counted.
    pub(crate) async fn open(&self, keys: Vec<String>) -> Result<Group, Error> {
        let keys: BTreeSet<String> = keys.into_iter().collect();
        let read: Vec<LedgerRead> = stream::iter(keys)
            .map(|key| self.read_ledger(key))
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        let mut group = Group::default();
        for result in read {
            match result {
                LedgerRead::Opened(open) => group.ledgers.push(open),
                LedgerRead::Gone => group.report.absent += 1,
                LedgerRead::Damaged => group.report.damaged += 1,
            }
        }
        group.ledgers.sort_by(|one, two| one.key.cmp(&two.key));
        Ok(group)
    }

    async fn read_ledger(&self, key: String) -> Result<LedgerRead, Error> {
        let Some(bytes) = self.objects.get(&key).await? else {
            return Ok(LedgerRead::Gone);
        };
        match LedgerObject::parse(&bytes) {
            Ok(ledger) => Ok(LedgerRead::Opened(OpenLedger {
                key,
                states: vec![HoldState::Open; ledger.holds.len()],
                ledger,
            })),
            Err(error) => {
                tracing::error!(
                    key,
                    %error,
                    "damaged object: the holds of this ledger object stay open"
                );
                Ok(LedgerRead::Damaged)
            }
        }
    }

    /// Deletes each ledger object if this process has published all its holds.
    pub(crate) async fn delete_published(&self, group: &mut Group) -> Result<(), Error> {
        let published = group.ledgers.iter().filter(|open| open.is_published());
        let keys: Vec<String> = published.map(|open| open.key.clone()).collect();
        if !keys.is_empty() {
            self.objects.delete_many(&keys).await?;
        }
        group.report.deleted += keys.len();
        Ok(())
    }
}
