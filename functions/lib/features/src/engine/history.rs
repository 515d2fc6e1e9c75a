//! Windows over a history, for training without a warehouse and for comparing the two engines.

use std::collections::HashMap;

use jiff::Timestamp;

use super::walk::Walk;
use crate::{Definition, DistinctField, Look, Measure, Quantity, Reach, Window};

/// A fraud report: what is known of a transaction, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// When it was reported.
    pub reported_at: Timestamp,
    /// What was reported.
    pub is_fraud: bool,
}

/// A history, as columns. Rows in any order.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// When each happened.
    pub occurred_at: Vec<Timestamp>,
    /// Amounts.
    pub amounts: Vec<f64>,
    /// For each declared entity, its values, numbered from 0 as you like.
    pub entities: Vec<Vec<u32>>,
    /// For each declared number, its values; NaN where missing.
    pub numbers: Vec<Vec<f64>>,
    /// For each declared category, its values, numbered likewise; none where missing.
    pub categories: Vec<Vec<Option<u32>>>,
    /// Reports.
    pub labels: Vec<Option<Label>>,
}

impl History {
    /// Number of transactions.
    pub fn len(&self) -> usize {
        self.occurred_at.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.occurred_at.is_empty()
    }

    /// The values of all windows that a look needs: for each window of [`Definition::windows`], a
    /// value for each row of the history. NaN where it is missing. A look on profiles gets what they
    /// would have held, as f32.
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

    /// The profiles of every value of an entity as of a cut-off: the value's number, and its windows in
    /// the order of [`Definition::profile_columns`]. Values without a transaction from the first window's
    /// begin to the last one's end are left out.
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
            walk.to(cut_off);
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

    /// The rows of each value of an entity, in the order of time.
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

    /// One window for all rows of one entity value: two ends that move forward together.
    fn measure(&self, window: &Window, look: &Look, rows: &[usize], values: &mut [f64]) {
        let mut walk = Walk::new(self, window, rows);
        for &row in rows {
            let end = look.window_end(self.moment(row));
            walk.to(end);
            if let Some(value) = values.get_mut(row) {
                *value = walk.value(end);
            }
        }
    }

    pub(super) fn moment(&self, row: usize) -> Timestamp {
        self.occurred_at.get(row).copied().unwrap_or_default()
    }

    /// NaN where it is missing.
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

    /// When a row was reported as fraud, if it was at any time.
    pub(super) fn fraud(&self, row: usize) -> Option<Timestamp> {
        let label = self.labels.get(row).copied().flatten()?;
        label.is_fraud.then_some(label.reported_at)
    }
}
