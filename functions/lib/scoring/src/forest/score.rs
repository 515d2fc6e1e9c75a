//! Walks the trees. This is the only unsafe code of the workspace.
#![expect(
    unsafe_code,
    reason = "the scoring kernel: bounds checks cost a third of its time; every index was checked when the forest was built or read"
)]

use std::borrow::Cow;

use super::{Extent, Flat, Forest};
use crate::{MISSING, Matrix};

/// How many walks run side by side: enough to hide the latency of a load, few enough for the
/// registers.
const LANES: usize = 16;
/// Rows that are widened at a time, if columns must be copied: some tens of KB.
const CHUNK: usize = 16 * LANES;
/// Stands for a missing value in a copied column: it is not above any threshold.
const LOWEST: f32 = f32::NEG_INFINITY;

impl Forest {
    /// As [`crate::Model::score`].
    pub fn score(&self, rows: &Matrix, scores: &mut Vec<f64>) {
        scores.clear();
        if rows.columns() != self.features {
            return;
        }
        scores.resize(rows.rows(), self.bias);
        if self.low.is_empty() {
            self.add(rows.values(), scores);
        } else {
            let mut wide = Vec::new();
            for (sums, rows) in scores
                .chunks_mut(CHUNK)
                .zip(rows.values().chunks(CHUNK * self.features))
            {
                wide.clear();
                rows.chunks_exact(self.features)
                    .for_each(|row| self.widen(row, &mut wide));
                self.add(&wide, sums);
            }
        }
        for score in scores {
            *score = self.link.probability(*score);
        }
    }

    /// Adds the values of the leaves to each row's sum. `rows` include the copied columns.
    fn add(&self, rows: &[f32], sums: &mut [f64]) {
        let width = self.features + self.low.len();
        for extent in &self.extents {
            let (nodes, values) = self.tree(extent);
            // The last rows, fewer than LANES, are walked one after the other.
            let mut sums = sums.chunks_exact_mut(LANES);
            let mut lanes = rows.chunks_exact(LANES * width);
            for (sums, rows) in sums.by_ref().zip(lanes.by_ref()) {
                walk_rows(nodes, values, extent.depth, rows, width, sums);
            }
            for (sum, row) in sums
                .into_remainder()
                .iter_mut()
                .zip(lanes.remainder().chunks_exact(width))
            {
                *sum += f64::from(walk(nodes, values, extent.depth, row));
            }
        }
    }

    /// Appends a row and its copied columns.
    fn widen(&self, row: &[f32], wide: &mut Vec<f32>) {
        wide.extend_from_slice(row);
        let sources = self
            .low
            .iter()
            .map(|&source| row.get(usize::from(source)).copied().unwrap_or(MISSING));
        wide.extend(sources.map(|value| if value == MISSING { LOWEST } else { value }));
    }

    /// The row with its copied columns.
    fn wide<'a>(&self, row: &'a [f32]) -> Cow<'a, [f32]> {
        if self.low.is_empty() {
            return Cow::Borrowed(row);
        }
        let mut wide = Vec::with_capacity(self.features + self.low.len());
        self.widen(row, &mut wide);
        Cow::Owned(wide)
    }

    /// The sum of one row, with several trees side by side.
    fn sum(&self, row: &[f32]) -> f64 {
        let row = &*self.wide(row);
        let mut sum = self.bias;
        let (groups, rest) = self.extents.as_chunks::<LANES>();
        for extents in groups {
            sum += walk_trees(&self.nodes, &self.values, extents, row);
        }
        for extent in rest {
            let (nodes, values) = self.tree(extent);
            sum += f64::from(walk(nodes, values, extent.depth, row));
        }
        sum
    }

    /// As [`crate::Model::score_one`].
    pub fn score_one(&self, rows: &Matrix, row: usize) -> Option<f64> {
        let row = rows.row(row);
        let fits = rows.columns() == self.features && row.len() == self.features;
        fits.then(|| self.link.probability(self.sum(row)))
    }

    /// What each column adds to the sum of one row, as [`crate::Model::contributions`]: along the
    /// path through each tree, the difference between a node's value and its child's counts for the
    /// column of the split (A. Saabas, "Interpreting random forests", 2014,
    /// <https://blog.datadive.net/interpreting-random-forests/>). Unlike SHAP values, these depend
    /// on the order of the splits.
    pub fn contributions(&self, rows: &Matrix, row: usize) -> Vec<f64> {
        let row = rows.row(row);
        let mut added = vec![0.0; self.features];
        if row.len() != self.features {
            return added;
        }
        let row = &*self.wide(row);
        for extent in &self.extents {
            let (nodes, values) = self.tree(extent);
            let mut at = 0;
            while let Some((node, from)) = nodes.get(at).zip(values.get(at)) {
                let next = step(*node, row);
                let (Some(to), Some(added)) = (values.get(next), added.get_mut(self.source(*node)))
                else {
                    break;
                };
                if next == at {
                    break;
                }
                *added += f64::from(*to) - f64::from(*from);
                at = next;
            }
        }
        added
    }

    /// The bias plus the values of all roots.
    pub fn expected(&self) -> f64 {
        let roots = self
            .extents
            .iter()
            .filter_map(|extent| self.values.get(extent.root as usize));
        self.bias + roots.map(|&value| f64::from(value)).sum::<f64>()
    }

    /// The row's own column that a node reads, directly or as a copy.
    fn source(&self, node: Flat) -> usize {
        let copy = node
            .feature()
            .checked_sub(self.features)
            .and_then(|copy| self.low.get(copy));
        copy.map_or(node.feature(), |&source| usize::from(source))
    }

    fn tree(&self, extent: &Extent) -> (&[Flat], &[f32]) {
        let place = extent.root as usize..(extent.root + extent.nodes) as usize;
        (
            self.nodes.get(place.clone()).unwrap_or_default(),
            self.values.get(place).unwrap_or_default(),
        )
    }
}

