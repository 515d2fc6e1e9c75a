//! Writes and publishes final decisions.

use decision::Decision;
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use store::{Objects, PutNew, Stream, StreamRecord};
use warehouse::Warehouse;

use crate::settler::{CONCURRENCY, Settling};
use crate::{Error, SecondModel, Settler};

/// The one final decision of a transaction.
struct Outcome {
    decision: Decision,
    /// The bytes in the bucket. All copies of the decision are these bytes.
    json: Vec<u8>,
}

impl<O: Objects, D: Stream, W: Warehouse, M: SecondModel> Settler<'_, O, D, W, M> {
    /// Makes these decisions final, except for transactions that already have a final decision.
    /// Publishes each transaction's final decision and counts it in the report.
    pub(crate) async fn finish(
        &self,
        settling: &mut Settling,
        finals: Vec<Decision>,
    ) -> Result<(), Error> {
        let statement = settling.entry.statement();
        let outcomes: Vec<Outcome> = stream::iter(finals)
            .map(|decision| self.write_once(decision))
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        self.publish(statement, &outcomes).await?;
        self.write_batch(statement, &outcomes).await?;
        for outcome in &outcomes {
            settling.report.count(&outcome.decision);
        }
        Ok(())
    }

    /// Writes the decision, or reads the one that another process wrote first.
    async fn write_once(&self, decision: Decision) -> Result<Outcome, Error> {
        let key = decision::keys::outcome(&decision.transaction_id);
        let json = serde_json::to_vec(&decision).map_err(Error::unreadable(&key))?;
        match self.objects.put_new(&key, json.clone()).await? {
            PutNew::Written => Ok(Outcome { decision, json }),
            PutNew::Exists(json) => {
                let decision = serde_json::from_slice(&json).map_err(Error::unreadable(&key))?;
                Ok(Outcome { decision, json })
            }
        }
    }

    async fn publish(&self, statement: &str, outcomes: &[Outcome]) -> Result<(), Error> {
        let mut outgoing = Vec::with_capacity(outcomes.len());
        for Outcome { decision, json } in outcomes {
            let entity = self
                .first_entity
                .and_then(|name| decision.entities.get(name));
            let partition_key = entity.map_or(decision.transaction_id.as_str(), String::as_str);
            outgoing.push(StreamRecord {
                partition_key: partition_key.to_owned(),
                data: json.clone(),
            });
        }
        let published = self.decisions.publish(&outgoing).await;
        let refused = published.map_err(|source| Error::Stream {
            statement: statement.to_owned(),
            source,
        })?;
        if refused.is_empty() {
            return Ok(());
        }
        Err(Error::Refused {
            statement: statement.to_owned(),
            refused: refused.len(),
            all: outcomes.len(),
        })
    }

    /// Writes the outcomes as one object for COPY. Equal outcomes give the same key and the same
    /// bytes. If an entry is settled in several parts, each part has its own object.
    async fn write_batch(&self, statement: &str, outcomes: &[Outcome]) -> Result<(), Error> {
        let Some(first) = outcomes.first() else {
            return Ok(());
        };
        let mut lines = Vec::new();
        let mut ids = Sha256::new();
        for Outcome { decision, json } in outcomes {
            lines.extend_from_slice(json);
            lines.push(b'\n');
            ids.update(decision.transaction_id.as_str());
            ids.update(b"\n");
        }
        let mut part = hex::encode(ids.finalize());
        part.truncate(16);
        let name = format!("{statement}-{part}");
        let key = decision::keys::outcomes(first.decision.decided_at, &name);
        self.objects.put(&key, store::gzip(&lines)).await?;
        Ok(())
    }
}
