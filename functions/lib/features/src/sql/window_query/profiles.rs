//! The numbers of profiles, computed again for each transaction.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::super::hours::{Hours, back};
use super::super::known_frauds::{KnownFrauds, column_list};
use super::super::profile_columns::{ProfileColumns, Reach, arrival};
use super::super::tables::PAST_ARRIVED_AT;
use super::super::window_columns::Column;
use super::super::{TRANSACTIONS, literal};
use super::{
    CUT_OFF, HELD_CUT_OFF, Held, LATE, PERIODS, Text, WindowQuery, count_late, same_period,
};
use crate::CutOffs;

impl WindowQuery<'_> {
    pub(super) fn add_profiles(&self, text: &mut Text, cut_offs: CutOffs, entity: usize) {
        let name = self.entity(entity);
        let source = distinct_source(name);
        let profile = ProfileColumns {
            definition: self.definition,
            cut_offs,
            entity,
            cut_off: HELD_CUT_OFF,
        };
        let on =
            |cte: &str| format!("{cte}.{name} = held.{name} AND {cte}.{CUT_OFF} = held.{CUT_OFF}");
        let columns = profile.of_transactions();
        if let Some(reach) = profile.reach() {
            let cte_name = format!("_profile_{name}");
            let cte = self.profile_transactions(&profile, &reach, &columns);
            text.ctes.push(format!("{cte_name} AS ({cte})"));
            text.join(&cte_name, &on(&cte_name));
            text.select(&cte_name, &columns);
            if matches!(self.of, Held::Again { .. }) {
                text.late.push(format!("COALESCE({cte_name}.{LATE}, 0)"));
            }
        }
        let columns = profile.of_frauds();
        // The second look counts the known frauds of the whole window.
        if !columns.is_empty() && matches!(self.of, Held::Period { .. }) {
            let cte_name = format!("_past_frauds_{name}");
            let frauds = KnownFrauds {
                name: &cte_name,
                source: &source,
                keys: &[name, CUT_OFF],
                entity: name,
                known: &profile.report_known(),
                columns: &columns,
            };
            text.ctes.push(frauds.cte());
            text.join(&cte_name, &on(&cte_name));
            text.select(&cte_name, &columns);
        }
    }

    /// Computed once for each value of the entity and cut-off.
    fn profile_transactions(
        &self,
        profile: &ProfileColumns<'_>,
        reach: &Reach,
        columns: &[Column],
    ) -> String {
        let name = self.entity(profile.entity);
        let mut aggregates = column_list(columns);
        let cut_off = profile.cut_off;
        let first = literal::before(cut_off, reach.start);
        let last = literal::before(cut_off, reach.end);
        let mut from = distinct_source(name);
        let mut conditions = format!("past.{name} = held.{name}");
        match self.of {
            Held::Period { from: start, to } => {
                from.push_str(PERIODS);
                conditions.push_str(&same_period(&last, reach.start - reach.end));
                let hours = profile_hours(profile.cut_offs, reach, start, to);
                let bounds = literal::within("past.occurred_at", hours.ranges());
                let _ = write!(conditions, "\n    AND {bounds}");
            }
            Held::Again {
                profiles_at,
                cut_off: last_cut_off,
                ..
            } => {
                if let Some(cut_off) = last_cut_off {
                    let hours = back(cut_off, reach.start)..=back(cut_off, reach.end);
                    let hours = Hours::covering([hours]);
                    let bounds = literal::within("past.occurred_at", hours.ranges());
                    let _ = write!(conditions, "\n    AND {bounds}");
                }
                aggregates.push_str(&count_late("past", &literal::timestamp(profiles_at)));
            }
            Held::Few { .. } => {}
        }
        let arrived = profile.has_arrived("past.occurred_at", PAST_ARRIVED_AT);
        format!(
            "
  SELECT
    held.{name}, held.{CUT_OFF}{aggregates}
  FROM {from}
  LEFT JOIN {TRANSACTIONS} past
    ON {conditions}
    AND past.occurred_at > {first} AND past.occurred_at <= {last}
    AND {arrived}
  GROUP BY held.{name}, held.{CUT_OFF}
"
        )
    }
}

/// The values of an entity and their cut-offs.
fn distinct_source(entity: &str) -> String {
    format!("(SELECT DISTINCT {entity}, {CUT_OFF} FROM held) held")
}

/// The hours of the transactions in the profiles of a period's transactions.
fn profile_hours(cut_offs: CutOffs, reach: &Reach, from: Timestamp, to: Timestamp) -> Hours {
    let CutOffs { period, lag } = cut_offs;
    let earliest = back(from, period + period + lag + reach.start);
    // A cut-off is at most a period after its transaction.
    let latest = back(to, reach.end).saturating_add(period).unwrap_or(to);
    Hours::covering([earliest..=latest])
}

/// The cut-off of the profiles that are active when a transaction arrives: [`CutOffs::of`].
pub(in crate::sql) fn cut_off_of(cut_offs: CutOffs, occurred_at: &str, arrived_at: &str) -> String {
    let arrival = arrival(cut_offs, occurred_at, arrived_at);
    let seconds = literal::whole_seconds(&arrival);
    let CutOffs { period, lag } = cut_offs;
    format!(
        "CAST('1970-01-01T00:00:00Z' AS TIMESTAMPTZ)
      + CAST(FLOOR((CAST({seconds} AS BIGINT) - {}) / {}) AS BIGINT) * {}",
        lag.as_secs(),
        period.as_secs(),
        literal::interval(period)
    )
}
