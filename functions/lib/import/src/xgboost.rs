//! XGBoost's JSON format of versions 1 to 3: `booster.save_model("model.json")`. See
//! <https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html>.

use std::collections::BTreeMap;

use scoring::{Forest, Link, Split, logit};
use serde::Deserialize;

use super::{Columns, Foreign, ImportError, json, tree};

const XGBOOST: &str = "XGBoost";

#[derive(Deserialize)]
struct File {
    learner: Learner,
    #[serde(default)]
    version: Vec<u32>,
}

#[derive(Deserialize)]
struct Learner {
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    feature_names: Vec<String>,
    gradient_booster: Booster,
    learner_model_param: Shape,
    objective: Objective,
}

#[derive(Deserialize)]
struct Objective {
    name: String,
}

#[derive(Deserialize)]
struct Shape {
    base_score: String,
    num_class: String,
    num_feature: String,
    #[serde(default)]
    num_target: Option<String>,
}

/// `gbtree`, or `dart`, which contains a `gbtree` and one weight for each tree.
#[derive(Deserialize)]
struct Booster {
    name: String,
    model: Option<Trees>,
    gbtree: Option<Gbtree>,
    weight_drop: Option<Vec<f64>>,
}

#[derive(Deserialize)]
struct Gbtree {
    model: Trees,
}

/// `gblinear` has weights instead of trees.
#[derive(Deserialize)]
struct Trees {
    #[serde(default)]
    gbtree_model_param: Parameters,
    #[serde(default)]
    trees: Vec<TreeColumns>,
}

#[derive(Default, Deserialize)]
struct Parameters {
    num_parallel_tree: Option<String>,
}

/// One tree: one list a field with an entry for each node.
#[derive(Deserialize)]
struct TreeColumns {
    left_children: Vec<i64>,
    right_children: Vec<i64>,
    split_indices: Vec<usize>,
    /// The value of a leaf, the threshold of a split.
    split_conditions: Vec<f64>,
    default_left: Vec<Flag>,
    sum_hessian: Vec<f64>,
    /// 1 means categorical. Absent in version 1.
    #[serde(default)]
    split_type: Vec<u8>,
    tree_param: TreeShape,
}

#[derive(Deserialize)]
struct TreeShape {
    #[serde(default)]
    size_leaf_vector: Option<String>,
}

/// Version 1 writes booleans, later versions numbers.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Number(u8),
}

