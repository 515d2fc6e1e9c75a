//! The forest's file: a header, then extents, nodes and values as they lie in memory, little endian.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `SLFOREST` |
//! | 4 | format version, 1 |
//! | 4 | columns |
//! | 4 | trees |
//! | 4 | nodes |
//! | 8 | bias, f64 |
//! | 12 a tree | root, nodes, depth |
//! | 8 a node | threshold f32, feature (8 bits) and first child (24 bits) |
//! | 4 a node | value f32 |

use bytemuck::Zeroable as _;

use super::{Extent, Flat, Forest, ForestError};

const MAGIC: &[u8; 8] = b"SLFOREST";
const VERSION: u32 = 1;

impl Forest {
    /// The file's bytes. The same forest gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let counts = [VERSION, self.features as u32, self.extents.len() as u32, self.nodes.len() as u32];
        let mut bytes = MAGIC.to_vec();
        counts.iter().for_each(|count| bytes.extend(count.to_le_bytes()));
        bytes.extend(self.bias.to_le_bytes());
        bytes.extend(bytemuck::cast_slice(&self.extents));
        bytes.extend(bytemuck::cast_slice(&self.nodes));
        bytes.extend(bytemuck::cast_slice(&self.values));
        bytes
    }

    /// Reads a file and checks all of it: nothing in it is believed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ForestError> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(ForestError::File("it does not begin with SLFOREST"))?;
        if rest_u32(&mut rest)? != VERSION {
            return Err(ForestError::File("its format version is not 1: build the bundle again"));
        }
        let features = rest_u32(&mut rest)? as usize;
        let (trees, nodes) = (rest_u32(&mut rest)? as usize, rest_u32(&mut rest)? as usize);
        let (bias, rest) = rest.split_first_chunk().ok_or(SHORT)?;
        // Sizes are compared before memory is asked for: a broken count must not.
        let size = trees.checked_mul(12).zip(nodes.checked_mul(12)).and_then(|(t, n)| t.checked_add(n));
        if size != Some(rest.len()) {
            return Err(SHORT);
        }
        let (extent_bytes, rest) = rest.split_at(trees * 12);
        let (node_bytes, value_bytes) = rest.split_at(nodes * 8);
        let forest = Self {
            features,
            bias: f64::from_le_bytes(*bias),
            extents: copied(extent_bytes, Extent::zeroed(), trees),
            nodes: copied(node_bytes, Flat::zeroed(), nodes),
            values: copied(value_bytes, 0f32, nodes),
        };
        forest.validate()?;
        Ok(forest)
    }
}

const SHORT: ForestError = ForestError::File("its length is not what its header says");

fn rest_u32(rest: &mut &[u8]) -> Result<u32, ForestError> {
    let (number, after) = rest.split_first_chunk().ok_or(SHORT)?;
    *rest = after;
    Ok(u32::from_le_bytes(*number))
}

/// Bytes as values, copied because a file's bytes need not be aligned.
fn copied<T: bytemuck::Pod>(bytes: &[u8], zero: T, len: usize) -> Vec<T> {
    let mut values = vec![zero; len];
    bytemuck::cast_slice_mut(&mut values).copy_from_slice(bytes);
    values
}
