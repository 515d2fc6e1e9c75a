//! Labelled transactions with the features that serving would have had.

mod category_rates;
mod columns;
mod history;
mod profiles;
mod size;
mod sorted;
mod unloaded;
mod values;

use std::collections::BTreeMap;

use decision::Evidence;
use features::{Categories, Definition, FeatureSource, Look};
use jiff::Timestamp;
use scoring::Matrix;

use self::category_rates::CategoryCounts;
pub use self::columns::SetError;
pub use self::history::LabelledHistory;
pub(crate) use self::profiles::ProfilesReader;
pub(crate) use self::size::RowCount;
pub use self::size::{RowLimit, TooManyRows};
pub use self::unloaded::TrainingSetReader;

/// Labelled transactions as columns; rows in the order of time. The windows of both looks have the
/// values that serving would have had.
///
/// Windows are f64: a feature that divides two of them is computed from the same values as in
/// serving.
#[derive(Clone, Debug)]
pub struct TrainingSet {
    pub occurred_at: Vec<Timestamp>,
    pub amounts: Vec<f64>,
    /// One column for each declared number; NaN where missing.
    pub numbers: Vec<Vec<f64>>,
    /// One column for each declared category.
    pub categories: Vec<Category>,
    /// Windows of the second look by name; NaN where missing.
    pub windows: BTreeMap<String, Vec<f64>>,
    /// Windows of the first look by name, from the profiles that were active.
    pub profiles: BTreeMap<String, Vec<f64>>,
    /// Whether a fraud report of the transaction was known when the training set was made.
    pub frauds: Vec<bool>,
    /// How many good transactions each good row stands for: 1 if the set has all of them.
    pub good_weight: f64,
}

impl Default for TrainingSet {
    fn default() -> Self {
        Self {
            occurred_at: Vec::new(),
            amounts: Vec::new(),
            numbers: Vec::new(),
            categories: Vec::new(),
            windows: BTreeMap::new(),
            profiles: BTreeMap::new(),
            frauds: Vec::new(),
            good_weight: 1.0,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Category {
    /// Distinct values. A row refers to its value by the place here.
    pub names: Vec<String>,
    /// `None` where missing.
    pub rows: Vec<Option<u32>>,
}

impl TrainingSet {
    pub fn len(&self) -> usize {
        self.frauds.len()
    }

    pub fn is_empty(&self) -> bool {
        self.frauds.is_empty()
    }

    /// For each row, whether models are trained on it. The holdout is the last `training.holdout`
    /// of the period.
    pub fn training_rows(&self, definition: &Definition) -> Vec<bool> {
        let last = self.occurred_at.iter().max().copied().unwrap_or_default();
        let apart = definition.training.holdout;
        self.occurred_at
            .iter()
            .map(|time| last.duration_since(*time) >= apart)
            .collect()
    }

    /// Fraud rates of the categories that features use, from the training rows.
    pub fn tables(&self, definition: &Definition) -> Categories {
        let mut tables = Categories::default();
        let training_rows = self.training_rows(definition);
        for (place, name) in definition.category_features() {
            let Some(column) = self.categories.get(place) else {
                continue;
            };
            let counts =
                CategoryCounts::new(self, column, |row| training_rows.get(row) == Some(&true));
            let seen = column.names.iter().map(String::as_str).zip(counts.values);
            // A value that occurs only in the holdout is not listed: the tables must not depend on
            // it.
            tables.learn(
                name,
                counts.all,
                seen.filter(|(_, count)| count.transactions > 0),
            );
        }
        tables
    }

    /// The features of a look. `windows` are [`TrainingSet::profiles`] for the first look and
    /// [`TrainingSet::windows`] for the second.
    pub fn matrix(
        &self,
        definition: &Definition,
        look: &Look,
        windows: &BTreeMap<String, Vec<f64>>,
    ) -> Matrix {
        let columns: Vec<&[f64]> = definition
            .features()
            .iter()
            .map(|feature| windows.get(&feature.name).map_or(&[][..], Vec::as_slice))
            .collect();
        let training_rows = self.training_rows(definition);
        let mut rates = vec![Vec::new(); definition.schema().categories.len()];
        for (place, _) in definition.category_features() {
            if let (Some(rates), Some(column)) = (rates.get_mut(place), self.categories.get(place))
            {
                *rates = CategoryCounts::rates(self, column, &training_rows);
            }
        }
        let mut matrix = Matrix::new(look.features.len());
        for row in 0..self.len() {
            let facts = SetRow {
                set: self,
                columns: &columns,
                rates: &rates,
                row,
            };
            matrix.extend(definition.row(look, &facts));
        }
        matrix
    }

    /// The evidence that the warehouse would have returned for a row's transaction.
    pub fn evidence(&self, row: usize) -> Evidence {
        evidence(&self.windows, row)
    }

    /// A row's values of the categories that features use. Missing values are left out.
    pub(crate) fn categories(
        &self,
        definition: &Definition,
        row: usize,
    ) -> BTreeMap<String, String> {
        let value = |(place, name): (usize, &str)| {
            let column = self.categories.get(place)?;
            let value = column.names.get((*column.rows.get(row)?)? as usize)?;
            Some((name.to_owned(), value.clone()))
        };
        definition.category_features().filter_map(value).collect()
    }

    /// A row's declared numbers. Missing values are left out.
    pub(crate) fn numbers(&self, definition: &Definition, row: usize) -> BTreeMap<String, f64> {
        let names = definition.schema().numbers.iter().zip(&self.numbers);
        let values = names.filter_map(|(name, column)| Some((name.clone(), *column.get(row)?)));
        values.filter(|(_, value)| value.is_finite()).collect()
    }
}

/// One row of the windows as evidence.
pub(crate) fn evidence(windows: &BTreeMap<String, Vec<f64>>, row: usize) -> Evidence {
    let value = |column: &Vec<f64>| column.get(row).copied().filter(|value| value.is_finite());
    windows
        .iter()
        .map(|(name, column)| (name.clone(), value(column)))
        .collect()
}

struct SetRow<'a> {
    set: &'a TrainingSet,
    /// One column for each feature; empty unless it is a window of the look.
    columns: &'a [&'a [f64]],
    /// One column of fraud rates for each declared category that a feature uses.
    rates: &'a [Vec<f64>],
    row: usize,
}

impl FeatureSource for SetRow<'_> {
    fn occurred_at(&self) -> Timestamp {
        self.set
            .occurred_at
            .get(self.row)
            .copied()
            .unwrap_or_default()
    }
    fn amount(&self) -> f64 {
        self.set.amounts.get(self.row).copied().unwrap_or(f64::NAN)
    }
    fn number(&self, index: usize) -> f64 {
        self.set
            .numbers
            .get(index)
            .and_then(|column| column.get(self.row))
            .copied()
            .unwrap_or(f64::NAN)
    }
    fn category(&self, index: usize) -> f64 {
        self.rates
            .get(index)
            .and_then(|column| column.get(self.row))
            .copied()
            .unwrap_or(f64::NAN)
    }
    fn window(&self, place: usize) -> f64 {
        self.columns
            .get(place)
            .and_then(|column| column.get(self.row))
            .copied()
            .unwrap_or(f64::NAN)
    }
}
