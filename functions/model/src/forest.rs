//! Trees laid out for scoring near the machine's limit, and the file they are kept in.
//!
//! A node is 8 bytes: a threshold, and a feature with the place of its first child. Siblings are
//! neighbours: `value <= threshold` goes to the first, anything else to the second. A leaf points to
//! itself under a threshold that nothing exceeds, so that every tree is walked a fixed number of
//! steps without asking where the leaves are, and many walks are in flight at once. Values lie apart,
//! for inner nodes too: the differences along a path say what each feature added.

mod file;
mod score;

pub use score::logistic;

use std::collections::VecDeque;

use bytemuck::{Pod, Zeroable};

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

/// An additive model over trees: log odds = bias + the trees' answers; probability = its logistic.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    features: usize,
    bias: f64,
    extents: Vec<Extent>,
    nodes: Vec<Flat>,
    values: Vec<f32>,
}

impl Forest {
    /// Lays trees out over rows of `features` columns. Subtrees whose leaves all answer the same are
    /// collapsed. Thresholds are rounded down to f32, which is exact for f32 values.
    pub fn new(features: usize, bias: f64, trees: &[Tree]) -> Result<Self, ForestError> {
        let mut forest = Self { features, bias, extents: Vec::new(), nodes: Vec::new(), values: Vec::new() };
        for (place, tree) in trees.iter().enumerate() {
            let wrong = |node, why| ForestError::Tree { tree: place, node, why };
            check(tree, features).map_err(|(node, why)| wrong(node, why))?;
            let collapsed = collapse(tree);
            forest.lay_out(tree, &collapsed);
        }
        forest.validate()?;
        Ok(forest)
    }

    /// Number of columns.
    pub fn features(&self) -> usize {
        self.features
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
    #[expect(clippy::indexing_slicing, reason = "`check` has seen every place that is followed here")]
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
                None => Flat { threshold: f32::INFINITY, link: at as u32 },
                Some(split) => {
                    let child = place(&self.nodes);
                    for next in [split.below, split.other] {
                        queue.push_back((next, level + 1));
                        self.nodes.push(Flat::zeroed());
                        self.values.push(0.0);
                    }
                    Flat { threshold: floor(split.threshold), link: ((split.feature as u32) << 24) | child }
                }
            };
            at += 1;
        }
        self.extents.push(Extent { root: root as u32, nodes: at as u32, depth });
    }

    /// What the scoring kernel relies on.
    fn validate(&self) -> Result<(), ForestError> {
        if !(1..=256).contains(&self.features) {
            return Err(ForestError::File("it has no columns, or more than 256"));
        }
        if !self.bias.is_finite() || self.values.iter().any(|value| !value.is_finite()) {
            return Err(ForestError::File("a value is not finite"));
        }
        if self.values.len() != self.nodes.len() {
            return Err(ForestError::File("it does not have a value for each node"));
        }
        let mut next = 0;
        for (place, extent) in self.extents.iter().enumerate() {
            let wrong = |node, why| ForestError::Tree { tree: place, node, why };
            let (root, len) = (extent.root as usize, extent.nodes as usize);
            if root != next || len == 0 || len > MAX_NODES {
                return Err(wrong(0, "its extent does not follow the one before"));
            }
            next = root + len;
            let Some(nodes) = self.nodes.get(root..next) else { return Err(wrong(0, "it ends after the file")) };
            let mut levels = vec![0u32; len];
            for (at, node) in nodes.iter().enumerate() {
                let level = levels.get(at).copied().unwrap_or_default();
                if node.feature() >= self.features {
                    return Err(wrong(at, "it asks for a column that rows do not have"));
                }
                if node.child() == at {
                    if node.threshold != f32::INFINITY {
                        return Err(wrong(at, "a leaf's threshold is not infinite"));
                    }
                } else {
                    // Children after their parents: no walk can go in circles.
                    let children = levels.get_mut(node.child()..node.child() + 2).filter(|_| node.child() > at);
                    children.ok_or_else(|| wrong(at, "its children are not after it within the tree"))?.fill(level + 1);
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
    if f64::from(near) > threshold { near.next_down() } else { near }
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
#[expect(clippy::indexing_slicing, reason = "`check` has seen every place that is followed here")]
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
