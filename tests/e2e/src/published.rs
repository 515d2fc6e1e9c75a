//! The stream of decisions, with every repetition.

use std::collections::BTreeMap;

use aws_sdk_kinesis::types::ShardIteratorType;
use decision::{Decision, Stage};
use look::system::System;

/// All decisions that were published, by decision id and stage.
#[derive(Debug, Default)]
pub struct Published {
    pub provisional: BTreeMap<String, Vec<Decision>>,
    pub finals: BTreeMap<String, Vec<Decision>>,
}

impl Published {
    /// Reads the stream of decisions from its beginning to now.
    pub async fn read(system: &System) -> Self {
        let mut published = Self::default();
        let (client, stream) = (&system.kinesis, &system.decisions_stream);
        let shards = client.list_shards().stream_name(stream).send();
        for shard in shards.await.unwrap().shards() {
            let from = client.get_shard_iterator().stream_name(stream);
            let from = from
                .shard_id(shard.shard_id())
                .shard_iterator_type(ShardIteratorType::TrimHorizon);
            let mut next = from.send().await.unwrap().shard_iterator;
            while let Some(at) = next.take() {
                let answer = client.get_records().shard_iterator(at).limit(5_000);
                let answer = answer.send().await.unwrap();
                for record in answer.records() {
                    published.take(record.data().as_ref());
                }
                let is_at_end = answer.millis_behind_latest == Some(0);
                next = answer.next_shard_iterator.filter(|_| !is_at_end);
            }
        }
        published
    }

    /// Takes a record: one or more decisions, one a line.
    fn take(&mut self, record: &[u8]) {
        let lines = record.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
            let decision: Decision = serde_json::from_slice(line).unwrap();
            let of_stage = match decision.stage {
                Stage::Provisional => &mut self.provisional,
                Stage::Final => &mut self.finals,
            };
            let id = decision.decision_id.clone();
            of_stage.entry(id).or_default().push(decision);
        }
    }
}
