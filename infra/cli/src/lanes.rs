//! The unfinished work of the lanes of a system, from the bucket.

use std::collections::BTreeMap;

use anyhow::Result;
use store::Objects;
use turns::{Lane, TurnId};

/// Waiting entries and turns that run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// The keys of the waiting entries.
    pub entries: Vec<String>,
    /// The turns without a mark.
    pub turns: Vec<TurnId>,
}

impl Unfinished {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.turns.is_empty()
    }
}

/// Reads the unfinished work. Entries are read first. If a turn begins meanwhile, its entry counts as
/// an entry, as a turn or as both.
pub async fn unfinished(objects: &impl Objects) -> Result<Unfinished> {
    let entries = objects.list("waiting/").await?;
    let mut latest: BTreeMap<Lane, (TurnId, bool)> = BTreeMap::new();
    for object in objects.list("turns/").await? {
        let Some(turn) = TurnId::of_key(&object.key) else {
            continue;
        };
        let entry = latest.entry(turn.lane).or_insert((turn, false));
        if entry.0 < turn {
            *entry = (turn, false);
        }
        if object.key == entry.0.ended_key() {
            entry.1 = true;
        }
    }
    let running = latest.into_values().filter(|(_, ended)| !ended);
    Ok(Unfinished {
        entries: entries.into_iter().map(|object| object.key).collect(),
        turns: running.map(|(turn, _)| turn).collect(),
    })
}

#[cfg(test)]
mod tests {
    use harness::memory;
    use turns::TurnNumber;

    use super::*;

    #[tokio::test]
    async fn entries_and_the_latest_turn_without_a_mark_are_unfinished() {
        let objects = memory::Objects::new();
        let turn = |number| TurnId {
            lane: Lane::Evidence(1),
            number: TurnNumber(number),
        };
        for number in [1, 2] {
            objects.set(&turn(number).claim_key(), "{}");
        }
        objects.set(&turn(1).ended_key(), "{}");
        let found = unfinished(&objects).await.unwrap();
        assert_eq!(found.turns, [turn(2)]);
        objects.set(&turn(2).ended_key(), "{}");
        assert!(unfinished(&objects).await.unwrap().is_empty());
        objects.set("waiting/labels/x.held", "labels/x");
        let found = unfinished(&objects).await.unwrap();
        assert_eq!(found.entries, ["waiting/labels/x.held"]);
        assert!(!found.is_empty());
    }
}
