use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;

use bundle::{Bundle, Models};
use features::{Definition, DefinitionError, Look, Profiles};
use scoring::{Matrix, Model};

use crate::calibrate::reliability;
use crate::card::{Curves, card};
use crate::golden::golden;
use crate::learn::{LookModel, Step, learn};
use crate::learner::{LearnError, Task, take_rows};
use crate::metrics::{Labels, ScoredLabel, count_frauds, count_transactions, ranking};
use crate::report::{HoldoutOutcome, LookReport, TrainingReport};
use crate::thresholds::policy;
use crate::training_set::TrainingSet;

#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("the definition is invalid")]
    Definition(#[from] DefinitionError),
    #[error("can't train the {0} look")]
    Learn(&'static str, #[source] LearnError),
    #[error("the bundle can't be built")]
    Bundle(#[from] bundle::Error),
    #[error("the holdout has no transactions: increase training.span, or add more history")]
    NoHoldout,
    #[error(
        "{setting} allows {budget} holds among the {of} transactions of the holdout, but {tied} of \
         them share the first look's highest score: raise {setting}, or give the first look \
         features that distinguish them"
    )]
    Ties {
        /// The name of the budget.
        setting: &'static str,
        budget: usize,
        of: usize,
        /// Transactions with the highest score.
        tied: usize,
    },
    #[error("can't draw {0}: {1}")]
    Plot(&'static str, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// `first` or `second`. Both looks are trained at the same time.
    pub look: &'static str,
    pub step: Step,
}

#[derive(Debug)]
pub struct TrainingResult {
    /// The bundle's files by name.
    pub files: BTreeMap<String, Vec<u8>>,
    pub report: TrainingReport,
    /// The model card: `card.md` and its plots by name. Not part of the bundle.
    pub card: BTreeMap<String, Vec<u8>>,
}

struct LookTask<'a> {
    name: &'static str,
    look: &'a Look,
    /// The look's windows by name, one value for each row.
    windows: &'a BTreeMap<String, Vec<f64>>,
    imported: Option<Model>,
}

struct LookResult {
    learned: LookModel,
    /// The rows of the holdout.
    apart: Matrix,
}

/// Trained models of other libraries. A look with an imported model is not trained: the model is
/// served as it is, and only its thresholds are chosen.
#[derive(Clone, Debug, Default)]
pub struct ImportedModels {
    pub first: Option<Model>,
    pub confirm: Option<Model>,
}

