//! Logistic regression with smartcore's L-BFGS on standardised columns. A missing value counts as
//! the mean.

use scoring::{MISSING, Scaling};
use smartcore::linalg::basic::arrays::Array as _;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};

use crate::learner::{FittedModel, LearnError, RawModel, Sample, Task};

/// Closer to the decision boundary than this, rounding may change the class.
const BOUNDARY: f64 = 1e-9;

pub(crate) fn regress(
    task: &Task<'_>,
    settings: features::Logistic,
    sample: &Sample,
) -> Result<FittedModel, LearnError> {
    let mut columns: Vec<Scaling> = (0..task.rows.columns())
        .map(|column| scale(task, &sample.rows, column))
        .collect();
    let x = standardised(task, &sample.rows, &columns)?;
    let y: Vec<u32> = sample
        .rows
        .iter()
        .map(|&row| u32::from(task.is_fraud(row)))
        .collect();
    let parameters = LogisticRegressionParameters::default().with_alpha(settings.penalty);
    let fitted =
        LogisticRegression::<f64, u32, DenseMatrix<f64>, Vec<u32>>::fit(&x, &y, parameters)
            .map_err(LearnError::Fit)?;
    for (place, column) in columns.iter_mut().enumerate() {
        column.coefficient = *fitted.coefficients().get((0, place));
    }
    let bias = *fitted.intercept().get((0, 0));
    let checked = task.checked();
    let checked_x = standardised(task, &checked, &columns)?;
    let classes = fitted.predict(&checked_x).map_err(LearnError::Fit)?;
    let mut own = Vec::with_capacity(checked.len());
    for ((place, &row), class) in checked.iter().enumerate().zip(classes) {
        let value = |column: usize| checked_x.get((place, column));
        let added = columns
            .iter()
            .enumerate()
            .map(|(column, of)| of.coefficient * value(column));
        let log_odds = bias + added.sum::<f64>();
        if (log_odds > 0.0) != (class == 1) && log_odds.abs() > BOUNDARY {
            return Err(LearnError::Parity {
                row,
                served: log_odds,
                expected: f64::from(class),
            });
        }
        own.push(log_odds + sample.correction);
    }
    Ok(FittedModel {
        model: RawModel::Logistic {
            bias: bias + sample.correction,
            columns,
        },
        smartcore_log_odds: own,
    })
}

/// Mean and standard deviation of the values that are not missing. A constant column gets the
/// standard deviation 1.
fn scale(task: &Task<'_>, of: &[usize], column: usize) -> Scaling {
    let value = |row: &usize| {
        task.rows
            .row(*row)
            .get(column)
            .copied()
            .filter(|value| *value != MISSING)
    };
    let known = || of.iter().filter_map(value).map(f64::from);
    let count = known().count().max(1) as f64;
    let mean = known().sum::<f64>() / count;
    let sd = (known().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    Scaling {
        mean,
        sd: if sd > 0.0 { sd } else { 1.0 },
        coefficient: 0.0,
    }
}

fn standardised(
    task: &Task<'_>,
    of: &[usize],
    columns: &[Scaling],
) -> Result<DenseMatrix<f64>, LearnError> {
    let values = |&row: &usize| {
        columns
            .iter()
            .zip(task.rows.row(row))
            .map(|(column, value)| column.deviations(*value))
    };
    let values = of.iter().flat_map(values).collect();
    DenseMatrix::new(of.len(), columns.len(), values, false).map_err(LearnError::Fit)
}
