use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;

use crate::Error;
use crate::pause::pause;

/// One record for the `decisions` stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRecord {
    /// Records with the same key keep their order; 1 to 256 characters.
    pub partition_key: String,
    /// The decision as JSON.
    pub data: Vec<u8>,
}

/// The stream that decisions are published on.
pub trait Stream: Send + Sync {
    /// Publishes all of them, resending what was not accepted. The indices that were not accepted
    /// in the end, in ascending order: none means all are out. That some were not is not an error
    /// of the call.
    fn publish(
        &self,
        decisions: &[StreamRecord],
    ) -> impl Future<Output = Result<Vec<usize>, Error>> + Send;
}

/// Limits of one PutRecords call.
const CALL_RECORDS: usize = 500;
const CALL_BYTES: usize = 5 * 1024 * 1024;
/// How often what was not accepted is sent again.
const RESENDS: u32 = 5;

/// Decisions on a Kinesis stream.
#[derive(Clone, Debug)]
pub struct KinesisStream {
    client: Client,
    stream: String,
}

impl KinesisStream {
    /// The stream of this name.
    pub fn new(client: Client, stream: impl Into<String>) -> Self {
        Self {
            client,
            stream: stream.into(),
        }
    }

    /// Sends these indices in one call; which of them were not accepted.
    async fn send(
        &self,
        decisions: &[StreamRecord],
        indices: &[usize],
    ) -> Result<Vec<usize>, Error> {
        let entries = indices
            .iter()
            .filter_map(|&index| decisions.get(index))
            .map(|decision| {
                PutRecordsRequestEntry::builder()
                    .partition_key(&decision.partition_key)
                    .data(Blob::new(decision.data.clone()))
                    .build()
            });
        let call = entries.collect::<Result<Vec<_>, _>>().map(|entries| {
            self.client
                .put_records()
                .stream_name(&self.stream)
                .set_records(Some(entries))
        });
        let call = call.map_err(|e| Error::Call {
            operation: "PutRecords",
            name: self.stream.clone(),
            code: None,
            transient: false,
            source: Box::new(e),
        })?;
        let answer = call
            .send()
            .await
            .map_err(|e| Error::call("PutRecords", &self.stream, e))?;
        // An answer of 200 may hold failures, each in its record's place.
        let refused = indices
            .iter()
            .zip(answer.records())
            .filter(|(_, result)| result.error_code().is_some());
        Ok(refused.map(|(&index, _)| index).collect())
    }
}

impl Stream for KinesisStream {
    async fn publish(&self, decisions: &[StreamRecord]) -> Result<Vec<usize>, Error> {
        let mut waiting: Vec<usize> = (0..decisions.len()).collect();
        for attempt in 0..=RESENDS {
            let (mut refused, mut failure) = (Vec::new(), None);
            for call in calls(decisions, &waiting) {
                // What one call could not send does not keep the others from being sent.
                match self.send(decisions, call).await {
                    Ok(indices) => refused.extend(indices),
                    Err(error) => {
                        refused.extend_from_slice(call);
                        failure = Some(error);
                    }
                }
            }
            if refused.is_empty() {
                return Ok(refused);
            }
            let permanent = failure.as_ref().is_some_and(|error| !error.is_transient());
            if permanent || attempt == RESENDS {
                return match failure {
                    // Nothing at all went out: that is the stream's failure, not the records'.
                    Some(error) if refused.len() == decisions.len() => Err(error),
                    _ => Ok(refused),
                };
            }
            tracing::warn!(
                stream = self.stream,
                refused = refused.len(),
                attempt,
                "decisions are sent again"
            );
            tokio::time::sleep(pause(attempt, decisions.len())).await;
            waiting = refused;
        }
        Ok(waiting)
    }
}

/// `waiting` cut into calls within the limits, in order.
fn calls<'w>(decisions: &[StreamRecord], mut waiting: &'w [usize]) -> Vec<&'w [usize]> {
    let mut calls = Vec::new();
    while !waiting.is_empty() {
        let mut bytes = 0;
        let fits = waiting.iter().take(CALL_RECORDS).take_while(|&&index| {
            bytes += decisions
                .get(index)
                .map_or(0, |d| d.data.len() + d.partition_key.len());
            bytes <= CALL_BYTES
        });
        // One record is always taken, so that one beyond all limits is refused by the service, not looped over.
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
