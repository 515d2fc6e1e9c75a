//! One window in SQL: the aggregates over past transactions, and the window's value from them.

use decision::Schema;

use super::literal;
use crate::{Measure, Window};

/// Whether the held transaction itself is inside of a window. If it is, the aggregates are of the
/// other transactions, and the value adds the held one from `held`.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum HeldTransaction {
    Inside,
    Outside,
}

/// The SQL of one window. The past transactions are `past`, their reports `report`, and the
/// transaction that the windows are of is `held`.
pub(super) struct WindowColumns<'d> {
    pub(super) schema: &'d Schema,
    pub(super) name: &'d str,
    pub(super) window: &'d Window,
    pub(super) held: HeldTransaction,
}

impl WindowColumns<'_> {
    /// Aggregates over the past transactions in the window that ends at `end`. See
    /// [`WindowColumns::aggregate`] for their names.
    pub(super) fn aggregates(&self, end: &str) -> Vec<String> {
        let first = literal::before(end, self.window.delay + self.window.length);
        let last = literal::before(end, self.window.delay);
        let inside = format!("past.occurred_at > {first} AND past.occurred_at <= {last}");
        let column = |value: &str, suffix: &str| format!("{value} AS {}", self.aggregate(suffix));
        let count_if = |condition: &str| format!("COUNT(CASE WHEN {condition} THEN 1 END)");
        let field = self.field();
        let over = |function: &str| format!("{function}(CASE WHEN {inside} THEN past.{field} END)");
        match self.window.measure {
            Measure::Count => vec![column(&count_if(&inside), "count")],
            Measure::Sum(_) => vec![column(&over("SUM"), "sum")],
            Measure::Mean(_) => vec![column(&over("COUNT"), "count"), column(&over("SUM"), "sum")],
            Measure::Deviation(_) => vec![
                column(&over("COUNT"), "count"),
                column(&over("AVG"), "mean"),
                column(&over("VAR_POP"), "variance"),
            ],
            Measure::Min(_) => vec![column(&over("MIN"), "extreme")],
            Measure::Max(_) => vec![column(&over("MAX"), "extreme")],
            Measure::Distinct(_) => {
                let values = column(
                    &format!("COUNT(DISTINCT CASE WHEN {inside} THEN past.{field} END)"),
                    "distinct",
                );
                let equals_held = column(
                    &format!(
                        "COALESCE(MAX(CASE WHEN {inside} AND past.{field} = held.{field} \
                         THEN 1 ELSE 0 END), 0)"
                    ),
                    "has_held",
                );
                match self.held {
                    HeldTransaction::Inside => vec![values, equals_held],
                    HeldTransaction::Outside => vec![values],
                }
            }
            Measure::FraudRate => vec![
                column(&count_if(&inside), "count"),
                column(
                    &count_if(&format!("{inside} AND report.is_fraud")),
                    "frauds",
                ),
            ],
        }
    }

    /// The name of an aggregate's column. The `_` keeps it apart from the entity's column, which
    /// has a name of the definition.
    fn aggregate(&self, suffix: &str) -> String {
        format!("_{}_{suffix}", self.name)
    }

    /// The window's value, from the aggregates in the common table expression `cte`. Where the
    /// entity is NULL, `cte` has no row, and its columns are NULL.
    pub(super) fn value(&self, cte: &str) -> String {
        let aggregate = |suffix: &str| format!("{cte}.{}", self.aggregate(suffix));
        let held = format!("held.{}", self.field());
        let held_count = format!("CASE WHEN {held} IS NULL THEN 0 ELSE 1 END");
        match (self.window.measure, self.held) {
            (Measure::Count, HeldTransaction::Inside) => format!("({} + 1)", aggregate("count")),
            (Measure::Count, HeldTransaction::Outside) => {
                format!("COALESCE({}, 0)", aggregate("count"))
            }
            (Measure::Sum(_), _) => self.sum(&aggregate("sum")),
            (Measure::Mean(_), HeldTransaction::Inside) => format!(
                "{} / NULLIF({} + {held_count}, 0)",
                self.sum(&aggregate("sum")),
                aggregate("count")
            ),
            (Measure::Mean(_), HeldTransaction::Outside) => format!(
                "{} / NULLIF({}, 0)",
                self.sum(&aggregate("sum")),
                aggregate("count")
            ),
            (Measure::Deviation(_), _) => self.deviation(cte),
            (Measure::Min(_), _) => self.extreme("LEAST", &aggregate("extreme")),
            (Measure::Max(_), _) => self.extreme("GREATEST", &aggregate("extreme")),
            (Measure::Distinct(_), HeldTransaction::Inside) => format!(
                "({} + {held_count} - {})",
                aggregate("distinct"),
                aggregate("has_held")
            ),
            (Measure::Distinct(_), HeldTransaction::Outside) => {
                format!("COALESCE({}, 0)", aggregate("distinct"))
            }
            // The CAST comes first: an integer divided by an integer is an integer.
            (Measure::FraudRate, _) => format!(
                "COALESCE(CAST({} AS DOUBLE PRECISION) / NULLIF({}, 0), 0)",
                aggregate("frauds"),
                aggregate("count")
            ),
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

    fn sum(&self, past: &str) -> String {
        match self.held {
            HeldTransaction::Inside => {
                format!("(COALESCE({past}, 0) + COALESCE(held.{}, 0))", self.field())
            }
            HeldTransaction::Outside => format!("(COALESCE({past}, 0))"),
        }
    }

    /// `function` is LEAST or GREATEST. If one of the two values is missing, the other counts.
    fn extreme(&self, function: &str, past: &str) -> String {
        let held = format!("held.{}", self.field());
        match self.held {
            HeldTransaction::Inside => {
                format!("COALESCE({function}({past}, {held}), {past}, {held})")
            }
            HeldTransaction::Outside => past.to_owned(),
        }
    }

    fn deviation(&self, cte: &str) -> String {
        let held = format!("held.{}", self.field());
        let count = format!(
            "CAST({cte}.{} AS DOUBLE PRECISION)",
            self.aggregate("count")
        );
        let mean = format!("{cte}.{}", self.aggregate("mean"));
        let variance = format!("{cte}.{}", self.aggregate("variance"));
        let past = square_root(&variance);
        match self.held {
            HeldTransaction::Outside => past,
            HeldTransaction::Inside => {
                // The variance of n values and one more (T. F. Chan, G. H. Golub, R. J. LeVeque,
                // "Updating formulae and a pairwise algorithm for computing sample variances",
                // 1979).
                let all = square_root(&format!(
                    "(({variance} + ({held} - {mean}) * ({held} - {mean}) / ({count} + 1)) \
                     * {count} / ({count} + 1))"
                ));
                format!(
                    "CASE WHEN {held} IS NULL THEN {past} WHEN {count} = 0 THEN 0 ELSE {all} END"
                )
            }
        }
    }
}

/// Rounding can leave a variance just below 0. NULL, of no values, stays NULL.
fn square_root(variance: &str) -> String {
    format!("SQRT(CASE WHEN {variance} < 0 THEN 0 ELSE {variance} END)")
}
