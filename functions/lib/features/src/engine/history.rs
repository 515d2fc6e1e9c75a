//! A history in memory. Used for training without a warehouse, and to compare the two engines.

use jiff::Timestamp;

use crate::{DistinctField, Quantity};

/// A fraud report about a transaction. Of the reports that are known as of a time, the last one in
/// the order of the fields decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Report {
    pub reported_at: Timestamp,
    pub arrived_at: Timestamp,
    /// False if the report says that the transaction is good.
    pub is_fraud: bool,
}

/// Transactions as columns of equal length, with rows in any order.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub occurred_at: Vec<Timestamp>,
    pub arrived_at: Vec<Timestamp>,
    pub amounts: Vec<f64>,
    /// One column for each entity of the schema. Each distinct value has a number from 0, in any
    /// order.
    pub entities: Vec<Vec<u32>>,
    /// One column for each number of the schema; NaN if missing.
    pub numbers: Vec<Vec<f64>>,
    /// One column for each category of the schema, with values numbered like those of entities.
    pub categories: Vec<Vec<Option<u32>>>,
    /// All reports of each transaction, in any order.
    pub reports: Vec<Vec<Report>>,
}

impl History {
    pub fn len(&self) -> usize {
        self.occurred_at.len()
    }

    pub fn is_empty(&self) -> bool {
        self.occurred_at.is_empty()
    }

    /// Whether the transaction is a known fraud by the reports whose own time and arrival are
    /// `as_of` or earlier.
    pub fn is_fraud(&self, row: usize, as_of: Timestamp) -> bool {
        let is_known = |report: &&Report| report.reported_at.max(report.arrived_at) <= as_of;
        let decisive = self.reports_of(row).iter().filter(is_known).max();
        decisive.is_some_and(|report| report.is_fraud)
    }

    /// The rows of each value of an entity, the oldest row first.
    pub(super) fn rows_by_value(&self, entity: usize) -> Vec<Vec<usize>> {
        let Some(column) = self.entities.get(entity) else {
            return Vec::new();
        };
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

    pub(super) fn occurred_at_row(&self, row: usize) -> Timestamp {
        self.occurred_at.get(row).copied().unwrap_or_default()
    }

    pub(super) fn arrived_at_row(&self, row: usize) -> Timestamp {
        self.arrived_at.get(row).copied().unwrap_or_default()
    }

    /// NaN if it is missing.
    pub(super) fn quantity(&self, of: Quantity, row: usize) -> f64 {
        let column = match of {
            Quantity::Amount => Some(&self.amounts),
            Quantity::Number(number) => self.numbers.get(number),
        };
        let value = column.and_then(|column| column.get(row));
        value.copied().unwrap_or(f64::NAN)
    }

    pub(super) fn field(&self, of: DistinctField, row: usize) -> Option<u32> {
        match of {
            DistinctField::Entity(entity) => self.entities.get(entity)?.get(row).copied(),
            DistinctField::Category(category) => {
                self.categories.get(category)?.get(row).copied().flatten()
            }
        }
    }

    pub(super) fn reports_of(&self, row: usize) -> &[Report] {
        self.reports.get(row).map_or(&[], Vec::as_slice)
    }
}
