use std::borrow::Cow;
use std::time::Duration;

use store::{Stream, StreamRecord};
use tokio::time::{Instant, sleep, timeout_at};

use crate::handler::Unfinished;
use crate::{DecidedBatch, Error};

/// The bytes and records that are sent at a time: at most the limits of a shard in a second and of one
/// PutRecords call. The next records follow when the stream has accepted
/// all of these, so that a redelivery begins where the stream stopped.
const BYTES: usize = 1024 * 1024;
const RECORDS: usize = 500;

/// The pause after the stream's adapter has used up its own retries.
const PAUSE: Duration = Duration::from_millis(200);

/// Publishes the decisions in the order of the shard, as fast as the stream accepts them, until
/// `stop`. A stream that refuses records slows its batch, and loses nothing: refused records are
/// reported as unfinished.
pub(crate) async fn publish(
    stream: &impl Stream,
    decided: &DecidedBatch,
    stop: Instant,
) -> Result<(), Unfinished> {
    let mut first = 0;
    let mut left = &decided.outgoing[..];
    while !left.is_empty() {
        let (records, rest) = left.split_at(fitting(left));
        let refused = publish_all(stream, records, stop).await;
        if let Err(Refusal { place, error }) = refused {
            let index = decided.outgoing_records.get(first + place);
            return Err(Unfinished {
                record: index.copied().unwrap_or_default(),
                error,
            });
        }
        first += records.len();
        left = rest;
    }
    Ok(())
}

/// How many of these records are sent together: at least one.
fn fitting(records: &[StreamRecord]) -> usize {
    let mut bytes = 0;
    let fits = |record: &&StreamRecord| {
        bytes += record.data.len() + record.partition_key.len();
        bytes <= BYTES
    };
    let fitting = records.iter().take(RECORDS).take_while(fits).count();
    fitting.max(1)
}

/// The records that the stream refused.
struct Refusal {
    /// The place of the first refused record.
    place: usize,
    error: Error,
}

/// Publishes all of these records, or fails.
async fn publish_all(
    stream: &impl Stream,
    records: &[StreamRecord],
    stop: Instant,
) -> Result<(), Refusal> {
    let mut waiting: Vec<usize> = (0..records.len()).collect();
    loop {
        let place = waiting.first().copied().unwrap_or_default();
        let sent = timeout_at(stop, stream.publish(&chosen(records, &waiting))).await;
        let error = match sent {
            Ok(Ok(refused)) if refused.is_empty() => return Ok(()),
            Ok(Ok(refused)) => {
                let refused = refused.iter().filter_map(|&index| waiting.get(index));
                waiting = refused.copied().collect();
                Error::Refused {
                    refused: waiting.len(),
                    decisions: records.len(),
                }
            }
            Ok(Err(source)) => {
                let is_transient = source.is_transient();
                let decisions = waiting.len();
                let error = Error::Publish { decisions, source };
                if !is_transient {
                    return Err(Refusal { place, error });
                }
                error
            }
            // The records may have been accepted: they are sent again.
            Err(_) => {
                let error = Error::OutOfTime("while decisions were published");
                return Err(Refusal { place, error });
            }
        };
        if Instant::now() + PAUSE >= stop {
            let place = waiting.first().copied().unwrap_or_default();
            return Err(Refusal { place, error });
        }
        sleep(PAUSE).await;
    }
}

/// The records at these places.
fn chosen<'r>(records: &'r [StreamRecord], places: &[usize]) -> Cow<'r, [StreamRecord]> {
    if places.len() == records.len() {
        return Cow::Borrowed(records);
    }
    let chosen = places.iter().filter_map(|&place| records.get(place));
    Cow::Owned(chosen.cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitting_of(sizes: &[usize]) -> usize {
        let record = |&bytes: &usize| StreamRecord {
            partition_key: String::new(),
            data: vec![0; bytes],
        };
        fitting(&sizes.iter().map(record).collect::<Vec<_>>())
    }

    #[test]
    fn at_most_500_records_and_a_mebibyte_are_sent_together() {
        assert_eq!(fitting_of(&[100; 600]), RECORDS);
        assert_eq!(fitting_of(&[400_000; 5]), 2);
        assert_eq!(fitting_of(&[BYTES + 1, 1]), 1);
    }
}
