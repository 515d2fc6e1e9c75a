//! Scoring speed: one forest of 100 trees of depth 10 over 15 features, trained by smartcore on
//! simulated rows and scored by us, smartcore, ONNX Runtime and LightGBM, each on one thread. The
//! scores are compared before the timing.

use std::path::Path;
use std::process::Command;

use local::Venv;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, StandardNormal};
use scoring::{Forest, Link, Matrix, Model, Node, Split, Tree, logistic};
use serde_json::{Value, json};
use smartcore::ensemble::random_forest_regressor::{
    RandomForestRegressor, RandomForestRegressorParameters,
};
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::{at_most, best, rounded};

const TREES: usize = 100;
const DEPTH: u16 = 10;
const FEATURES: usize = 15;
const TRAINING_ROWS: usize = 50_000;
/// Rows per batch. The same number is scored row by row.
const SCORED: usize = 1_000;
/// Many short rounds: on a busy machine few rounds are undisturbed.
const ROUNDS: usize = 300;
const ROUNDS_OF_SMARTCORE: usize = 20;
/// The largest differences: ours from smartcore, and the peers' from ours. The peers' leaf values
/// and sums are f32.
const CLOSE: [f64; 2] = [1e-6, 1e-5];
/// The size of the file whose load is timed.
const LOADED_BYTES: usize = 500_000;

type Regressor = RandomForestRegressor<f32, f64, DenseMatrix<f32>, Vec<f64>>;

pub(crate) fn measure() -> Value {
    let mut rng = StdRng::seed_from_u64(15);
    let mut normal = |rows: usize| -> Vec<f32> {
        (0..rows * FEATURES)
            .map(|_| StandardNormal.sample(&mut rng))
            .collect()
    };
    let (training, scored) = (normal(TRAINING_ROWS), normal(SCORED));
    let fitted = fit(&training);
    let trees = exported(&fitted);
    let link = Link::Probability {
        slope: 1.0,
        intercept: 0.0,
    };
    let forest = Forest::new(FEATURES, 0.0, &trees)
        .unwrap()
        .with_link(link)
        .unwrap();
    let mut rows = Matrix::new(FEATURES);
    scored.iter().for_each(|value| rows.push(f64::from(*value)));

    let mut scores = Vec::new();
    forest.score(&rows, &mut scores);
    let x = DenseMatrix::new(SCORED, FEATURES, scored.clone(), false).unwrap();
    let own = fitted.predict(&x).unwrap();
    let apart = furthest(&scores, &own);
    assert!(apart <= CLOSE[0], "we are {apart} from smartcore");

    let each = |seconds: f64, rows: usize| rounded(seconds * 1e9 / (rows * TREES) as f64);
    let batch = each(
        best(ROUNDS, || forest.score(&rows, &mut scores)).as_secs_f64(),
        SCORED,
    );
    let alone = || {
        (0..SCORED)
            .filter_map(|row| forest.score_one(&rows, row))
            .sum::<f64>()
    };
    let one_row = each(best(ROUNDS, alone).as_secs_f64(), SCORED);
    let smartcore_batch = each(
        best(ROUNDS_OF_SMARTCORE, || fitted.predict(&x).unwrap()).as_secs_f64(),
        SCORED,
    );
    let single: Vec<DenseMatrix<f32>> = (0..SCORED)
        .map(|row| DenseMatrix::new(1, FEATURES, rows.row(row).to_vec(), false).unwrap())
        .collect();
    let smartcore_alone = || {
        single
            .iter()
            .map(|row| fitted.predict(row).unwrap()[0])
            .sum::<f64>()
    };
    let smartcore_one_row = each(
        best(ROUNDS_OF_SMARTCORE, smartcore_alone).as_secs_f64(),
        SCORED,
    );

    let peers = peers(&trees, &scored, &scores);
    for name in ["onnxruntime", "lightgbm"] {
        let apart = peers[name]["furthest"].as_f64().unwrap();
        assert!(apart <= CLOSE[1], "{name} is {apart} from us");
    }
    let peer = |name: &str, which: &str| rounded(peers[name][which].as_f64().unwrap() * 1e9);
    json!({
        "trees": TREES, "depth": DEPTH, "features": FEATURES, "nodes": forest.nodes(), "file_bytes": forest.to_bytes().len(),
        "ns_per_row_and_tree": {
            "batch_of": SCORED,
            "batch": {
                "second_look": at_most(9.0, batch), "smartcore": smartcore_batch,
                "onnxruntime": peer("onnxruntime", "batch"), "lightgbm": peer("lightgbm", "batch"),
            },
            "one_row": {
                "second_look": at_most(13.0, one_row), "smartcore": smartcore_one_row,
                "onnxruntime": peer("onnxruntime", "one_row"), "lightgbm": peer("lightgbm", "one_row"),
            },
        },
        "furthest": { "smartcore": apart, "onnxruntime": peers["onnxruntime"]["furthest"], "lightgbm": peers["lightgbm"]["furthest"] },
        "peers": peers["versions"],
        "load": load(&trees),
    })
}