/// The step with bounds checks, for explanations.
fn step(node: Flat, row: &[f32]) -> usize {
    let below = row
        .get(node.feature())
        .is_some_and(|value| *value <= node.threshold);
    node.child() + usize::from(!below)
}

/// One step of a walk within `nodes`, from `at`, by `row`.
///
/// # Safety
/// `at` is an index of `nodes`. `nodes` is one tree of a validated [`Forest`]. `row` is as wide as
/// the forest's rows with their copied columns, and has no NaN.
#[inline(always)]
#[expect(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "NaN, which rows do not have, would go to the second child"
)]
unsafe fn step_unchecked(nodes: &[Flat], at: usize, row: &[f32]) -> usize {
    // SAFETY: the caller's promise.
    let node = unsafe { *nodes.get_unchecked(at) };
    // SAFETY: `Forest::validate` has checked that no node reads a column that rows do not have.
    let value = unsafe { *row.get_unchecked(node.feature()) };
    // INVARIANT: the result is an index of `nodes`. `Forest::validate` has checked that both
    // children of an inner node are within the tree. A leaf points to itself, and its threshold is
    // +inf: `value` is not NaN, so it is not above, and the walk stays.
    node.child() + usize::from(!(value <= node.threshold))
}

/// One row through one tree.
fn walk(nodes: &[Flat], values: &[f32], depth: u32, row: &[f32]) -> f32 {
    let mut at = 0;
    for _ in 0..depth {
        // SAFETY: 0 is the root, and each step gives an index of the tree. `row` comes from a
        // `Matrix`, so it has no NaN. The callers have compared its width with the forest's, and
        // `widen` has appended the copied columns.
        at = unsafe { step_unchecked(nodes, at, row) };
    }
    values.get(at).copied().unwrap_or_default()
}

/// `LANES` rows through one tree, side by side.
fn walk_rows(
    nodes: &[Flat],
    values: &[f32],
    depth: u32,
    rows: &[f32],
    width: usize,
    sums: &mut [f64],
) {
    let mut at = [0; LANES];
    let mut lanes = [&[][..]; LANES];
    for (lane, row) in lanes.iter_mut().zip(rows.chunks_exact(width)) {
        *lane = row;
    }
    for _ in 0..depth {
        for (at, row) in at.iter_mut().zip(lanes) {
            // SAFETY: as in `walk`. `rows` has `LANES` rows of `width`, so each lane has one.
            *at = unsafe { step_unchecked(nodes, *at, row) };
        }
    }
    for (sum, at) in sums.iter_mut().zip(at) {
        *sum += f64::from(values.get(at).copied().unwrap_or_default());
    }
}

/// One row through `LANES` trees, side by side.
fn walk_trees(nodes: &[Flat], values: &[f32], extents: &[Extent; LANES], row: &[f32]) -> f64 {
    let trees = extents.map(|extent| {
        let place = extent.root as usize..(extent.root + extent.nodes) as usize;
        nodes.get(place).unwrap_or_default()
    });
    let depth = extents
        .iter()
        .map(|extent| extent.depth)
        .max()
        .unwrap_or_default();
    let mut at = [0; LANES];
    for _ in 0..depth {
        for (at, nodes) in at.iter_mut().zip(trees) {
            // SAFETY: as in `walk`. A walk that has reached a leaf stays there.
            *at = unsafe { step_unchecked(nodes, *at, row) };
        }
    }
    let answers = at
        .iter()
        .zip(extents)
        .map(|(at, extent)| values.get(extent.root as usize + at).copied());
    answers
        .map(|value| f64::from(value.unwrap_or_default()))
        .sum()
}
