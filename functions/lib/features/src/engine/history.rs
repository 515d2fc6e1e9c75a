//! Computes windows over a history in memory. Used for training without a warehouse, and to compare
//! the two engines.

use std::collections::HashMap;

use jiff::Timestamp;

use super::walk::Walk;
use crate::{Definition, DistinctField, Look, Measure, Quantity, Reach, Window};

/// A fraud report about a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    pub reported_at: Timestamp,
    /// False if the report says that the transaction is good.
    pub is_fraud: bool,
}

/// Transactions as columns of equal length, with rows in any order.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub occurred_at: Vec<Timestamp>,
    pub amounts: Vec<f64>,
    /// One column for each entity of the schema. Each distinct value has a number from 0, in any
    /// order.
    pub entities: Vec<Vec<u32>>,
    /// One column for each number of the schema; NaN if missing.
    pub numbers: Vec<Vec<f64>>,
    /// One column for each category of the schema, with values numbered like those of entities.
    pub categories: Vec<Vec<Option<u32>>>,
    /// The latest report of each transaction.
    pub labels: Vec<Option<Label>>,
}

impl History {
    pub fn len(&self) -> usize {
        self.occurred_at.len()
    }

    pub fn is_empty(&self) -> bool {
        self.occurred_at.is_empty()
    }

    /// For each window of [`Definition::windows`], one value for each row of the history; NaN if it
    /// is missing. For a look with cut-offs these are the values that profiles would have, rounded
    /// to `f32`.
    pub fn windows(&self, definition: &Definition, look: &Look) -> Vec<Vec<f64>> {
        let mut walks: HashMap<usize, Vec<Vec<usize>>> = HashMap::new();
        let windows = definition.windows(look);
        let values = windows.iter().map(|(_, window)| {
            let rows = walks
                .entry(window.entity)
                .or_insert_with(|| self.by_entity(window.entity));
            let mut values = vec![f64::NAN; self.len()];
            for rows in rows {
                self.measure(window, look, rows, &mut values);
            }
            if look.cut_off.is_some() {
                values
                    .iter_mut()
                    .for_each(|value| *value = f64::from(*value as f32));
            }
            values
        });
        values.collect()
    }

    /// The profiles of an entity as of a cut-off. Each has the number of the entity's value (see
    /// [`History::entities`]) and its windows in the order of [`Definition::profile_columns`].
    /// Values without a transaction in the windows' [`Reach`] have no profile.
    pub fn profiles(
        &self,
        definition: &Definition,
        entity: usize,
        cut_off: Timestamp,
    ) -> Vec<(u32, Vec<f64>)> {
        let windows = definition.profile_columns(entity);
        let reach = Reach::of(&windows);
        let reach = Window {
            entity,
            measure: Measure::Count,
            length: reach.start - reach.end,
            delay: reach.end,
        };
        let measured = |window: &Window, rows: &[usize]| {
            let mut walk = Walk::new(self, window, rows);
            walk.move_to(cut_off);
            walk.value(cut_off)
        };
        let profile = |(value, rows): (usize, Vec<usize>)| {
            let known = measured(&reach, &rows) > 0.0;
            known.then(|| {
                (
                    value as u32,
                    windows
                        .iter()
                        .map(|(_, window)| measured(window, &rows))
                        .collect(),
                )
            })
        };
        self.by_entity(entity)
            .into_iter()
            .enumerate()
            .filter_map(profile)
            .collect()
    }

    /// The rows of each value of an entity, the oldest row first.
    fn by_entity(&self, entity: usize) -> Vec<Vec<usize>> {
        let Some(column) = self.entities.get(entity) else {
            return Vec::new();
        };
        let values = column.iter().max().map_or(0, |&max| max as usize + 1);
        let mut rows = vec![Vec::new(); values];
        for (row, &value) in column.iter().enumerate() {
            if let Some(rows) = rows.get_mut(value as usize) {
                rows.push(row);
            }
        }
        for rows in &mut rows {
            rows.sort_by_key(|&row| self.occurred_at.get(row));
        }
        rows
    }

    /// Sets the window's value for each row of one entity value. `rows` must have the oldest first.
    fn measure(&self, window: &Window, look: &Look, rows: &[usize], values: &mut [f64]) {
        let mut walk = Walk::new(self, window, rows);
        for &row in rows {
            let end = look.window_end(self.occurred_at_row(row));
            walk.move_to(end);
            if let Some(value) = values.get_mut(row) {
                *value = walk.value(end);
            }
        }
    }

    pub(super) fn occurred_at_row(&self, row: usize) -> Timestamp {
        self.occurred_at.get(row).copied().unwrap_or_default()
    }

    /// NaN if it is missing.
    pub(super) fn quantity(&self, of: Quantity, row: usize) -> f64 {
        let column = match of {
            Quantity::Amount => Some(&self.amounts),
            Quantity::Number(number) => self.numbers.get(number),
        };
        column
            .and_then(|column| column.get(row))
            .copied()
            .unwrap_or(f64::NAN)
    }

    pub(super) fn field(&self, of: DistinctField, row: usize) -> Option<u32> {
        match of {
            DistinctField::Entity(entity) => self.entities.get(entity)?.get(row).copied(),
            DistinctField::Category(category) => {
                self.categories.get(category)?.get(row).copied().flatten()
            }
        }
    }

    /// The time of the fraud report. `None` if the row was not reported as a fraud.
    pub(super) fn fraud_reported_at(&self, row: usize) -> Option<Timestamp> {
        let label = self.labels.get(row).copied().flatten()?;
        label.is_fraud.then_some(label.reported_at)
    }
}
