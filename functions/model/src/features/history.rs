//! Windows over a history, for training without a warehouse and for comparing the two engines.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::{Definition, Look, Measure, Window};

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
    /// value for each row of the history. NaN where it is missing.
    pub fn windows(&self, definition: &Definition, look: &Look) -> Vec<Vec<f64>> {
        let mut walks: HashMap<usize, Vec<Vec<usize>>> = HashMap::new();
        let windows = definition.windows(look);
        let values = windows.iter().map(|(_, window)| {
            let rows = walks.entry(window.entity).or_insert_with(|| self.by_entity(window.entity));
            let mut values = vec![f64::NAN; self.len()];
            for rows in rows {
                self.measure(window, rows, &mut values);
            }
            values
        });
        values.collect()
    }

    /// The rows of each value of an entity, in the order of time.
    fn by_entity(&self, entity: usize) -> Vec<Vec<usize>> {
        let Some(column) = self.entities.get(entity) else { return Vec::new() };
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
    #[expect(clippy::indexing_slicing, reason = "`rows` are rows of this history, whose columns are of one length")]
    fn measure(&self, window: &Window, rows: &[usize], values: &mut [f64]) {
        let millis = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX / 2_000).saturating_mul(1_000);
        let (length, delay) = (millis(window.length), millis(window.delay));
        let time = |row: usize| self.occurred_at[row].as_millisecond();
        let (mut from, mut to) = (0, 0);
        let mut inside = Inside::default();
        for &row in rows {
            let end = time(row).saturating_sub(delay);
            while to < rows.len() && time(rows[to]) <= end {
                inside.enter(self, window.measure, rows[to]);
                to += 1;
            }
            while from < to && time(rows[from]) <= end.saturating_sub(length) {
                inside.leave(self, window.measure, rows[from]);
                from += 1;
            }
            values[row] = match window.measure {
                Measure::Count => (to - from) as f64,
                Measure::Distinct(_) => inside.seen.len() as f64,
                Measure::Sum => rows[from..to].iter().map(|&r| self.amounts[r]).sum(),
                Measure::Mean => self.mean(&rows[from..to]),
                Measure::Deviation => {
                    let mean = self.mean(&rows[from..to]);
                    let squares = rows[from..to].iter().map(|&r| (self.amounts[r] - mean).powi(2));
                    (squares.sum::<f64>() / (to - from) as f64).sqrt()
                }
                Measure::FraudRate if from == to => 0.0,
                Measure::FraudRate => {
                    let now = self.occurred_at[row];
                    let known = |&&r: &&usize| self.labels[r].is_some_and(|l| l.is_fraud && l.reported_at <= now);
                    inside.frauds.iter().filter(known).count() as f64 / (to - from) as f64
                }
            };
        }
    }

    #[expect(clippy::indexing_slicing, reason = "`rows` are rows of this history, whose columns are of one length")]
    fn mean(&self, rows: &[usize]) -> f64 {
        rows.iter().map(|&row| self.amounts[row]).sum::<f64>() / rows.len() as f64
    }
}

/// What moves in and out with the ends of a window.
#[derive(Default)]
struct Inside {
    /// Another entity's value → how often it is inside.
    seen: HashMap<u32, u32>,
    /// Rows reported as fraud at any time.
    frauds: Vec<usize>,
}

#[expect(clippy::indexing_slicing, reason = "rows of the history, whose columns are of one length")]
impl Inside {
    fn enter(&mut self, history: &History, measure: Measure, row: usize) {
        match measure {
            Measure::Distinct(entity) => *self.seen.entry(history.entities[entity][row]).or_default() += 1,
            Measure::FraudRate if history.labels[row].is_some_and(|label| label.is_fraud) => self.frauds.push(row),
            _ => {}
        }
    }

    fn leave(&mut self, history: &History, measure: Measure, row: usize) {
        match measure {
            Measure::Distinct(entity) => {
                let value = history.entities[entity][row];
                if let Some(times) = self.seen.get_mut(&value) {
                    *times -= 1;
                    if *times == 0 {
                        self.seen.remove(&value);
                    }
                }
            }
            Measure::FraudRate => self.frauds.retain(|&other| other != row),
            _ => {}
        }
    }
}
