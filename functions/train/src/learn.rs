//! Learns one look's model: compares the learners on the holdout, then trains the best one again on
//! all rows.

use features::Training;
use scoring::{Model, logit};

use crate::boost::boost;
use crate::calibrate::{Calibration, calibrate};
use crate::forest::forest;
use crate::learner::{FittedModel, LearnError, Sample, Stop, Task, take_rows};
use crate::logistic::regress;
use crate::metrics::{Labels, ScoredLabel, count_transactions, log_loss, ranking};
use crate::report::LearnerScore;

/// The learner's name for an imported model.
pub(crate) const IMPORTED: &str = "imported";

#[derive(Clone, Copy)]
enum Learner {
    Boost(features::Boost),
    Forest(features::ProbabilityForest),
    Logistic(features::Logistic),
}

impl Learner {
    fn of(training: &Training) -> impl Iterator<Item = Self> {
        let Training {
            boost,
            forest,
            logistic,
            ..
        } = *training;
        [
            boost.map(Self::Boost),
            forest.map(Self::Forest),
            logistic.map(Self::Logistic),
        ]
        .into_iter()
        .flatten()
    }

    fn name(self) -> &'static str {
        match self {
            Self::Boost(_) => "boosted trees",
            Self::Forest(_) => "probability forest",
            Self::Logistic(_) => "logistic regression",
        }
    }

    fn fit(
        self,
        task: &Task<'_>,
        sample: &Sample,
        stop: Stop<'_>,
        mut progress: impl FnMut(Step),
    ) -> Result<FittedModel, LearnError> {
        let learner = self.name();
        match self {
            Self::Boost(settings) => {
                let of = if let Stop::After(rounds) = stop {
                    rounds
                } else {
                    settings.rounds
                };
                boost(task, &settings, sample, stop, |done| {
                    progress(Step { learner, done, of });
                })
            }
            Self::Forest(settings) => {
                let of = settings.trees;
                forest(task, &settings, sample, |done| {
                    progress(Step { learner, done, of });
                })
            }
            Self::Logistic(settings) => {
                progress(Step {
                    learner,
                    done: 0,
                    of: 1,
                });
                regress(task, settings, sample)
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub learner: &'static str,
    pub done: usize,
    /// Upper limit of the number of trees.
    pub of: usize,
}

/// One look's model with its results on the holdout.
pub(crate) struct LookModel {
    pub(crate) model: Model,
    /// Probabilities of the holdout's rows, from a model that was not trained on them.
    pub(crate) held_out: Vec<f64>,
    /// In the order of the definition.
    pub(crate) scores: Vec<LearnerScore>,
    /// The place in `scores` of the learner that is served.
    pub(crate) best: usize,
}

/// The learner with the best average precision so far.
struct Candidate {
    /// Its place among the scores.
    place: usize,
    learner: Learner,
    trees: usize,
    calibration: Calibration,
    held_out: Vec<f64>,
}

/// Learns one look's model. An imported model is used as it is.
pub(crate) fn learn(
    task: &Task<'_>,
    imported: Option<Model>,
    mut progress: impl FnMut(Step),
) -> Result<LookModel, LearnError> {
    let holdout = task.rows_where(true);
    let apart = take_rows(task.rows, &holdout);
    let frauds: Vec<bool> = holdout.iter().map(|&row| task.is_fraud(row)).collect();
    let labels = Labels {
        frauds: &frauds,
        ..task.labels
    };
    let scores = |model: &Model| {
        let mut scores = Vec::new();
        model.score(&apart, &mut scores);
        scores
    };
    if let Some(model) = imported {
        let (found, expected) = (model.features(), task.rows.columns());
        if found != expected {
            return Err(LearnError::Columns { found, expected });
        }
        let held_out = scores(&model);
        let trees = if let Model::Forest(forest) = &model {
            forest.trees()
        } else {
            0
        };
        let entry = LearnerScore::new(IMPORTED, trees, &labels.with_scores(&held_out), None);
        return Ok(LookModel {
            model,
            held_out,
            scores: vec![entry],
            best: 0,
        });
    }

    let sample = Sample::new(task, task.rows_where(false))?;
    let mut tried: Vec<LearnerScore> = Vec::new();
    let mut best: Option<Candidate> = None;
    for learner in Learner::of(task.training) {
        let fitted = learner.fit(task, &sample, Stop::Holdout(&holdout), &mut progress)?;
        let raw = scores(&fitted.export(task, Calibration::NONE)?);
        let log_odds: Vec<f64> = raw.iter().map(|p| logit(*p)).collect();
        let found = calibrate(&labels.with_scores(&log_odds));
        let calibration = found.unwrap_or(Calibration::NONE);
        let held_out = scores(&fitted.export(task, calibration)?);
        let trees = fitted.model.trees();
        let entry = LearnerScore::new(learner.name(), trees, &labels.with_scores(&held_out), found);
        let ahead = best
            .as_ref()
            .and_then(|candidate| tried.get(candidate.place))
            .map(LearnerScore::average_precision);
        if ahead.is_none_or(|ahead| entry.average_precision() > ahead) {
            best = Some(Candidate {
                place: tried.len(),
                learner,
                trees,
                calibration,
                held_out,
            });
        }
        tried.push(entry);
    }
    let best = best.ok_or(LearnError::NoLearner)?;
    // Train again with the holdout's rows: they are the latest ones.
    let whole = Sample::new(task, (0..task.rows.rows()).collect())?;
    let model = best
        .learner
        .fit(task, &whole, Stop::After(best.trees), &mut progress)?
        .export(task, best.calibration)?;
    Ok(LookModel {
        model,
        held_out: best.held_out,
        scores: tried,
        best: best.place,
    })
}

impl LearnerScore {
    /// `scored` are probabilities.
    fn new(
        learner: &str,
        trees: usize,
        scored: &[ScoredLabel],
        calibration: Option<Calibration>,
    ) -> Self {
        let log_odds = |one: &ScoredLabel| ScoredLabel {
            score: logit(one.score),
            ..*one
        };
        let loss = log_loss(scored.iter().map(log_odds)) / count_transactions(scored);
        Self {
            learner: learner.to_owned(),
            trees,
            ranking: ranking(scored),
            log_loss: loss,
            calibration,
        }
    }

    pub(crate) fn average_precision(&self) -> f64 {
        self.ranking
            .map_or(0.0, |ranking| ranking.average_precision)
    }
}
