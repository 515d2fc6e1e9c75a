/// A missing value. It is the largest `f32`, so that it is never below a threshold, in training and
/// in scoring.
pub const MISSING: f32 = f32::MAX;

/// Rows of values, row-major: the input of training and of scoring.
///
/// INVARIANT: no value is NaN. [`Matrix::push`] is the only way in, and turns every value that is
/// not finite into [`MISSING`]. The scoring kernel relies on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    columns: usize,
    values: Vec<f32>,
}

impl Matrix {
    pub fn new(columns: usize) -> Self {
        Self {
            columns,
            values: Vec::new(),
        }
    }

    /// Removes all rows, sets the number of columns, and reserves memory for `rows` rows. Keeps
    /// the memory that it has.
    pub fn reset(&mut self, columns: usize, rows: usize) {
        self.columns = columns;
        self.values.clear();
        self.values.reserve(columns * rows);
    }

    /// Appends the next value of the last row, or the first value of a new row. A value that is
    /// not finite, also after rounding to `f32`, becomes [`MISSING`].
    pub fn push(&mut self, value: f64) {
        let value = value as f32;
        self.values
            .push(if value.is_finite() { value } else { MISSING });
    }

    /// Appends values as [`Matrix::push`] does.
    pub fn extend(&mut self, values: impl IntoIterator<Item = f64>) {
        for value in values {
            self.push(value);
        }
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }

    /// All values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Empty if there is no such row.
    pub fn row(&self, row: usize) -> &[f32] {
        self.values
            .get(row * self.columns..(row + 1) * self.columns)
            .unwrap_or_default()
    }
}
