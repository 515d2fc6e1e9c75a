//! How many rows fit the function's memory.

use features::Definition;

/// What the function needs without any rows: code, one file of the warehouse, models, the card.
const BASE_BYTES: usize = 200 << 20;
/// What a row needs besides its features and windows.
const ROW_BYTES: usize = 230;
/// What one feature of a look needs a row: both looks are trained at the same time, each on a copy
/// of its rows that the learner sorts by each column.
const FEATURE_BYTES: usize = 36;
/// What one column of the training set needs a row.
const COLUMN_BYTES: usize = 8;

/// The most rows that a training set may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowLimit {
    pub rows: usize,
}

/// The rows that the warehouse counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowCount {
    pub(crate) frauds: usize,
    /// Good transactions of the sample.
    pub(crate) good: usize,
}

/// The training set would not fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "the training set has {found} rows ({frauds} of them frauds), but {fit} rows fit the function's \
     memory: {remedy}give the function more memory (TrainMemoryMB)"
)]
pub struct TooManyRows {
    pub found: usize,
    pub frauds: usize,
    /// How many rows fit.
    pub fit: usize,
    /// Changes of the definition that help, each with a comma behind it.
    pub remedy: String,
}

/// The bytes of memory that training needs for each row: 6 to 8 % more than `make bench-quality
/// PART=unloaded` measured for 6 and 12 features in each look.
pub(crate) fn bytes_per_row(definition: &Definition) -> usize {
    let schema = definition.schema();
    let looks = [&definition.first, &definition.confirm];
    let features: usize = looks.iter().map(|look| look.features.len()).sum();
    let windows: usize = looks
        .iter()
        .map(|look| definition.windows(look).len())
        .sum();
    let columns = windows + schema.numbers.len() + schema.categories.len();
    ROW_BYTES + features * FEATURE_BYTES + columns * COLUMN_BYTES
}

impl RowLimit {
    /// What fits `memory` bytes.
    pub fn of_memory(definition: &Definition, memory: usize) -> Self {
        Self {
            rows: memory.saturating_sub(BASE_BYTES) / bytes_per_row(definition),
        }
    }

    pub(crate) fn check(self, definition: &Definition, count: RowCount) -> Result<(), TooManyRows> {
        let RowCount { frauds, good } = count;
        let fit = self.rows;
        if frauds + good <= fit {
            return Ok(());
        }
        let mut remedy = String::new();
        let training = &definition.training;
        let share = fit.saturating_sub(frauds) as f64 / good.max(1) as f64 * training.negatives;
        if let Some(share) = two_digits_down(share) {
            remedy = format!("lower training.negatives to {share}, ");
        }
        remedy.push_str("shorten training.span, or ");
        Err(TooManyRows {
            found: frauds + good,
            frauds,
            fit,
            remedy,
        })
    }
}

/// Rounded down to two significant digits. `None` if nothing is left.
fn two_digits_down(share: f64) -> Option<f64> {
    if share < 1e-9 {
        return None;
    }
    let scale = 10f64.powi(1 - share.log10().floor() as i32);
    Some((share * scale).floor() / scale)
}
