//! Categories as numbers: for each value the fraud rate that training has seen, drawn towards the rate
//! of all where it has seen little (D. Micci-Barreca, *A preprocessing scheme for high-cardinality
//! categorical attributes*, 2001).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Definition;

/// How many transactions the rate of all counts for.
const PRIOR_WEIGHT: f64 = 20.0;

/// Why tables can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CategoriesError {
    /// The JSON itself.
    #[error("not a table of categories")]
    Json(#[from] serde_json::Error),
    /// Other categories than the definition's.
    #[error("its tables are not those of the categories that the definition's features name")]
    Other,
    /// A number that is no rate.
    #[error("table `{0}` holds what is no rate from 0 to 1")]
    NoRate(String),
}

/// What training has learnt of the categories that features name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Categories(BTreeMap<String, Table>);

/// One category's values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// What a missing value and one that was never seen are taken for.
    prior: f64,
    /// Value → rate.
    values: BTreeMap<String, f64>,
}

impl Categories {
    /// Learns a category's table: `seen` is for each of its values how many transactions had it, and
    /// how many of them were frauds; `all` is the same of all transactions.
    pub fn learn<'v>(
        &mut self,
        category: &str,
        all: [usize; 2],
        seen: impl IntoIterator<Item = (&'v str, [usize; 2])>,
    ) {
        let prior = prior(all);
        let values = seen
            .into_iter()
            .map(|(value, counts)| (value.to_owned(), rate(counts, prior)))
            .collect();
        self.0.insert(category.to_owned(), Table { prior, values });
    }

    /// A category's value as a number; NaN where there is no table. Allocates nothing.
    pub fn value(&self, category: &str, value: Option<&str>) -> f64 {
        let Some(table) = self.0.get(category) else {
            return f64::NAN;
        };
        value
            .and_then(|value| table.values.get(value))
            .copied()
            .unwrap_or(table.prior)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The file's bytes. The same tables give the same bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CategoriesError> {
        Ok(serde_json::to_vec_pretty(self)?)
    }

    /// Reads a file and checks all of it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CategoriesError> {
        let read: Self = serde_json::from_slice(bytes)?;
        for (name, table) in &read.0 {
            if !table
                .values
                .values()
                .chain([&table.prior])
                .all(|rate| (0.0..=1.0).contains(rate))
            {
                return Err(CategoriesError::NoRate(name.clone()));
            }
        }
        Ok(read)
    }

    /// Whether its tables are those that the definition asks for.
    pub fn fit(&self, definition: &Definition) -> bool {
        let mut asked: Vec<&str> = definition.encoded().map(|(_, name)| name).collect();
        asked.sort_unstable();
        asked.into_iter().eq(self.0.keys())
    }
}

/// The rate of so many transactions and the frauds among them.
pub fn prior([transactions, frauds]: [usize; 2]) -> f64 {
    if transactions == 0 {
        0.0
    } else {
        frauds as f64 / transactions as f64
    }
}

/// The rate of a value that so many transactions had, and frauds among them, where `prior` is the rate of all.
pub fn rate([transactions, frauds]: [usize; 2], prior: f64) -> f64 {
    (frauds as f64 + PRIOR_WEIGHT * prior) / (transactions as f64 + PRIOR_WEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_little_is_taken_for_the_rate_of_all() {
        let mut tables = Categories::default();
        tables.learn(
            "channel",
            [1_000, 100],
            [("web", [500, 90]), ("shop", [1, 1]), ("phone", [0, 0])],
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
    fn a_table_of_what_is_no_rate_is_refused() {
        let read = |text: &str| {
            Categories::from_bytes(text.as_bytes())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            read(r#"{"channel":{"prior":0.1,"values":{"web":1.5}}}"#),
            "table `channel` holds what is no rate from 0 to 1"
        );
        assert_eq!(
            read(r#"{"channel":{"prior":-0.1,"values":{}}}"#),
            "table `channel` holds what is no rate from 0 to 1"
        );
        assert_eq!(
            read(r#"{"channel":{"prior":0.1}}"#),
            "not a table of categories"
        );
        assert_eq!(
            read(r#"{"channel":{"prior":0.1,"values":{},"more":1}}"#),
            "not a table of categories"
        );
    }
}
