//! From ledger objects to one final decision for each of their holds.
//!
//! INVARIANT: an identity has one final decision, even if several processes settle its holds or die
//! between two steps. The decision is the object under `outcomes/by-transaction/`, written once by
//! `put_new` before anything else happens with it. Every later process takes that object. The steps
//! after it (publish, write the slice for COPY and its waiting entry) may be repeated.
//!
//! INVARIANT: a ledger object is deleted last, and only by a process that has published the final
//! decision of each of its holds. Until then the sweep finds it.

use std::collections::BTreeMap;
use std::sync::Arc;

use decision::settle::{Ground, IdConflict, Outcome, SecondLook, settle};
use decision::{Evidence, Hold, Policy, SettledBy, micros};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use store::{Objects, Stream};

use crate::group::{Group, OpenLedger, Place};
use crate::{Bundles, Error, SecondModel, SettleReport};

/// How many holds a group has at most, and how many final decisions a slice has.
pub const SLICE_HOLDS: usize = 500;
/// How many groups are settled side by side. Each makes up to 32 calls of S3 at a time.
const GROUPS: usize = 4;

/// Settles holds of ledger objects.
#[derive(Debug)]
pub struct Settler<'a, O, D, B> {
    pub objects: &'a O,
    /// The stream of decisions.
    pub decisions: &'a D,
    pub bundles: &'a B,
    /// For holds of a bundle that does not open: see [`crate::fallback_policy`].
    pub fallback: &'a Policy,
    /// The value of this entity is the partition key of a decision. Without an entity, the key is the
    /// transaction id.
    pub first_entity: Option<&'a str>,
}

/// Some holds of one ledger object, each with the knowledge about it.
#[derive(Clone, Debug, PartialEq)]
pub struct PartToSettle {
    /// The key of the ledger object.
    pub ledger: String,
    pub holds: Vec<HoldToSettle>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct HoldToSettle {
    /// The place of the hold in its ledger object.
    pub place: usize,
    pub known: Known,
}

/// The knowledge about a hold. With its bundle, this becomes a [`Ground`].
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    Evidence {
        /// The row of the warehouse, without its key.
        numbers: Evidence,
        id_conflict: IdConflict,
    },
    /// The warehouse has no usable evidence.
    NoEvidence,
    /// The deadline passed.
    Deadline,
}

/// The result for a batch that no waiting entry and no turn stands for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forgotten {
    pub report: SettleReport,
    /// The key of the batch's waiting entry, to be written again: some holds have no outcome.
    pub waiting: Option<String>,
}

/// The opened bundles of a group's holds by version; `None` for one that does not open.
type Models<M> = BTreeMap<String, Option<Arc<M>>>;

/// The process that settles, and the time.
#[derive(Clone, Copy)]
struct Settlement {
    by: SettledBy,
    now: Timestamp,
}

