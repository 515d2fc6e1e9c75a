//! LightGBM 4's text format: `booster.save_model("model.txt")`. Splits follow `NumericalDecision`
//! in <https://github.com/microsoft/LightGBM/blob/v4.6.0/include/LightGBM/tree.h>.

use std::collections::HashMap;
use std::str::FromStr;

use scoring::{Forest, Link, Split};

use super::{Columns, Foreign, ImportError, tree};

/// LightGBM treats values up to this distance from 0 as zero.
const ZERO: f64 = 1e-35_f32 as f64;

/// The `name=value` lines of a section.
type Fields<'t> = HashMap<&'t str, &'t str>;

pub(super) fn forest(text: &str, features: &[&str]) -> Result<Forest, ImportError> {
    let Some((text, _)) = text.split_once("end of trees") else {
        return Err(form("the file ends before `end of trees`".to_owned()));
    };
    let mut sections = text.split("\nTree=");
    let header = fields(sections.next().unwrap_or_default());
    let instead = "train one model with objective=binary";
    let refused = |what: String| Err(ImportError::Refused { what, instead });
    let outputs: u64 = number(&header, "num_tree_per_iteration")?;
    if outputs != 1 {
        return refused("a LightGBM model with several outputs".to_owned());
    }
    let objective = header.get("objective").copied().unwrap_or("custom");
    let Some(sigmoid) = objective.strip_prefix("binary sigmoid:") else {
        return refused(format!("LightGBM's objective {objective}"));
    };
    let sigmoid = sigmoid.split(' ').next().unwrap_or_default();
    let sigmoid: f64 = sigmoid
        .parse()
        .map_err(|_| form(format!("sigmoid is {sigmoid:?}, not a number")))?;

    let names: Vec<String> = list(&header, "feature_names")?;
    let given = names
        .iter()
        .enumerate()
        .all(|(place, name)| *name == format!("Column_{place}"));
    let columns = Columns::new((!given).then_some(names.as_slice()), names.len(), features)?;
    let sections: Vec<Fields<'_>> = sections.map(fields).collect();
    // A random forest's score is the mean of its trees' values, which are log odds too.
    let averaged = header.contains_key("average_output");
    let scale = if averaged {
        sigmoid / sections.len().max(1) as f64
    } else {
        sigmoid
    };
    let grown = sections
        .iter()
        .enumerate()
        .map(|(place, fields)| grown(fields, place, scale, &columns));
    columns.forest(0.0, &grown.collect::<Result<Vec<_>, _>>()?, Link::Logistic)
}

fn grown(
    fields: &Fields<'_>,
    place: usize,
    scale: f64,
    columns: &Columns,
) -> Result<scoring::Tree, ImportError> {
    let refused = |what: &str, instead| ImportError::Refused {
        what: format!("{what} of LightGBM's tree {place}"),
        instead,
    };
    if fields.get("is_linear").is_some_and(|linear| *linear != "0") {
        return Err(refused("the linear leaves", "train without linear_tree"));
    }
    let categorical = || {
        refused(
            "the categorical split",
            "encode categories as numbers (declared categories of the definition are encoded for you)",
        )
    };
    if fields
        .get("num_cat")
        .is_some_and(|categories| *categories != "0")
    {
        return Err(categorical());
    }
    let values: Vec<f64> = list(fields, "leaf_value")?;
    // A tree of one leaf has neither weights nor splits.
    let weights: Vec<f64> = list(fields, "leaf_weight").unwrap_or_default();
    let inner: Vec<usize> = if values.len() > 1 {
        list(fields, "split_feature")?
    } else {
        Vec::new()
    };
    let no_tree = || form(format!("the nodes of tree {place} do not form a tree"));
    let mut nodes = Vec::with_capacity(inner.len() + values.len());
    if !inner.is_empty() {
        let thresholds: Vec<f64> = list(fields, "threshold")?;
        let decisions: Vec<u8> = list(fields, "decision_type")?;
        let (left, right): (Vec<i64>, Vec<i64>) =
            (list(fields, "left_child")?, list(fields, "right_child")?);
        // Leaves are numbered downwards from -1. In `nodes` they follow the inner nodes.
        let child = |children: &[i64], at: usize| {
            let child = *children.get(at)?;
            if child < 0 {
                usize::try_from(!child).ok()?.checked_add(inner.len())
            } else {
                usize::try_from(child).ok()
            }
        };
        for (at, feature) in inner.iter().enumerate() {
            let split = || {
                let (below, other) = (child(&left, at)?, child(&right, at)?);
                Some((*thresholds.get(at)?, *decisions.get(at)?, below, other))
            };
            let (threshold, decision, below, other) = split().ok_or_else(no_tree)?;
            if decision & 1 != 0 {
                return Err(categorical());
            }
            let missing_below = missing_below(decision, threshold).ok_or_else(|| {
                refused(
                    "the split by zero_as_missing",
                    "train without it; missing values are NaN",
                )
            })?;
            let feature = columns.place(*feature);
            nodes.push(Foreign::Inner(Split {
                feature,
                threshold,
                below,
                other,
                missing_below,
            }));
        }
    }
    for (leaf, value) in values.iter().enumerate() {
        nodes.push(Foreign::Leaf {
            value: scale * value,
            weight: weights.get(leaf).copied().unwrap_or(1.0),
        });
    }
    tree(&nodes).ok_or_else(no_tree)
}

/// Whether NaN goes to `below`. `None` if LightGBM treats zero as missing and the branch for
/// missing values is not the branch that `0 <= threshold` selects.
fn missing_below(decision: u8, threshold: f64) -> Option<bool> {
    let default_left = decision & 2 != 0;
    match decision >> 2 & 3 {
        // Training had no missing values: LightGBM treats NaN as 0.
        0 => Some(threshold >= 0.0),
        1 => (if default_left {
            threshold >= ZERO
        } else {
            threshold < -ZERO
        })
        .then_some(default_left),
        _ => Some(default_left),
    }
}

fn fields(section: &str) -> Fields<'_> {
    section
        .lines()
        .map(|line| line.split_once('=').unwrap_or((line, "")))
        .collect()
}

fn list<T: FromStr>(fields: &Fields<'_>, name: &str) -> Result<Vec<T>, ImportError> {
    let text = fields
        .get(name)
        .ok_or_else(|| form(format!("the field {name} is missing")))?;
    let values = text
        .split_ascii_whitespace()
        .map(|value| value.parse().ok());
    values
        .collect::<Option<_>>()
        .ok_or_else(|| form(format!("a value of {name} is not a number")))
}

fn number<T: FromStr>(fields: &Fields<'_>, name: &str) -> Result<T, ImportError> {
    let value = fields.get(name).and_then(|value| value.parse().ok());
    value.ok_or_else(|| form(format!("{name} is missing or not a number")))
}

fn form(what: String) -> ImportError {
    ImportError::Form {
        library: "LightGBM",
        what,
    }
}
