//! Probability forest: smartcore's regression forest on 0/1 labels. A leaf's mean is a fraud rate,
//! and the mean over the trees is a probability (Malley et al. 2012, "Probability machines").

use scoring::{Tree, logit};
use serde::{Deserialize, Serialize};
use smartcore::ensemble::random_forest_regressor::{
    RandomForestRegressor, RandomForestRegressorParameters,
};
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::learner::{FittedModel, LearnError, RawModel, Sample, Task};
use crate::tree::{Columns, SmartcoreTree, read};

/// Trees are grown in parts of this size. It limits peak memory; each part sorts the rows again.
const PART: usize = 25;

#[derive(Deserialize)]
struct Whole {
    forest_regressor: Trees,
}

#[derive(Deserialize)]
struct Trees {
    trees: Vec<SmartcoreTree>,
}

/// The trees of a smartcore regression forest over rows of `columns` columns, with smartcore's own
/// values.
pub fn trees_of_forest(fitted: &impl Serialize, columns: usize) -> Result<Vec<Tree>, LearnError> {
    let columns: Vec<usize> = (0..columns).collect();
    Ok(read::<Whole>(fitted)?
        .forest_regressor
        .trees
        .into_iter()
        .map(|grown| grown.tree(&columns))
        .collect())
}

/// Grows a forest. Calls `grown` with the number of trees after each part.
pub(crate) fn forest(
    task: &Task<'_>,
    settings: &features::ProbabilityForest,
    sample: &Sample,
    mut grown: impl FnMut(usize),
) -> Result<FittedModel, LearnError> {
    let columns = task.rows.columns();
    let whole = |rows: &[usize]| Columns::of(task.rows, rows).whole(columns);
    let (x, y) = (whole(&sample.rows)?, sample.frauds(task));
    let checked = task.checked();
    let checked_x = whole(&checked)?;
    let mut trees: Vec<Tree> = Vec::new();
    let mut sums = vec![0.0; checked.len()];
    while trees.len() < settings.trees {
        let part = PART.min(settings.trees - trees.len());
        let parameters = RandomForestRegressorParameters {
            // smartcore counts the root's level too.
            max_depth: Some(settings.depth + 1),
            min_samples_leaf: settings.min_leaf,
            min_samples_split: 2 * settings.min_leaf,
            n_trees: part,
            m: None,
            keep_samples: false,
            // smartcore seeds each further tree with the next number.
            seed: task.training.seed.wrapping_add(trees.len() as u64),
        };
        let fitted =
            RandomForestRegressor::<f32, f64, DenseMatrix<f32>, Vec<f64>>::fit(&x, &y, parameters)
                .map_err(LearnError::Fit)?;
        let own = fitted.predict(&checked_x).map_err(LearnError::Fit)?;
        sums.iter_mut()
            .zip(own)
            .for_each(|(sum, own)| *sum += own * part as f64);
        trees.extend(trees_of_forest(&fitted, columns)?);
        grown(trees.len());
    }
    let count = trees.len() as f64;
    trees
        .iter_mut()
        .flatten()
        .for_each(|node| node.value /= count);
    let own = sums
        .into_iter()
        .map(|sum| logit(sum / count) + sample.correction)
        .collect();
    Ok(FittedModel {
        model: RawModel::Forest {
            trees,
            correction: sample.correction,
        },
        smartcore_log_odds: own,
    })
}
