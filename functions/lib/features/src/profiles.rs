//! What the first look knows of the past: for each value of an entity, the first look's windows as
//! of one cut-off, kept for look-ups without an allocation.
//!
//! The file, little endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `SLPROFIL` |
//! | 4 | format version, 1 |
//! | 4 | tables |
//! | 8 | cut-off, milliseconds since 1970 |
//! | 16 a table | entity u32, columns u32, rows u64 |
//! | 8 a row | keys of the first table, ascending: the first 8 bytes of the value's SHA-256, big endian |
//! | 4 a value | values of the first table, row by row, f32, NaN where missing; then the next table |

use std::io::{self, Write};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::Definition;

const MAGIC: &[u8; 8] = b"SLPROFIL";
const VERSION: u32 = 1;
/// Rows that share a bucket, about.
const PER_BUCKET: usize = 4;

/// Why profiles can't be made or used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfilesError {
    /// The file.
    #[error("not a profiles file: {0}")]
    File(&'static str),
    /// Other windows than the definition's.
    #[error(
        "its tables are not those that the definition's first look asks for: build the profiles again"
    )]
    Other,
    /// One entity value twice.
    #[error("entity {0} has two profiles of one value, or two values of one key")]
    Twice(usize),
}

/// The windows of every known value of the entities that the first look asks about.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiles {
    cut_off: Timestamp,
    tables: Vec<Table>,
}

#[derive(Clone, Debug, PartialEq)]
struct Table {
    entity: usize,
    columns: usize,
    keys: Vec<u64>,
    values: Vec<f32>,
    /// Where the rows begin whose keys share their upper bits, and, at last, where all end.
    starts: Vec<u32>,
}

/// One entity's profiles in the making.
#[derive(Clone, Debug)]
pub struct TableBuilder {
    entity: usize,
    columns: usize,
    rows: Vec<(u64, usize)>,
    values: Vec<f32>,
}

impl TableBuilder {
    /// An empty table of one of the definition's entities, if the first look asks about it.
    pub fn new(definition: &Definition, entity: usize) -> Option<Self> {
        let columns = definition.profile_columns(entity).len();
        (columns > 0).then(|| Self {
            entity,
            columns,
            rows: Vec::new(),
            values: Vec::new(),
        })
    }

    /// Appends the profile of one value: its windows in the order of [`Definition::profile_columns`].
    pub fn push(&mut self, value: &str, windows: impl Iterator<Item = f64>) {
        self.rows.push((key(value), self.values.len()));
        let end = self.values.len() + self.columns;
        self.values
            .extend(windows.map(|window| window as f32).take(self.columns));
        self.values.resize(end, f32::NAN);
    }

    fn build(mut self) -> Result<Table, ProfilesError> {
        self.rows.sort_unstable();
        if self
            .rows
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if a.0 == b.0))
        {
            return Err(ProfilesError::Twice(self.entity));
        }
        let row = |at: usize| self.values.get(at..at + self.columns).unwrap_or_default();
        let values = self
            .rows
            .iter()
            .flat_map(|(_, at)| row(*at))
            .copied()
            .collect();
        let keys: Vec<u64> = self.rows.iter().map(|(key, _)| *key).collect();
        Ok(Table {
            entity: self.entity,
            columns: self.columns,
            starts: starts(&keys),
            keys,
            values,
        })
    }
}

impl Profiles {
    /// Profiles as of `cut_off`.
    pub fn build(cut_off: Timestamp, tables: Vec<TableBuilder>) -> Result<Self, ProfilesError> {
        let tables = tables
            .into_iter()
            .map(TableBuilder::build)
            .collect::<Result<_, _>>()?;
        Ok(Self { cut_off, tables })
    }

    /// The moment that the windows end at.
    pub fn cut_off(&self) -> Timestamp {
        self.cut_off
    }

