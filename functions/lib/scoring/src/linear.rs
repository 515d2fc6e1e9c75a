//! A logistic regression as it is served, and its file.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `SLLINEAR` |
//! | 4 | format version, 1 |
//! | 4 | columns |
//! | 8 | bias, f64 |
//! | 24 a column | mean, standard deviation, coefficient, f64 each |
//!
//! Little endian.

use bytemuck::{Pod, Zeroable};

use crate::{MISSING, Matrix, logistic};

pub(crate) const MAGIC: &[u8; 8] = b"SLLINEAR";
const VERSION: u32 = 1;
/// No weight, mean or bias is larger: with f32 values, every sum is finite.
const LARGEST: f64 = 1e100;
/// Nor is a standard deviation smaller.
const SMALLEST_SD: f64 = 1e-60;

/// Why a linear model is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinearError {
    /// A column's numbers.
    #[error("column {column}: {why}")]
    Column {
        /// Which.
        column: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// The file.
    #[error("not a linear model's file: {0}")]
    File(&'static str),
}

/// What a column adds to the log odds: `coefficient` for each standard deviation above the mean.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Scaling {
    /// The mean, which is also what a missing value counts as.
    pub mean: f64,
    /// The standard deviation, above 0.
    pub sd: f64,
    /// In log odds.
    pub coefficient: f64,
}

impl Scaling {
    /// How many standard deviations a value is above the mean.
    pub fn deviations(&self, value: f32) -> f64 {
        if value == MISSING {
            0.0
        } else {
            (f64::from(value) - self.mean) / self.sd
        }
    }

    fn added(&self, value: f32) -> f64 {
        self.coefficient * self.deviations(value)
    }
}

/// Log odds = bias + what each column adds; probability = its logistic.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    bias: f64,
    columns: Vec<Scaling>,
}

impl Linear {
    /// A model over rows of as many columns.
    pub fn new(bias: f64, columns: Vec<Scaling>) -> Result<Self, LinearError> {
        if columns.is_empty() {
            return Err(LinearError::File("it has no columns"));
        }
        if !small(bias) {
            return Err(LinearError::File("its bias is no number, or too large"));
        }
        for (column, of) in columns.iter().enumerate() {
            let wrong = |why| Err(LinearError::Column { column, why });
            if !(of.sd >= SMALLEST_SD && of.sd.is_finite()) {
                return wrong("its standard deviation is not above 0, or too small");
            }
            if !small(of.mean)
                || !small(of.coefficient)
                || !small(of.coefficient / of.sd)
                || !small(of.mean / of.sd)
            {
                return wrong("a number is none, or too large");
            }
        }
        Ok(Self { bias, columns })
    }

    /// Number of columns.
    pub fn features(&self) -> usize {
        self.columns.len()
    }

    /// Probabilities of all rows, in `scores`, which is emptied first. Rows of another width give none.
    pub fn score(&self, rows: &Matrix, scores: &mut Vec<f64>) {
        scores.clear();
        if rows.columns() == self.features() {
            scores.extend(
                rows.values()
                    .chunks_exact(self.features())
                    .map(|row| logistic(self.log_odds(row))),
            );
        }
    }

    /// Probability of one row; of a row of another width, none.
    pub fn score_one(&self, rows: &Matrix, row: usize) -> Option<f64> {
        let row = rows.row(row);
        (rows.columns() == self.features() && row.len() == self.features())
            .then(|| logistic(self.log_odds(row)))
    }

    /// What each column added to the log odds of one row. With [`Linear::expected`] that is all of them.
    pub fn contributions(&self, rows: &Matrix, row: usize) -> Vec<f64> {
        let row = rows.row(row);
        if row.len() != self.features() {
            return vec![0.0; self.features()];
        }
        self.columns
            .iter()
            .zip(row)
            .map(|(column, value)| column.added(*value))
            .collect()
    }

    /// The log odds of a row that is the mean in every column.
    pub fn expected(&self) -> f64 {
        self.bias
    }

    fn log_odds(&self, row: &[f32]) -> f64 {
        self.bias
            + self
                .columns
                .iter()
                .zip(row)
                .map(|(column, value)| column.added(*value))
                .sum::<f64>()
    }

    /// The file's bytes. The same model gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        [VERSION, self.columns.len() as u32]
            .iter()
            .for_each(|count| bytes.extend(count.to_le_bytes()));
        bytes.extend(self.bias.to_le_bytes());
        bytes.extend(bytemuck::cast_slice(&self.columns));
        bytes
    }

    /// Reads a file and checks all of it: nothing in it is believed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LinearError> {
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or(LinearError::File("it does not begin with SLLINEAR"))?;
        let (version, rest) = rest.split_first_chunk().ok_or(SHORT)?;
        if u32::from_le_bytes(*version) != VERSION {
            return Err(LinearError::File(
                "its format version is not 1: build the bundle again",
            ));
        }
        let (count, rest) = rest.split_first_chunk().ok_or(SHORT)?;
        let (bias, rest) = rest.split_first_chunk().ok_or(SHORT)?;
        let count = u32::from_le_bytes(*count) as usize;
        // Sizes are compared before memory is asked for: a broken count must not.
        if count.checked_mul(size_of::<Scaling>()) != Some(rest.len()) {
            return Err(SHORT);
        }
        let mut columns = vec![Scaling::zeroed(); count];
        bytemuck::cast_slice_mut(&mut columns).copy_from_slice(rest);
        Self::new(f64::from_le_bytes(*bias), columns)
    }
}

const SHORT: LinearError = LinearError::File("its length is not what its header says");

fn small(number: f64) -> bool {
    number.abs() <= LARGEST
}
