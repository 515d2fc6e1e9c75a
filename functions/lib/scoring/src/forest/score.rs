//! Walking the trees. The only unsafe code of the functions.
#![expect(
    unsafe_code,
    reason = "the scoring kernel: bounds checks cost a third of its time; every place was validated at load"
)]

use std::borrow::Cow;

use super::{Extent, Flat, Forest};
use crate::{MISSING, Matrix};

/// How many walks are in flight: enough to hide the latency of a load, few enough for the registers.
const LANES: usize = 16;
/// Rows that are copied at a time where columns are read in two ways: a few tens of KB.
const CHUNK: usize = 16 * LANES;
/// What is missing, in a column where it goes below: not above any threshold.
const LOWEST: f32 = f32::NEG_INFINITY;

impl Forest {
    /// Probabilities of all rows, in `scores`, which is emptied first. Rows of another width give none.
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

    /// Adds the trees' answers to each row's sum. `rows` are as wide as nodes ask.
    fn add(&self, rows: &[f32], sums: &mut [f64]) {
        let width = self.features + self.low.len();
        for extent in &self.extents {
            let (nodes, values) = self.tree(extent);
            // The last rows, fewer than LANES, are walked one by one.
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

    /// Appends a row and the columns that are read in a second way.
    fn widen(&self, row: &[f32], wide: &mut Vec<f32>) {
        wide.extend_from_slice(row);
        let sources = self
            .low
            .iter()
            .map(|&source| row.get(usize::from(source)).copied().unwrap_or(MISSING));
        wide.extend(sources.map(|value| if value == MISSING { LOWEST } else { value }));
    }

    /// A row as wide as nodes ask.
    fn wide<'a>(&self, row: &'a [f32]) -> Cow<'a, [f32]> {
        if self.low.is_empty() {
            return Cow::Borrowed(row);
        }
        let mut wide = Vec::with_capacity(self.features + self.low.len());
        self.widen(row, &mut wide);
        Cow::Owned(wide)
    }

    /// The sum of one row, several trees in flight.
    fn sum(&self, row: &[f32]) -> f64 {
        let (row, mut sum) = (&*self.wide(row), self.bias);
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

    /// Probability of one row; of a row of another width, none.
    pub fn score_one(&self, rows: &Matrix, row: usize) -> Option<f64> {
        let row = rows.row(row);
        let fits = rows.columns() == self.features && row.len() == self.features;
        fits.then(|| self.link.probability(self.sum(row)))
    }

    /// What each column added to the sum of one row: the differences between the values along
    /// each path, by the column that was asked ("path contributions", after Saabas 2014,
    /// <https://blog.datadive.net/interpreting-random-forests/>). With [`Forest::expected`] they add
    /// up to the sum.
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

    /// The sum before anything is asked: bias and the roots' values.
    pub fn expected(&self) -> f64 {
        let roots = self
            .extents
            .iter()
            .filter_map(|extent| self.values.get(extent.root as usize));
        self.bias + roots.map(|&value| f64::from(value)).sum::<f64>()
    }

    /// The row's column that a node asks for, as it is or in its second way.
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

/// The checked step, for where speed is nothing.
fn step(node: Flat, row: &[f32]) -> usize {
    let below = row
        .get(node.feature())
        .is_some_and(|value| *value <= node.threshold);
    node.child() + usize::from(!below)
}

/// One step of a walk within `nodes`, from `at`, by `row`.
///
/// # Safety
/// `at` is a place in `nodes`; `nodes` is one tree of a validated [`Forest`]; `row` is as wide as the
/// forest's rows and holds no NaN.
#[inline(always)]
#[expect(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "the comparison that smartcore makes, turned round"
)]
unsafe fn step_unchecked(nodes: &[Flat], at: usize, row: &[f32]) -> usize {
    // SAFETY: the caller's promise.
    let node = unsafe { *nodes.get_unchecked(at) };
    // SAFETY: `Forest::validate` has seen that no node asks for a column that rows do not have.
    let value = unsafe { *row.get_unchecked(node.feature()) };
    // INVARIANT: the result is a place in `nodes`. Of an inner node, both children were seen to be
    // within the tree. A leaf points to itself and its threshold is +inf: `value` is no NaN, so it is
    // not above, and the walk stays.
    node.child() + usize::from(!(value <= node.threshold))
}

/// One row through one tree.
fn walk(nodes: &[Flat], values: &[f32], depth: u32, row: &[f32]) -> f32 {
    let mut at = 0;
    for _ in 0..depth {
        // SAFETY: 0 is the root, and each step leads to a place in the tree; `row` comes from a
        // `Matrix` (no NaN) whose width the callers have compared with the forest's, and where columns
        // are read in two ways `widen` has appended one for each.
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
            // SAFETY: as in `walk`; `rows` holds `LANES` rows of `width`, so each lane has one.
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
            // SAFETY: as in `walk`; a walk that has come to a leaf stays there in the further steps.
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