    /// Number of profiles, of all entities.
    pub fn len(&self) -> usize {
        self.tables.iter().map(|table| table.keys.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether its tables are those that the definition asks for.
    pub fn fit(&self, definition: &Definition) -> bool {
        let asked = definition
            .profiled_entities()
            .map(|entity| (entity, definition.profile_columns(entity).len()));
        asked.eq(self
            .tables
            .iter()
            .map(|table| (table.entity, table.columns)))
    }

    /// The entity of each table.
    pub fn entities(&self) -> impl Iterator<Item = usize> {
        self.tables.iter().map(|table| table.entity)
    }

    /// The n-th table's row of an entity value; none where the value is not known.
    pub fn find(&self, table: usize, value: &str) -> Option<u32> {
        self.tables.get(table)?.find(key(value))
    }

    /// One value of a row that was found; NaN where it is missing.
    pub fn value(&self, table: usize, row: u32, column: usize) -> f64 {
        let value = self
            .tables
            .get(table)
            .and_then(|table| table.values.get(row as usize * table.columns + column));
        value.copied().map_or(f64::NAN, f64::from)
    }

    /// Writes the file. The same profiles give the same bytes.
    pub fn write(&self, mut to: impl Write) -> io::Result<()> {
        to.write_all(MAGIC)?;
        to.write_all(&VERSION.to_le_bytes())?;
        to.write_all(&(self.tables.len() as u32).to_le_bytes())?;
        to.write_all(&self.cut_off.as_millisecond().to_le_bytes())?;
        for table in &self.tables {
            to.write_all(&(table.entity as u32).to_le_bytes())?;
            to.write_all(&(table.columns as u32).to_le_bytes())?;
            to.write_all(&(table.keys.len() as u64).to_le_bytes())?;
        }
        for table in &self.tables {
            to.write_all(bytemuck::cast_slice(&table.keys))?;
            to.write_all(bytemuck::cast_slice(&table.values))?;
        }
        Ok(())
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let written = self.write(&mut bytes);
        debug_assert!(written.is_ok(), "writing into a Vec cannot fail");
        bytes
    }

    /// Reads a file and checks all of it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProfilesError> {
        let mut rest = bytes
            .strip_prefix(MAGIC)
            .ok_or(ProfilesError::File("it does not begin with SLPROFIL"))?;
        if u32::from_le_bytes(next(&mut rest)?) != VERSION {
            return Err(ProfilesError::File(
                "its format version is not 1: build the profiles again",
            ));
        }
        let tables = u32::from_le_bytes(next(&mut rest)?);
        let cut_off = Timestamp::from_millisecond(i64::from_le_bytes(next(&mut rest)?));
        let cut_off = cut_off.map_err(|_| ProfilesError::File("its cut-off is no moment"))?;
        let mut heads = Vec::new();
        for _ in 0..tables {
            let entity = u32::from_le_bytes(next(&mut rest)?) as usize;
            let columns = u32::from_le_bytes(next(&mut rest)?) as usize;
            heads.push((entity, columns, u64::from_le_bytes(next(&mut rest)?)));
        }
        let tables = heads.into_iter().map(|(entity, columns, rows)| {
            // Sizes are compared before memory is asked for: a broken count must not.
            let rows = usize::try_from(rows)
                .ok()
                .filter(|rows| u32::try_from(*rows).is_ok())
                .ok_or(SHORT)?;
            let keys: Vec<u64> = take(&mut rest, rows)?;
            if !keys.is_sorted_by(|a, b| a < b) {
                return Err(ProfilesError::File("its keys are not in ascending order"));
            }
            let values: Vec<f32> = take(&mut rest, rows.checked_mul(columns).ok_or(SHORT)?)?;
            Ok(Table {
                entity,
                columns,
                starts: starts(&keys),
                keys,
                values,
            })
        });
        let tables = tables.collect::<Result<_, _>>()?;
        if rest.is_empty() {
            Ok(Self { cut_off, tables })
        } else {
            Err(SHORT)
        }
    }
}

impl Table {
    fn find(&self, key: u64) -> Option<u32> {
        let bucket = (key >> shift(self.starts.len() - 1)) as usize;
        let (from, to) = (*self.starts.get(bucket)?, *self.starts.get(bucket + 1)?);
        let within = self
            .keys
            .get(from as usize..to as usize)?
            .iter()
            .position(|other| *other == key)?;
        Some(from + within as u32)
    }
}

/// What stands for an entity value.
fn key(value: &str) -> u64 {
    let digest = Sha256::digest(value.as_bytes());
    digest
        .first_chunk()
        .map_or(0, |first| u64::from_be_bytes(*first))
}

/// By how much a key is shifted to number its bucket of so many, a power of two above 1.
fn shift(buckets: usize) -> u32 {
    u64::BITS - buckets.trailing_zeros()
}

fn starts(keys: &[u64]) -> Vec<u32> {
    let buckets = (keys.len() / PER_BUCKET).next_power_of_two().max(2);
    let mut starts = vec![0u32; buckets + 1];
    for key in keys {
        if let Some(count) = starts.get_mut((key >> shift(buckets)) as usize + 1) {
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

const SHORT: ProfilesError = ProfilesError::File("its length is not what its header says");

fn next<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], ProfilesError> {
    let (first, after) = rest.split_first_chunk().ok_or(SHORT)?;
    *rest = after;
    Ok(*first)
}

/// The next `len` values, copied because a file's bytes need not be aligned.
fn take<T: bytemuck::Pod>(rest: &mut &[u8], len: usize) -> Result<Vec<T>, ProfilesError> {
    let bytes = len.checked_mul(size_of::<T>()).ok_or(SHORT)?;
    let (taken, after) = rest.split_at_checked(bytes).ok_or(SHORT)?;
    *rest = after;
    let mut values = vec![T::zeroed(); len];
    bytemuck::cast_slice_mut(&mut values).copy_from_slice(taken);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn profiles(values: &BTreeMap<String, [f32; 3]>) -> Profiles {
        let mut table = TableBuilder {
            entity: 1,
            columns: 3,
            rows: Vec::new(),
            values: Vec::new(),
        };
        for (value, windows) in values {
            table.push(value, windows.iter().map(|window| f64::from(*window)));
        }
        let empty = TableBuilder {
            entity: 2,
            columns: 1,
            rows: Vec::new(),
            values: Vec::new(),
        };
        Profiles::build(
            Timestamp::from_millisecond(1_769_850_000_000).unwrap(),
            vec![table, empty],
        )
        .unwrap()
    }

    proptest! {
        #[test]
        fn what_was_put_in_is_found_and_nothing_else(
            values in prop::collection::btree_map("[a-d]{0,3}|\\PC{1,9}", any::<[f32; 3]>(), 0..300),
            others in prop::collection::vec("[a-d]{0,3}", 0..50),
        ) {
            let built = profiles(&values);
            let read = Profiles::from_bytes(&built.to_bytes()).unwrap();
            prop_assert_eq!(read.to_bytes(), built.to_bytes());
            prop_assert_eq!((read.len(), read.cut_off()), (values.len(), built.cut_off()));
            for (value, windows) in &values {
                let row = read.find(0, value).unwrap();
                for (column, window) in windows.iter().enumerate() {
                    let found = read.value(0, row, column) as f32;
                    prop_assert!(found == *window || found.is_nan() && window.is_nan());
                }
            }
            for other in others.iter().filter(|other| !values.contains_key(*other)) {
                prop_assert_eq!(read.find(0, other), None);
            }
            prop_assert_eq!(read.find(1, "a"), None);
            prop_assert_eq!(read.find(2, "a"), None);
        }

        #[test]
        fn no_broken_file_does_harm(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..100usize, byte in any::<u8>()) {
            let _ = Profiles::from_bytes(&bytes);
            let values = BTreeMap::from([("a".to_owned(), [1.0; 3]), ("b".to_owned(), [2.0; 3])]);
            let mut file = profiles(&values).to_bytes();
            let end = at.min(file.len());
            prop_assert!(Profiles::from_bytes(&file[..end]).is_err() || end == file.len());
            if let Some(old) = file.get_mut(at) {
                *old = byte;
            }
            if let Ok(read) = Profiles::from_bytes(&file) {
                read.find(0, "a").map(|row| read.value(0, row, 2));
            }
        }
    }

    #[test]
    fn one_value_has_one_profile() {
        let mut table = TableBuilder {
            entity: 1,
            columns: 1,
            rows: Vec::new(),
            values: Vec::new(),
        };
        ["a", "b", "a"]
            .into_iter()
            .for_each(|value| table.push(value, [1.0].into_iter()));
        assert_eq!(
            Profiles::build(Timestamp::UNIX_EPOCH, vec![table]),
            Err(ProfilesError::Twice(1))
        );
    }

    #[test]
    fn the_file_is_as_its_table_says() {
        let bytes = profiles(&BTreeMap::from([("C1".to_owned(), [1.0, 2.0, f32::NAN])])).to_bytes();
        assert_eq!(bytes.len(), 8 + 4 + 4 + 8 + 2 * 16 + 8 + 3 * 4);
        assert_eq!(
            (&bytes[..8], &bytes[8..12]),
            (&b"SLPROFIL"[..], &[1, 0, 0, 0][..])
        );
        // The first 8 bytes of the SHA-256 of "C1", as a big-endian number.
        let key = u64::from_le_bytes(bytes[56..64].try_into().unwrap());
        assert_eq!(key.to_be_bytes()[..], Sha256::digest(b"C1")[..8]);
    }
}
