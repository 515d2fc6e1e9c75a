//! Writes outcomes, publishes final decisions and keeps them for the warehouse.

use std::collections::{BTreeMap, BTreeSet};

use decision::settle::Outcome;
use decision::{Decision, Identity, keys};
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use store::{Objects, PutNew, Stream, StreamRecord};
use turns::{SliceEntry, WaitingEntry};

use crate::group::{CONCURRENCY, Final, Group, HoldState, Place};
use crate::settler::SLICE_HOLDS;
use crate::{Bundles, Error, Settler};

/// The outcomes of some holds of a group.
#[derive(Default)]
pub(crate) struct KnownOutcomes {
    pub(crate) finals: Vec<Final>,
    /// The number of holds without an outcome.
    pub(crate) missing: usize,
    /// The ledger objects with a hold without a usable outcome.
    pub(crate) incomplete: BTreeSet<usize>,
}

/// The result of writing or reading an outcome.
#[derive(Clone)]
enum OutcomeRead {
    Outcome(Outcome),
    Missing,
    Damaged,
}

impl OutcomeRead {
    fn parse(key: &str, identity: Identity, bytes: &[u8]) -> Self {
        match serde_json::from_slice::<Outcome>(bytes) {
            Ok(outcome) if outcome.identity == identity => return Self::Outcome(outcome),
            Ok(_) => tracing::error!(key, "damaged object: the outcome is another transaction's"),
            // serde's message may quote a value of the transaction.
            Err(error) => tracing::error!(
                key,
                line = error.line(),
                column = error.column(),
                "damaged object: the holds of this outcome stay open"
            ),
        }
        Self::Damaged
    }
}

impl<O: Objects, D: Stream, B: Bundles> Settler<'_, O, D, B> {
    /// Makes these outcomes final, except for transactions that already have one: that one is
    /// taken. If several holds have one identity, the outcome of the first of them is written, so
    /// the result does not depend on which request is the fastest.
    pub(crate) async fn write_outcomes(
        &self,
        group: &mut Group,
        outcomes: Vec<(Place, Outcome)>,
    ) -> Result<Vec<Final>, Error> {
        let mut identities = Vec::with_capacity(outcomes.len());
        let mut first = BTreeMap::new();
        for (place, outcome) in outcomes {
            identities.push((place, outcome.identity));
            first.entry(outcome.identity).or_insert(outcome);
        }
        let written: BTreeMap<Identity, OutcomeRead> = stream::iter(first.into_values())
            .map(|outcome| self.write_once(outcome))
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        let mut found = Vec::with_capacity(identities.len());
        for (place, identity) in identities {
            found.extend(written.get(&identity).map(|found| (place, found.clone())));
        }
        Ok(sort(group, found).finals)
    }

    async fn write_once(&self, outcome: Outcome) -> Result<(Identity, OutcomeRead), Error> {
        let identity = outcome.identity;
        let key = keys::outcome(identity);
        let json = serde_json::to_vec(&outcome).map_err(Error::encode(&key))?;
        let found = match self.objects.put_new(&key, json).await? {
            PutNew::Written => OutcomeRead::Outcome(outcome),
            PutNew::Exists(json) => OutcomeRead::parse(&key, identity, &json),
        };
        Ok((identity, found))
    }

    /// The outcomes that the holds at these places have.
    pub(crate) async fn read_outcomes(
        &self,
        group: &mut Group,
        places: Vec<Place>,
    ) -> Result<KnownOutcomes, Error> {
        let mut identities = Vec::with_capacity(places.len());
        for place in places {
            identities.extend(group.hold(place).map(|hold| (place, hold.identity)));
        }
        let read: Vec<(Place, OutcomeRead)> = stream::iter(identities)
            .map(|(place, identity)| self.read_outcome(place, identity))
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        Ok(sort(group, read))
    }

    async fn read_outcome(
        &self,
        place: Place,
        identity: Identity,
    ) -> Result<(Place, OutcomeRead), Error> {
        let key = keys::outcome(identity);
        let found = match self.objects.get(&key).await? {
            Some(json) => OutcomeRead::parse(&key, identity, &json),
            None => OutcomeRead::Missing,
        };
        Ok((place, found))
    }

    /// Publishes final decisions and writes them in slices for the lane of the outcomes.
    pub(crate) async fn publish(&self, group: &mut Group, finals: Vec<Final>) -> Result<(), Error> {
        for slice in finals.chunks(SLICE_HOLDS) {
            let mut records = Vec::with_capacity(slice.len());
            for Final { decision, .. } in slice {
                let id = &decision.decision_id;
                records.push(StreamRecord {
                    partition_key: self.partition_key(decision),
                    data: serde_json::to_vec(decision).map_err(Error::encode(id))?,
                });
            }
            let refused = self.decisions.publish(&records).await;
            let refused = refused.map_err(Error::Stream)?;
            self.write_slice(slice, &records).await?;
            for (index, Final { place, decision }) in slice.iter().enumerate() {
                if refused.binary_search(&index).is_ok() {
                    group.set(*place, HoldState::Failed);
                    group.report.refused += 1;
                } else {
                    group.set(*place, HoldState::Published);
                    group.report.count(decision);
                }
            }
        }
        Ok(())
    }

    fn partition_key(&self, decision: &Decision) -> String {
        let entity = self
            .first_entity
            .and_then(|name| decision.entities.get(name));
        let key = entity.map_or(decision.transaction_id.as_str(), String::as_str);
        key.to_owned()
    }

    /// Writes the slice, then its waiting entry. Equal decisions give equal keys and bytes.
    async fn write_slice(&self, slice: &[Final], records: &[StreamRecord]) -> Result<(), Error> {
        // The first decision may be younger than the outcome of another process that follows it.
        let decided = slice.iter().map(|one| one.decision.decided_at);
        let Some(earliest) = decided.min() else {
            return Ok(());
        };
        let mut lines = Vec::new();
        for record in records {
            lines.extend_from_slice(&record.data);
            lines.push(b'\n');
        }
        let mut name = hex::encode(Sha256::digest(&lines));
        name.truncate(32);
        let bytes = store::gzip(&lines);
        let entry = SliceEntry {
            decided_at: earliest,
            name,
            bytes: bytes.len() as u64,
        };
        let key = keys::outcome_slice(entry.decided_at, &entry.name);
        self.objects.put(&key, bytes).await?;
        let waiting = WaitingEntry::Outcomes(entry).key();
        self.objects.put(&waiting, Vec::new()).await?;
        Ok(())
    }
}

/// Sorts the results by their next step, in the order of the places: equal decisions make equal
/// slices. Damaged outcomes are counted; their holds stay open.
fn sort(group: &mut Group, mut found: Vec<(Place, OutcomeRead)>) -> KnownOutcomes {
    found.sort_by_key(|(place, _)| *place);
    let mut known = KnownOutcomes::default();
    for (place, found) in found {
        match found {
            OutcomeRead::Outcome(outcome) => {
                let hold = group.hold(place);
                let decision = hold.map(|hold| outcome.decision(hold));
                known
                    .finals
                    .extend(decision.map(|decision| Final { place, decision }));
            }
            OutcomeRead::Missing => {
                known.missing += 1;
                known.incomplete.insert(place.ledger);
            }
            OutcomeRead::Damaged => {
                group.set(place, HoldState::Failed);
                group.report.damaged += 1;
                known.incomplete.insert(place.ledger);
            }
        }
    }
    known
}
