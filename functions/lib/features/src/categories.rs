//! Target encoding of categories: a value's number is its fraud rate in training, shrunk towards
//! the overall fraud rate where the value is rare (D. Micci-Barreca, *A preprocessing scheme for
//! high-cardinality categorical attributes in classification and prediction problems*, 2001).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Definition;

/// The overall fraud rate weighs as much as this many transactions of a value.
const PRIOR_WEIGHT: f64 = 20.0;

/// Why a categories file is refused.
#[derive(Debug, thiserror::Error)]
pub enum CategoriesError {
    #[error("not a categories file")]
    Json(#[from] serde_json::Error),
    #[error("its categories are not those of the definition's features")]
    Other,
    #[error("category `{0}` has a fraud rate that is not between 0 and 1")]
    NoRate(String),
}

/// Category → table of fraud rates. As a file: JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Categories(BTreeMap<String, CategoryTable>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryTable {
    /// The overall fraud rate, which also stands for missing and unknown values.
    prior: f64,
    values: BTreeMap<String, f64>,
}

/// How many transactions there are, and how many of them are frauds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FraudCount {
    pub transactions: usize,
    pub frauds: usize,
}

impl FraudCount {
    /// 0 if there are no transactions.
    pub fn fraud_rate(self) -> f64 {
        if self.transactions == 0 {
            0.0
        } else {
            self.frauds as f64 / self.transactions as f64
        }
    }

    /// The fraud rate of a category's value, shrunk towards `prior`, the overall fraud rate.
    pub fn shrunk_fraud_rate(self, prior: f64) -> f64 {
        (self.frauds as f64 + PRIOR_WEIGHT * prior) / (self.transactions as f64 + PRIOR_WEIGHT)
    }
}

impl Categories {
    /// Sets a category's table from the counts of each of its values and of all transactions.
    pub fn learn<'v>(
        &mut self,
        category: &str,
        all: FraudCount,
        values: impl IntoIterator<Item = (&'v str, FraudCount)>,
    ) {
        let prior = all.fraud_rate();
        let values = values
            .into_iter()
            .map(|(value, count)| (value.to_owned(), count.shrunk_fraud_rate(prior)))
            .collect();
        self.0
            .insert(category.to_owned(), CategoryTable { prior, values });
    }

    /// The number that stands for a category's value; NaN if the category has no table. Does not
    /// allocate.
    pub fn value(&self, category: &str, value: Option<&str>) -> f64 {
        let Some(table) = self.0.get(category) else {
            return f64::NAN;
        };
        value
            .and_then(|value| table.values.get(value))
            .copied()
            .unwrap_or(table.prior)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The file's bytes. Equal tables give equal bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CategoriesError> {
        Ok(serde_json::to_vec_pretty(self)?)
    }

    /// Reads a file and checks that all rates are between 0 and 1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CategoriesError> {
        let categories: Self = serde_json::from_slice(bytes)?;
        for (name, table) in &categories.0 {
            let mut rates = table.values.values().chain([&table.prior]);
            if !rates.all(|rate| (0.0..=1.0).contains(rate)) {
                return Err(CategoriesError::NoRate(name.clone()));
            }
        }
        Ok(categories)
    }

    /// Whether there is a table for exactly the definition's category features.
    pub fn fit(&self, definition: &Definition) -> bool {
        let mut expected: Vec<&str> = definition
            .category_features()
            .map(|(_, name)| name)
            .collect();
        expected.sort_unstable();
        expected.into_iter().eq(self.0.keys())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(transactions: usize, frauds: usize) -> FraudCount {
        FraudCount {
            transactions,
            frauds,
        }
    }

    #[test]
    fn a_rare_value_gets_nearly_the_overall_fraud_rate() {
        let mut tables = Categories::default();
        tables.learn(
            "channel",
            count(1_000, 100),
            [
                ("web", count(500, 90)),
                ("shop", count(1, 1)),
                ("phone", count(0, 0)),
            ],
        );
        let of = |value| tables.value("channel", value);
        assert_eq!(of(Some("web")), (90.0 + 2.0) / 520.0);
        assert_eq!(of(Some("shop")), 3.0 / 21.0);
        assert_eq!([of(Some("phone")), of(Some("fax")), of(None)], [0.1; 3]);
        assert!(tables.value("country", Some("web")).is_nan());
        assert_eq!(
            Categories::from_bytes(&tables.to_bytes().unwrap()).unwrap(),
            tables
        );
    }

    #[test]
    fn a_number_outside_0_to_1_is_refused() {
        let read = |text: &str| {
            Categories::from_bytes(text.as_bytes())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            read(r#"{"channel":{"prior":0.1,"values":{"web":1.5}}}"#),
            "category `channel` has a fraud rate that is not between 0 and 1"
        );
        assert_eq!(
            read(r#"{"channel":{"prior":-0.1,"values":{}}}"#),
            "category `channel` has a fraud rate that is not between 0 and 1"
        );
        assert_eq!(
            read(r#"{"channel":{"prior":0.1}}"#),
            "not a categories file"
        );
        assert_eq!(
            read(r#"{"channel":{"prior":0.1,"values":{},"more":1}}"#),
            "not a categories file"
        );
    }
}
