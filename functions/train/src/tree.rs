//! smartcore's trees as nodes. It keeps them to itself; serde is the way in, and the version is pinned
//! for this.

use model::{Matrix, Node, Split, Tree};
use serde::{Deserialize, Serialize};
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::learn::LearnError;

#[derive(Deserialize)]
pub(crate) struct Grown {
    nodes: Vec<GrownNode>,
}

#[derive(Deserialize)]
struct GrownNode {
    output: f64,
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

/// What smartcore wrote, read as something of ours.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(fitted: &impl Serialize) -> Result<T, LearnError> {
    // By text: a forest as a tree of JSON values would be ten times larger.
    Ok(serde_json::from_slice(&serde_json::to_vec(fitted)?)?)
}

impl Grown {
    /// As nodes, whose columns were `columns` of the matrix.
    pub(crate) fn tree(self, columns: &[usize]) -> Tree {
        let node = |node: GrownNode| Node {
            value: node.output,
            split: match (node.split_value, node.true_child, node.false_child, columns.get(node.split_feature)) {
                (Some(threshold), Some(below), Some(other), Some(&feature)) => {
                    Some(Split { feature, threshold, below, other, missing_below: false })
                }
                _ => None,
            },
        };
        self.nodes.into_iter().map(node).collect()
    }
}

/// The places that a row passes, the root first, its leaf last.
pub(crate) fn path<'a>(tree: &'a [Node], row: &'a [f32]) -> impl Iterator<Item = usize> + 'a {
    let next = |place: &usize| {
        let split = tree.get(*place)?.split?;
        let value = f64::from(*row.get(split.feature)?);
        Some(if value <= split.threshold { split.below } else { split.other })
    };
    std::iter::successors(Some(0), next)
}

/// What the tree says of a row.
pub(crate) fn answer(tree: &[Node], row: &[f32]) -> f64 {
    path(tree, row).last().and_then(|leaf| tree.get(leaf)).map_or(f64::NAN, |leaf| leaf.value)
}

/// Some rows and columns of a matrix, column by column: a split is looked for along a column.
pub(crate) fn dense(rows: &Matrix, of: &[usize], columns: &[usize]) -> Result<DenseMatrix<f32>, LearnError> {
    let mut values = Vec::with_capacity(of.len() * columns.len());
    for &column in columns {
        values.extend(of.iter().filter_map(|&row| rows.row(row).get(column)));
    }
    DenseMatrix::new(of.len(), columns.len(), values, true).map_err(LearnError::Fit)
}
