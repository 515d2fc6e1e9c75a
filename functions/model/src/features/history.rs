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
    /// value for each row of the history. NaN where it is missing. A look on profiles gets what they
    /// would have held, as f32.
    pub fn windows(&self, definition: &Definition, look: &Look) -> Vec<Vec<f64>> {
        let mut walks: HashMap<usize, Vec<Vec<usize>>> = HashMap::new();
        let windows = definition.windows(look);
        let values = windows.iter().map(|(_, window)| {
            let rows = walks.entry(window.entity).or_insert_with(|| self.by_entity(window.entity));
            let mut values = vec![f64::NAN; self.len()];
            for rows in rows {
                self.measure(window, look, rows, &mut values);
            }
            if look.every.is_some() {
                values.iter_mut().for_each(|value| *value = f64::from(*value as f32));
            }
            values
        });
        values.collect()
    }

    /// The profiles of every value of an entity as of a cut-off: the value's number, and its windows in
    /// the order of [`Definition::profile_columns`]. Values without a transaction from the first window's
    /// begin to the last one's end are left out.
    pub fn profiles(&self, definition: &Definition, entity: usize, cut_off: Timestamp) -> Vec<(u32, Vec<f64>)> {
        let windows = definition.profile_columns(entity);
        let longest = windows.iter().map(|(_, window)| window.delay + window.length).max().unwrap_or_default();
        let delay = windows.iter().map(|(_, window)| window.delay).min().unwrap_or_default();
        let reach = Window { entity, measure: Measure::Count, length: longest - delay, delay };
        let measured = |window: &Window, rows: &[usize]| {
            let mut walk = Walk::default();
            walk.to(self, window, rows, cut_off);
            walk.value(self, window.measure, rows, cut_off)
        };
        let profile = |(value, rows): (usize, Vec<usize>)| {
            let known = measured(&reach, &rows) > 0.0;
            known.then(|| (value as u32, windows.iter().map(|(_, window)| measured(window, &rows)).collect()))
        };
        self.by_entity(entity).into_iter().enumerate().filter_map(profile).collect()
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
    fn measure(&self, window: &Window, look: &Look, rows: &[usize], values: &mut [f64]) {
        let mut walk = Walk::default();
        for &row in rows {
            let end = look.end(self.occurred_at[row]);
            walk.to(self, window, rows, end);
            values[row] = walk.value(self, window.measure, rows, end);
        }
    }
}

/// A window on its way through the rows of one entity value.
#[derive(Default)]
struct Walk {
    from: usize,
    to: usize,
    /// Another entity's value → how often it is inside.
    seen: HashMap<u32, u32>,
    /// Rows reported as fraud at any time.
    frauds: Vec<usize>,
}

#[expect(clippy::indexing_slicing, reason = "rows of the history, whose columns are of one length")]
impl Walk {
    /// Moves on to `(end − delay − length, end − delay]`.
    fn to(&mut self, history: &History, window: &Window, rows: &[usize], end: Timestamp) {
        let millis = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX / 2_000).saturating_mul(1_000);
        let end = end.as_millisecond().saturating_sub(millis(window.delay));
        let begin = end.saturating_sub(millis(window.length));
        let time = |row: usize| history.occurred_at[row].as_millisecond();
        while self.to < rows.len() && time(rows[self.to]) <= end {
            self.enter(history, window.measure, rows[self.to]);
            self.to += 1;
        }
        while self.from < self.to && time(rows[self.from]) <= begin {
            self.leave(history, window.measure, rows[self.from]);
            self.from += 1;
        }
    }

    /// The measure over what is inside, by what is known at `moment`.
    fn value(&self, history: &History, measure: Measure, rows: &[usize], moment: Timestamp) -> f64 {
        let inside = &rows[self.from..self.to];
        if inside.is_empty() {
            return measure.of_nothing();
        }
        let sum = || inside.iter().map(|&row| history.amounts[row]).sum::<f64>();
        let count = inside.len() as f64;
        match measure {
            Measure::Count => count,
            Measure::Distinct(_) => self.seen.len() as f64,
            Measure::Sum => sum(),
            Measure::Mean => sum() / count,
            Measure::Deviation => {
                let mean = sum() / count;
                let squares = inside.iter().map(|&row| (history.amounts[row] - mean).powi(2));
                (squares.sum::<f64>() / count).sqrt()
            }
            Measure::FraudRate => {
                let known = |row: &&usize| history.labels[**row].is_some_and(|l| l.is_fraud && l.reported_at <= moment);
                self.frauds.iter().filter(known).count() as f64 / count
            }
        }
    }

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
