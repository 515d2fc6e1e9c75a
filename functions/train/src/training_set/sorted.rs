//! Puts the rows of a training set in an order that does not depend on the order in which they were
//! read.

use std::cmp::Ordering;

use super::TrainingSet;

impl TrainingSet {
    /// Sorts the rows by time, and rows of one time by all other columns. Sorts places, then one
    /// column after the other: only one column is in memory twice.
    pub(super) fn sort(&mut self) {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        // Rows that compare as equal are equal, so an unstable sort gives the same columns.
        order.sort_unstable_by(|a, b| self.compare(*a as usize, *b as usize));
        reorder(&mut self.occurred_at, &order);
        reorder(&mut self.frauds, &order);
        reorder(&mut self.amounts, &order);
        for column in &mut self.numbers {
            reorder(column, &order);
        }
        for column in self.windows.values_mut().chain(self.profiles.values_mut()) {
            reorder(column, &order);
        }
        for category in &mut self.categories {
            reorder(&mut category.rows, &order);
        }
    }

    fn compare(&self, one: usize, other: usize) -> Ordering {
        let by_time = self.occurred_at.get(one).cmp(&self.occurred_at.get(other));
        by_time
            .then_with(|| compare_numbers(&self.amounts, one, other))
            .then_with(|| self.frauds.get(one).cmp(&self.frauds.get(other)))
            .then_with(|| {
                let windows = self.windows.values().chain(self.profiles.values());
                let columns = self.numbers.iter().chain(windows);
                let mut orders = columns.map(|column| compare_numbers(column, one, other));
                orders
                    .find(|order| order.is_ne())
                    .unwrap_or(Ordering::Equal)
            })
            .then_with(|| {
                let columns = self.categories.iter();
                let mut orders = columns.map(|column| column.name(one).cmp(&column.name(other)));
                orders
                    .find(|order| order.is_ne())
                    .unwrap_or(Ordering::Equal)
            })
    }
}

impl super::Category {
    /// The value of a row. `None` where missing.
    fn name(&self, row: usize) -> Option<&str> {
        let number = (*self.rows.get(row)?)?;
        self.names.get(number as usize).map(String::as_str)
    }
}

fn compare_numbers(column: &[f64], one: usize, other: usize) -> Ordering {
    let value = |row: usize| column.get(row).copied().unwrap_or(f64::NAN);
    value(one).total_cmp(&value(other))
}

fn reorder<T: Copy + Default>(column: &mut Vec<T>, order: &[u32]) {
    // INVARIANT: `order` has every place once. The length is known, so the copy is exact.
    let value = |row: &u32| column.get(*row as usize).copied().unwrap_or_default();
    *column = order.iter().map(value).collect();
}
