use model::Definition;
use serde::{Deserialize, Serialize};

use crate::metrics::{Choice, Ranking};

/// What training says of its bundle. Shares and scores are of the holdout, which no tree has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The bundle's name.
    pub bundle: String,
    /// The bundle's version.
    pub version: String,
    /// Transactions to learn from and to hold out.
    pub transactions: usize,
    /// Frauds among them.
    pub frauds: usize,
    /// Transactions held out.
    pub holdout: usize,
    /// Frauds held out.
    pub holdout_frauds: usize,
    /// The first look.
    pub first: LookReport,
    /// The confirming look, on all of the holdout.
    pub confirm: LookReport,
    /// What the first look would hold.
    pub held: Choice,
    /// What of it the confirming look would block or hand to review.
    pub kept: Choice,
    /// The thresholds in use: hold from, release below, block from.
    pub thresholds: [f64; 3],
}

/// What training says of one look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookReport {
    /// Its features.
    pub features: Vec<String>,
    /// Trees.
    pub trees: usize,
    /// Nodes of all trees.
    pub nodes: usize,
    /// None where the holdout has no frauds.
    pub ranking: Option<Ranking>,
}

impl LookReport {
    pub(crate) fn new(
        definition: &Definition,
        look: &model::Look,
        forest: &model::Forest,
        ranking: Option<Ranking>,
    ) -> Self {
        let features = definition.names(look).into_iter().map(str::to_owned).collect();
        Self { features, trees: forest.trees(), nodes: forest.nodes(), ranking }
    }
}
