//! Ranking quality, precision and recall.

use serde::{Deserialize, Serialize};

/// Quality of scores independent of a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// Area under the ROC curve: how often a fraud scores above a good transaction; ties count
    /// half.
    pub auc: f64,
    /// The mean of the precision at each fraud, in the order of scores. Equal scores count as one
    /// step, as in scikit-learn.
    pub average_precision: f64,
}

/// Quality of a set of chosen transactions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Share of chosen transactions that are frauds; 0 if none was chosen.
    pub precision: f64,
    /// Share of frauds that were chosen; 0 if there are none.
    pub recall: f64,
    pub chosen: usize,
}

/// A transaction's score beside its label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredLabel {
    /// A probability or log odds: the function that takes it says which.
    pub score: f64,
    pub is_fraud: bool,
}

impl ScoredLabel {
    pub(crate) fn from_columns(scores: &[f64], labels: &[bool]) -> Vec<Self> {
        let mut scored = Vec::with_capacity(scores.len());
        for (&score, &is_fraud) in scores.iter().zip(labels) {
            scored.push(Self { score, is_fraud });
        }
        scored
    }
}

pub(crate) fn count_frauds(scored: &[ScoredLabel]) -> usize {
    scored.iter().filter(|one| one.is_fraud).count()
}

/// The frauds and all transactions with one score.
pub(crate) struct EqualScores {
    pub(crate) frauds: usize,
    pub(crate) transactions: usize,
}

/// The transactions in groups of equal scores, the highest score first.
pub(crate) fn by_descending_score(scored: &[ScoredLabel]) -> Vec<EqualScores> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    sorted
        .chunk_by(|a, b| a.score == b.score)
        .map(|equal| EqualScores {
            frauds: count_frauds(equal),
            transactions: equal.len(),
        })
        .collect()
}

/// Of scores on any scale. `None` unless there are both frauds and good transactions.
pub fn ranking(scored: &[ScoredLabel]) -> Option<Ranking> {
    let frauds = count_frauds(scored);
    let others = scored.len() - frauds;
    if frauds == 0 || others == 0 {
        return None;
    }
    let (mut seen, mut found, mut pairs, mut precision) = (0usize, 0usize, 0.0, 0.0);
    for equal in by_descending_score(scored) {
        let hits = equal.frauds;
        // A good transaction with this score is below all frauds before it and ties with these.
        pairs += (equal.transactions - hits) as f64 * (found as f64 + hits as f64 / 2.0);
        seen += equal.transactions;
        found += hits;
        precision += hits as f64 * found as f64 / seen as f64;
    }
    Some(Ranking {
        auc: pairs / (frauds as f64 * others as f64),
        average_precision: precision / frauds as f64,
    })
}

/// Sum of −ln of the probability given to the true label. The scores are log odds.
pub(crate) fn log_loss(scored: impl IntoIterator<Item = ScoredLabel>) -> f64 {
    let loss = |ScoredLabel { score, is_fraud }| softplus(if is_fraud { -score } else { score });
    scored.into_iter().map(loss).sum()
}

/// ln(1 + e^x), without overflow.
pub(crate) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

pub fn choice(choices: impl IntoIterator<Item = (bool, bool)>) -> Choice {
    let (mut chosen, mut frauds, mut both) = (0usize, 0usize, 0usize);
    for (is_chosen, is_fraud) in choices {
        chosen += usize::from(is_chosen);
        frauds += usize::from(is_fraud);
        both += usize::from(is_chosen && is_fraud);
    }
    let share = |of: usize| {
        if of == 0 {
            0.0
        } else {
            both as f64 / of as f64
        }
    };
    Choice {
        precision: share(chosen),
        recall: share(frauds),
        chosen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rankings_equal_scikit_learns() {
        let scored = |pairs: &[(f64, u8)]| {
            let label = |&(score, label): &(f64, u8)| ScoredLabel {
                score,
                is_fraud: label == 1,
            };
            pairs.iter().map(label).collect::<Vec<_>>()
        };
        let agrees = |pairs, auc: f64, average_precision: f64| {
            let found = ranking(&scored(pairs)).unwrap();
            assert!((found.auc - auc).abs() < 1e-12, "{found:?}");
            assert!(
                (found.average_precision - average_precision).abs() < 1e-12,
                "{found:?}"
            );
        };
        agrees(&[(0.9, 1), (0.1, 0)], 1.0, 1.0);
        agrees(&[(0.1, 0), (0.4, 0), (0.35, 1), (0.8, 1)], 0.75, 5.0 / 6.0);
        agrees(&[(0.5, 1), (0.5, 0), (0.5, 0)], 0.5, 1.0 / 3.0);
        assert_eq!(ranking(&scored(&[(0.5, 1)])), None);
    }

    #[test]
    fn an_empty_choice_has_precision_zero() {
        assert_eq!(
            choice([(false, true)]),
            Choice {
                precision: 0.0,
                recall: 0.0,
                chosen: 0
            }
        );
        assert_eq!(
            choice([(true, true), (true, false), (false, true)]),
            Choice {
                precision: 0.5,
                recall: 0.5,
                chosen: 2
            }
        );
    }
}
