//! Puts the live transactions on the stream in order, and shows their decisions as they arrive.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Result, bail};
use decision::Action;
use features::CutOffs;
use jiff::Timestamp;
use local::Local;
use train::Answer;

use super::Split;
use super::arrival::{Arrivals, DECIDED, PAUSE, REPORTS};
use super::invoke::{invoke_train, until_active};
use crate::consume::{Consumer, DecisionLog};
use crate::history;
use crate::input::{self, Row};
use crate::show::{Steps, thousands};
use crate::system::System;

/// Transactions per call: the limit of PutRecords.
const CHUNK: usize = 500;
/// Transactions per second: the limit of one shard.
const RATE: f64 = 1_000.0;

/// Puts the live transactions on the stream, and uploads the fraud reports that fall into their
/// time. The profiles of each cut-off are refreshed, from all earlier transactions, before the first
/// transaction that they serve.
///
/// Returns when each transaction was put. Stops early if transactions do not reach the warehouse:
/// the audit reports them.
pub(super) async fn stream(
    steps: &Steps,
    local: &Local,
    system: &System,
    consumer: &Consumer,
    split: &Split,
    cut_offs: Option<CutOffs>,
) -> Result<HashMap<String, Timestamp>> {
    let arrivals = Arrivals { local, system };
    let bar = steps.bar(
        "put live transactions on the stream",
        split.live.len() as u64,
    );
    let mut put_at = HashMap::with_capacity(split.live.len());
    let mut reported = split.at;
    let mut reports = usize::try_from(system.count(REPORTS).await?)?;
    let mut known = cut_offs.map(|cut_offs| cut_offs.last(split.at));
    for (cut_off, chunk) in chunks(&split.live, cut_offs) {
        let began = tokio::time::Instant::now();
        let Some(row) = chunk.first() else { continue };
        // Most reports are about the history. Quick ones are about live transactions.
        let rows = split.history.iter().chain(&split.live);
        reports += history::labels(system, rows, reported, row.occurred_at).await?;
        reported = row.occurred_at;
        if let Some(cut_off) = cut_off.filter(|cut_off| known.is_none_or(|known| known < *cut_off))
        {
            if let Err(error) = arrivals.wait_for(DECIDED, put_at.len()).await {
                bar.note(&format!("stopped: {error:#}"));
                break;
            }
            arrivals.wait_for(REPORTS, reports).await?;
            bar.note(&refresh(local, cut_off).await?);
            known = Some(cut_off);
        }
        let now = Timestamp::now();
        input::put(&system.transactions, chunk).await?;
        put_at.extend(chunk.iter().map(|row| (row.transaction_id.clone(), now)));
        bar.inc(chunk.len() as u64);
        bar.table(&latest(&consumer.log()));
        tokio::time::sleep_until(began + Duration::from_secs_f64(chunk.len() as f64 / RATE)).await;
    }
    // The table is shown until the last final decision, or until nothing has changed for a while.
    let (mut still, mut last) = (0, (0, 0));
    while still < 20 {
        let (decided, open) = {
            let log = consumer.log();
            (
                log.provisional.len(),
                log.holds() - log.finals.len().min(log.holds()),
            )
        };
        if decided >= put_at.len() && open == 0 {
            break;
        }
        still = if (decided, open) == last {
            still + 1
        } else {
            0
        };
        last = (decided, open);
        bar.table(&latest(&consumer.log()));
        tokio::time::sleep(PAUSE).await;
    }
    bar.finish();
    Ok(put_at)
}

/// The rows of one call. All of them use the profiles of the same cut-off, which comes with them:
/// `None` for a definition without profiles.
fn chunks(
    rows: &[Row],
    cut_offs: Option<CutOffs>,
) -> impl Iterator<Item = (Option<Timestamp>, &[Row])> {
    let cut_off = move |row: &Row| cut_offs.map(|all| all.of(row.occurred_at, row.occurred_at));
    let stretches = rows.chunk_by(move |a, b| cut_off(a) == cut_off(b));
    stretches
        .flat_map(|stretch| stretch.chunks(CHUNK))
        .map(move |chunk| (chunk.first().and_then(cut_off), chunk))
}

/// Refreshes the first look's profiles for all transactions that are put from now on.
async fn refresh(local: &Local, cut_off: Timestamp) -> Result<String> {
    let event = serde_json::json!({ "as_of": cut_off, "only": "profiles" });
    let Answer::Profiles(refreshed) = invoke_train(local, &event).await? else {
        bail!("train answered with a report instead of refreshed profiles")
    };
    until_active(refreshed.active_from).await;
    Ok(format!(
        "{} profiles as of {}",
        thousands(refreshed.profiles),
        refreshed.cut_off
    ))
}

/// The latest holds and their final decisions, as a table.
fn latest(log: &DecisionLog) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header([
        "transaction",
        "first look",
        "main reason",
        "second look",
        "main reason",
        "held",
    ]);
    for id in &log.latest {
        let Some(read) = log.provisional.get(id) else {
            continue;
        };
        let held = &read.decision;
        let end = log.finals.get(id).map(|read| &read.decision);
        let because = |reasons: &[decision::Reason]| {
            reasons
                .first()
                .map(|r| r.feature.clone())
                .unwrap_or_default()
        };
        table.add_row([
            held.transaction_id.to_string(),
            format!("hold {:.2}", held.score),
            because(&held.reasons),
            end.map_or_else(
                || "…".to_owned(),
                |end| format!("{} {:.2}", end.action.as_str(), end.score),
            ),
            end.map(|end| because(&end.reasons)).unwrap_or_default(),
            end.and_then(|end| end.held_ms)
                .map(|ms| format!("{:.1} s", ms as f64 / 1000.0))
                .unwrap_or_default(),
        ]);
    }
    let ended = |action| {
        log.finals
            .values()
            .filter(|read| read.decision.action == action)
            .count()
    };
    format!(
        "{table}\n  decided {}  held {}  released {}  blocked {}  review {}",
        thousands(log.provisional.len()),
        log.holds(),
        ended(Action::Release),
        ended(Action::Block),
        ended(Action::Review),
    )
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn the_rows_of_one_call_share_a_cut_off() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let row = |occurred_at| Row {
            json: String::new(),
            transaction_id: String::new(),
            occurred_at,
            partition_key: String::new(),
            fraud: None,
            reported_at: occurred_at,
        };
        let times = ["05:59:59", "06:00:00", "06:00:01", "12:30:00"]
            .map(|time| at(&format!("2026-01-02T{time}Z")));
        let mut rows: Vec<Row> = times.into_iter().map(row).collect();
        rows.extend(vec![rows[3].clone(); CHUNK]);
        let put = |cut_off: Option<SignedDuration>| -> Vec<(Option<Timestamp>, usize)> {
            let cut_offs = cut_off.map(|period| CutOffs {
                period,
                lag: SignedDuration::from_secs(1),
            });
            chunks(&rows, cut_offs)
                .map(|(cut_off, chunk)| (cut_off, chunk.len()))
                .collect()
        };
        let of = |hour| Some(at(&format!("2026-01-02T{hour:02}:00:00Z")));
        // New profiles become active a second after their cut-off.
        assert_eq!(
            put(Some(SignedDuration::from_hours(6))),
            [(of(0), 2), (of(6), 1), (of(12), CHUNK), (of(12), 1)]
        );
        assert_eq!(
            put(Some(SignedDuration::from_hours(24))),
            [(of(0), CHUNK), (of(0), 4)]
        );
        assert_eq!(put(None), [(None, CHUNK), (None, 4)]);
    }
}
