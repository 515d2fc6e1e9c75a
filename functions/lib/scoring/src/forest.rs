//! Tree ensembles in a layout for fast scoring.
//!
//! A node has 8 bytes: a threshold, a column, and the index of its first child. The second child
//! is next to it. A leaf points to itself, with a threshold that no value exceeds. So a walk takes
//! a fixed number of steps without a test for leaves, and many walks run side by side. Values are
//! kept apart, also those of inner nodes: their differences along a path are the contributions.
//!
//! A missing value is [`MISSING`], the largest value, so it goes to the second child. An imported
//! model may send it to the first ([`Split::missing_below`]). Such a node reads a copy of the
//! column, after the row's own columns, in which a missing value is the lowest value.

mod file;
mod score;

pub(crate) use file::MAGIC;

use std::collections::{BTreeSet, VecDeque};

use bytemuck::{Pod, Zeroable};

use crate::{Link, MISSING};

/// The index of a node within its tree has 24 bits.
const MAX_NODES: usize = 1 << 24;

/// One node of a [`Tree`].
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// A leaf's contribution to the sum. For an inner node, the mean of the leaves below it, by
    /// the training rows that reach them: [`Forest::contributions`] needs it, scores do not.
    pub value: f64,
    pub split: Option<Split>,
}

/// `feature <= threshold` goes to `below`, anything else to `other`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    pub feature: usize,
    /// Not NaN.
    pub threshold: f64,
    /// Index of the child for values up to the threshold. Children come after their parents.
    pub below: usize,
    /// Index of the other child.
    pub other: usize,
    /// Whether a [`MISSING`] value goes to `below` instead of `other`.
    pub missing_below: bool,
}

/// The nodes of a tree. The root is the first, and each other node is the child of exactly one
/// node before it.
pub type Tree = Vec<Node>;

