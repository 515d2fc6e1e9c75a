//! The known frauds of the second look.

use super::super::known_frauds::KnownFrauds;
use super::super::tables::LOADED_AT;
use super::super::window_columns::Prefix;
use super::super::{KNOWN_FRAUDS, literal};
use super::{
    HELD_CUT_OFF, Held, LATE, OTHER_REPORT, STATEMENT_TIME, Text, WindowQuery, count_late, reach,
};
use crate::Window;

impl WindowQuery<'_> {
    pub(super) fn add_frauds(&self, text: &mut Text, entity: usize) {
        let mut columns = Vec::new();
        for window in self.second_windows() {
            if window.window.entity == entity {
                let inside = self.frauds_inside(window.window);
                columns.extend(window.of_frauds(Prefix::Recent, &inside));
            }
        }
        if columns.is_empty() {
            return;
        }
        let name = format!("_frauds_{}", self.entity(entity));
        let known = format!(
            "{OTHER_REPORT}
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at"
        );
        let frauds = KnownFrauds {
            name: &name,
            source: "held",
            keys: &[self.key],
            entity: self.entity(entity),
            known: &known,
            columns: &columns,
        };
        text.ctes.push(frauds.cte());
        text.join(&name, &format!("{name}.{0} = held.{0}", self.key));
        text.select(&name, &columns);
        if matches!(self.of, Held::Again { .. }) {
            self.add_late_reports(text, entity, &known);
        }
    }

    /// Reports that were loaded while the evidence may have been computed count as late too: the
    /// lane of reports runs beside the others.
    fn add_late_reports(&self, text: &mut Text, entity: usize, known: &str) {
        let name = format!("_late_reports_{}", self.entity(entity));
        let late = count_late(
            "report",
            &literal::before(&format!("held.{LOADED_AT}"), STATEMENT_TIME),
        );
        text.ctes.push(format!(
            "{name} AS (
  SELECT
    held.{key}{late}
  FROM held
  LEFT JOIN {KNOWN_FRAUDS} report
    ON report.{entity} = held.{entity}
      AND {known}
  GROUP BY held.{key}
)",
            key = self.key,
            entity = self.entity(entity)
        ));
        text.join(&name, &format!("{name}.{0} = held.{0}", self.key));
        text.late.push(format!("{name}.{LATE}"));
    }

    /// Whether a known fraud is in the whole window.
    fn frauds_inside(&self, window: &Window) -> String {
        let begins_at_cut_off = self.begins_at_cut_off(window);
        let end = match begins_at_cut_off {
            true => format!("GREATEST(held.occurred_at, {HELD_CUT_OFF})"),
            false => "held.occurred_at".to_owned(),
        };
        let ends = format!(
            "fraud.occurred_at <= {}",
            literal::before(&end, window.delay)
        );
        if window.length.is_none() {
            return ends;
        }
        let start = match begins_at_cut_off {
            true => HELD_CUT_OFF,
            false => "held.occurred_at",
        };
        let begin = literal::before(start, reach(window));
        format!("fraud.occurred_at > {begin} AND {ends}")
    }
}
