//! Reading and writing the objects of a turn.

use decision::keys::QUARANTINE;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use store::{Objects, PutNew};
use warehouse::Warehouse;

use super::{Turns, Work};
use crate::{Claim, ClaimedEntry, Error, TurnId};

impl<O: Objects, W: Warehouse, K: Work> Turns<'_, O, W, K> {
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        turn: TurnId,
        key: &str,
    ) -> Result<T, Error> {
        let bytes = self.objects.get(key).await.map_err(Error::store(turn))?;
        let bytes = bytes.ok_or_else(|| Error::Missing {
            key: key.to_owned(),
        })?;
        decode(key, &bytes)
    }

    pub(super) async fn get_text(&self, turn: TurnId, key: &str) -> Result<Option<String>, Error> {
        let bytes = self.objects.get(key).await.map_err(Error::store(turn))?;
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    pub(super) async fn put(
        &self,
        turn: TurnId,
        key: &str,
        value: &impl Serialize,
    ) -> Result<(), Error> {
        let bytes = encode(key, value)?;
        self.objects
            .put(key, bytes)
            .await
            .map_err(Error::store(turn))
    }

    pub(super) async fn put_new(
        &self,
        turn: TurnId,
        key: &str,
        value: &impl Serialize,
    ) -> Result<PutNew, Error> {
        let bytes = encode(key, value)?;
        self.objects
            .put_new(key, bytes)
            .await
            .map_err(Error::store(turn))
    }

    pub(super) async fn delete(&self, turn: TurnId, keys: &[String]) -> Result<(), Error> {
        self.objects
            .delete_many(keys)
            .await
            .map_err(Error::store(turn))
    }

    /// A COPY manifest of the objects of these entries. All are mandatory: a missing object must
    /// fail the load, not lose its rows.
    pub(super) fn manifest(&self, claim: &Claim, places: &[usize]) -> serde_json::Value {
        let bucket = &self.settings.bucket;
        let entries = places.iter().filter_map(|place| claim.entries.get(*place));
        let objects = entries.filter_map(ClaimedEntry::object_key);
        let listed: Vec<_> = objects
            .map(|key| json!({"url": format!("s3://{bucket}/{key}"), "mandatory": true}))
            .collect();
        json!({ "entries": listed })
    }

    /// Copies the object of an entry to `quarantine/`, and writes the reason beside it. The original
    /// stays. If S3 refuses the copy, which it does for objects of more than 5 GB, the reason alone
    /// is there.
    pub(super) async fn quarantine(
        &self,
        turn: TurnId,
        claim: &Claim,
        place: usize,
        reason: &str,
    ) -> Result<(), Error> {
        let claimed = claim.entries.get(place);
        let Some(key) = claimed.and_then(ClaimedEntry::object_key) else {
            return Ok(());
        };
        tracing::error!(%turn, key, "object in quarantine: the warehouse can't read it");
        let copy = format!("{QUARANTINE}{key}");
        match self.objects.copy(&key, &copy).await {
            Err(error) if !error.is_transient() => {
                tracing::error!(%turn, key, %error, "object not copied to quarantine");
            }
            copied => {
                copied.map_err(Error::store(turn))?;
            }
        }
        let why = json!({ "object": key, "turn": turn.to_string(), "reason": reason });
        self.put(turn, &format!("{copy}.reason.json"), &why).await
    }
}

fn encode(key: &str, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(Error::unreadable(key))
}

pub(super) fn decode<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(Error::unreadable(key))
}
