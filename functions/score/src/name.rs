use std::fmt;

use jiff::Timestamp;

use crate::{Record, Records};

/// The name of a batch in the keys of its objects. As text: `<shard>-<first>-<last>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchName<'r> {
    /// The first arrival that the event gives.
    pub arrived_at: Timestamp,
    pub shard: &'r str,
    /// The first sequence number that the event gives.
    pub first: &'r str,
    /// The last sequence number that the event gives.
    pub last: &'r str,
}

impl fmt::Display for BatchName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.shard, self.first, self.last)
    }
}

impl Records {
    /// The name of the first `count` records. `None` if none of them has a sequence number.
    pub fn name(&self, count: usize) -> Option<BatchName<'_>> {
        let mut numbers = (0..count).filter_map(|index| self.sequence_number(index));
        let first = numbers.next()?;
        let last = (0..count)
            .rev()
            .find_map(|index| self.sequence_number(index))?;
        let arrivals = self.iter().take(count).map(|record| record.arrived_at);
        let arrived_at = arrivals
            .into_iter()
            .find(|arrived_at| *arrived_at > Timestamp::UNIX_EPOCH);
        Some(BatchName {
            arrived_at: arrived_at.unwrap_or(Timestamp::UNIX_EPOCH),
            shard: self.shard(),
            first,
            last,
        })
    }

    fn sequence_number(&self, index: usize) -> Option<&str> {
        let Record {
            sequence_number, ..
        } = self.get(index)?;
        Some(sequence_number.into_inner()).filter(|number| !number.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(numbers: &[&str]) -> Records {
        let mut records = Records::of_shard("000000000001");
        for (second, number) in (0..).zip(numbers) {
            records.push(number, Timestamp::from_second(second).unwrap(), b"{}");
        }
        records
    }

    #[test]
    fn a_batch_is_named_after_its_first_and_last_sequence_number() {
        let records = batch(&["", "7", "", "9", ""]);
        let name = records.name(5).unwrap();
        assert_eq!(name.to_string(), "000000000001-7-9");
        assert_eq!(name.arrived_at, Timestamp::from_second(1).unwrap());
        assert_eq!(records.name(3).unwrap().to_string(), "000000000001-7-7");
        assert_eq!(records.name(1), None);
        assert_eq!(batch(&[]).name(0), None);
    }
}