pub(super) fn forest(text: &str, features: &[&str]) -> Result<Forest, ImportError> {
    let File { learner, version } = json(XGBOOST, text)?;
    let Learner {
        attributes,
        feature_names,
        gradient_booster,
        learner_model_param: shape,
        objective,
    } = learner;
    let one = "train one model with binary:logistic";
    let refused = |what: String, instead| Err(ImportError::Refused { what, instead });
    if !["binary:logistic", "reg:logistic", "binary:logitraw"].contains(&objective.name.as_str()) {
        return refused(format!("XGBoost's objective {}", objective.name), one);
    }
    let targets = shape.num_target.as_deref().unwrap_or("1");
    if number::<u64>("num_class", &shape.num_class)? > 1
        || number::<u64>("num_target", targets)? > 1
    {
        return refused("an XGBoost model with several outputs".to_owned(), one);
    }
    let Booster {
        name,
        model,
        gbtree,
        weight_drop,
    } = gradient_booster;
    let (trees, weights) = match (name.as_str(), model, gbtree, weight_drop) {
        ("gbtree", Some(trees), ..) => (trees, None),
        ("dart", _, Some(gbtree), Some(weights)) => (gbtree.model, Some(weights)),
        ("gbtree" | "dart", ..) => return Err(form(format!("{name} has no trees"))),
        _ => {
            return refused(
                format!("XGBoost's booster {name}"),
                "train with gbtree or dart",
            );
        }
    };
    let parallel = number::<usize>(
        "num_parallel_tree",
        trees
            .gbtree_model_param
            .num_parallel_tree
            .as_deref()
            .unwrap_or("1"),
    )?;
    if let Some(best) = attributes.get("best_iteration") {
        let best = number::<usize>("best_iteration", best)?;
        if best.saturating_add(1) < trees.trees.len() / parallel.max(1) {
            let what = format!("an XGBoost model with trees after its best round {best}");
            return refused(
                what,
                "save booster[:booster.best_iteration + 1], or unset the attribute best_iteration to serve all",
            );
        }
    }

    let named = (!feature_names.is_empty()).then_some(feature_names.as_slice());
    let columns = Columns::new(named, number("num_feature", &shape.num_feature)?, features)?;
    // Since version 3.1, base_score is a list with one entry.
    let base_score: f64 = number("base_score", shape.base_score.trim_matches(['[', ']']))?;
    let bias = match objective.name.as_str() {
        // base_score is in log odds. In version 1 it was a probability at first.
        "binary:logitraw" if version.first().is_some_and(|major| *major >= 2) => base_score,
        "binary:logitraw" => return refused("binary:logitraw of XGBoost 1".to_owned(), one),
        _ if base_score > 0.0 && base_score < 1.0 => logit(base_score),
        _ => {
            return Err(form(format!(
                "base_score {base_score} is not between 0 and 1"
            )));
        }
    };
    let mut ours = Vec::with_capacity(trees.trees.len());
    for (place, grown) in trees.trees.iter().enumerate() {
        let weight = match &weights {
            None => 1.0,
            Some(weights) => *weights
                .get(place)
                .ok_or_else(|| form(format!("tree {place} has no weight_drop")))?,
        };
        ours.push(grown.tree(place, weight, &columns)?);
    }
    columns.forest(bias, &ours, Link::Logistic)
}

impl TreeColumns {
    fn tree(
        &self,
        place: usize,
        weight: f64,
        columns: &Columns,
    ) -> Result<scoring::Tree, ImportError> {
        let instead = "encode categories as numbers (a declared category of the definition is encoded for you)";
        if self.split_type.contains(&1) {
            return Err(ImportError::Refused {
                what: format!("the categorical split of XGBoost's tree {place}"),
                instead,
            });
        }
        if number::<u64>(
            "size_leaf_vector",
            self.tree_param.size_leaf_vector.as_deref().unwrap_or("0"),
        )? > 1
        {
            let what = format!("the leaf vector of XGBoost's tree {place}");
            return Err(ImportError::Refused {
                what,
                instead: "train with multi_strategy=one_output_per_tree",
            });
        }
        let node = |at: usize| {
            let condition = *self.split_conditions.get(at)?;
            let child =
                |children: &[i64]| children.get(at).map(|&child| usize::try_from(child).ok());
            let (left, right) = (child(&self.left_children)?, child(&self.right_children)?);
            let (Some(below), Some(other)) = (left, right) else {
                return Some(Foreign::Leaf {
                    value: weight * condition,
                    weight: *self.sum_hessian.get(at)?,
                });
            };
            Some(Foreign::Inner(Split {
                feature: columns.place(*self.split_indices.get(at)?),
                // XGBoost compares `value < condition` in f32.
                threshold: f64::from((condition as f32).next_down()),
                below,
                other,
                missing_below: match *self.default_left.get(at)? {
                    Flag::Bool(left) => left,
                    Flag::Number(left) => left != 0,
                },
            }))
        };
        let nodes: Option<Vec<Foreign>> = (0..self.left_children.len()).map(node).collect();
        nodes
            .and_then(|nodes| tree(&nodes))
            .ok_or_else(|| form(format!("the nodes of tree {place} do not form a tree")))
    }
}

fn form(what: String) -> ImportError {
    ImportError::Form {
        library: XGBOOST,
        what,
    }
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, ImportError> {
    text.parse()
        .map_err(|_| form(format!("{name} is {text:?}")))
}
