use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::error::BuildError;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use retry::Tries;

use crate::Error;

/// One record for a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRecord {
    /// Records with the same key keep their order; 1 to 256 characters.
    pub partition_key: String,
    pub data: Vec<u8>,
}

/// A stream to write records to.
pub trait Stream: Send + Sync {
    /// Sends all records, and those that the stream refused again. Returns the indices of the
    /// records that it refused in the end, in ascending order; refused records are no error of the
    /// call. An error means that the stream accepted none.
    fn publish(
        &self,
        records: &[StreamRecord],
    ) -> impl Future<Output = Result<Vec<usize>, Error>> + Send;
}

/// Several owners can share one stream.
impl<S: Stream> Stream for &S {
    async fn publish(&self, records: &[StreamRecord]) -> Result<Vec<usize>, Error> {
        (*self).publish(records).await
    }
}

/// Limits of one PutRecords call.
const CALL_RECORDS: usize = 500;
const CALL_BYTES: usize = 5 * 1024 * 1024;

#[derive(Clone, Debug)]
pub struct KinesisStream {
    client: Client,
    stream: String,
}

/// The result of sending every waiting record once.
#[derive(Default)]
struct Round {
    refused: Vec<usize>,
    /// The last error of a whole call.
    error: Option<Error>,
}

impl KinesisStream {
    /// Turns the client's own retries off: see the crate `retry`.
    pub fn new(client: Client, stream: impl Into<String>) -> Self {
        let config = client.config().to_builder();
        let config = config.retry_config(RetryConfig::disabled());
        Self {
            client: Client::from_conf(config.build()),
            stream: stream.into(),
        }
    }

    /// Sends these records in one call and returns the indices that the stream refused.
    async fn send(&self, records: &[StreamRecord], indices: &[usize]) -> Result<Vec<usize>, Error> {
        let chosen = indices.iter().filter_map(|&index| records.get(index));
        let entries: Result<Vec<_>, _> = chosen.map(entry).collect();
        let entries = entries.map_err(|e| Error::Call {
            operation: "PutRecords",
            name: self.stream.clone(),
            code: None,
            transient: false,
            source: Box::new(e),
        })?;
        let call = self.client.put_records().stream_name(&self.stream);
        let sent = call.set_records(Some(entries)).send().await;
        let answer = sent.map_err(|e| Error::call("PutRecords", &self.stream, e))?;
        // An answer of 200 may contain failures, each at its record's place.
        let results = indices.iter().zip(answer.records());
        let refused = results.filter(|(_, result)| result.error_code().is_some());
        Ok(refused.map(|(&index, _)| index).collect())
    }

    /// Sends every waiting record once. A call that fails does not keep the others from being sent.
    async fn send_all(&self, records: &[StreamRecord], waiting: &[usize]) -> Round {
        let mut round = Round::default();
        for call in calls(records, waiting) {
            match self.send(records, call).await {
                Ok(refused) => round.refused.extend(refused),
                Err(error) => {
                    round.refused.extend_from_slice(call);
                    round.error = Some(error);
                }
            }
        }
        round
    }
}

impl Stream for KinesisStream {
    async fn publish(&self, records: &[StreamRecord]) -> Result<Vec<usize>, Error> {
        let mut tries = Tries::new();
        let mut waiting: Vec<usize> = (0..records.len()).collect();
        loop {
            let Round { refused, error } = self.send_all(records, &waiting).await;
            if refused.is_empty() {
                return Ok(refused);
            }
            tracing::warn!(
                stream = self.stream,
                refused = refused.len(),
                "the stream refused records"
            );
            let permanent = error.as_ref().is_some_and(|error| !error.is_transient());
            if permanent || !tries.next().await {
                return match error {
                    // No record was accepted: the stream failed, not single records.
                    Some(error) if refused.len() == records.len() => Err(error),
                    _ => Ok(refused),
                };
            }
            waiting = refused;
        }
    }
}

fn entry(record: &StreamRecord) -> Result<PutRecordsRequestEntry, BuildError> {
    PutRecordsRequestEntry::builder()
        .partition_key(&record.partition_key)
        .data(Blob::new(record.data.clone()))
        .build()
}

/// Splits `waiting` into calls within the limits, in order.
fn calls<'w>(records: &[StreamRecord], mut waiting: &'w [usize]) -> Vec<&'w [usize]> {
    let mut calls = Vec::new();
    while !waiting.is_empty() {
        let mut bytes = 0;
        let fits = waiting.iter().take(CALL_RECORDS).take_while(|&&index| {
            bytes += records
                .get(index)
                .map_or(0, |d| d.data.len() + d.partition_key.len());
            bytes <= CALL_BYTES
        });
        // At least one record: the service refuses one that is too large, and the loop ends.
        let (call, rest) = waiting.split_at(fits.count().max(1));
        calls.push(call);
        waiting = rest;
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_sizes(sizes: &[usize]) -> Vec<StreamRecord> {
        sizes
            .iter()
            .map(|&bytes| StreamRecord {
                partition_key: "k".into(),
                data: vec![0; bytes],
            })
            .collect()
    }

    #[test]
    fn calls_stay_within_500_records_and_5_megabytes() {
        let small = of_sizes(&[100; 1200]);
        let all: Vec<usize> = (0..1200).collect();
        assert_eq!(
            calls(&small, &all)
                .iter()
                .map(|c| c.len())
                .collect::<Vec<_>>(),
            [500, 500, 200]
        );
        let large = of_sizes(&[1_000_000; 12]);
        assert_eq!(
            calls(&large, &all[..12])
                .iter()
                .map(|c| c.len())
                .collect::<Vec<_>>(),
            [5, 5, 2]
        );
        let beyond = of_sizes(&[9_000_000, 1]);
        assert_eq!(calls(&beyond, &all[..2]), [&[0][..], &[1]]);
        assert_eq!(calls(&[], &[]), [&[][..]; 0]);
    }
}
