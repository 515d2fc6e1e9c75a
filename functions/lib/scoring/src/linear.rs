//! A logistic regression and its file.
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
/// No coefficient, mean or bias is larger, so that the sum of any f32 values is finite.
const LARGEST: f64 = 1e100;
/// No standard deviation is smaller, for the same reason.
const SMALLEST_SD: f64 = 1e-60;

/// Why a linear model is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinearError {
    /// `column` counts from 0.
    #[error("column {column}: {why}")]
    Column { column: usize, why: &'static str },
    #[error("not a linear model file: {0}")]
    File(&'static str),
}

/// The part of one column in the log odds: coefficient · (value − mean) / sd.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Scaling {
    /// Also stands for a missing value, which therefore contributes nothing.
    pub mean: f64,
    /// Standard deviation, at least 1e-60.
    pub sd: f64,
    /// In log odds, for a difference of one standard deviation.
    pub coefficient: f64,
}

impl Scaling {
    /// The number of standard deviations by which a value is above the mean; 0 if it is
    /// [`MISSING`].
    pub fn deviations(&self, value: f32) -> f64 {
        if value == MISSING {
            0.0
        } else {
            (f64::from(value) - self.mean) / self.sd
        }
    }

    fn contribution(&self, value: f32) -> f64 {
        self.coefficient * self.deviations(value)
    }
}

/// A logistic regression on standardised columns: log odds = bias + Σ coefficient · (value − mean) /
/// sd; probability = [`logistic`] of the log odds.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    bias: f64,
    columns: Vec<Scaling>,
}

impl Linear {
    /// `bias` is in log odds; there is one [`Scaling`] for each column.
    ///
    /// # Errors
    /// If there are no columns, or if a number is NaN, infinite or so large or small that a sum
    /// could be.
    pub fn new(bias: f64, columns: Vec<Scaling>) -> Result<Self, LinearError> {
        if columns.is_empty() {
            return Err(LinearError::File("it has no columns"));
        }
        if !is_small(bias) {
            return Err(LinearError::File("its bias is not a number, or too large"));
        }
        for (column, of) in columns.iter().enumerate() {
            let wrong = |why| Err(LinearError::Column { column, why });
            if !(of.sd >= SMALLEST_SD && of.sd.is_finite()) {
                return wrong("its standard deviation is not above 0, or too small");
            }
            if !is_small(of.mean)
                || !is_small(of.coefficient)
                || !is_small(of.coefficient / of.sd)
                || !is_small(of.mean / of.sd)
            {
                return wrong("a number is NaN, or too large");
            }
        }
        Ok(Self { bias, columns })
    }

    pub fn features(&self) -> usize {
        self.columns.len()
    }

    /// As [`crate::Model::score`].
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

    /// As [`crate::Model::score_one`].
    pub fn score_one(&self, rows: &Matrix, row: usize) -> Option<f64> {
        let row = rows.row(row);
        (rows.columns() == self.features() && row.len() == self.features())
            .then(|| logistic(self.log_odds(row)))
    }

    /// The term of each column in the log odds of one row, as [`crate::Model::contributions`].
    pub fn contributions(&self, rows: &Matrix, row: usize) -> Vec<f64> {
        let row = rows.row(row);
        if row.len() != self.features() {
            return vec![0.0; self.features()];
        }
        self.columns
            .iter()
            .zip(row)
            .map(|(column, value)| column.contribution(*value))
            .collect()
    }

    /// The bias: the log odds of a row that has the mean in every column.
    pub fn expected(&self) -> f64 {
        self.bias
    }

    fn log_odds(&self, row: &[f32]) -> f64 {
        self.bias
            + self
                .columns
                .iter()
                .zip(row)
                .map(|(column, value)| column.contribution(*value))
                .sum::<f64>()
    }

    /// The bytes of the model's file. Equal models give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((self.columns.len() as u32).to_le_bytes());
        bytes.extend(self.bias.to_le_bytes());
        bytes.extend(bytemuck::cast_slice(&self.columns));
        bytes
    }

    /// Reads a file, and checks all of it.
    ///
    /// # Errors
    /// If it is no linear model's file, has another format version, or has numbers that
    /// [`Linear::new`] refuses.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LinearError> {
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or(LinearError::File("it does not begin with SLLINEAR"))?;
        let (version, rest) = rest.split_first_chunk().ok_or(SHORT)?;
        if u32::from_le_bytes(*version) != VERSION {
            return Err(LinearError::File(
                "its format version is not 1: write the file again with this version",
            ));
        }
        let (count, rest) = rest.split_first_chunk().ok_or(SHORT)?;
        let (bias, rest) = rest.split_first_chunk().ok_or(SHORT)?;
        let count = u32::from_le_bytes(*count) as usize;
        // The length is checked before memory is allocated: a corrupt count could ask for any size.
        if count.checked_mul(size_of::<Scaling>()) != Some(rest.len()) {
            return Err(SHORT);
        }
        let mut columns = vec![Scaling::zeroed(); count];
        bytemuck::cast_slice_mut(&mut columns).copy_from_slice(rest);
        Self::new(f64::from_le_bytes(*bias), columns)
    }
}

const SHORT: LinearError = LinearError::File("its length differs from its header");

fn is_small(number: f64) -> bool {
    number.abs() <= LARGEST
}