/// Trains both looks on labelled transactions and builds their bundle. `profiles` are those that
/// the first look starts with.
pub fn train(
    definition_text: &str,
    set: &TrainingSet,
    profiles: Option<&Profiles>,
    imported: ImportedModels,
    mut progress: impl FnMut(Progress),
) -> Result<TrainingResult, TrainError> {
    let definition = Definition::parse(definition_text)?;
    let held_out: Vec<bool> = set
        .training_rows(&definition)
        .into_iter()
        .map(|is_training| !is_training)
        .collect();
    if !held_out.contains(&true) {
        return Err(TrainError::NoHoldout);
    }

    let looks = [
        LookTask {
            name: "first",
            look: &definition.first,
            windows: &set.profiles,
            imported: imported.first,
        },
        LookTask {
            name: "second",
            look: &definition.confirm,
            windows: &set.windows,
            imported: imported.confirm,
        },
    ];
    let (sender, steps) = mpsc::channel();
    let (definition_of_looks, held_out_rows) = (&definition, &held_out);
    let ready = thread::scope(|scope| {
        let looks = looks.map(|task| {
            let sender = sender.clone();
            scope.spawn(move || task.learn(definition_of_looks, set, held_out_rows, &sender))
        });
        drop(sender);
        steps.into_iter().for_each(&mut progress);
        looks.map(|look| {
            look.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    });
    let [first, confirm] = ready;
    let (first, confirm) = (first?, confirm?);

    let rows = set.frauds.iter().zip(&held_out);
    let frauds: Vec<bool> = rows
        .filter(|(_, held_out)| **held_out)
        .map(|(is_fraud, _)| *is_fraud)
        .collect();
    let labels = Labels {
        frauds: &frauds,
        good_weight: set.good_weight,
    };
    let first_out = labels.with_scores(&first.learned.held_out);
    let confirm_out = labels.with_scores(&confirm.learned.held_out);
    let policy = policy(&definition, &first_out, &confirm_out)?;
    let HoldoutOutcome {
        held,
        kept,
        settled,
    } = HoldoutOutcome::new(&policy, &first_out, &confirm_out);
    let reports = [
        first.report(&definition, &definition.first, &first_out),
        confirm.report(&definition, &definition.confirm, &confirm_out),
    ];
    let golden = golden(&definition, &policy, set);
    let models = Models {
        first: first.learned.model,
        confirm: confirm.learned.model,
    };
    let tables = set.tables(&definition);
    let files = bundle::build(
        definition_text,
        policy.clone(),
        models,
        &tables,
        profiles,
        golden,
    )?;
    let version = Bundle::open(&files)?.version().to_owned();
    let [first, confirm] = reports;
    let frauds = set.frauds.iter().filter(|fraud| **fraud).count();
    let good = (set.len() - frauds) as f64 * set.good_weight;
    let report = TrainingReport {
        bundle: definition.name.clone(),
        version,
        transactions: frauds + good.round() as usize,
        frauds,
        rows: set.len(),
        good_weight: set.good_weight,
        between: [set.occurred_at.iter().min(), set.occurred_at.iter().max()]
            .map(|end| end.copied().unwrap_or_default()),
        holdout: count_transactions(&first_out).round() as usize,
        holdout_frauds: count_frauds(&first_out),
        holdout_days: definition.training.holdout.as_secs_f64() / 86_400.0,
        first,
        confirm,
        held,
        kept,
        settled,
        thresholds: [policy.hold_at, policy.release_below, policy.block_at],
    };
    let card = card(
        &definition,
        &report,
        &Curves {
            first: &first_out,
            confirm: &confirm_out,
        },
    )?;
    Ok(TrainingResult {
        files,
        report,
        card,
    })
}

impl LookTask<'_> {
    fn learn(
        self,
        definition: &Definition,
        set: &TrainingSet,
        held_out: &[bool],
        sender: &mpsc::Sender<Progress>,
    ) -> Result<LookResult, TrainError> {
        let Self {
            name: look,
            imported,
            ..
        } = self;
        let rows = set.matrix(definition, self.look, self.windows);
        let task = Task {
            rows: &rows,
            labels: Labels {
                frauds: &set.frauds,
                good_weight: set.good_weight,
            },
            held_out,
            training: &definition.training,
        };
        // Training goes on if the receiver is gone.
        let tell = |step| {
            sender.send(Progress { look, step }).ok();
        };
        let learned =
            learn(&task, imported, tell).map_err(|source| TrainError::Learn(look, source))?;
        Ok(LookResult {
            learned,
            apart: take_rows(&rows, &task.rows_where(true)),
        })
    }
}

/// About how many rows of the holdout importance is measured on.
const EXPLAINED: usize = 2_000;

impl LookResult {
    fn report(&self, definition: &Definition, look: &Look, scored: &[ScoredLabel]) -> LookReport {
        let Self {
            learned:
                LookModel {
                    model,
                    scores: tried,
                    best,
                    ..
                },
            apart,
        } = self;
        let features: Vec<String> = definition
            .names(look)
            .into_iter()
            .map(str::to_owned)
            .collect();
        let (trees, nodes) = if let Model::Forest(forest) = model {
            (forest.trees(), forest.nodes())
        } else {
            (0, 0)
        };
        let mut moved = vec![0.0; features.len()];
        for row in (0..apart.rows()).step_by((apart.rows() / EXPLAINED).max(1)) {
            let weight = scored.get(row).map_or(0.0, |one| one.weight);
            moved
                .iter_mut()
                .zip(model.contributions(apart, row))
                .for_each(|(moved, by)| *moved += weight * by.abs());
        }
        let all: f64 = moved.iter().sum();
        let share = |moved: f64| if all > 0.0 { moved / all } else { 0.0 };
        let mut importance: Vec<(String, f64)> = features
            .iter()
            .cloned()
            .zip(moved.into_iter().map(share))
            .collect();
        importance.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut leaderboard = tried.clone();
        leaderboard.sort_by(|a, b| b.average_precision().total_cmp(&a.average_precision()));
        LookReport {
            features,
            learner: tried
                .get(*best)
                .map_or_else(String::new, |entry| entry.learner.clone()),
            trees,
            nodes,
            ranking: ranking(scored),
            leaderboard,
            reliability: reliability(scored),
            importance,
        }
    }
}
