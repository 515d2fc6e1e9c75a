use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use decision::SequenceNumber;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// The records of one batch, in the order of the shard. All bytes lie in one buffer, so that reading
/// an event allocates for the batch, not for the record.
#[derive(Clone, Debug, Default)]
pub struct Records {
    shard: String,
    bytes: Vec<u8>,
    records: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    data: Range<usize>,
    sequence_number: Range<usize>,
    arrived_at: Timestamp,
    wrong: Option<&'static str>,
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its bytes; where they could not be decoded, their base64 as it came.
    pub data: &'a [u8],
    /// Its sequence number; empty where it came without one.
    pub sequence_number: SequenceNumber<&'a str>,
    /// When the stream took it.
    pub arrived_at: Timestamp,
    /// Why it can't be used, whatever its bytes.
    pub wrong: Option<&'static str>,
}

impl Records {
    /// No records of this shard yet.
    pub fn of_shard(shard: &str) -> Self {
        Self {
            shard: shard.to_owned(),
            ..Self::default()
        }
    }

    /// Appends a record.
    pub fn push(&mut self, sequence_number: &str, arrived_at: Timestamp, data: &[u8]) {
        let data = self.keep(|bytes| bytes.extend_from_slice(data));
        let sequence_number =
            self.keep(|bytes| bytes.extend_from_slice(sequence_number.as_bytes()));
        self.records.push(Entry {
            data,
            sequence_number,
            arrived_at,
            wrong: None,
        });
    }

    /// The shard's number, as in `000000000003`.
    pub fn shard(&self) -> &str {
        &self.shard
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The record at this index.
    pub fn get(&self, index: usize) -> Option<Record<'_>> {
        let entry = self.records.get(index)?;
        Some(Record {
            data: self.bytes.get(entry.data.clone())?,
            sequence_number: std::str::from_utf8(self.bytes.get(entry.sequence_number.clone())?)
                .ok()?
                .into(),
            arrived_at: entry.arrived_at,
            wrong: entry.wrong,
        })
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Where `write` wrote to.
    fn keep(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
        let start = self.bytes.len();
        write(&mut self.bytes);
        start..self.bytes.len()
    }

    fn take(&mut self, record: &EventRecord<'_>) {
        let text = record.kinesis.data.as_bytes();
        let start = self.bytes.len();
        let decoded = STANDARD.decode_vec(text, &mut self.bytes).is_ok();
        if !decoded {
            self.bytes.truncate(start);
            self.bytes.extend_from_slice(text);
        }
        let data = start..self.bytes.len();
        let name = record
            .kinesis
            .sequence_number
            .as_deref()
            .unwrap_or_default();
        let sequence_number = self.keep(|bytes| bytes.extend_from_slice(name.as_bytes()));
        // Kinesis counts in milliseconds, and writes them as seconds.
        let seconds = record.kinesis.approximate_arrival_timestamp;
        let arrived_at =
            seconds.and_then(|s| Timestamp::from_millisecond((s * 1_000.0).round() as i64).ok());
        let wrong = if !decoded {
            Some("data is not base64")
        } else if name.is_empty() {
            Some("record has no sequence number")
        } else if arrived_at.is_none() {
            Some("record has no arrival time")
        } else {
            None
        };
        let arrived_at = arrived_at.unwrap_or(Timestamp::UNIX_EPOCH);
        self.records.push(Entry {
            data,
            sequence_number,
            arrived_at,
            wrong,
        });
    }
}

/// The part of a Kinesis event that we use, borrowed from its text.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "Records", borrow, default)]
    records: Vec<EventRecord<'a>>,
}

#[derive(Deserialize)]
struct EventRecord<'a> {
    #[serde(rename = "eventID", borrow, default)]
    event_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kinesis: Kinesis<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kinesis<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
    #[serde(borrow, default)]
    sequence_number: Option<Cow<'a, str>>,
    #[serde(default)]
    approximate_arrival_timestamp: Option<f64>,
}

impl<'de> Deserialize<'de> for Records {
    /// Reads a Kinesis event as Lambda sends it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Event::deserialize(deserializer)?;
        // As in `shardId-000000000003:4954…`. An event source mapping never mixes shards.
        let id = event
            .records
            .first()
            .and_then(|record| record.event_id.as_deref());
        let shard = id
            .and_then(|id| id.split_once(':'))
            .map_or("unknown", |(shard, _)| shard);
        let mut records = Self::of_shard(shard.trim_start_matches("shardId-"));
        let room = event
            .records
            .iter()
            .map(|r| r.kinesis.data.len() / 4 * 3 + 64)
            .sum();
        records.bytes.reserve_exact(room);
        records.records.reserve_exact(event.records.len());
        for record in &event.records {
            records.take(record);
        }
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::event::kinesis::KinesisEvent;

    use super::*;

    #[test]
    fn an_event_is_read_as_the_event_crate_reads_it() {
        let text = include_str!("../../../events/score/good.json");
        let (ours, theirs): (Records, KinesisEvent) = (
            serde_json::from_str(text).unwrap(),
            serde_json::from_str(text).unwrap(),
        );
        assert_eq!(ours.len(), theirs.records.len());
        assert_eq!(ours.shard(), "000000000006");
        for (ours, theirs) in ours.iter().zip(theirs.records) {
            assert_eq!(ours.data, &theirs.kinesis.data[..]);
            assert_eq!(
                ours.sequence_number.as_str(),
                theirs.kinesis.sequence_number
            );
            let arrived_at = theirs
                .kinesis
                .approximate_arrival_timestamp
                .timestamp_millis();
            assert_eq!(ours.arrived_at.as_millisecond(), arrived_at);
            assert_eq!(ours.wrong, None);
        }
    }

    #[test]
    fn a_record_that_is_no_record_is_kept_and_marked() {
        let event = r#"{"Records":[
            {"eventID":"shardId-000000000001:7","kinesis":{"sequenceNumber":"7","data":"e30=","approximateArrivalTimestamp":1.5}},
            {"kinesis":{"sequenceNumber":"8","data":"?","approximateArrivalTimestamp":1.5}},
            {"kinesis":{"data":"e30=","approximateArrivalTimestamp":1.5}},
            {"kinesis":{"sequenceNumber":"9","data":"e30=","approximateArrivalTimestamp":null}}]}"#;
        let records: Records = serde_json::from_str(event).unwrap();
        let wrong: Vec<_> = records.iter().map(|r| r.wrong).collect();
        let expected = [
            "data is not base64",
            "record has no sequence number",
            "record has no arrival time",
        ]
        .map(Some);
        assert_eq!((wrong[0], &wrong[1..]), (None, &expected[..]));
        assert_eq!(
            records.iter().map(|r| r.data).collect::<Vec<_>>(),
            [&b"{}"[..], b"?", b"{}", b"{}"]
        );
        assert_eq!(records.get(0).unwrap().arrived_at.as_millisecond(), 1500);
        assert_eq!(records.shard(), "000000000001");
    }
}
