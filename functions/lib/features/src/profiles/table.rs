//! The profiles of one entity: a sorted array of keys, divided into buckets by their upper bits.

use sha2::{Digest, Sha256};

use super::ProfilesError;
use crate::{Definition, NamedWindow};

/// Average number of rows in a bucket.
const ROWS_PER_BUCKET: usize = 4;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ProfileTable {
    pub(super) entity: usize,
    pub(super) columns: usize,
    /// Ascending, one for each row.
    pub(super) keys: Vec<u64>,
    pub(super) values: Vec<f64>,
    /// Where each bucket's rows begin; the last entry is the number of rows.
    bucket_starts: Vec<u32>,
}

/// Collects the profiles of one entity.
#[derive(Clone, Debug)]
pub struct TableBuilder {
    entity: usize,
    columns: usize,
    rows: Vec<BuilderRow>,
    values: Vec<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct BuilderRow {
    key: u64,
    /// Index of the row's first value.
    start: usize,
}

/// How many numbers a profile of an entity has.
pub(super) fn columns(definition: &Definition, entity: usize) -> usize {
    let windows = definition.profile_windows(entity);
    let numbers = |(_, window): &NamedWindow<'_>| window.measure.aggregates().len();
    windows.iter().map(numbers).sum()
}

impl TableBuilder {
    /// `None` if the entity has no profiles.
    pub fn new(definition: &Definition, entity: usize) -> Option<Self> {
        let columns = columns(definition, entity);
        (columns > 0).then(|| Self::with_columns(entity, columns))
    }

    pub(super) fn with_columns(entity: usize, columns: usize) -> Self {
        Self {
            entity,
            columns,
            rows: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Appends the profile of one value: for each of [`Definition::profile_windows`] the numbers of
    /// its [`crate::Parts`]. If `numbers` is too short, the others are NaN.
    pub fn push(&mut self, value: &str, numbers: impl Iterator<Item = f64>) {
        let start = self.values.len();
        self.rows.push(BuilderRow {
            key: key(value),
            start,
        });
        self.values.extend(numbers.take(self.columns));
        self.values.resize(start + self.columns, f64::NAN);
    }

    pub(super) fn build(mut self) -> Result<ProfileTable, ProfilesError> {
        self.rows.sort_unstable();
        let has_unique_keys = self.rows.is_sorted_by(|a, b| a.key < b.key);
        if !has_unique_keys {
            return Err(ProfilesError::Twice(self.entity));
        }
        let mut values = Vec::with_capacity(self.values.len());
        for row in &self.rows {
            let of_row = self.values.get(row.start..row.start + self.columns);
            values.extend_from_slice(of_row.unwrap_or_default());
        }
        let keys = self.rows.iter().map(|row| row.key).collect();
        Ok(ProfileTable::new(self.entity, self.columns, keys, values))
    }
}

impl ProfileTable {
    /// `keys` must be in ascending order.
    pub(super) fn new(entity: usize, columns: usize, keys: Vec<u64>, values: Vec<f64>) -> Self {
        Self {
            entity,
            columns,
            bucket_starts: bucket_starts(&keys),
            keys,
            values,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn find(&self, value: &str) -> Option<u32> {
        let key = key(value);
        let bucket = (key >> bucket_shift(self.bucket_starts.len() - 1)) as usize;
        let start = *self.bucket_starts.get(bucket)?;
        let end = *self.bucket_starts.get(bucket + 1)?;
        let keys = self.keys.get(start as usize..end as usize)?;
        let offset = keys.iter().position(|other| *other == key)?;
        Some(start + offset as u32)
    }
}

/// The first 8 bytes of the value's SHA-256, big endian.
fn key(value: &str) -> u64 {
    let digest = Sha256::digest(value.as_bytes());
    digest
        .first_chunk()
        .map_or(0, |first| u64::from_be_bytes(*first))
}

/// `key >> bucket_shift(buckets)` is the index of the key's bucket. `buckets` must be a power of
/// two above 1.
fn bucket_shift(buckets: usize) -> u32 {
    u64::BITS - buckets.trailing_zeros()
}

fn bucket_starts(keys: &[u64]) -> Vec<u32> {
    let buckets = (keys.len() / ROWS_PER_BUCKET).next_power_of_two().max(2);
    let mut starts = vec![0u32; buckets + 1];
    for key in keys {
        let bucket = (key >> bucket_shift(buckets)) as usize;
        if let Some(count) = starts.get_mut(bucket + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    starts
}
