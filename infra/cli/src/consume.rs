//! A consumer of the `decisions` stream: reads all shards from the beginning.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use aws_sdk_kinesis::types::ShardIteratorType;
use decision::{Decision, Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

/// The pause between two reads of a shard without new records.
const PAUSE: Duration = Duration::from_millis(200);

/// A decision that was read from the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadDecision {
    pub decision: Decision,
    pub read_at: Timestamp,
}

/// The decisions that were read from the stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DecisionLog {
    /// The first provisional decision of each decision id.
    pub provisional: HashMap<String, ReadDecision>,
    /// The first final decision of each decision id. A final decision has the id of its hold.
    pub finals: HashMap<String, ReadDecision>,
    /// Decision ids with two different decisions of the same stage.
    pub contradictions: Vec<String>,
    /// Lines that are no decisions.
    pub unreadable: usize,
    /// The ids of the latest holds and final decisions, the newest last.
    pub latest: Vec<String>,
}

impl DecisionLog {
    /// Takes a record: one or more decisions, one a line.
    fn take(&mut self, record: &[u8], now: Timestamp) {
        let lines = record.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
            match serde_json::from_slice(line) {
                Ok(decision) => self.take_one(decision, now),
                Err(_) => self.unreadable += 1,
            }
        }
    }

    fn take_one(&mut self, decision: Decision, now: Timestamp) {
        let id = decision.decision_id.clone();
        let held = decision.stage == Stage::Final || decision.deadline.is_some();
        let decisions = match decision.stage {
            Stage::Provisional => &mut self.provisional,
            Stage::Final => &mut self.finals,
        };
        // Delivery is at-least-once: the same decision may come again.
        match decisions.get(&id) {
            Some(before) if before.decision.action != decision.action => {
                self.contradictions.push(id.clone());
            }
            Some(_) => return,
            None => {
                let read_at = now;
                decisions.insert(id.clone(), ReadDecision { decision, read_at });
            }
        }
        if held {
            self.latest.retain(|other| *other != id);
            self.latest.push(id);
            if self.latest.len() > 12 {
                self.latest.remove(0);
            }
        }
    }

    pub fn holds(&self) -> usize {
        self.provisional
            .values()
            .filter(|read| read.decision.deadline.is_some())
            .count()
    }
}

/// A consumer in the background. Dropping it stops the consumer.
#[derive(Debug)]
pub struct Consumer {
    log: Arc<Mutex<DecisionLog>>,
    _shards: JoinSet<()>,
}

impl Consumer {
    /// Starts to read all shards that the stream has now.
    pub async fn start(client: &aws_sdk_kinesis::Client, stream: &str) -> Result<Self> {
        let log = Arc::new(Mutex::new(DecisionLog::default()));
        let mut shards = JoinSet::new();
        for shard in shards_of(client, stream).await? {
            let (client, stream, log) = (client.clone(), stream.to_owned(), Arc::clone(&log));
            shards
                .spawn(async move { follow(&client, &stream, &shard, &log, Until::Dropped).await });
        }
        Ok(Self {
            log,
            _shards: shards,
        })
    }

    pub fn log(&self) -> MutexGuard<'_, DecisionLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the stream up to now. By default, a stream keeps its records for a day.
pub async fn read(client: &aws_sdk_kinesis::Client, stream: &str) -> Result<DecisionLog> {
    let log = Mutex::new(DecisionLog::default());
    let shards = shards_of(client, stream).await?;
    futures_util::future::join_all(
        shards
            .iter()
            .map(|shard| follow(client, stream, shard, &log, Until::Now)),
    )
    .await;
    Ok(log.into_inner().unwrap_or_else(PoisonError::into_inner))
}

async fn shards_of(client: &aws_sdk_kinesis::Client, stream: &str) -> Result<Vec<String>> {
    let listed = client
        .list_shards()
        .stream_name(stream)
        .send()
        .await
        .context("can't list the stream's shards")?;
    Ok(listed
        .shards()
        .iter()
        .map(|shard| shard.shard_id().to_owned())
        .collect())
}

#[derive(Clone, Copy, PartialEq)]
enum Until {
    /// Until there are no newer records, or the shard is closed.
    Now,
    Dropped,
}

/// Reads one shard. After a failed call it continues from the last record.
async fn follow(
    client: &aws_sdk_kinesis::Client,
    stream: &str,
    shard: &str,
    log: &Mutex<DecisionLog>,
    until: Until,
) {
    let mut after: Option<String> = None;
    loop {
        let start = client
            .get_shard_iterator()
            .stream_name(stream)
            .shard_id(shard);
        let start = match &after {
            None => start.shard_iterator_type(ShardIteratorType::TrimHorizon),
            Some(number) => start
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .starting_sequence_number(number),
        };
        let mut iterator = start
            .send()
            .await
            .ok()
            .and_then(|answer| answer.shard_iterator);
        while let Some(at) = iterator.take() {
            let Ok(answer) = client
                .get_records()
                .shard_iterator(at)
                .limit(5_000)
                .send()
                .await
            else {
                break;
            };
            let now = Timestamp::now();
            let some = !answer.records().is_empty();
            {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                for record in answer.records() {
                    log.take(record.data().as_ref(), now);
                }
            }
            after = answer
                .records()
                .last()
                .map(|record| record.sequence_number().to_owned())
                .or(after);
            iterator = answer.next_shard_iterator;
            if until == Until::Now && (iterator.is_none() || answer.millis_behind_latest == Some(0))
            {
                return;
            }
            if !some {
                tokio::time::sleep(PAUSE).await;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn take(log: &mut DecisionLog, id: &str, stage: &str, action: &str) {
        let mut decision = json!({
            "decision_id": id, "transaction_id": id, "stage": stage, "action": action, "score": 0.5,
            "reasons": [], "bundle_version": "v", "decided_at": Timestamp::UNIX_EPOCH,
        });
        if action == "hold" {
            decision["deadline"] = json!(Timestamp::UNIX_EPOCH);
        }
        log.take(decision.to_string().as_bytes(), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn a_repeated_decision_changes_nothing_and_a_different_one_contradicts() {
        let mut log = DecisionLog::default();
        take(&mut log, "a", "provisional", "approve");
        take(&mut log, "h", "provisional", "hold");
        take(&mut log, "h", "provisional", "hold");
        take(&mut log, "h", "final", "block");
        assert_eq!(
            (log.provisional.len(), log.finals.len(), log.holds()),
            (2, 1, 1)
        );
        assert_eq!((log.contradictions.len(), log.unreadable), (0, 0));
        take(&mut log, "h", "final", "release");
        take(&mut log, "a", "provisional", "hold");
        assert_eq!(log.contradictions, ["h", "a"]);
        assert_eq!(log.finals["h"].decision.action, decision::Action::Block);
    }

    #[test]
    fn lines_that_are_no_decisions_are_counted() {
        let mut log = DecisionLog::default();
        log.take(b"{}\n{}", Timestamp::UNIX_EPOCH);
        assert_eq!(log.unreadable, 2);
    }

    #[test]
    fn the_latest_are_the_last_twelve_holds() {
        let mut log = DecisionLog::default();
        for number in 0..20 {
            take(&mut log, &format!("h{number}"), "provisional", "hold");
            take(&mut log, &format!("a{number}"), "provisional", "approve");
        }
        take(&mut log, "h9", "final", "block");
        assert_eq!(
            (
                log.latest.len(),
                log.latest.first().unwrap(),
                log.latest.last().unwrap()
            ),
            (12, &"h8".into(), &"h9".into())
        );
    }
}
