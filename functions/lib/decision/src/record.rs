//! Splits a Kinesis record into items.
//!
//! A record holds one JSON object, or one object per line, or a frame of the Kinesis Producer
//! Library (KPL) with such user records. A frame has four magic bytes, a protobuf
//! `AggregatedRecord` and the MD5 of that message
//! (<https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md>).

use md5::{Digest, Md5};
use prost::Message;
use serde::de::IgnoredAny;

use crate::ReadError;

/// The first bytes of a KPL frame.
pub const KPL_MAGIC: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];
const MD5_BYTES: usize = 16;

/// A decoded record. [`Frame::items`] returns its items.
#[derive(Debug)]
pub struct Frame<'a>(Body<'a>);

#[derive(Debug)]
enum Body<'a> {
    Plain(&'a [u8]),
    Aggregated(Vec<UserRecord>),
}

#[derive(Clone, PartialEq, Message)]
struct AggregatedRecord {
    #[prost(message, repeated, tag = "3")]
    records: Vec<UserRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct UserRecord {
    #[prost(bytes = "vec", required, tag = "3")]
    data: Vec<u8>,
}

/// Decodes a record. An empty record and a broken frame are unreadable as a whole.
pub fn open(data: &[u8]) -> Result<Frame<'_>, ReadError> {
    if let Some(frame) = data.strip_prefix(&KPL_MAGIC) {
        let Some((message, md5)) = frame.split_last_chunk::<MD5_BYTES>() else {
            return Err(ReadError::Kpl("it is too short to hold its checksum"));
        };
        if Md5::digest(message)[..] != md5[..] {
            return Err(ReadError::Kpl("its MD5 checksum does not match"));
        }
        let Ok(aggregated) = AggregatedRecord::decode(message) else {
            return Err(ReadError::Kpl("its body is no AggregatedRecord message"));
        };
        if aggregated.records.is_empty() {
            return Err(ReadError::Kpl("it holds no user record"));
        }
        return Ok(Frame(Body::Aggregated(aggregated.records)));
    }
    if data.trim_ascii().is_empty() {
        return Err(ReadError::Empty);
    }
    Ok(Frame(Body::Plain(data)))
}

impl Frame<'_> {
    /// The items in order. An empty user record of a KPL frame is an unreadable item.
    pub fn items(&self) -> impl Iterator<Item = &[u8]> {
        let (plain, users) = match &self.0 {
            Body::Plain(data) => (Some(*data), &[][..]),
            Body::Aggregated(records) => (None, records.as_slice()),
        };
        plain
            .into_iter()
            .chain(users.iter().map(|user| user.data.as_slice()))
            .flat_map(lines)
    }
}

/// The whole text if it is one object, else each line that is not blank.
fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let data = data.trim_ascii();
    let is_one = !data.contains(&b'\n') || serde_json::from_slice::<IgnoredAny>(data).is_ok();
    let one = is_one.then_some(data);
    // Splitting an empty text gives one empty line.
    let text = if is_one { &[][..] } else { data };
    let several = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    one.into_iter()
        .chain(several.filter(|line| !line.is_empty()))
}

/// Writes user records as a KPL frame, like the library.
pub fn aggregate<'d>(user_records: impl IntoIterator<Item = &'d [u8]>) -> Vec<u8> {
    let records = user_records
        .into_iter()
        .map(|data| UserRecord {
            data: data.to_vec(),
        })
        .collect();
    let message = AggregatedRecord { records }.encode_to_vec();
    [&KPL_MAGIC[..], &message, &Md5::digest(&message)[..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(data: &[u8]) -> Vec<Vec<u8>> {
        open(data).unwrap().items().map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn a_record_holds_one_object_or_several_lines() {
        assert_eq!(items(b" {\"a\":1}\n"), [b"{\"a\":1}"]);
        assert_eq!(items(b"{\n \"a\": 1\n}"), [b"{\n \"a\": 1\n}"]);
        assert_eq!(
            items(b"{\"a\":1}\r\n\n{\"b\":2}\nnonsense"),
            [&b"{\"a\":1}"[..], b"{\"b\":2}", b"nonsense"]
        );
    }

    #[test]
    fn an_empty_record_is_unreadable() {
        assert_eq!(open(b"").unwrap_err(), ReadError::Empty);
        assert_eq!(open(b" \n\t").unwrap_err(), ReadError::Empty);
    }

    #[test]
    fn a_kpl_frame_is_split_into_its_user_records() {
        let frame = aggregate([&b"{\"a\":1}"[..], b"", b"{\"b\":2}\n{\"c\":3}"]);
        assert_eq!(
            items(&frame),
            [&b"{\"a\":1}"[..], b"", b"{\"b\":2}", b"{\"c\":3}"]
        );
    }

    #[test]
    fn a_broken_kpl_frame_is_unreadable_with_a_reason() {
        let frame = aggregate([&b"{}"[..]]);
        let mut flipped = frame.clone();
        flipped[5] ^= 1;
        assert_eq!(
            open(&flipped).unwrap_err(),
            ReadError::Kpl("its MD5 checksum does not match")
        );
        assert_eq!(
            open(&frame[..8]).unwrap_err(),
            ReadError::Kpl("it is too short to hold its checksum")
        );
        let no_message = [&KPL_MAGIC[..], b"\xff", &Md5::digest(b"\xff")[..]].concat();
        assert_eq!(
            open(&no_message).unwrap_err(),
            ReadError::Kpl("its body is no AggregatedRecord message")
        );
        assert_eq!(
            open(&aggregate([])).unwrap_err(),
            ReadError::Kpl("it holds no user record")
        );
    }
}
