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

/// A row's score beside its label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredLabel {
    /// A probability or log odds: the function that takes it says which.
    pub score: f64,
    pub is_fraud: bool,
    /// How many transactions the row stands for.
    pub weight: f64,
}

impl ScoredLabel {
    /// A row that stands for itself.
    pub const fn new(score: f64, is_fraud: bool) -> Self {
        Self {
            score,
            is_fraud,
            weight: 1.0,
        }
    }
}

/// The labels of rows. Each good row stands for `good_weight` good transactions.
#[derive(Clone, Copy)]
pub(crate) struct Labels<'a> {
    pub(crate) frauds: &'a [bool],
    pub(crate) good_weight: f64,
}

impl Labels<'_> {
    pub(crate) fn weight(&self, is_fraud: bool) -> f64 {
        if is_fraud { 1.0 } else { self.good_weight }
    }

    pub(crate) fn with_scores(&self, scores: &[f64]) -> Vec<ScoredLabel> {
        let mut scored = Vec::with_capacity(scores.len());
        for (&score, &is_fraud) in scores.iter().zip(self.frauds) {
            scored.push(ScoredLabel {
                score,
                is_fraud,
                weight: self.weight(is_fraud),
            });
        }
        scored
    }
}

pub(crate) fn count_frauds(scored: &[ScoredLabel]) -> usize {
    scored.iter().filter(|one| one.is_fraud).count()
}

/// The number of transactions that the rows stand for.
pub(crate) fn count_transactions(scored: &[ScoredLabel]) -> f64 {
    scored.iter().map(|one| one.weight).sum()
}

/// The frauds and all transactions with one score.
pub(crate) struct EqualScores {
    pub(crate) frauds: f64,
    pub(crate) transactions: f64,
}

/// The transactions in groups of equal scores, the highest score first.
pub(crate) fn by_descending_score(scored: &[ScoredLabel]) -> Vec<EqualScores> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    sorted
        .chunk_by(|a, b| a.score == b.score)
        .map(|equal| EqualScores {
            frauds: count_frauds(equal) as f64,
            transactions: count_transactions(equal),
        })
        .collect()
}

/// Of scores on any scale. `None` unless there are both frauds and good transactions.
pub fn ranking(scored: &[ScoredLabel]) -> Option<Ranking> {
    let frauds = count_frauds(scored);
    if frauds == 0 || frauds == scored.len() {
        return None;
    }
    let good = scored.iter().filter(|one| !one.is_fraud);
    let others: f64 = good.map(|one| one.weight).sum();
    let (mut seen, mut found, mut pairs, mut precision) = (0.0, 0.0, 0.0, 0.0);
    for equal in by_descending_score(scored) {
        let hits = equal.frauds;
        // A good transaction with this score is below all frauds before it and ties with these.
        pairs += (equal.transactions - hits) * (found + hits / 2.0);
        seen += equal.transactions;
        found += hits;
        precision += hits * found / seen;
    }
    Some(Ranking {
        auc: pairs / (frauds as f64 * others),
        average_precision: precision / frauds as f64,
    })
}

/// Sum of −ln of the probability given to the true label, over all transactions that the rows stand
/// for. The scores are log odds.
pub(crate) fn log_loss(scored: impl IntoIterator<Item = ScoredLabel>) -> f64 {
    let loss = |one: ScoredLabel| {
        let against = if one.is_fraud { -one.score } else { one.score };
        one.weight * softplus(against)
    };
    scored.into_iter().map(loss).sum()
}

/// ln(1 + e^x), without overflow.
pub(crate) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Of transactions as (is chosen, is a fraud).
pub fn choice(choices: impl IntoIterator<Item = (bool, bool)>) -> Choice {
    let weighted = choices
        .into_iter()
        .map(|(is_chosen, is_fraud)| (is_chosen, ScoredLabel::new(0.0, is_fraud)));
    choice_of_rows(weighted)
}

/// Of rows as (is chosen, its label and weight).
pub(crate) fn choice_of_rows(rows: impl IntoIterator<Item = (bool, ScoredLabel)>) -> Choice {
    let (mut chosen, mut frauds, mut both) = (0.0, 0.0, 0.0);
    for (is_chosen, row) in rows {
        if row.is_fraud {
            frauds += row.weight;
        }
        if is_chosen {
            chosen += row.weight;
        }
        if is_chosen && row.is_fraud {
            both += row.weight;
        }
    }
    let share = |of: f64| if of > 0.0 { both / of } else { 0.0 };
    Choice {
        precision: share(chosen),
        recall: share(frauds),
        chosen: chosen.round() as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rankings_equal_scikit_learns() {
        let scored = |pairs: &[(f64, u8)]| {
            let label = |&(score, label): &(f64, u8)| ScoredLabel::new(score, label == 1);
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
    fn a_row_counts_as_often_as_its_weight() {
        let row = |score: f64, is_fraud, weight| ScoredLabel {
            score,
            is_fraud,
            weight,
        };
        let rows = [
            row(0.9, true, 1.0),
            row(0.8, false, 3.0),
            row(0.7, true, 1.0),
            row(0.7, false, 2.0),
        ];
        let mut repeated = Vec::new();
        for one in rows {
            let alone = ScoredLabel::new(one.score, one.is_fraud);
            repeated.extend(vec![alone; one.weight as usize]);
        }
        assert_eq!(ranking(&rows), ranking(&repeated));
        let (weighted, alone) = (log_loss(rows), log_loss(repeated.clone()));
        assert!((weighted - alone).abs() < 1e-12, "{weighted} and {alone}");
        let chosen = |one: &ScoredLabel| (one.score > 0.75, *one);
        let of_rows = choice_of_rows(rows.iter().map(chosen));
        assert_eq!(of_rows, choice_of_rows(repeated.iter().map(chosen)));
        assert_eq!((of_rows.chosen, of_rows.precision), (4, 0.25));
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
