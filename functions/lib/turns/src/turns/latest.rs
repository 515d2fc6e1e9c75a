//! The latest turn of a lane, as a listing shows it.

use jiff::{SignedDuration, Timestamp};
use store::Objects;
use warehouse::Warehouse;

use super::{Turns, Work};
use crate::{Error, Lane, TurnId};

/// How many objects of a lane are listed to find its latest turn. Almost every turn has fewer.
const FIRST_OBJECTS: usize = 20;

/// The objects of the latest turn of a lane.
pub(super) struct Latest {
    pub(super) turn: TurnId,
    pub(super) ended: bool,
    /// The last attempt, if there is one, and when it was written.
    pub(super) attempt: Option<(u32, Timestamp)>,
    /// When the newest object was written.
    pub(super) modified: Timestamp,
}

impl Latest {
    pub(super) fn is_younger(&self, interval: SignedDuration, now: Timestamp) -> bool {
        now.duration_since(self.modified) < interval
    }
}

impl<O: Objects, W: Warehouse, K: Work> Turns<'_, O, W, K> {
    /// The latest turn of a lane: numbers count down in keys, so it has the first key.
    pub(super) async fn latest(&self, lane: Lane) -> Result<Option<Latest>, Error> {
        let prefix = TurnId::lane_prefix(lane);
        let listed = self.objects.list_after(&prefix, "", FIRST_OBJECTS).await;
        let mut listed = listed.map_err(Error::store(lane))?;
        let Some(turn) = listed
            .first()
            .and_then(|object| TurnId::of_key(&object.key))
        else {
            return Ok(None);
        };
        let prefix = turn.prefix();
        let is_complete = listed.len() < FIRST_OBJECTS;
        if is_complete || listed.iter().any(|object| !object.key.starts_with(&prefix)) {
            listed.retain(|object| object.key.starts_with(&prefix));
        } else {
            let all = self.objects.list(&prefix).await;
            listed = all.map_err(Error::store(turn))?;
        }
        let ended_key = turn.ended_key();
        let mut latest = Latest {
            turn,
            ended: false,
            attempt: None,
            modified: Timestamp::MIN,
        };
        for object in listed {
            latest.modified = latest.modified.max(object.modified);
            latest.ended |= object.key == ended_key;
            let name = object.key.strip_prefix(&prefix).unwrap_or_default();
            if let Some(number) = attempt_number(name) {
                latest.attempt = latest.attempt.max(Some((number, object.modified)));
            }
        }
        Ok(Some(latest))
    }
}

fn attempt_number(name: &str) -> Option<u32> {
    let is_number = name.len() == 4 && name.bytes().all(|byte| byte.is_ascii_digit());
    name.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_named_by_four_digits() {
        assert_eq!(attempt_number("0012"), Some(12));
        for other in ["012", "00012", "+012", "claim", ""] {
            assert_eq!(attempt_number(other), None, "{other}");
        }
    }
}