/// The labels depend on several features together, so that trees grow to their full depth.
fn fit(training: &[f32]) -> Regressor {
    let mut chances = StdRng::seed_from_u64(16);
    let answer = |row: &[f32]| {
        let told = row[0] + 0.7 * row[1] * row[2] + 0.5 * row[3].abs() + 0.4 * row[4] * row[5];
        f64::from(u8::from(
            chances.random_range(0.0..1.0) < logistic(f64::from(told) - 2.0),
        ))
    };
    let y: Vec<f64> = training.chunks(FEATURES).map(answer).collect();
    let x = DenseMatrix::new(TRAINING_ROWS, FEATURES, training.to_vec(), false).unwrap();
    let parameters = RandomForestRegressorParameters {
        max_depth: Some(DEPTH + 1), // smartcore counts the root's level too
        min_samples_leaf: 5,
        min_samples_split: 10,
        n_trees: TREES,
        m: None,
        keep_samples: false,
        seed: 10,
    };
    Regressor::fit(&x, &y, parameters).unwrap()
}

/// smartcore's trees. Each leaf value is divided by the number of trees, so that the sum is the
/// mean.
fn exported(fitted: &Regressor) -> Vec<Tree> {
    let mut trees = train::trees_of_forest(fitted, FEATURES).unwrap();
    trees
        .iter_mut()
        .flatten()
        .for_each(|node| node.value /= TREES as f64);
    trees
}

fn furthest(some: &[f64], others: &[f64]) -> f64 {
    assert_eq!(some.len(), others.len());
    some.iter()
        .zip(others)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
}

/// Time to load a file of at most half a megabyte.
fn load(trees: &[Tree]) -> Value {
    let bytes = |count: usize| {
        Forest::new(FEATURES, 0.0, &trees[..count])
            .unwrap()
            .to_bytes()
    };
    let count = (1..=trees.len())
        .rev()
        .find(|count| bytes(*count).len() <= LOADED_BYTES)
        .unwrap();
    let bytes = bytes(count);
    let milliseconds = best(ROUNDS, || Model::from_bytes(&bytes).unwrap()).as_secs_f64() * 1e3;
    json!({ "trees": count, "file_bytes": bytes.len(), "milliseconds": at_most(1.0, rounded(milliseconds)) })
}

/// The peers' seconds per row and tree, and the largest differences of their scores from ours.
fn peers(trees: &[Tree], rows: &[f32], scores: &[f64]) -> Value {
    let (root, folder) = (local::root(), crate::folder().join("scoring"));
    std::fs::create_dir_all(&folder).unwrap();
    let venv = Venv::peers(&root, &folder).unwrap();
    let node = |node: &Node| match node.split {
        Some(Split {
            feature,
            threshold,
            below,
            other,
            ..
        }) => json!([node.value, feature, threshold, below, other]),
        None => json!([node.value]),
    };
    let trees: Vec<Vec<Value>> = trees
        .iter()
        .map(|tree| tree.iter().map(node).collect())
        .collect();
    let given = json!({ "features": FEATURES, "rounds": ROUNDS, "trees": trees, "rows": rows, "scores": scores });
    std::fs::write(folder.join("forest.json"), given.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/quality/peers.py");
    let output = Command::new(venv.python())
        .arg(script)
        .arg(folder.join("forest.json"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}
