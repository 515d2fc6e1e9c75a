use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use decision::SequenceNumber;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// The records of one batch, in the order of the shard. One buffer holds all bytes, so that reading
/// an event does not allocate for each record.
#[derive(Clone, Debug, Default)]
pub struct Records {
    shard: String,
    bytes: Vec<u8>,
    records: Vec<Span>,
}

/// Where a record's parts are in the buffer.
#[derive(Clone, Debug)]
struct Span {
    data: Range<usize>,
    sequence_number: Range<usize>,
    arrived_at: Timestamp,
    fault: Option<Fault>,
}

/// The fault of a record that is rejected before its data is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("data is not base64")]
    NotBase64,
    #[error("record has no sequence number")]
    NoSequenceNumber,
    #[error("record has no arrival time")]
    NoArrival,
    #[error("a panic while the record was judged: a bug of this program")]
    Panic,
}

impl Fault {
    /// The stage at which the record failed: see [`decision::ReadError::stage`].
    pub const fn stage(self) -> &'static str {
        match self {
            Self::NotBase64 | Self::NoSequenceNumber | Self::NoArrival => "record",
            Self::Panic => "panic",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The decoded bytes. If the event's text is not base64, that text.
    pub data: &'a [u8],
    /// Empty if the event has none.
    pub sequence_number: SequenceNumber<&'a str>,
    /// When Kinesis accepted the record. The epoch if the event does not say.
    pub arrived_at: Timestamp,
    pub fault: Option<Fault>,
}

impl Record<'_> {
    pub fn has_sequence_number(&self) -> bool {
        !self.sequence_number.as_str().is_empty()
    }
}

impl Records {
    /// An empty batch of this shard.
    pub fn of_shard(shard: &str) -> Self {
        Self {
            shard: shard.to_owned(),
            ..Self::default()
        }
    }

    pub fn push(&mut self, sequence_number: &str, arrived_at: Timestamp, data: &[u8]) {
        let data = self.append(|bytes| bytes.extend_from_slice(data));
        let sequence_number =
            self.append(|bytes| bytes.extend_from_slice(sequence_number.as_bytes()));
        self.records.push(Span {
            data,
            sequence_number,
            arrived_at,
            fault: None,
        });
    }

    /// For example `000000000003`.
    pub fn shard(&self) -> &str {
        &self.shard
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub fn get(&self, index: usize) -> Option<Record<'_>> {
        let span = self.records.get(index)?;
        Some(Record {
            data: self.bytes.get(span.data.clone())?,
            sequence_number: std::str::from_utf8(self.bytes.get(span.sequence_number.clone())?)
                .ok()?
                .into(),
            arrived_at: span.arrived_at,
            fault: span.fault,
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// A batch of this record alone.
    pub(crate) fn only(&self, index: usize) -> Self {
        let mut alone = Self::of_shard(&self.shard);
        if let Some(record) = self.get(index) {
            let number = record.sequence_number.as_str();
            alone.push(number, record.arrived_at, record.data);
            alone.set_fault(0, record.fault);
        }
        alone
    }

    pub(crate) fn set_fault(&mut self, index: usize, fault: Option<Fault>) {
        if let Some(span) = self.records.get_mut(index) {
            span.fault = fault;
        }
    }

    /// Lets `write` append to the buffer, and returns the range that it appended.
    fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
        let start = self.bytes.len();
        write(&mut self.bytes);
        start..self.bytes.len()
    }

    fn push_event_record(&mut self, record: &EventRecord<'_>) {
        let text = record.kinesis.data.as_bytes();
        let start = self.bytes.len();
        let decoded = STANDARD.decode_vec(text, &mut self.bytes).is_ok();
        if !decoded {
            self.bytes.truncate(start);
            self.bytes.extend_from_slice(text);
        }
        let data = start..self.bytes.len();
        let number = record.kinesis.sequence_number.as_deref();
        let number = number.unwrap_or_default();
        let sequence_number = self.append(|bytes| bytes.extend_from_slice(number.as_bytes()));
        let seconds = record.kinesis.approximate_arrival_timestamp;
        let arrived_at = seconds.and_then(timestamp);
        let fault = if !decoded {
            Some(Fault::NotBase64)
        } else if number.is_empty() {
            Some(Fault::NoSequenceNumber)
        } else if arrived_at.is_none() {
            Some(Fault::NoArrival)
        } else {
            None
        };
        let arrived_at = arrived_at.unwrap_or(Timestamp::UNIX_EPOCH);
        self.records.push(Span {
            data,
            sequence_number,
            arrived_at,
            fault,
        });
    }
}

/// Kinesis counts milliseconds, and the event has them as fractional seconds.
fn timestamp(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_millisecond((seconds * 1_000.0).round() as i64).ok()
}

/// The fields of a Kinesis event that we use. They borrow from the event's text.
#[derive(Deserialize)]
struct KinesisEvent<'a> {
    #[serde(rename = "Records", borrow, default)]
    records: Vec<EventRecord<'a>>,
}

#[derive(Deserialize)]
struct EventRecord<'a> {
    #[serde(rename = "eventID", borrow, default)]
    event_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kinesis: KinesisRecord<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KinesisRecord<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
    #[serde(borrow, default)]
    sequence_number: Option<Cow<'a, str>>,
    #[serde(default)]
    approximate_arrival_timestamp: Option<f64>,
}

