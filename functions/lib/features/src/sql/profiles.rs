use std::fmt::Write as _;

use jiff::Timestamp;

use super::window_columns::{HeldTransaction, WindowColumns};
use super::window_query::{profile_name, reports_join};
use super::{TRANSACTIONS, literal};
use crate::{Definition, Reach};

/// The profiles of an entity as of a cut-off. One row for each value of the entity with
/// transactions in the first look's windows: `entity`, the value, and one double for each window.
pub fn profiles(definition: &Definition, entity: usize, cut_off: Timestamp) -> String {
    let windows = definition.profile_columns(entity);
    let schema = definition.schema();
    let name = schema.entities.get(entity).map_or("", String::as_str);
    let cut_off = literal::timestamp(cut_off);
    let cte = profile_name(name);
    let mut aggregates = String::new();
    let mut values = String::new();
    for &(window_name, window) in &windows {
        let columns = WindowColumns {
            schema,
            name: window_name,
            window,
            held: HeldTransaction::Outside,
        };
        for column in columns.aggregates(&cut_off) {
            let _ = write!(aggregates, ",\n    {column}");
        }
        let value = columns.value(&cte);
        let _ = write!(
            values,
            ",\n  CAST({value} AS DOUBLE PRECISION) AS {window_name}"
        );
    }
    let reach = Reach::of(&windows);
    let first = literal::before(&cut_off, reach.start);
    let last = literal::before(&cut_off, reach.end);
    let reports = reports_join(&windows, &cut_off);
    format!(
        "WITH {cte} AS (
  SELECT
    past.{name} AS entity{aggregates}
  FROM {TRANSACTIONS} past{reports}
  WHERE past.occurred_at > {first} AND past.occurred_at <= {last}
  GROUP BY past.{name}
)
SELECT
  entity{values}
FROM {cte}"
    )
}
