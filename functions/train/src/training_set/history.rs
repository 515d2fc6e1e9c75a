//! Training sets and profiles from transactions in memory, without a warehouse.

use std::collections::{BTreeMap, HashMap};

use decision::Batch;
use features::{
    Definition, History, Look, Profiles, ProfilesError, Report, TableBuilder, TrainingPeriod,
};
use jiff::Timestamp;

use super::values::{in_order, number_of};
use super::{Category, TrainingSet};

/// Transactions in memory with the fraud reports about them.
#[derive(Clone, Debug, Default)]
pub struct LabelledHistory {
    history: History,
    transaction_ids: Vec<Box<str>>,
    /// For each declared entity, the numbers of its values.
    entities: Vec<HashMap<String, u32>>,
    /// The same for each declared category.
    categories: Vec<HashMap<String, u32>>,
}

impl LabelledHistory {
    /// The profiles as of `cut_off`.
    pub fn profiles(
        &self,
        definition: &Definition,
        cut_off: Timestamp,
    ) -> Result<Profiles, ProfilesError> {
        let tables = definition.profiled_entities().filter_map(|entity| {
            let mut table = TableBuilder::new(definition, entity)?;
            let names = in_order(self.entities.get(entity)?);
            let windows = definition.profile_windows(entity);
            for (number, parts) in self.history.profiles(definition, entity, cut_off) {
                let name = names.get(number as usize).copied().unwrap_or_default();
                let of_windows = windows.iter().zip(&parts);
                let numbers =
                    of_windows.flat_map(|((_, window), parts)| parts.aggregates(window.measure));
                table.push(name, numbers);
            }
            Some(table)
        });
        Profiles::build(cut_off, tables.collect())
    }

    /// The rows of the period in the order of time.
    fn rows_of(&self, period: &TrainingPeriod) -> Vec<usize> {
        let times = &self.history.occurred_at;
        let is_within = |row: &usize| times.get(*row).is_some_and(|time| period.contains(*time));
        let mut rows: Vec<usize> = (0..times.len()).filter(is_within).collect();
        rows.sort_by_key(|row| times.get(*row));
        rows
    }

    /// Adds a batch of transactions. They arrived at their own times. `reports` returns the fraud
    /// reports on a row.
    pub fn add(&mut self, batch: &Batch<'_>, reports: impl Fn(usize) -> Vec<Report>) {
        let schema = batch.schema();
        let history = &mut self.history;
        history.numbers.resize(schema.numbers.len(), Vec::new());
        history.entities.resize(schema.entities.len(), Vec::new());
        history
            .categories
            .resize(schema.categories.len(), Vec::new());
        self.entities.resize(schema.entities.len(), HashMap::new());
        self.categories
            .resize(schema.categories.len(), HashMap::new());
        for row in 0..batch.len() {
            self.transaction_ids.push(batch.transaction_id(row).into());
            history.occurred_at.push(batch.occurred_at(row));
            history.amounts.push(batch.amount(row));
            history.arrived_at.push(batch.occurred_at(row));
            history.reports.push(reports(row));
            for (index, column) in history.numbers.iter_mut().enumerate() {
                column.push(batch.number(row, index));
            }
            for (index, (names, column)) in self
                .entities
                .iter_mut()
                .zip(&mut history.entities)
                .enumerate()
            {
                column.push(number_of(names, batch.entity(row, index)));
            }
            for (index, (names, column)) in self
                .categories
                .iter_mut()
                .zip(&mut history.categories)
                .enumerate()
            {
                column.push(
                    batch
                        .category(row, index)
                        .map(|value| number_of(names, value)),
                );
            }
        }
    }
}

impl TrainingSet {
    /// Takes the frauds and the sample of the good transactions of the period, labelled by the
    /// reports known at `period.as_of`: the rows of [`features::sql::training_set`]. The windows
    /// are computed from the whole history.
    pub fn of_history(
        definition: &Definition,
        labelled: &LabelledHistory,
        period: &TrainingPeriod,
    ) -> Self {
        let sample = definition.training.good_sample();
        let is_fraud = |row: usize| labelled.history.is_fraud(row, period.as_of);
        let is_sampled = |row: usize| {
            let id = labelled.transaction_ids.get(row);
            id.is_some_and(|id| sample.contains(id))
        };
        let mut rows = labelled.rows_of(period);
        rows.retain(|&row| is_fraud(row) || is_sampled(row));
        Self {
            good_weight: sample.weight(),
            ..Self::of_rows(definition, labelled, period, &rows)
        }
    }

    /// Takes all transactions of the period, not only a sample.
    pub fn of_whole_history(
        definition: &Definition,
        labelled: &LabelledHistory,
        period: &TrainingPeriod,
    ) -> Self {
        let rows = labelled.rows_of(period);
        Self::of_rows(definition, labelled, period, &rows)
    }

    fn of_rows(
        definition: &Definition,
        labelled: &LabelledHistory,
        period: &TrainingPeriod,
        rows: &[usize],
    ) -> Self {
        let history = &labelled.history;
        let pick = |column: &[f64]| {
            rows.iter()
                .map(|&row| column.get(row).copied().unwrap_or(f64::NAN))
                .collect::<Vec<f64>>()
        };
        let windows = |look: &Look, columns: Vec<Vec<f64>>| -> BTreeMap<String, Vec<f64>> {
            let names = definition
                .windows(look)
                .into_iter()
                .map(|(name, _)| name.to_owned());
            names
                .zip(columns.iter().map(|column| pick(column)))
                .collect()
        };
        let categories =
            history
                .categories
                .iter()
                .zip(&labelled.categories)
                .map(|(column, names)| Category {
                    names: in_order(names).into_iter().map(str::to_owned).collect(),
                    rows: rows
                        .iter()
                        .map(|&row| column.get(row).copied().flatten())
                        .collect(),
                });
        let second = history.second_windows(definition);
        let first = history.first_windows(definition);
        Self {
            occurred_at: rows
                .iter()
                .filter_map(|&row| history.occurred_at.get(row))
                .copied()
                .collect(),
            amounts: pick(&history.amounts),
            numbers: history.numbers.iter().map(|column| pick(column)).collect(),
            categories: categories.collect(),
            windows: windows(&definition.confirm, second),
            profiles: windows(&definition.first, first),
            frauds: rows
                .iter()
                .map(|&row| history.is_fraud(row, period.as_of))
                .collect(),
            good_weight: 1.0,
        }
    }
}
