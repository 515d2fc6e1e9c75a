//! Converts smartcore's trees to nodes. smartcore's fields are private, so the trees are read
//! through serde; the version is pinned for this reason.

use scoring::{MISSING, Matrix, Node, Split, Tree};
use serde::{Deserialize, Serialize};
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::learner::LearnError;

#[derive(Deserialize)]
pub(crate) struct SmartcoreTree {
    nodes: Vec<SmartcoreNode>,
}

#[derive(Deserialize)]
struct SmartcoreNode {
    output: f64,
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

/// Serializes a smartcore model and reads it as `T`.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(fitted: &impl Serialize) -> Result<T, LearnError> {
    // Through text: a forest as `serde_json::Value` takes ten times the memory.
    Ok(serde_json::from_slice(&serde_json::to_vec(fitted)?)?)
}

impl SmartcoreTree {
    /// `columns` are the places of the tree's columns in the matrix.
    pub(crate) fn tree(self, columns: &[usize]) -> Tree {
        let node = |node: SmartcoreNode| Node {
            value: node.output,
            split: match (
                node.split_value,
                node.true_child,
                node.false_child,
                columns.get(node.split_feature),
            ) {
                (Some(threshold), Some(below), Some(other), Some(&feature)) => Some(Split {
                    feature,
                    threshold,
                    below,
                    other,
                    missing_below: false,
                }),
                _ => None,
            },
        };
        self.nodes.into_iter().map(node).collect()
    }
}

/// Some rows of a matrix, stored by column: growing and evaluating a tree reads few columns of many
/// rows.
pub(crate) struct Columns {
    rows: usize,
    values: Vec<f32>,
}

impl Columns {
    pub(crate) fn of(rows: &Matrix, of: &[usize]) -> Self {
        let mut values = vec![0.0; of.len() * rows.columns()];
        for (place, &row) in of.iter().enumerate() {
            // In the matrix's order, so that each row is fetched once.
            for (to, value) in values
                .iter_mut()
                .skip(place)
                .step_by(of.len().max(1))
                .zip(rows.row(row))
            {
                *to = *value;
            }
        }
        Self {
            rows: of.len(),
            values,
        }
    }

    fn column(&self, column: usize) -> &[f32] {
        self.values
            .get(column * self.rows..(column + 1) * self.rows)
            .unwrap_or_default()
    }

    /// The given rows and columns.
    pub(crate) fn dense(
        &self,
        of: &[usize],
        columns: &[usize],
    ) -> Result<DenseMatrix<f32>, LearnError> {
        let mut values = Vec::with_capacity(of.len() * columns.len());
        for &column in columns {
            let column = self.column(column);
            values.extend(of.iter().filter_map(|&place| column.get(place)));
        }
        DenseMatrix::new(of.len(), columns.len(), values, true).map_err(LearnError::Fit)
    }

    pub(crate) fn whole(self, columns: usize) -> Result<DenseMatrix<f32>, LearnError> {
        DenseMatrix::new(self.rows, columns, self.values, true).map_err(LearnError::Fit)
    }

    /// The leaf that each row reaches.
    pub(crate) fn leaves<'a>(&'a self, tree: &'a [Node]) -> impl Iterator<Item = usize> + 'a {
        (0..self.rows).map(move |row| {
            let mut at = 0;
            while let Some(split) = tree.get(at).and_then(|node| node.split) {
                let value = self
                    .values
                    .get(split.feature * self.rows + row)
                    .copied()
                    .unwrap_or(MISSING);
                at = if f64::from(value) <= split.threshold {
                    split.below
                } else {
                    split.other
                };
            }
            at
        })
    }
}
