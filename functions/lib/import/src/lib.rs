//! Reads models of other libraries into the served format: XGBoost's JSON, LightGBM's text,
//! scikit-learn's trees as JSON written by `from_sklearn.py`, and saved Spark MLlib models.
//!
//! A model that can't be served exactly is refused with the reason. An inner node gets the mean of
//! its leaves, weighted by their training weights, so that contributions along a path add up to the
//! score.

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

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("can't read {path}")]
    File { path: PathBuf, source: io::Error },
    #[error(
        "unknown model format: expected XGBoost's save_model(\"model.json\"), LightGBM's \
         save_model(\"model.txt\"), the JSON of from_sklearn.py, or a folder of Spark MLlib's save"
    )]
    Kind,
    #[error("invalid {library} model: {what}")]
    Form { library: &'static str, what: String },
    #[error("invalid {library} model")]
    Json {
        library: &'static str,
        source: serde_json::Error,
    },
    /// A valid model that can't be served exactly.
    #[error("{what} can't be served: {instead}")]
    Refused { what: String, instead: &'static str },
    /// The model's columns differ from the look's features.
    #[error(
        "{what} `{name}`: train on the columns that `look features` writes, or remove the feature \
         from the look"
    )]
    Feature { what: &'static str, name: String },
    #[error("the model's trees can't be served")]
    Forest(#[from] ForestError),
}

/// Reads a model file, or a Spark folder. `features` are the look's. A model with column names is
/// put into their order; a model without names must have been trained in that order.
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

/// The fields that distinguish the JSON formats.
#[derive(Deserialize)]
struct Kind {
    learner: Option<IgnoredAny>,
    second_look_trees: Option<IgnoredAny>,
}

/// Detects the format by the beginning of the file.
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

/// A node of another library's tree. Children are places in that library's order.
#[derive(Clone, Copy)]
enum Foreign {
    /// `weight`: the training weight of the leaf.
    Leaf {
        value: f64,
        weight: f64,
    },
    Inner(Split),
}

/// The tree with its root at the first node; `None` if the nodes do not form a tree. Unreachable
/// nodes are left out.
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
    // Backwards: children come after their parents.
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

/// Maps a model's columns to the look's features.
struct Columns {
    width: usize,
    /// `None` if the columns have no names: then they are in the look's order.
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
                return Err(wrong("the model has a duplicate column"));
            }
            places.push(place);
        }
        if let Some((_, name)) = features
            .iter()
            .enumerate()
            .find(|(place, _)| !places.contains(place))
        {
            return Err(ImportError::Feature {
                what: "the model lacks the look's feature",
                name: (*name).to_owned(),
            });
        }
        Ok(Self {
            width: features.len(),
            places: Some(places),
        })
    }

    /// The look's column for a model's column. `Forest::new` refuses a column that does not exist.
    fn place(&self, column: usize) -> usize {
        self.places.as_ref().map_or(column, |places| {
            places.get(column).copied().unwrap_or(usize::MAX)
        })
    }

    fn forest(&self, bias: f64, trees: &[Tree], link: Link) -> Result<Forest, ImportError> {
        Ok(Forest::new(self.width, bias, trees)?.with_link(link)?)
    }
}