impl<O: Objects, D: Stream, B: Bundles> Settler<'_, O, D, B> {
    /// Settles these holds. Holds of a ledger object that is gone are settled already.
    ///
    /// Damaged objects are logged and counted, and keep no other hold open. The error
    /// [`Error::Refused`] comes after everything else is done.
    pub async fn settle(
        &self,
        parts: Vec<PartToSettle>,
        by: SettledBy,
        now: Timestamp,
    ) -> Result<SettleReport, Error> {
        let settlement = Settlement { by, now };
        let mut settled = stream::iter(groups(parts))
            .map(|group| self.settle_parts(group, settlement))
            .buffer_unordered(GROUPS);
        let mut report = SettleReport::default();
        let mut failed = None;
        while let Some(result) = settled.next().await {
            match result {
                Ok(part) => report += part,
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or_else(|| report.checked(), Err)
    }

    async fn settle_parts(
        &self,
        parts: Vec<PartToSettle>,
        settlement: Settlement,
    ) -> Result<SettleReport, Error> {
        let keys = parts.iter().map(|part| part.ledger.clone()).collect();
        let mut opened = self.open(keys).await?;
        let mut holds = Vec::new();
        for part in parts {
            holds.extend(opened.places(&part.ledger, part.holds));
        }
        self.settle_group(opened, holds, settlement).await
    }

    /// Settles the holds of these ledger objects that are after their own deadline, by the policy's
    /// `on_expiry`. An object with other holds stays, unless all of them have outcomes.
    ///
    /// All these objects are in memory at once: choose objects with about [`SLICE_HOLDS`] holds.
    pub async fn expire(&self, ledgers: &[String], now: Timestamp) -> Result<SettleReport, Error> {
        let opened = self.open(ledgers.to_vec()).await?;
        let holds = opened.overdue(now);
        let settlement = Settlement {
            by: SettledBy::Expiry,
            now,
        };
        let report = self.settle_group(opened, holds, settlement).await?;
        report.checked()
    }

    /// Publishes the outcomes that the holds of this ledger object have. If all have one, deletes
    /// the object; otherwise returns the waiting entry to write again.
    pub async fn publish_known(&self, ledger: &str) -> Result<Forgotten, Error> {
        let mut group = self.open(vec![ledger.to_owned()]).await?;
        let places = group.open_places(|_| true);
        let outcomes = self.read_outcomes(&mut group, places).await?;
        let missing = outcomes.missing;
        self.publish(&mut group, outcomes.finals).await?;
        self.delete_published(&mut group).await?;
        let waiting = group.ledgers.first().map(|open| &open.ledger.waiting);
        let waiting = waiting.filter(|_| missing > 0).cloned();
        let report = group.report.checked()?;
        Ok(Forgotten { report, waiting })
    }

    /// Settles these holds in the ledger's order: of several holds of one transaction, the first
    /// determines the outcome.
    async fn settle_group(
        &self,
        mut group: Group,
        mut holds: Vec<(Place, Known)>,
        settlement: Settlement,
    ) -> Result<SettleReport, Error> {
        holds.sort_by_key(|(place, _)| *place);
        let models = self.models(&group, &holds).await?;
        let mut holds = holds.into_iter().peekable();
        while holds.peek().is_some() {
            let mut settled = Vec::with_capacity(SLICE_HOLDS);
            for (place, known) in holds.by_ref().take(SLICE_HOLDS) {
                if let Some(hold) = group.hold(place) {
                    let outcome = self.outcome(hold, known, &models, settlement);
                    settled.push((place, outcome));
                }
            }
            let finals = self.write_outcomes(&mut group, settled).await?;
            self.publish(&mut group, finals).await?;
        }
        self.publish_others(&mut group).await?;
        self.delete_published(&mut group).await?;
        Ok(group.report)
    }

    /// After a part of a ledger object: if all its other holds have outcomes, publishes them.
    async fn publish_others(&self, group: &mut Group) -> Result<(), Error> {
        let places = group.open_places(OpenLedger::is_partly_published);
        let outcomes = self.read_outcomes(group, places).await?;
        let mut finals = outcomes.finals;
        finals.retain(|found| !outcomes.incomplete.contains(&found.place.ledger));
        self.publish(group, finals).await
    }

    async fn models(
        &self,
        group: &Group,
        holds: &[(Place, Known)],
    ) -> Result<Models<B::Model>, Error> {
        let mut models = BTreeMap::new();
        for (place, _) in holds {
            let Some(hold) = group.hold(*place) else {
                continue;
            };
            let version = &hold.bundle_version;
            if models.contains_key(version) {
                continue;
            }
            let opened = self.bundles.by_version(version).await;
            let model = opened.map_err(|source| Error::Bundle {
                version: version.clone(),
                source,
            })?;
            if model.is_none() {
                tracing::error!(
                    version,
                    "bundle version does not open: its holds are settled without it"
                );
            }
            models.insert(version.clone(), model);
        }
        Ok(models)
    }

    fn outcome(
        &self,
        hold: &Hold,
        known: Known,
        models: &Models<B::Model>,
        Settlement { by, now }: Settlement,
    ) -> Outcome {
        let model = models.get(&hold.bundle_version).and_then(Option::as_deref);
        let policy = model.map_or(self.fallback, SecondModel::policy);
        let ground = ground(hold, known, model);
        settle(hold, ground, policy, by, micros(now))
    }
}

fn ground(hold: &Hold, known: Known, model: Option<&impl SecondModel>) -> Ground {
    match (known, model) {
        (Known::Deadline, _) => Ground::Deadline,
        (_, None) => Ground::BundleMissing,
        (Known::NoEvidence, Some(_)) => Ground::EvidenceMissing,
        (
            Known::Evidence {
                numbers,
                id_conflict,
            },
            Some(model),
        ) => {
            let Some(evidence) = model.evidence(hold, numbers) else {
                return Ground::EvidenceMissing;
            };
            let second = model.score(hold, &evidence);
            let contributions = second.reasons.iter().map(|reason| reason.contribution);
            // JSON has no NaN: such an outcome could not be read back.
            if !second.score.is_finite() || !contributions.clone().all(f64::is_finite) {
                tracing::error!(
                    version = hold.bundle_version,
                    "score is not finite: the hold is settled without evidence"
                );
                return Ground::EvidenceMissing;
            }
            Ground::SecondLook(SecondLook {
                score: second.score,
                reasons: second.reasons,
                evidence,
                id_conflict,
            })
        }
    }
}

/// Parts with at most [`SLICE_HOLDS`] holds together, or one part with more.
fn groups(parts: Vec<PartToSettle>) -> Vec<Vec<PartToSettle>> {
    let mut groups: Vec<Vec<PartToSettle>> = Vec::new();
    let mut holds = 0;
    for part in parts {
        holds += part.holds.len();
        match groups.last_mut() {
            Some(group) if holds <= SLICE_HOLDS => group.push(part),
            _ => {
                holds = part.holds.len();
                groups.push(vec![part]);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_a_slice_of_holds_or_one_part_with_more() {
        let hold = HoldToSettle {
            place: 0,
            known: Known::NoEvidence,
        };
        let part = |holds| PartToSettle {
            ledger: String::new(),
            holds: vec![hold.clone(); holds],
        };
        let parts = [200, 300, 1, 499, 1, 600, 2].map(part);
        let sizes = groups(parts.to_vec());
        let sizes: Vec<Vec<usize>> = sizes
            .iter()
            .map(|group| group.iter().map(|part| part.holds.len()).collect())
            .collect();
        assert_eq!(
            sizes,
            [vec![200, 300], vec![1, 499], vec![1], vec![600], vec![2]]
        );
        assert!(groups(Vec::new()).is_empty());
    }
}
