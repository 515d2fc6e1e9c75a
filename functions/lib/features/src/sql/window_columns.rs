//! The aggregates of one window in SQL: the numbers of [`crate::Parts`].

use decision::Schema;

use super::literal;
use crate::{Aggregate, Measure, Window};

/// The end of the column that says whether the held transaction's value occurs among the others.
const HAS_HELD: &str = "held";

/// One window with the name of its feature.
#[derive(Clone, Copy)]
pub(super) struct WindowColumns<'d> {
    pub(super) schema: &'d Schema,
    pub(super) name: &'d str,
    pub(super) window: &'d Window,
}

/// Where a column's name begins. No name of a definition begins with `_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// The transactions since the cut-off, and the known frauds of the whole window.
    Recent,
    /// What profiles hold.
    Profile,
}

/// A column of a common table expression.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) sql: String,
}

impl Prefix {
    fn column(self, feature: &str, end: &str) -> String {
        let prefix = match self {
            Self::Recent => "recent",
            Self::Profile => "profile",
        };
        // INVARIANT: `end` has no `_`, so two features never have a column in common.
        format!("_{prefix}_{feature}_{end}")
    }
}

/// The column of an aggregate in the evidence and in the training set.
pub fn recent_column(feature: &str, aggregate: Aggregate) -> String {
    Prefix::Recent.column(feature, aggregate.name())
}

/// The column that says whether the held transaction's value of the field occurs among the others:
/// 1 or 0. For measures of different values.
pub fn has_held_column(feature: &str) -> String {
    Prefix::Recent.column(feature, HAS_HELD)
}

/// The column of an aggregate in the profiles and in the training set.
pub fn profile_column(feature: &str, aggregate: Aggregate) -> String {
    Prefix::Profile.column(feature, aggregate.name())
}

impl WindowColumns<'_> {
    /// The window's numbers over transactions `past` for which `inside` is true, or over all.
    pub(super) fn of_transactions(&self, prefix: Prefix, inside: Option<&str>) -> Vec<Column> {
        let field = format!("past.{}", self.field());
        let value = |value: &str| match inside {
            Some(inside) => format!("CASE WHEN {inside} THEN {value} END"),
            None => value.to_owned(),
        };
        let over = |function: &str| format!("{function}({})", value(&field));
        let mut columns = Vec::new();
        for aggregate in self.window.measure.aggregates() {
            let sql = match aggregate {
                Aggregate::Rows => format!("COUNT({})", value("past.occurred_at")),
                Aggregate::Values => over("COUNT"),
                Aggregate::Sum => over("SUM"),
                Aggregate::Variance => over("VAR_POP"),
                Aggregate::Extreme if matches!(self.window.measure, Measure::Min(_)) => over("MIN"),
                Aggregate::Extreme => over("MAX"),
                Aggregate::Distinct => format!("COUNT(DISTINCT {})", value(&field)),
                Aggregate::Frauds | Aggregate::LastFraud => continue,
            };
            columns.push(self.column(prefix, *aggregate, sql));
        }
        if prefix == Prefix::Recent && matches!(self.window.measure, Measure::Distinct(_)) {
            let value = value(&field);
            let own = self.field();
            columns.push(Column {
                name: has_held_column(self.name),
                sql: format!("MAX(CASE WHEN {value} = held.{own} THEN 1 ELSE 0 END)"),
            });
        }
        columns
    }

    /// The window's numbers over known frauds `fraud` for which `inside` is true.
    pub(super) fn of_frauds(&self, prefix: Prefix, inside: &str) -> Vec<Column> {
        let mut columns = Vec::new();
        for aggregate in self.window.measure.aggregates() {
            let sql = match aggregate {
                Aggregate::Frauds => {
                    format!("COUNT(CASE WHEN {inside} THEN fraud.occurred_at END)")
                }
                Aggregate::LastFraud => {
                    let last = format!("MAX(CASE WHEN {inside} THEN fraud.occurred_at END)");
                    literal::whole_seconds(&last)
                }
                _ => continue,
            };
            columns.push(self.column(prefix, *aggregate, sql));
        }
        columns
    }

    fn column(&self, prefix: Prefix, aggregate: Aggregate, sql: String) -> Column {
        Column {
            name: prefix.column(self.name, aggregate.name()),
            sql,
        }
    }

    /// The name of the field that is measured.
    fn field(&self) -> &str {
        match self.window.measure {
            Measure::Distinct(field) => field.name(self.schema),
            measure => measure
                .quantity()
                .map_or("", |quantity| quantity.name(self.schema)),
        }
    }
}
