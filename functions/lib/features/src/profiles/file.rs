//! The file of profiles, little endian:
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `SLPROFIL` |
//! | 4 | format version, 2 |
//! | 4 | number of tables |
//! | 8 | cut-off, milliseconds since 1970 |
//! | 16 a table | entity u32, columns u32, rows u64 |
//! | 8 a row | keys of the first table, ascending: the first 8 bytes of the value's SHA-256, as a big-endian number |
//! | 8 a number | numbers of the first table, row by row, f64, NaN where missing; then the next table |

use std::io::{self, Write};

use jiff::Timestamp;

use super::table::ProfileTable;
use super::{Profiles, ProfilesError};

const MAGIC: &[u8; 8] = b"SLPROFIL";
const VERSION: u32 = 2;
const WRONG_LENGTH: ProfilesError = ProfilesError::File("its length differs from its header");

struct TableHead {
    entity: usize,
    columns: usize,
    rows: u64,
}

impl Profiles {
    /// Writes the file. Equal profiles give equal bytes.
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

    /// The bytes of the file, as [`Profiles::write`] writes them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let written = self.write(&mut bytes);
        debug_assert!(written.is_ok(), "writing into a Vec can't fail");
        bytes
    }

    /// Reads a file, and checks its lengths and the order of its keys.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProfilesError> {
        let mut rest = bytes
            .strip_prefix(MAGIC)
            .ok_or(ProfilesError::File("it does not begin with SLPROFIL"))?;
        if u32::from_le_bytes(take_array(&mut rest)?) != VERSION {
            return Err(ProfilesError::File(
                "its format version is not 2: build the profiles again",
            ));
        }
        let table_count = u32::from_le_bytes(take_array(&mut rest)?);
        let cut_off = Timestamp::from_millisecond(i64::from_le_bytes(take_array(&mut rest)?))
            .map_err(|_| ProfilesError::File("its cut-off is not a timestamp"))?;
        let mut heads = Vec::new();
        for _ in 0..table_count {
            heads.push(TableHead {
                entity: u32::from_le_bytes(take_array(&mut rest)?) as usize,
                columns: u32::from_le_bytes(take_array(&mut rest)?) as usize,
                rows: u64::from_le_bytes(take_array(&mut rest)?),
            });
        }
        let mut tables = Vec::new();
        for head in heads {
            tables.push(read_table(&head, &mut rest)?);
        }
        if rest.is_empty() {
            Ok(Self { cut_off, tables })
        } else {
            Err(WRONG_LENGTH)
        }
    }
}

fn read_table(head: &TableHead, rest: &mut &[u8]) -> Result<ProfileTable, ProfilesError> {
    let rows = u32::try_from(head.rows).map_err(|_| WRONG_LENGTH)? as usize;
    let value_count = rows.checked_mul(head.columns).ok_or(WRONG_LENGTH)?;
    let keys: Vec<u64> = take_values(rest, rows)?;
    if !keys.is_sorted_by(|a, b| a < b) {
        return Err(ProfilesError::File("its keys are not in ascending order"));
    }
    let values: Vec<f64> = take_values(rest, value_count)?;
    Ok(ProfileTable::new(head.entity, head.columns, keys, values))
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], ProfilesError> {
    let (first, after) = rest.split_first_chunk().ok_or(WRONG_LENGTH)?;
    *rest = after;
    Ok(*first)
}

/// The next `len` values, copied because a file's bytes may not be aligned.
fn take_values<T: bytemuck::Pod>(rest: &mut &[u8], len: usize) -> Result<Vec<T>, ProfilesError> {
    let bytes = len.checked_mul(size_of::<T>()).ok_or(WRONG_LENGTH)?;
    // The length is checked before memory is allocated, because a corrupt count can be very large.
    let (taken, after) = rest.split_at_checked(bytes).ok_or(WRONG_LENGTH)?;
    *rest = after;
    let mut values = vec![T::zeroed(); len];
    bytemuck::cast_slice_mut(&mut values).copy_from_slice(taken);
    Ok(values)
}
