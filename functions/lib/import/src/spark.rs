//! Tree ensembles and single trees of Spark MLlib 3, from the text and Parquet files of
//! `model.save`.
//!
//! A forest's probability is the mean of its trees' class shares. Boosting's probability is
//! `1 / (1 + exp(-2 m))`, where m is the weighted sum of the trees (`RandomForestClassifier.scala`
//! and `GBTClassifier.scala` in
//! <https://github.com/apache/spark/tree/v3.5.6/mllib/src/main/scala/org/apache/spark/ml/classification>).
//! A missing value is NaN in Spark and goes right, as in our trees.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::panic;
use std::path::Path;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use scoring::{Forest, Link, Split};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Columns, Foreign, ImportError, json, tree};

const SPARK: &str = "Spark";
/// A saved model's tables. Each row is a line of JSON.
pub(super) struct Saved {
    pub(super) metadata: String,
    pub(super) trees: String,
    pub(super) nodes: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    class: String,
    num_features: Option<usize>,
    num_classes: Option<usize>,
}

#[derive(Deserialize)]
struct TreeRow {
    #[serde(rename = "treeID")]
    tree: i64,
    weights: f64,
}

#[derive(Deserialize)]
struct NodeRow {
    #[serde(rename = "treeID")]
    tree: i64,
    #[serde(rename = "nodeData")]
    node: NodeData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeData {
    id: usize,
    prediction: f64,
    #[serde(default)]
    impurity_stats: Vec<f64>,
    left_child: i64,
    right_child: i64,
    split: Option<SplitData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SplitData {
    feature_index: i64,
    left_categories_or_threshold: Vec<f64>,
    /// -1 if the feature is a number.
    num_categories: i64,
}

impl Saved {
    pub(super) fn read(folder: &Path) -> Result<Self, ImportError> {
        let trees = folder.join("treesMetadata");
        Ok(Self {
            metadata: parts(&folder.join("metadata"))?,
            trees: if trees.is_dir() {
                parts(&trees)?
            } else {
                String::new()
            },
            nodes: parts(&folder.join("data"))?,
        })
    }

    pub(super) fn forest(&self, features: &[&str]) -> Result<Forest, ImportError> {
        let metadata: Metadata = json(SPARK, &self.metadata)?;
        let class = metadata.class.rsplit('.').next().unwrap_or_default();
        let refused = |what: String, instead| Err(ImportError::Refused { what, instead });
        let boosted = match class {
            "GBTClassificationModel" => true,
            "RandomForestClassificationModel" | "DecisionTreeClassificationModel" => false,
            "PipelineModel" => {
                return refused(
                    format!("Spark's {class}"),
                    "give the folder of its last stage, under stages/",
                );
            }
            _ => {
                return refused(
                    format!("Spark's {class}"),
                    "train a RandomForestClassifier, GBTClassifier or DecisionTreeClassifier",
                );
            }
        };
        // A boosted model has two classes and does not save their number.
        let classes = metadata.num_classes.unwrap_or(2);
        if classes != 2 {
            return refused(
                format!("a Spark model of {classes} classes"),
                "train it on two",
            );
        }
        let columns = metadata
            .num_features
            .ok_or_else(|| form("numFeatures is missing".to_owned()))?;
        let columns = Columns::new(None, columns, features)?;

        // By tree, then by node id.
        let mut nodes: BTreeMap<i64, BTreeMap<usize, NodeData>> = BTreeMap::new();
        let mut add = |tree, node: NodeData| nodes.entry(tree).or_default().insert(node.id, node);
        if class == "DecisionTreeClassificationModel" {
            rows(&self.nodes)?
                .into_iter()
                .for_each(|node| drop(add(0, node)));
        } else {
            rows(&self.nodes)?
                .into_iter()
                .for_each(|NodeRow { tree, node }| drop(add(tree, node)));
        }
        let weights: BTreeMap<i64, f64> = rows(&self.trees)?
            .into_iter()
            .map(|TreeRow { tree, weights }| (tree, weights))
            .collect();
        let mut trees = Vec::with_capacity(nodes.len());
        let mean = 1.0 / nodes.len() as f64;
        for (place, nodes) in &nodes {
            let scale = match weights.get(place) {
                Some(weight) if boosted => 2.0 * weight,
                None if boosted => return Err(form(format!("tree {place} has no weight"))),
                _ => mean,
            };
            trees.push(grown(*place, nodes, boosted, scale, &columns)?);
        }
        if weights.len() != trees.len() && class != "DecisionTreeClassificationModel" {
            return Err(form(format!(
                "treesMetadata has {} trees, data has {}",
                weights.len(),
                trees.len()
            )));
        }
        let link = if boosted {
            Link::Logistic
        } else {
            Link::Probability {
                slope: 1.0,
                intercept: 0.0,
            }
        };
        columns.forest(0.0, &trees, link)
    }
}

fn grown(
    place: i64,
    nodes: &BTreeMap<usize, NodeData>,
    boosted: bool,
    scale: f64,
    columns: &Columns,
) -> Result<scoring::Tree, ImportError> {
    let no_tree = || form(format!("the nodes of tree {place} do not form a tree"));
    let mut foreign = Vec::with_capacity(nodes.len());
    for (at, (id, node)) in nodes.iter().enumerate() {
        // Ids have no gaps, so that an id is a place.
        if at != *id {
            return Err(no_tree());
        }
        let (Ok(below), Ok(other)) = (
            usize::try_from(node.left_child),
            usize::try_from(node.right_child),
        ) else {
            let (value, weight) = node.answer(boosted).ok_or_else(no_tree)?;
            foreign.push(Foreign::Leaf {
                value: scale * value,
                weight,
            });
            continue;
        };
        let split = node.split.as_ref().ok_or_else(no_tree)?;
        if split.num_categories != -1 {
            return Err(ImportError::Refused {
                what: format!("the categorical split of Spark's tree {place}"),
                instead: "encode categories as numbers (declared categories of the definition are encoded \
                          for you)",
            });
        }
        let (Ok(feature), [threshold]) = (
            usize::try_from(split.feature_index),
            &split.left_categories_or_threshold[..],
        ) else {
            return Err(no_tree());
        };
        let (feature, threshold) = (columns.place(feature), *threshold);
        foreign.push(Foreign::Inner(Split {
            feature,
            threshold,
            below,
            other,
            missing_below: false,
        }));
    }
    tree(&foreign).ok_or_else(no_tree)
}

impl NodeData {
    /// A leaf's value and its training weight.
    fn answer(&self, boosted: bool) -> Option<(f64, f64)> {
        match &self.impurity_stats[..] {
            // Count, sum, sum of squares.
            [count, ..] if boosted => Some((self.prediction, *count)),
            [good, frauds] if good + frauds > 0.0 => {
                Some((frauds / (good + frauds), good + frauds))
            }
            _ => None,
        }
    }
}

/// Reads all files of a table. Each row is a line of JSON.
fn parts(folder: &Path) -> Result<String, ImportError> {
    let failed = |source| ImportError::File {
        path: folder.to_path_buf(),
        source,
    };
    let mut text = String::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Skip success markers and checksums.
        if name.starts_with(['_', '.']) {
            continue;
        }
        if name.ends_with(".parquet") {
            text += &parquet(&path)?;
        } else {
            text += &fs::read_to_string(&path).map_err(|source| ImportError::File {
                path: path.clone(),
                source,
            })?;
        }
    }
    Ok(text)
}

fn parquet(path: &Path) -> Result<String, ImportError> {
    let lines = || -> Result<String, ParquetError> {
        let mut text = String::new();
        for row in SerializedFileReader::new(File::open(path)?)?.get_row_iter(None)? {
            text += &row?.to_json_value().to_string();
            text.push('\n');
        }
        Ok(text)
    };
    // The library panics on some damaged files.
    let lines = panic::catch_unwind(lines)
        .unwrap_or_else(|_| Err(ParquetError::General("the file is damaged".to_owned())));
    lines.map_err(|why| form(format!("{}: {why}", path.display())))
}

fn rows<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, ImportError> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| json(SPARK, line))
        .collect()
}

fn form(what: String) -> ImportError {
    ImportError::Form {
        library: SPARK,
        what,
    }
}
