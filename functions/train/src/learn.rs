//! One look's model: learners compared on the holdout, and the best of them learnt again from all rows.

use features::Training;
use scoring::{Forest, ForestError, Linear, LinearError, Link, Matrix, Model, Scaling, Tree};
use scoring::{logistic, logit};

use crate::boost::{Stop, boost};
use crate::calibrate::{Calibration, calibrate};
use crate::forest::forest;
use crate::logistic::regress;
use crate::metrics::{log_loss, ranking};
use crate::report::Entry;

/// Frauds, and good transactions, that something can be learnt from.
pub(crate) const MIN_CLASS: usize = 10;
/// How far a served score may be from smartcore's own.
pub(crate) const TOLERANCE: f64 = 1e-6;
/// In place of a learner's name.
pub(crate) const BROUGHT: &str = "brought along";
/// About how many rows, from across all of them, the served form is compared on.
const CHECKED: usize = 2_000;

/// Why no model was learnt.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    #[error(
        "{0} frauds and {1} good transactions to learn from: expected at least {MIN_CLASS} of each"
    )]
    OneClass(usize, usize),
    #[error("the definition names no learner: add [training.boost], or bring a model along")]
    NoLearner,
    /// A model that was brought along is of something else.
    #[error("the model brought along has {found} columns, the look has {expected}")]
    Columns { found: usize, expected: usize },
    #[error("smartcore could not fit it")]
    Fit(#[source] smartcore::error::Failed),
    /// smartcore's trees are not what we know.
    #[error("smartcore's tree has another form than this version reads")]
    Form(#[from] serde_json::Error),
    /// The trees can't be laid out.
    #[error("the trees can't be laid out")]
    Forest(#[from] ForestError),
    /// The coefficients can't be served.
    #[error("the coefficients can't be served")]
    Linear(#[from] LinearError),
    /// Served scores are not the learnt ones.
    #[error("the served score of row {row} is {served}, smartcore's own is {learnt}")]
    Parity {
        row: usize,
        served: f64,
        learnt: f64,
    },
}

/// What is learnt from, and how.
pub(crate) struct Task<'a> {
    pub(crate) rows: &'a Matrix,
    pub(crate) frauds: &'a [bool],
    pub(crate) held_out: &'a [bool],
    pub(crate) training: &'a Training,
}

impl Task<'_> {
    pub(crate) fn is_fraud(&self, row: usize) -> bool {
        self.frauds.get(row).copied().unwrap_or(false)
    }

    /// Rows on which what is served is compared with what smartcore says.
    pub(crate) fn checked(&self) -> Vec<usize> {
        (0..self.rows.rows())
            .step_by((self.rows.rows() / CHECKED).max(1))
            .collect()
    }

    pub(crate) fn rows_where(&self, held_out: bool) -> Vec<usize> {
        let flags = self.held_out.iter().enumerate();
        flags
            .filter(|(_, flag)| **flag == held_out)
            .map(|(row, _)| row)
            .collect()
    }
}

/// Rows to learn from: all frauds, and the share of the good ones that is asked for.
pub(crate) struct Sample {
    pub(crate) rows: Vec<usize>,
    frauds: usize,
    /// What puts the prior right, in log odds: odds in the sample are 1 / negatives times too high.
    pub(crate) correction: f64,
}

impl Sample {
    fn new(task: &Task<'_>, of: impl Iterator<Item = usize>) -> Result<Self, LearnError> {
        let Training {
            negatives, seed, ..
        } = *task.training;
        let rows: Vec<usize> = of
            .filter(|&row| task.is_fraud(row) || drawn(seed, row) < negatives)
            .collect();
        let frauds = rows.iter().filter(|&&row| task.is_fraud(row)).count();
        let good = rows.len() - frauds;
        if frauds < MIN_CLASS || good < MIN_CLASS {
            return Err(LearnError::OneClass(frauds, good));
        }
        Ok(Self {
            rows,
            frauds,
            correction: negatives.ln(),
        })
    }

    /// 1 for a fraud, else 0.
    pub(crate) fn frauds(&self, task: &Task<'_>) -> Vec<f64> {
        self.rows
            .iter()
            .map(|&row| f64::from(u8::from(task.is_fraud(row))))
            .collect()
    }

    /// Log odds of fraud in the sample.
    pub(crate) fn prior(&self) -> f64 {
        (self.frauds as f64 / (self.rows.len() - self.frauds) as f64).ln()
    }
}

/// A number in [0, 1) for each place, the same at every training (SplitMix64, Steele et al. 2014).
pub(crate) fn drawn(seed: u64, place: usize) -> f64 {
    let mix = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let step = 0x9E37_79B9_7F4A_7C15_u64;
    // The seed is mixed first: the next seed must not give the same numbers, a place further.
    let z = mix(mix(seed.wrapping_add(step)).wrapping_add((place as u64 + 1).wrapping_mul(step)));
    (z >> 11) as f64 / (1u64 << 53) as f64
}

/// What a learner has found, before its calibration.
#[derive(Clone)]
pub(crate) enum Learnt {
    /// Log odds: the bias and what each tree says.
    Boosted { bias: f64, trees: Vec<Tree> },
    /// A probability: the sum of what each tree says; `correction` in its log odds.
    Forest { trees: Vec<Tree>, correction: f64 },
    /// Log odds: the bias and what each column adds.
    Logistic { bias: f64, columns: Vec<Scaling> },
}

/// What a learner has found, and the log odds that smartcore gives [`Task::checked`].
pub(crate) struct Fitted {
    pub(crate) learnt: Learnt,
    pub(crate) own: Vec<f64>,
}

impl Fitted {
    /// The served form with the calibration folded in, compared with smartcore's own.
    #[expect(
        clippy::neg_cmp_op_on_partial_ord,
        reason = "a served score that is no number must fail too"
    )]
    fn export(&self, task: &Task<'_>, calibration: Calibration) -> Result<Model, LearnError> {
        let model = self.learnt.model(task.rows.columns(), calibration)?;
        for (row, own) in task.checked().into_iter().zip(&self.own) {
            let served = model.score_one(task.rows, row).unwrap_or(f64::NAN);
            let learnt = logistic(calibration.log_odds(*own));
            if !((served - learnt).abs() <= TOLERANCE) {
                return Err(LearnError::Parity {
                    row,
                    served,
                    learnt,
                });
            }
        }
        Ok(model)
    }
}

