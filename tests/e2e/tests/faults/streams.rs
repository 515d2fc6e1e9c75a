//! The contract of streams, on LocalStack.

use e2e::wait::eventually;
use harness::contract;
use look::system::System;
use store::KinesisStream;

/// A stream returns every published record in order.
pub(crate) async fn contract_of_streams(system: &System) {
    let client = &system.kinesis;
    client
        .create_stream()
        .stream_name("contract")
        .shard_count(1)
        .send()
        .await
        .unwrap();
    let sent = eventually("the stream takes records", 60, async || {
        let stream = client
            .describe_stream_summary()
            .stream_name("contract")
            .send()
            .await
            .unwrap();
        let status = stream
            .stream_description_summary()
            .unwrap()
            .stream_status()
            .clone();
        if status == aws_sdk_kinesis::types::StreamStatus::Active {
            Ok(())
        } else {
            Err(format!("{status:?}"))
        }
    });
    sent.await;
    let sent = contract::decisions(&KinesisStream::new(client.clone(), "contract")).await;
    let shards = client
        .list_shards()
        .stream_name("contract")
        .send()
        .await
        .unwrap();
    let from = client
        .get_shard_iterator()
        .stream_name("contract")
        .shard_id(shards.shards()[0].shard_id());
    let kind = aws_sdk_kinesis::types::ShardIteratorType::TrimHorizon;
    let mut at = from
        .shard_iterator_type(kind)
        .send()
        .await
        .unwrap()
        .shard_iterator;
    let mut received = Vec::new();
    while received.len() < sent.len() {
        let answer = client
            .get_records()
            .shard_iterator(at.unwrap())
            .send()
            .await
            .unwrap();
        assert!(
            !answer.records().is_empty(),
            "the stream ends after {} of {} records",
            received.len(),
            sent.len()
        );
        received.extend(
            answer
                .records()
                .iter()
                .map(|record| record.data().as_ref().to_vec()),
        );
        at = answer.next_shard_iterator;
    }
    assert_eq!(
        received,
        sent.into_iter()
            .map(|outgoing| outgoing.data)
            .collect::<Vec<_>>()
    );
}
