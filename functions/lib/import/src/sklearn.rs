//! scikit-learn's trees, as JSON written by `functions/lib/import/from_sklearn.py`:
//!
//! - `second_look_trees`: the version of the format, 1
//! - `link`: what `bias` plus the sum of the trees is, `probability` or `log_odds`
//! - `features`: the number of columns; `names`: their names or null
//! - `trees`: of each tree, one list a field with an entry for each node: `left` and `right` (places of
//!   the children, -1 for a leaf), `feature`, `threshold` (a value up to it goes left), `missing_left`,
//!   `value` (what a leaf adds to the sum) and `weight` (its training weight)
//!
//! The trees of any library can be written in this format.

use scoring::{Forest, Link, Split};
use serde::Deserialize;

use super::{Columns, Foreign, ImportError, json, tree};

const LIBRARY: &str = "from_sklearn.py";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    second_look_trees: u32,
    link: Sum,
    bias: f64,
    features: usize,
    names: Option<Vec<String>>,
    trees: Vec<TreeColumns>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sum {
    Probability,
    LogOdds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TreeColumns {
    left: Vec<i64>,
    right: Vec<i64>,
    feature: Vec<i64>,
    threshold: Vec<f64>,
    missing_left: Vec<bool>,
    value: Vec<f64>,
    weight: Vec<f64>,
}

pub(super) fn forest(text: &str, features: &[&str]) -> Result<Forest, ImportError> {
    let file: File = json(LIBRARY, text)?;
    if file.second_look_trees != 1 {
        let what = format!("format version {}", file.second_look_trees);
        return Err(ImportError::Refused {
            what,
            instead: "write the file with this version's from_sklearn.py",
        });
    }
    let columns = Columns::new(file.names.as_deref(), file.features, features)?;
    let mut trees = Vec::with_capacity(file.trees.len());
    for (place, columns_of_tree) in file.trees.iter().enumerate() {
        let no_tree = || ImportError::Form {
            library: LIBRARY,
            what: format!("the nodes of tree {place} do not form a tree"),
        };
        trees.push(columns_of_tree.tree(&columns).ok_or_else(no_tree)?);
    }
    let link = match file.link {
        Sum::Probability => Link::Probability {
            slope: 1.0,
            intercept: 0.0,
        },
        Sum::LogOdds => Link::Logistic,
    };
    columns.forest(file.bias, &trees, link)
}

impl TreeColumns {
    fn tree(&self, columns: &Columns) -> Option<scoring::Tree> {
        let node = |at: usize| {
            let (left, right) = (*self.left.get(at)?, *self.right.get(at)?);
            if left == -1 {
                return Some(Foreign::Leaf {
                    value: *self.value.get(at)?,
                    weight: *self.weight.get(at)?,
                });
            }
            Some(Foreign::Inner(Split {
                feature: columns.place(usize::try_from(*self.feature.get(at)?).ok()?),
                threshold: *self.threshold.get(at)?,
                below: usize::try_from(left).ok()?,
                other: usize::try_from(right).ok()?,
                missing_below: *self.missing_left.get(at)?,
            }))
        };
        tree(&(0..self.left.len()).map(node).collect::<Option<Vec<_>>>()?)
    }
}