impl Learnt {
    fn model(&self, features: usize, calibration: Calibration) -> Result<Model, LearnError> {
        let Calibration { slope, intercept } = calibration;
        Ok(match self {
            Self::Boosted { bias, trees } => {
                let mut trees = trees.clone();
                trees
                    .iter_mut()
                    .flatten()
                    .for_each(|node| node.value *= slope);
                Forest::new(features, calibration.log_odds(*bias), &trees)?.into()
            }
            Self::Forest { trees, correction } => {
                let link = Link::Probability {
                    slope,
                    intercept: slope * correction + intercept,
                };
                Forest::new(features, 0.0, trees)?.with_link(link)?.into()
            }
            Self::Logistic { bias, columns } => {
                let mut columns = columns.clone();
                columns
                    .iter_mut()
                    .for_each(|column| column.coefficient *= slope);
                Linear::new(calibration.log_odds(*bias), columns)?.into()
            }
        })
    }

    fn trees(&self) -> usize {
        match self {
            Self::Boosted { trees, .. } | Self::Forest { trees, .. } => trees.len(),
            Self::Logistic { .. } => 0,
        }
    }
}

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
        mut told: impl FnMut(Step),
    ) -> Result<Fitted, LearnError> {
        let learner = self.name();
        match self {
            Self::Boost(settings) => {
                let of = if let Stop::After(rounds) = stop {
                    rounds
                } else {
                    settings.rounds
                };
                boost(task, &settings, sample, stop, |done| {
                    told(Step { learner, done, of });
                })
            }
            Self::Forest(settings) => {
                let of = settings.trees;
                forest(task, &settings, sample, |done| {
                    told(Step { learner, done, of });
                })
            }
            Self::Logistic(settings) => {
                told(Step {
                    learner,
                    done: 0,
                    of: 1,
                });
                regress(task, settings, sample)
            }
        }
    }
}

/// How far a learner has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub learner: &'static str,
    pub done: usize,
    pub of: usize,
}

/// One look's model and what is known of it.
pub(crate) struct Learned {
    pub(crate) model: Model,
    /// Probabilities of the rows held out, by what has not seen them.
    pub(crate) held_out: Vec<f64>,
    /// What was tried, in the order of the definition.
    pub(crate) tried: Vec<Entry>,
    /// Which of it is served.
    pub(crate) best: usize,
}