impl EventRecord<'_> {
    /// The shard in the event id, which is for example `shardId-000000000003:4954…`.
    fn shard(&self) -> Option<&str> {
        let (shard, _) = self.event_id.as_deref()?.split_once(':')?;
        Some(shard.trim_start_matches("shardId-"))
    }

    /// The bytes that the decoded data and the sequence number need in the buffer.
    fn room(&self) -> usize {
        self.kinesis.data.len() / 4 * 3 + 64
    }
}

impl<'de> Deserialize<'de> for Records {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = KinesisEvent::deserialize(deserializer)?;
        // An event source mapping never mixes shards, so the first record tells the shard.
        let first = event.records.first();
        let shard = first.and_then(EventRecord::shard).unwrap_or("unknown");
        let mut records = Self::of_shard(shard);
        let room = event.records.iter().map(EventRecord::room).sum();
        records.bytes.reserve_exact(room);
        records.records.reserve_exact(event.records.len());
        for record in &event.records {
            records.push_event_record(record);
        }
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::event::kinesis::KinesisEvent as CrateEvent;

    use super::*;

    #[test]
    fn an_event_reads_as_with_the_aws_lambda_events_crate() {
        let text = include_str!("../../../events/score/good.json");
        let ours: Records = serde_json::from_str(text).unwrap();
        let theirs: CrateEvent = serde_json::from_str(text).unwrap();
        assert_eq!(ours.len(), theirs.records.len());
        assert_eq!(ours.shard(), "000000000006");
        for (ours, theirs) in ours.iter().zip(theirs.records) {
            assert_eq!(ours.data, &theirs.kinesis.data[..]);
            let number = ours.sequence_number.as_str();
            assert_eq!(number, theirs.kinesis.sequence_number);
            let arrived_at = theirs
                .kinesis
                .approximate_arrival_timestamp
                .timestamp_millis();
            assert_eq!(ours.arrived_at.as_millisecond(), arrived_at);
            assert_eq!(ours.fault, None);
        }
    }

    #[test]
    fn a_faulty_record_is_kept_and_marked() {
        let event = r#"{"Records":[
            {"eventID":"shardId-000000000001:7",
             "kinesis":{"sequenceNumber":"7","data":"e30=","approximateArrivalTimestamp":1.5}},
            {"kinesis":{"sequenceNumber":"8","data":"?","approximateArrivalTimestamp":1.5}},
            {"kinesis":{"data":"e30=","approximateArrivalTimestamp":1.5}},
            {"kinesis":{"sequenceNumber":"9","data":"e30=","approximateArrivalTimestamp":null}}]}"#;
        let records: Records = serde_json::from_str(event).unwrap();
        let faults: Vec<_> = records.iter().map(|record| record.fault).collect();
        let expected = [
            None,
            Some(Fault::NotBase64),
            Some(Fault::NoSequenceNumber),
            Some(Fault::NoArrival),
        ];
        assert_eq!(faults, expected);
        let data: Vec<_> = records.iter().map(|record| record.data).collect();
        assert_eq!(data, [&b"{}"[..], b"?", b"{}", b"{}"]);
        assert_eq!(records.get(0).unwrap().arrived_at.as_millisecond(), 1500);
        assert_eq!(records.shard(), "000000000001");
    }
}
