//! Trees laid out for scoring near the machine's limit, and the file they are kept in.
//!
//! A node is 8 bytes: a threshold, and a feature with the place of its first child. Siblings are
//! neighbours: `value <= threshold` goes to the first, anything else to the second. A leaf points to
//! itself under a threshold that nothing exceeds, so that every tree is walked a fixed number of
//! steps without asking where the leaves are, and many walks are in flight at once. Values lie apart,
//! for inner nodes too: the differences along a path say what each feature added.
//!
//! A missing value is [`MISSING`], the largest, so it goes to the second child. Where a model learnt
//! elsewhere sends it to the first, the node reads a copy of the column, after the row's own, in which
//! missing is the lowest instead. Our own models have no such columns, and rows are read as they lie.

mod file;
mod score;

pub(crate) use file::MAGIC;

use std::collections::{BTreeSet, VecDeque};

use bytemuck::{Pod, Zeroable};

use crate::{Link, MISSING};

/// Places within a tree have 24 bits, features 8.
const MAX_NODES: usize = 1 << 24;

/// One node of a tree before it is laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What the tree says at this node: a leaf's answer, an inner node's mean.
    pub value: f64,
    /// `None` for a leaf.
    pub split: Option<Split>,
}

/// `feature <= threshold` goes to `below`, anything else to `other`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// Which column.
    pub feature: usize,
    /// The threshold.
    pub threshold: f64,
    /// Place of the child for values up to the threshold.
    pub below: usize,
    /// Place of the other child.
    pub other: usize,
    /// Whether a missing value goes below; if not, to the other.
    pub missing_below: bool,
}

/// A tree before it is laid out: nodes by place, the root first.
pub type Tree = Vec<Node>;

/// Why trees can't be laid out, or a file can't be trusted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForestError {
    /// The trees themselves.
    #[error("tree {tree}, node {node}: {why}")]
    Tree {
        /// Which tree.
        tree: usize,
        /// Which of its nodes.
        node: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// The file.
    #[error("not a forest file: {0}")]
    File(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Flat {
    threshold: f32,
    /// Feature in the upper 8 bits; place of the first child, counted from the tree's root, in the lower 24.
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
    /// Place of the root among all nodes.
    root: u32,
    /// Number of nodes.
    nodes: u32,
    /// Steps from the root to the deepest leaf.
    depth: u32,
}

/// An additive model over trees: sum = bias + the trees' answers; the link makes it a probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    features: usize,
    /// The columns that are copied after a row's own, with the lowest value for what is missing; ascending.
    low: Vec<u8>,
    link: Link,
    bias: f64,
    extents: Vec<Extent>,
    nodes: Vec<Flat>,
    values: Vec<f32>,
}

impl Forest {
    /// Lays trees out over rows of `features` columns, their sum being log odds. Subtrees whose leaves
    /// all answer the same are collapsed. Thresholds are rounded down to f32, which is exact for f32 values.
    pub fn new(features: usize, bias: f64, trees: &[Tree]) -> Result<Self, ForestError> {
        let splits = trees.iter().flatten().filter_map(|node| node.split);
        // What is no column is found by `check`.
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

    /// The same trees, their sum read in another way.
    pub fn with_link(self, link: Link) -> Result<Self, ForestError> {
        let forest = Self { link, ..self };
        forest.validate()?;
        Ok(forest)
    }

    /// Number of columns.
    pub fn features(&self) -> usize {
        self.features
    }

    /// How the sum becomes a probability.
    pub fn link(&self) -> Link {
        self.link
    }

    /// Number of trees.
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
        reason = "`check` has seen every place that is followed here"
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

    /// The column that a split reads, and what it is compared with.
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
                "it has no columns, or more than 256 with those it reads in two ways",
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
                "it reads a column in two ways that rows do not have, or twice",
            ));
        }
        Ok(())
    }

    /// What the scoring kernel relies on.
    fn validate(&self) -> Result<(), ForestError> {
        self.validate_columns()?;
        if !self.link.is_sound() {
            return Err(ForestError::File(
                "its calibration is no number, or turns it round",
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
                return Err(wrong(0, "its extent does not follow the one before"));
            }
            next = root + len;
            let Some(nodes) = self.nodes.get(root..next) else {
                return Err(wrong(0, "it ends after the file"));
            };
            let mut levels = vec![0u32; len];
            for (at, node) in nodes.iter().enumerate() {
                let level = levels.get(at).copied().unwrap_or_default();
                if node.feature() >= columns {
                    return Err(wrong(at, "it asks for a column that rows do not have"));
                }
                if node.child() == at {
                    if node.threshold != f32::INFINITY {
                        return Err(wrong(at, "a leaf's threshold is not infinite"));
                    }
                } else {
                    // Children after their parents: no walk can go in circles.
                    let children = levels
                        .get_mut(node.child()..node.child() + 2)
                        .filter(|_| node.child() > at);
                    children
                        .ok_or_else(|| wrong(at, "its children are not after it within the tree"))?
                        .fill(level + 1);
                    if node.threshold.is_nan() {
                        return Err(wrong(at, "its threshold is no number"));
                    }
                }
            }
            // Exactly: every step of a depth that is too large would be walked, billions of them.
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
            return Err((place, "it asks for a column that rows do not have"));
        }
        if split.threshold.is_nan() {
            return Err((place, "its threshold is no number"));
        }
        for child in [split.below, split.other] {
            match parents.get_mut(child) {
                Some(parents) if child > place && *parents == 0 => *parents = 1,
                _ => return Err((place, "its children are not nodes of their own after it")),
            }
        }
    }
    Ok(())
}

/// Which nodes answer the same wherever one goes below them.
#[expect(
    clippy::indexing_slicing,
    reason = "`check` has seen every place that is followed here"
)]
fn collapse(tree: &Tree) -> Vec<bool> {
    let mut same = vec![false; tree.len()];
    // From the last: children come after their parents.
    for (place, node) in tree.iter().enumerate().rev() {
        same[place] = node.split.is_none_or(|split| {
            let value = |child: usize| (same[child], tree[child].value);
            let (below, other) = (value(split.below), value(split.other));
            below.0 && other.0 && below.1 == other.1 && (below.1 as f32 == node.value as f32)
        });
    }
    same
}
