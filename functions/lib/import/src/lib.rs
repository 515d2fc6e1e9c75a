//! Models that were learnt elsewhere, as a bundle serves them: XGBoost's JSON, LightGBM's text,
//! scikit-learn's trees by `from_sklearn.py`, and what Spark MLlib saves.
//!
//! What can't be served exactly is refused by name. Inner nodes are given the mean of their leaves, by
//! the weight that each had in training, so that a path's contributions add up to the sum.

mod lightgbm;
mod sklearn;
mod spark;
#[cfg(test)]
mod tests;
mod xgboost;

use std::path::{Path, PathBuf};
use std::{fs, io, mem};

use scoring::{Forest, ForestError, Link, Model, Node, Split, Tree};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// Why a model can't be brought along.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("can't read {path}")]
    File { path: PathBuf, source: io::Error },
    /// Of none of the kinds.
    #[error(
        "this is no model that we know: expected XGBoost's save_model(\"model.json\"), LightGBM's \
         save_model(\"model.txt\"), the JSON of from_sklearn.py, or a folder of Spark MLlib's save"
    )]
    Kind,
    /// Not what the library writes.
    #[error("not as {library} writes it: {what}")]
    Form {
        /// Whose file it seems to be.
        library: &'static str,
        what: String,
    },
    #[error("not as {library} writes it")]
    Json {
        /// Whose file it seems to be.
        library: &'static str,
        source: serde_json::Error,
    },
    /// A model, but none that can be served as it is.
    #[error("{what} can't be served: {instead}")]
    Refused { what: String, instead: &'static str },
    /// The model's columns are not the look's features.
    #[error(
        "{what} `{name}`: train on the columns that `look features` writes, or leave it out of the look"
    )]
    Feature {
        /// What is the matter with it.
        what: &'static str,
        name: String,
    },
    #[error("its trees can't be laid out")]
    Forest(#[from] ForestError),
}

/// Reads a file, or Spark's folder. A model that names its columns is put into the order of `features`,
/// the look's; one that does not must have been trained in that order.
pub fn read(path: &Path, features: &[&str]) -> Result<Model, ImportError> {
    if path.is_dir() {
        return Ok(spark::Saved::read(path)?.forest(features)?.into());
    }
    let bytes = fs::read(path).map_err(|source| ImportError::File {
        path: path.to_path_buf(),
        source,
    })?;
    Ok(parse(&bytes, features)?.into())
}

/// What tells JSON files apart.
#[derive(Deserialize)]
struct Kind {
    learner: Option<IgnoredAny>,
    second_look_trees: Option<IgnoredAny>,
}

/// Reads a file's bytes, told apart by how they begin.
fn parse(bytes: &[u8], features: &[&str]) -> Result<Forest, ImportError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| ImportError::Kind)?
        .trim_start();
    if text.starts_with("tree\n") || text.starts_with("tree\r\n") {
        return lightgbm::forest(text, features);
    }
    if !text.starts_with('{') {
        return Err(ImportError::Kind);
    }
    let kind: Kind = json("XGBoost or from_sklearn.py", text)?;
    match (kind.learner, kind.second_look_trees) {
        (Some(_), _) => xgboost::forest(text, features),
        (_, Some(_)) => sklearn::forest(text, features),
        _ => Err(ImportError::Kind),
    }
}

fn json<T: DeserializeOwned>(library: &'static str, text: &str) -> Result<T, ImportError> {
    serde_json::from_str(text).map_err(|source| ImportError::Json { library, source })
}

/// A node of another library's tree; children by that library's places.
#[derive(Clone, Copy)]
enum Foreign {
    /// What it answers, and how much of the training fell into it.
    Leaf {
        value: f64,
        weight: f64,
    },
    Inner(Split),
}

/// The tree that begins at the first of these nodes; none if it is no tree. Nodes that it does not reach
/// are left out.
fn tree(nodes: &[Foreign]) -> Option<Tree> {
    let mut order = vec![0];
    let mut seen = vec![false; nodes.len()];
    let (mut tree, mut weights) = (Tree::new(), Vec::new());
    while let Some(&place) = order.get(tree.len()) {
        if mem::replace(seen.get_mut(place)?, true) {
            return None;
        }
        let (node, weight) = match *nodes.get(place)? {
            Foreign::Leaf { value, weight } => (Node { value, split: None }, weight.max(0.0)),
            Foreign::Inner(split) => {
                let below = order.len();
                order.extend([split.below, split.other]);
                (
                    Node {
                        value: 0.0,
                        split: Some(Split {
                            below,
                            other: below + 1,
                            ..split
                        }),
                    },
                    0.0,
                )
            }
        };
        tree.push(node);
        weights.push(weight);
    }
    // From the last: children come after their parents.
    for place in (0..tree.len()).rev() {
        let Some(split) = tree.get(place)?.split else {
            continue;
        };
        let child = |place: usize| Some((tree.get(place)?.value, *weights.get(place)?));
        let ((below, of_below), (other, of_other)) = (child(split.below)?, child(split.other)?);
        let weight = of_below + of_other;
        let share = if weight > 0.0 && weight.is_finite() {
            of_below / weight
        } else {
            0.5
        };
        tree.get_mut(place)?.value = share * below + (1.0 - share) * other;
        *weights.get_mut(place)? = weight;
    }
    Some(tree)
}

/// Where a model's columns are among the look's features.
struct Columns {
    width: usize,
    /// None if they are not named: then they are in the look's order.
    places: Option<Vec<usize>>,
}

impl Columns {
    fn new(named: Option<&[String]>, width: usize, features: &[&str]) -> Result<Self, ImportError> {
        let Some(named) = named else {
            return Ok(Self {
                width,
                places: None,
            });
        };
        let mut places = Vec::new();
        for name in named {
            let wrong = |what| ImportError::Feature {
                what,
                name: name.clone(),
            };
            let place = features.iter().position(|feature| feature == name);
            let place = place.ok_or_else(|| wrong("the look has no feature"))?;
            if places.contains(&place) {
                return Err(wrong("the model has twice the column"));
            }
            places.push(place);
        }
        if let Some((_, name)) = features
            .iter()
            .enumerate()
            .find(|(place, _)| !places.contains(place))
        {
            return Err(ImportError::Feature {
                what: "the model has not the look's feature",
                name: (*name).to_owned(),
            });
        }
        Ok(Self {
            width: features.len(),
            places: Some(places),
        })
    }

    /// The look's column for one of the model's; `Forest::new` refuses what rows do not have.
    fn place(&self, column: usize) -> usize {
        self.places.as_ref().map_or(column, |places| {
            places.get(column).copied().unwrap_or(usize::MAX)
        })
    }

    fn forest(&self, bias: f64, trees: &[Tree], link: Link) -> Result<Forest, ImportError> {
        Ok(Forest::new(self.width, bias, trees)?.with_link(link)?)
    }
}