/// Why trees or a file are refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForestError {
    /// `tree` and `node` count from 0.
    #[error("tree {tree}, node {node}: {why}")]
    Tree {
        tree: usize,
        node: usize,
        why: &'static str,
    },
    #[error("not a forest file: {0}")]
    File(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Flat {
    threshold: f32,
    /// The column in the upper 8 bits; in the lower 24 the index of the first child, counted from
    /// the tree's root.
    link: u32,
}

impl Flat {
    const fn feature(self) -> usize {
        (self.link >> 24) as usize
    }
    const fn child(self) -> usize {
        (self.link & 0x00FF_FFFF) as usize
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Extent {
    /// Index of the root among all nodes.
    root: u32,
    nodes: u32,
    /// Steps from the root to the deepest leaf.
    depth: u32,
}

/// An additive model: sum = bias + the value of one leaf of each tree; probability = [`Link`] of the
/// sum.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    features: usize,
    /// The columns that are copied after a row's own, with the lowest value in place of a missing
    /// one. Ascending.
    low: Vec<u8>,
    link: Link,
    bias: f64,
    extents: Vec<Extent>,
    nodes: Vec<Flat>,
    values: Vec<f32>,
}

impl Forest {
    /// A forest over rows of `features` columns, with [`Link::Logistic`]: `bias` and the leaves'
    /// values are log odds. Subtrees of equal leaves become one leaf. Thresholds are rounded down
    /// to `f32`, which changes no comparison with an `f32`.
    ///
    /// # Errors
    /// If a tree is not one (see [`Tree`]), a split refers to a column that rows do not have, a
    /// number is NaN or infinite, or there are more than 256 columns. A column counts twice if
    /// a split of it has [`Split::missing_below`].
    pub fn new(features: usize, bias: f64, trees: &[Tree]) -> Result<Self, ForestError> {
        let splits = trees.iter().flatten().filter_map(|node| node.split);
        // `check` refuses columns that rows do not have.
        let both_ways = splits.filter(|split| split.missing_below && split.feature < features);
        let low: BTreeSet<u8> = both_ways
            .filter_map(|split| split.feature.try_into().ok())
            .collect();
        let mut forest = Self {
            features,
            low: low.into_iter().collect(),
            link: Link::Logistic,
            bias,
            extents: Vec::new(),
            nodes: Vec::new(),
            values: Vec::new(),
        };
        forest.validate_columns()?;
        for (place, tree) in trees.iter().enumerate() {
            let wrong = |node, why| ForestError::Tree {
                tree: place,
                node,
                why,
            };
            check(tree, features).map_err(|(node, why)| wrong(node, why))?;
            let collapsed = collapse(tree);
            forest.lay_out(tree, &collapsed);
        }
        forest.validate()?;
        Ok(forest)
    }

    /// The same trees with another link.
    ///
    /// # Errors
    /// If the link has a slope that is not above 0, or a number that is not finite.
    pub fn with_link(self, link: Link) -> Result<Self, ForestError> {
        let forest = Self { link, ..self };
        forest.validate()?;
        Ok(forest)
    }

    /// Number of columns of the rows that it scores.
    pub fn features(&self) -> usize {
        self.features
    }

    pub fn link(&self) -> Link {
        self.link
    }

    pub fn trees(&self) -> usize {
        self.extents.len()
    }

    /// Number of nodes of all trees.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Breadth first, siblings side by side.
    #[expect(
        clippy::indexing_slicing,
        reason = "`check` has seen every index that is used here"
    )]
    fn lay_out(&mut self, tree: &Tree, collapsed: &[bool]) {
        let root = self.nodes.len();
        let mut queue = VecDeque::from([(0, 0u32)]);
        let mut depth = 0;
        let place = |nodes: &[Flat]| (nodes.len() - root) as u32;
        self.nodes.push(Flat::zeroed());
        self.values.push(0.0);
        let mut at = 0;
        while let Some((source, level)) = queue.pop_front() {
            let node = &tree[source];
            depth = depth.max(level);
            self.values[root + at] = node.value as f32;
            self.nodes[root + at] = match node.split.filter(|_| !collapsed[source]) {
                None => Flat {
                    threshold: f32::INFINITY,
                    link: at as u32,
                },
                Some(split) => {
                    let child = place(&self.nodes);
                    for next in [split.below, split.other] {
                        queue.push_back((next, level + 1));
                        self.nodes.push(Flat::zeroed());
                        self.values.push(0.0);
                    }
                    let (column, threshold) = self.comparison(split);
                    Flat {
                        threshold,
                        link: (column << 24) | child,
                    }
                }
            };
            at += 1;
        }
        self.extents.push(Extent {
            root: root as u32,
            nodes: at as u32,
            depth,
        });
    }

    /// The column that a split reads, own or copied, and its threshold.
    fn comparison(&self, split: Split) -> (u32, f32) {
        let copy = self
            .low
            .iter()
            .position(|&source| split.missing_below && usize::from(source) == split.feature);
        let threshold = floor(split.threshold);
        match copy {
            Some(copy) => ((self.features + copy) as u32, threshold),
            None => (split.feature as u32, threshold.min(MISSING.next_down())),
        }
    }

    fn validate_columns(&self) -> Result<(), ForestError> {
        if self.features == 0 || self.features + self.low.len() > 256 {
            return Err(ForestError::File(
                "it has no columns, or more than 256 including copies",
            ));
        }
        let ascending = self.low.is_sorted_by(|a, b| a < b);
        if !ascending
            || self
                .low
                .last()
                .is_some_and(|&source| usize::from(source) >= self.features)
        {
            return Err(ForestError::File(
                "it copies a column that rows do not have, or copies one twice",
            ));
        }
        Ok(())
    }

    /// Everything that the scoring kernel relies on.
    fn validate(&self) -> Result<(), ForestError> {
        self.validate_columns()?;
        if !self.link.is_valid() {
            return Err(ForestError::File(
                "its calibration is not finite, or its slope is not above 0",
            ));
        }
        let columns = self.features + self.low.len();
        if !self.bias.is_finite() || self.values.iter().any(|value| !value.is_finite()) {
            return Err(ForestError::File("a value is not finite"));
        }
        if self.values.len() != self.nodes.len() {
            return Err(ForestError::File("it does not have a value for each node"));
        }
        let mut next = 0;
        for (place, extent) in self.extents.iter().enumerate() {
            let wrong = |node, why| ForestError::Tree {
                tree: place,
                node,
                why,
            };
            let (root, len) = (extent.root as usize, extent.nodes as usize);
            if root != next || len == 0 || len > MAX_NODES {
                return Err(wrong(0, "its nodes do not follow those of the tree before"));
            }
            next = root + len;
            let Some(nodes) = self.nodes.get(root..next) else {
                return Err(wrong(0, "it ends after the file's nodes"));
            };
            let mut levels = vec![0u32; len];
            for (at, node) in nodes.iter().enumerate() {
                let level = levels.get(at).copied().unwrap_or_default();
                if node.feature() >= columns {
                    return Err(wrong(at, "it reads a column that rows do not have"));
                }
                if node.child() == at {
                    if node.threshold != f32::INFINITY {
                        return Err(wrong(at, "a leaf's threshold is not infinite"));
                    }
                } else {
                    // Children come after their parents, so no walk can go in circles.
                    let children = levels
                        .get_mut(node.child()..node.child() + 2)
                        .filter(|_| node.child() > at);
                    children
                        .ok_or_else(|| wrong(at, "its children are not after it within the tree"))?
                        .fill(level + 1);
                    if node.threshold.is_nan() {
                        return Err(wrong(at, "its threshold is NaN"));
                    }
                }
            }
            // Exactly, because all steps of the depth are walked: too large a depth could take
            // billions of steps.
            if levels.iter().max() != Some(&extent.depth) {
                return Err(wrong(0, "its depth is not that of its deepest node"));
            }
        }
        if next != self.nodes.len() {
            return Err(ForestError::File("nodes that belong to no tree"));
        }
        Ok(())
    }
}

