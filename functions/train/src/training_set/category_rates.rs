//! Fraud rates of a category's values among all transactions that the rows stand for.

use features::FraudCount;

use super::{Category, TrainingSet};

#[derive(Clone)]
pub(super) struct CategoryCounts {
    pub(super) all: FraudCount,
    /// By the value's place in [`Category::names`].
    pub(super) values: Vec<FraudCount>,
}

/// A training row's own label must not be part of its category's rate. So the training rows are
/// divided into this many folds, and a row's rate is that of the other folds.
const FOLDS: usize = 5;

impl CategoryCounts {
    pub(super) fn new(set: &TrainingSet, column: &Category, rows: impl Fn(usize) -> bool) -> Self {
        let mut counts = Self::of_rows(set, column, rows);
        for count in counts.values.iter_mut().chain([&mut counts.all]) {
            let good = (count.transactions - count.frauds) as f64 * set.good_weight;
            count.transactions = count.frauds + good.round() as usize;
        }
        counts
    }

    fn of_rows(set: &TrainingSet, column: &Category, rows: impl Fn(usize) -> bool) -> Self {
        let mut counts = Self {
            all: FraudCount::default(),
            values: vec![FraudCount::default(); column.names.len()],
        };
        for (_, (value, fraud)) in column
            .rows
            .iter()
            .zip(&set.frauds)
            .enumerate()
            .filter(|(row, _)| rows(*row))
        {
            let of_value = value.and_then(|value| counts.values.get_mut(value as usize));
            for count in of_value.into_iter().chain([&mut counts.all]) {
                count.transactions += 1;
                count.frauds += usize::from(*fraud);
            }
        }
        counts
    }

    /// For each row, the fraud rate of its value.
    pub(super) fn rates(set: &TrainingSet, column: &Category, training_rows: &[bool]) -> Vec<f64> {
        let is_training = |row: usize| training_rows.get(row) == Some(&true);
        let whole = Self::new(set, column, is_training);
        let folds: Vec<Self> = (0..FOLDS)
            .map(|fold| Self::new(set, column, |row| is_training(row) && row % FOLDS != fold))
            .collect();
        let rate = |(row, value): (usize, &Option<u32>)| {
            let counts = if is_training(row) {
                folds.get(row % FOLDS).unwrap_or(&whole)
            } else {
                &whole
            };
            let of_value = value
                .and_then(|value| counts.values.get(value as usize))
                .copied()
                .unwrap_or_default();
            of_value.shrunk_fraud_rate(counts.all.fraud_rate())
        };
        column.rows.iter().enumerate().map(rate).collect()
    }
}
