//! What the sweep asks about lanes: how long entries have waited, and which turns are over.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use store::Objects;
use warehouse::Warehouse;

use super::{PAGE, Turns, Work};
use crate::{Error, Lane, TurnId, WaitingEntry};

/// How long the objects of a turn are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The objects of one turn.
struct TurnObjects {
    keys: Vec<String>,
    /// When the newest was written.
    modified: Timestamp,
}

impl<O: Objects, W: Warehouse, K: Work> Turns<'_, O, W, K> {
    /// When the oldest of the lane's first waiting entries was written; `None` if none waits.
    pub async fn waiting_since(&self, lane: Lane) -> Result<Option<Timestamp>, Error> {
        let mut oldest = None;
        for prefix in WaitingEntry::prefixes(lane) {
            let listed = self.objects.list_after(&prefix, "", PAGE).await;
            let listed = listed.map_err(Error::store(lane))?;
            let modified = listed.into_iter().map(|object| object.modified).min();
            oldest = [oldest, modified].into_iter().flatten().min();
        }
        Ok(oldest)
    }

    /// The evidence lanes to work on: those in use, and those that still have entries or an
    /// unmarked turn from a time when there were more.
    pub async fn evidence_lanes(&self, in_use: u16) -> Result<BTreeSet<Lane>, Error> {
        let mut lanes: BTreeSet<Lane> = (0..in_use).map(Lane::Evidence).collect();
        for prefix in ["waiting/evidence-", "turns/evidence-"] {
            let mut after = String::new();
            loop {
                let next = self.objects.list_after(prefix, &after, 1).await;
                let next = next.map_err(Error::store("evidence"))?;
                let Some(key) = next.into_iter().next().map(|object| object.key) else {
                    break;
                };
                let lane = key.split('/').nth(1).and_then(Lane::from_name);
                lanes.extend(lane);
                // After every key of this lane.
                let folder = key.split('/').take(2).collect::<Vec<_>>().join("/");
                after = format!("{folder}0");
            }
        }
        Ok(lanes)
    }

    /// Deletes the turns of a lane that ended more than a day ago. Returns how many.
    ///
    /// INVARIANT: the latest turn stays, since the next number follows it, and so does each turn
    /// that evidence entries refer to.
    pub async fn clean_up(
        &self,
        lane: Lane,
        evidence_lanes: u16,
        now: Timestamp,
    ) -> Result<usize, Error> {
        let turns = self.turn_objects(lane).await?;
        let in_use = match lane {
            Lane::Transactions => self.turns_with_ranges(evidence_lanes).await?,
            Lane::Evidence(_) | Lane::Labels | Lane::Outcomes => BTreeSet::new(),
        };
        let latest = turns.keys().next_back().copied();
        let mut deleted = 0;
        for (turn, objects) in turns {
            let is_old = now.duration_since(objects.modified) > KEPT;
            let is_needed = latest == Some(turn) || in_use.contains(&turn.number);
            if is_old && !is_needed {
                self.delete(turn, &objects.keys).await?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    async fn turn_objects(&self, lane: Lane) -> Result<BTreeMap<TurnId, TurnObjects>, Error> {
        let listed = self.objects.list(&TurnId::lane_prefix(lane)).await;
        let listed = listed.map_err(Error::store(lane))?;
        let mut turns: BTreeMap<TurnId, TurnObjects> = BTreeMap::new();
        for object in listed {
            let Some(turn) = TurnId::of_key(&object.key) else {
                continue;
            };
            let objects = turns.entry(turn).or_insert_with(|| TurnObjects {
                keys: Vec::new(),
                modified: object.modified,
            });
            objects.modified = objects.modified.max(object.modified);
            objects.keys.push(object.key);
        }
        Ok(turns)
    }
}
