//! The file of a forest, little endian: a header, then trees, nodes and values as in memory.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `SLFOREST` |
//! | 4 | format version, 2 |
//! | 4 | columns |
//! | 4 | copied columns |
//! | 4 | trees |
//! | 4 | nodes |
//! | 4 | link: 0 logistic, 1 probability |
//! | 24 | bias, slope, intercept, f64 each; slope 1 and intercept 0 with a logistic link |
//! | 1 a copied column | its index |
//! | 12 a tree | root, nodes, depth |
//! | 8 a node | threshold f32, feature (8 bits) and first child (24 bits) |
//! | 4 a node | value f32 |

use bytemuck::Zeroable as _;

use super::{Extent, Flat, Forest, ForestError};
use crate::Link;

pub(crate) const MAGIC: &[u8; 8] = b"SLFOREST";
const VERSION: u32 = 2;

impl Forest {
    /// The bytes of the forest's file. Equal forests give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (link, slope, intercept) = match self.link {
            Link::Logistic => (0, 1.0, 0.0),
            Link::Probability { slope, intercept } => (1, slope, intercept),
        };
        let counts = [
            self.features,
            self.low.len(),
            self.extents.len(),
            self.nodes.len(),
        ];
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        for count in counts {
            bytes.extend((count as u32).to_le_bytes());
        }
        bytes.extend(u32::to_le_bytes(link));
        for number in [self.bias, slope, intercept] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(&self.low);
        bytes.extend(bytemuck::cast_slice(&self.extents));
        bytes.extend(bytemuck::cast_slice(&self.nodes));
        bytes.extend(bytemuck::cast_slice(&self.values));
        bytes
    }

    /// Reads a file, and checks all of it.
    ///
    /// # Errors
    /// If it is no forest's file, has another format version, or if scoring could leave the nodes
    /// of a tree or give no probability.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ForestError> {
        let mut rest = bytes
            .strip_prefix(MAGIC)
            .ok_or(ForestError::File("it does not begin with SLFOREST"))?;
        if take_u32(&mut rest)? != VERSION {
            return Err(ForestError::File(
                "its format version is not 2: write the file again with this version",
            ));
        }
        let features = take_u32(&mut rest)? as usize;
        let low = take_u32(&mut rest)? as usize;
        let trees = take_u32(&mut rest)? as usize;
        let nodes = take_u32(&mut rest)? as usize;
        let link = take_u32(&mut rest)?;
        let bias = take_f64(&mut rest)?;
        let slope = take_f64(&mut rest)?;
        let intercept = take_f64(&mut rest)?;
        let link = match link {
            0 if slope == 1.0 && intercept == 0.0 => Link::Logistic,
            1 => Link::Probability { slope, intercept },
            _ => return Err(ForestError::File("its link is unknown")),
        };
        // The length is checked before memory is allocated: a corrupt count could ask for any size.
        let size = trees
            .checked_add(nodes)
            .and_then(|both| both.checked_mul(12)?.checked_add(low));
        if size != Some(rest.len()) {
            return Err(SHORT);
        }
        let (low, rest) = rest.split_at(low);
        let (extent_bytes, rest) = rest.split_at(trees * 12);
        let (node_bytes, value_bytes) = rest.split_at(nodes * 8);
        let forest = Self {
            features,
            low: low.to_vec(),
            link,
            bias,
            extents: copied(extent_bytes, Extent::zeroed(), trees),
            nodes: copied(node_bytes, Flat::zeroed(), nodes),
            values: copied(value_bytes, 0f32, nodes),
        };
        forest.validate()?;
        Ok(forest)
    }
}

const SHORT: ForestError = ForestError::File("its length differs from its header");

fn take_u32(rest: &mut &[u8]) -> Result<u32, ForestError> {
    let (number, after) = rest.split_first_chunk().ok_or(SHORT)?;
    *rest = after;
    Ok(u32::from_le_bytes(*number))
}

fn take_f64(rest: &mut &[u8]) -> Result<f64, ForestError> {
    let (number, after) = rest.split_first_chunk().ok_or(SHORT)?;
    *rest = after;
    Ok(f64::from_le_bytes(*number))
}

/// Copies bytes into values, because a file's bytes may not be aligned.
fn copied<T: bytemuck::Pod>(bytes: &[u8], zero: T, len: usize) -> Vec<T> {
    let mut values = vec![zero; len];
    bytemuck::cast_slice_mut(&mut values).copy_from_slice(bytes);
    values
}
