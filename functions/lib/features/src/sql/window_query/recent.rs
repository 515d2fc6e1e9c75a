//! The numbers of the transactions that profiles do not have.

use jiff::SignedDuration;

use super::super::hours::{Hours, back};
use super::super::known_frauds::column_list;
use super::super::tables::{ARRIVED_AT, LOADED_AT};
use super::super::window_columns::{Prefix, WindowColumns};
use super::super::{TRANSACTIONS, literal};
use super::{
    DelayGroup, HELD_CUT_OFF, Held, LATE, OTHER_TRANSACTION, PERIODS, Text, WindowQuery,
    count_late, reach, same_period,
};
use crate::{CutOffs, Window};

impl WindowQuery<'_> {
    /// The transactions that a group's windows read, each hour once for all entities.
    pub(super) fn past(&self, group: &DelayGroup<'_>) -> String {
        let declared = self.definition.schema().declared();
        let declared: String = declared.map(|name| format!(", {name}")).collect();
        let loaded_at = match self.of {
            Held::Again { .. } => format!(", {LOADED_AT}"),
            Held::Few { .. } | Held::Period { .. } => String::new(),
        };
        let bounds = match self.bounds(group) {
            None => String::new(),
            Some(hours) => {
                let within = literal::within("occurred_at", hours.ranges());
                format!("\n  WHERE {within}")
            }
        };
        format!(
            "{} AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    {ARRIVED_AT} AS arrived_at, amount{declared}{loaded_at}
  FROM {TRANSACTIONS}{bounds}
)",
            group.past_name()
        )
    }

    /// The hours of the transactions in the group's windows. `None` if they are not known.
    fn bounds(&self, group: &DelayGroup<'_>) -> Option<Hours> {
        match self.of {
            Held::Few { hours: [], .. } | Held::Again { hours: [], .. } => None,
            Held::Few { hours, cut_off } | Held::Again { hours, cut_off, .. } => {
                let mut ranges = Vec::new();
                for range in hours {
                    let end = back(*range.end(), group.delay);
                    for columns in &group.windows {
                        let is_long = self.begins_at_cut_off(columns.window);
                        let start = match cut_off.filter(|_| is_long) {
                            Some(cut_off) => back(cut_off, group.delay),
                            None => back(*range.start(), reach(columns.window)),
                        };
                        if start < end {
                            ranges.push(start..=end);
                        }
                    }
                }
                Some(Hours::covering(ranges))
            }
            Held::Period { from, to } => {
                let start = back(from, group.delay + self.longest(group));
                Some(Hours::covering([start..=back(to, group.delay)]))
            }
        }
    }

    /// How long the group's windows are at most, without the part that profiles have.
    fn longest(&self, group: &DelayGroup<'_>) -> SignedDuration {
        let length = |columns: &WindowColumns<'_>| match self.definition.cut_offs {
            // INVARIANT: a cut-off is at most two periods and the lag before the transaction. See
            // `CutOffs::arrival`.
            Some(CutOffs { period, lag }) if self.definition.is_long(columns.window) => {
                period + period + lag
            }
            _ => columns.window.length.unwrap_or_default(),
        };
        group.windows.iter().map(length).max().unwrap_or_default()
    }

    /// Where the transactions of a window begin that profiles do not have.
    fn recent_begin(&self, window: &Window) -> String {
        match self.begins_at_cut_off(window) {
            true => literal::before(HELD_CUT_OFF, window.delay),
            false => literal::before("held.occurred_at", reach(window)),
        }
    }

    pub(super) fn add_recent(&self, text: &mut Text, group: &DelayGroup<'_>, entity: usize) {
        let windows: Vec<&WindowColumns<'_>> = group
            .windows
            .iter()
            .filter(|window| window.window.entity == entity)
            .collect();
        let mut begins: Vec<String> = Vec::new();
        for window in &windows {
            let begin = self.recent_begin(window.window);
            if !begins.contains(&begin) {
                begins.push(begin);
            }
        }
        let mut columns = Vec::new();
        for window in &windows {
            let inside = format!("past.occurred_at > {}", self.recent_begin(window.window));
            let inside = Some(inside.as_str()).filter(|_| begins.len() > 1);
            columns.extend(window.of_transactions(Prefix::Recent, inside));
        }
        if columns.is_empty() {
            return;
        }
        let begins = match begins.as_slice() {
            [one] => format!("past.occurred_at > {one}"),
            [first, others @ ..] => {
                let others: String = others.iter().map(|other| format!(", {other}")).collect();
                format!("past.occurred_at > LEAST({first}{others})")
            }
            [] => return,
        };
        let name = format!("_recent_{}_{}", group.delay.as_secs(), self.entity(entity));
        let end = literal::before("held.occurred_at", group.delay);
        let mut from = "held".to_owned();
        let mut conditions = format!("past.{0} = held.{0}", self.entity(entity));
        if matches!(self.of, Held::Period { .. }) {
            from.push_str(PERIODS);
            conditions.push_str(&same_period(&end, self.longest(group)));
        }
        let mut aggregates = column_list(&columns);
        if matches!(self.of, Held::Again { .. }) {
            let late = count_late("past", &format!("held.{LOADED_AT}"));
            aggregates.push_str(&late);
            text.late.push(format!("{name}.{LATE}"));
        }
        let past = group.past_name();
        text.ctes.push(format!(
            "{name} AS (
  SELECT
    held.{key}{aggregates}
  FROM {from}
  LEFT JOIN {past} past
    ON {conditions}
    AND {OTHER_TRANSACTION}
    AND past.arrived_at <= held.arrived_at
    AND {begins} AND past.occurred_at <= {end}
  GROUP BY held.{key}
)",
            key = self.key
        ));
        text.join(&name, &format!("{name}.{0} = held.{0}", self.key));
        text.select(&name, &columns);
    }
}

impl DelayGroup<'_> {
    fn past_name(&self) -> String {
        format!("_past_{}", self.delay.as_secs())
    }
}
