/// What stands for a missing value: larger than any value, so that it goes the way of "not below the
/// threshold" at every split, in training and in serving. smartcore does not take NaN.
pub const MISSING: f32 = f32::MAX;

/// Feature values, row by row: what models are trained on and scored from.
///
/// INVARIANT: no value is NaN. [`Matrix::push`] is the only way in and turns whatever is not finite
/// into [`MISSING`]; the scoring kernel relies on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    columns: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// An empty matrix of this many columns.
    pub fn new(columns: usize) -> Self {
        Self {
            columns,
            values: Vec::new(),
        }
    }

    /// Empties it, for rows of this many columns; keeps its memory.
    pub fn reset(&mut self, columns: usize, rows: usize) {
        self.columns = columns;
        self.values.clear();
        self.values.reserve(columns * rows);
    }

    /// Appends the next value, row by row. What is not finite is [`MISSING`].
    pub fn push(&mut self, value: f64) {
        let value = value as f32;
        self.values
            .push(if value.is_finite() { value } else { MISSING });
    }

    /// Appends values, row by row, as [`Matrix::push`] does.
    pub fn extend(&mut self, values: impl IntoIterator<Item = f64>) {
        for value in values {
            self.push(value);
        }
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of whole rows.
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }

    /// All values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// One row; empty where there is none.
    pub fn row(&self, row: usize) -> &[f32] {
        self.values
            .get(row * self.columns..(row + 1) * self.columns)
            .unwrap_or_default()
    }
}
