//! Training sets and profiles from transactions in memory, without a warehouse.

use std::collections::{BTreeMap, HashMap};

use decision::Batch;
use features::{
    Definition, History, Label, Look, Profiles, ProfilesError, TableBuilder, TrainingPeriod,
};
use jiff::Timestamp;

use super::values::{in_order, number_of};
use super::{Category, TrainingSet};

/// Transactions in memory with the fraud reports about them.
#[derive(Clone, Debug, Default)]
pub struct LabelledHistory {
    history: History,
    /// For each declared entity, the numbers of its values.
    entities: Vec<HashMap<String, u32>>,
    /// The same for each declared category.
    categories: Vec<HashMap<String, u32>>,
}

impl LabelledHistory {
    /// The first look's profiles as of `cut_off`.
    pub fn profiles(
        &self,
        definition: &Definition,
        cut_off: Timestamp,
    ) -> Result<Profiles, ProfilesError> {
        let tables = definition.profiled_entities().filter_map(|entity| {
            let mut table = TableBuilder::new(definition, entity)?;
            let names = in_order(self.entities.get(entity)?);
            for (number, windows) in self.history.profiles(definition, entity, cut_off) {
                table.push(
                    names.get(number as usize).copied().unwrap_or_default(),
                    windows.into_iter(),
                );
            }
            Some(table)
        });
        Profiles::build(cut_off, tables.collect())
    }

    /// Adds a batch of transactions. `label` returns the fraud report about the row, if there is
    /// one.
    pub fn add(&mut self, batch: &Batch<'_>, label: impl Fn(usize) -> Option<Label>) {
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
            history.occurred_at.push(batch.occurred_at(row));
            history.amounts.push(batch.amount(row));
            history.labels.push(label(row));
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
    /// Takes the transactions of the period, labelled by the reports known at `period.as_of`. The
    /// windows are computed from the whole history.
    pub fn of_history(
        definition: &Definition,
        labelled: &LabelledHistory,
        period: &TrainingPeriod,
    ) -> Self {
        let history = &labelled.history;
        let mut rows: Vec<usize> = (0..history.len())
            .filter(|&row| {
                history
                    .occurred_at
                    .get(row)
                    .is_some_and(|occurred_at| period.contains(*occurred_at))
            })
            .collect();
        rows.sort_by_key(|row| history.occurred_at.get(*row));
        let pick = |column: &[f64]| {
            rows.iter()
                .map(|&row| column.get(row).copied().unwrap_or(f64::NAN))
                .collect::<Vec<f64>>()
        };
        let windows = |look: &Look| -> BTreeMap<String, Vec<f64>> {
            let columns = history.windows(definition, look);
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
        let known = |label: &Label| label.is_fraud && label.reported_at <= period.as_of;
        Self {
            occurred_at: rows
                .iter()
                .filter_map(|&row| history.occurred_at.get(row))
                .copied()
                .collect(),
            amounts: pick(&history.amounts),
            numbers: history.numbers.iter().map(|column| pick(column)).collect(),
            categories: categories.collect(),
            windows: windows(&definition.confirm),
            profiles: windows(&definition.first),
            frauds: rows
                .iter()
                .map(|&row| {
                    history
                        .labels
                        .get(row)
                        .and_then(Option::as_ref)
                        .is_some_and(known)
                })
                .collect(),
        }
    }
}