/// The largest f32 that is not above `threshold`.
fn floor(threshold: f64) -> f32 {
    let near = threshold as f32;
    if f64::from(near) > threshold {
        near.next_down()
    } else {
        near
    }
}

fn check(tree: &Tree, features: usize) -> Result<(), (usize, &'static str)> {
    if tree.is_empty() || tree.len() > MAX_NODES {
        return Err((0, "it has no nodes, or too many"));
    }
    // Each node but the root is the child of exactly one that comes before it.
    let mut parents = vec![0u8; tree.len()];
    for (place, node) in tree.iter().enumerate() {
        if !node.value.is_finite() {
            return Err((place, "its value is not finite"));
        }
        let Some(split) = node.split else { continue };
        if split.feature >= features {
            return Err((place, "it reads a column that rows do not have"));
        }
        if split.threshold.is_nan() {
            return Err((place, "its threshold is NaN"));
        }
        for child in [split.below, split.other] {
            match parents.get_mut(child) {
                Some(parents) if child > place && *parents == 0 => *parents = 1,
                _ => {
                    return Err((
                        place,
                        "its children are not after it, or have another parent too",
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Which nodes can become a leaf, because all leaves below them have the same value.
#[expect(
    clippy::indexing_slicing,
    reason = "`check` has seen every place that is followed here"
)]
fn collapse(tree: &Tree) -> Vec<bool> {
    let mut same = vec![false; tree.len()];
    // From the last node on, because children come after their parents.
    for (place, node) in tree.iter().enumerate().rev() {
        same[place] = node.split.is_none_or(|split| {
            let value = |child: usize| (same[child], tree[child].value);
            let (below, other) = (value(split.below), value(split.other));
            below.0 && other.0 && below.1 == other.1 && (below.1 as f32 == node.value as f32)
        });
    }
    same
}