/// Learns a look, or takes the model that was brought along as it is.
pub(crate) fn learn(
    task: &Task<'_>,
    brought: Option<Model>,
    mut told: impl FnMut(Step),
) -> Result<Learned, LearnError> {
    let holdout = task.rows_where(true);
    let apart = part(task.rows, &holdout);
    let labels: Vec<bool> = holdout.iter().map(|&row| task.is_fraud(row)).collect();
    let scores = |model: &Model| {
        let mut scores = Vec::new();
        model.score(&apart, &mut scores);
        scores
    };
    if let Some(model) = brought {
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
        let entry = Entry::new(BROUGHT, trees, &labelled(&held_out, &labels), None);
        return Ok(Learned {
            model,
            held_out,
            tried: vec![entry],
            best: 0,
        });
    }

    let sample = Sample::new(task, task.rows_where(false).into_iter())?;
    let mut tried: Vec<Entry> = Vec::new();
    let mut best: Option<(usize, Learner, usize, Calibration, Vec<f64>)> = None;
    for learner in Learner::of(task.training) {
        let fitted = learner.fit(task, &sample, Stop::Holdout(&holdout), &mut told)?;
        let raw = scores(&fitted.export(task, Calibration::NONE)?);
        let log_odds: Vec<f64> = raw.iter().map(|p| logit(*p)).collect();
        let found = calibrate(&labelled(&log_odds, &labels));
        let calibration = found.unwrap_or(Calibration::NONE);
        let held_out = scores(&fitted.export(task, calibration)?);
        let trees = fitted.learnt.trees();
        let entry = Entry::new(learner.name(), trees, &labelled(&held_out, &labels), found);
        let ahead = best
            .as_ref()
            .and_then(|(place, ..)| tried.get(*place))
            .map(Entry::average_precision);
        if ahead.is_none_or(|ahead| entry.average_precision() > ahead) {
            best = Some((tried.len(), learner, trees, calibration, held_out));
        }
        tried.push(entry);
    }
    let (best, learner, trees, calibration, held_out) = best.ok_or(LearnError::NoLearner)?;
    // Once more, from the holdout's rows too, which are the latest.
    let whole = Sample::new(task, 0..task.rows.rows())?;
    let model = learner
        .fit(task, &whole, Stop::After(trees), &mut told)?
        .export(task, calibration)?;
    Ok(Learned {
        model,
        held_out,
        tried,
        best,
    })
}

fn labelled(scores: &[f64], labels: &[bool]) -> Vec<(f64, bool)> {
    scores.iter().copied().zip(labels.iter().copied()).collect()
}

impl Entry {
    fn new(
        learner: &str,
        trees: usize,
        scored: &[(f64, bool)],
        calibration: Option<Calibration>,
    ) -> Self {
        let loss =
            log_loss(scored.iter().map(|(p, fraud)| (logit(*p), *fraud))) / scored.len() as f64;
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

/// Some rows of a matrix.
pub(crate) fn part(rows: &Matrix, of: &[usize]) -> Matrix {
    let mut part = Matrix::default();
    part.reset(rows.columns(), of.len());
    of.iter()
        .flat_map(|&row| rows.row(row))
        .for_each(|value| part.push(f64::from(*value)));
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_even_and_apart_for_neighbouring_seeds() {
        let draws = |seed| (0..10_000).map(move |place| drawn(seed, place));
        let mean = draws(1).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert!(draws(1).all(|draw| (0.0..1.0).contains(&draw)));
        let both = draws(1)
            .zip(draws(2))
            .filter(|(a, b)| *a < 0.5 && *b < 0.5)
            .count();
        assert!(
            (2_300..2_700).contains(&both),
            "{both} of 10,000 below a half in both"
        );
        assert!(
            draws(1).skip(1).zip(draws(2)).all(|(a, b)| a != b),
            "not the same numbers, a place further"
        );
    }

    #[test]
    fn a_served_form_that_disagrees_with_what_was_learnt_is_refused() {
        let mut rows = Matrix::new(1);
        (0..10).for_each(|value| rows.push(f64::from(value)));
        let text = include_str!("../../../tests/harness/src/fixture.toml");
        let training = features::Definition::parse(text).unwrap().training;
        let task = Task {
            rows: &rows,
            frauds: &[],
            held_out: &[],
            training: &training,
        };
        let column = Scaling {
            mean: 4.0,
            sd: 2.0,
            coefficient: 1.0,
        };
        let learnt = Learnt::Logistic {
            bias: -1.0,
            columns: vec![column],
        };
        let mut own: Vec<f64> = (0..10)
            .map(|value| (f64::from(value) - 4.0) / 2.0 - 1.0)
            .collect();
        let halved = Calibration {
            slope: 0.5,
            intercept: 1.0,
        };
        let fitted = Fitted {
            learnt: learnt.clone(),
            own: own.clone(),
        };
        let model = fitted.export(&task, halved).unwrap();
        assert!(
            (model.score_one(&rows, 6).unwrap() - logistic(1.0)).abs() < 1e-12,
            "0.5 · (1 − 1) + 1"
        );
        own[3] += 1e-4;
        let wrong = Fitted { learnt, own }.export(&task, halved).unwrap_err();
        assert!(
            matches!(wrong, LearnError::Parity { row: 3, .. }),
            "{wrong}"
        );
    }
}
