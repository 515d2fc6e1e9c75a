//! The live transactions on the stream, in order, and what becomes of them, as it happens.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Result, bail};
use decision::Action;
use features::Look;
use jiff::Timestamp;
use local::Local;
use train::Answer;

use super::Split;
use super::phases::{DECIDED, PAUSE, REPORTS, arrive, invoke_train};
use crate::consume::{Consumer, Seen};
use crate::history;
use crate::input::{self, Row};
use crate::show::{Steps, thousands};
use crate::system::System;

/// Transactions put at a time: Kinesis takes 500 a call.
const CHUNK: usize = 500;
/// Transactions put a second: what a shard takes.
const RATE: f64 = 1_000.0;

/// Puts the live transactions on the stream, and hands in what was reported in the time that passes with them. At
/// each cut-off of the first look its profiles are made anew, of all that came before. When each was put: all of them,
/// or those before something did not reach the warehouse, which is the audit's to report.
pub(super) async fn stream(
    steps: &Steps,
    local: &Local,
    system: &System,
    consumer: &Consumer,
    split: &Split,
    first: &Look,
) -> Result<HashMap<String, Timestamp>> {
    let bar = steps.bar(
        "put live transactions on the stream",
        split.live.len() as u64,
    );
    let mut put_at = HashMap::with_capacity(split.live.len());
    let mut reported = split.at;
    let mut reports = usize::try_from(system.count(REPORTS).await?)?;
    let mut known = first.last_cut_off(split.at);
    for (cut_off, chunk) in chunks(&split.live, first) {
        let began = tokio::time::Instant::now();
        let Some(row) = chunk.first() else { continue };
        // Mostly of the history; where reports are quick, also of what has gone live.
        let rows = split.history.iter().chain(&split.live);
        reports += history::labels(system, rows, reported, row.occurred_at).await?;
        reported = row.occurred_at;
        if let Some(cut_off) = cut_off.filter(|cut_off| known.is_none_or(|known| known < *cut_off))
        {
            if let Err(error) = arrive(system, DECIDED, put_at.len()).await {
                bar.note(&format!("no more is put: {error:#}"));
                break;
            }
            arrive(system, REPORTS, reports).await?;
            bar.note(&refresh(local, cut_off).await?);
            known = Some(cut_off);
        }
        let now = Timestamp::now();
        input::put(&system.transactions, chunk).await?;
        put_at.extend(chunk.iter().map(|row| (row.transaction_id.clone(), now)));
        bar.inc(chunk.len() as u64);
        bar.table(&latest(&consumer.seen()));
        tokio::time::sleep_until(began + Duration::from_secs_f64(chunk.len() as f64 / RATE)).await;
    }
    // The table goes on until the last hold has ended, or nothing has happened for a while.
    let (mut still, mut last) = (0, (0, 0));
    while still < 20 {
        let (decided, open) = {
            let seen = consumer.seen();
            (
                seen.provisional.len(),
                seen.holds() - seen.finals.len().min(seen.holds()),
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
        bar.table(&latest(&consumer.seen()));
        tokio::time::sleep(PAUSE).await;
    }
    bar.finish();
    Ok(put_at)
}

/// What is put at a time: some rows, all of which the same profiles are for, and the cut-off of these; none for a first
/// look without profiles.
fn chunks<'a>(
    rows: &'a [Row],
    first: &Look,
) -> impl Iterator<Item = (Option<Timestamp>, &'a [Row])> {
    let cut_off = |row: &Row| first.cut_off.map(|_| first.window_end(row.occurred_at));
    let stretches = rows.chunk_by(move |a, b| cut_off(a) == cut_off(b));
    stretches
        .flat_map(|stretch| stretch.chunks(CHUNK))
        .map(move |chunk| (chunk.first().and_then(cut_off), chunk))
}

/// The first look's profiles anew, for whatever is put from then on.
async fn refresh(local: &Local, cut_off: Timestamp) -> Result<String> {
    let event = serde_json::json!({ "as_of": cut_off, "only": "profiles" });
    let Answer::Profiles(told) = invoke_train(local, &event).await? else {
        bail!("train has answered with a report")
    };
    // Score looks at the pointer before a batch, so that nobody can see it follow before there is one: when this is
    // over, the next batch has the new profiles.
    tokio::time::sleep(startup::BundleFollower::INTERVAL).await;
    Ok(format!(
        "{} profiles as of {}",
        thousands(told.profiles),
        told.cut_off
    ))
}

/// The latest holds and their ends, as a table.
fn latest(seen: &Seen) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header([
        "transaction",
        "first look",
        "because",
        "second look",
        "because",
        "held",
    ]);
    for id in &seen.latest {
        let Some((held, _)) = seen.provisional.get(id) else {
            continue;
        };
        let end = seen.finals.get(id).map(|(end, _)| end);
        let because = |reasons: &[decision::Reason]| {
            reasons
                .first()
                .map(|r| r.feature.clone())
                .unwrap_or_default()
        };
        table.add_row([
            id.clone(),
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
        seen.finals
            .values()
            .filter(|(end, _)| end.action == action)
            .count()
    };
    format!(
        "{table}\n  decided {}  held {}  released {}  blocked {}  review {}",
        thousands(seen.provisional.len()),
        seen.holds(),
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
    fn what_is_put_at_a_time_is_of_one_cut_off() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let row = |occurred_at| Row {
            json: String::new(),
            transaction_id: String::new(),
            occurred_at,
            partition_key: String::new(),
            fraud: None,
            reported_at: occurred_at,
        };
        let moments = ["05:59:59", "06:00:00", "06:00:01", "12:30:00"]
            .map(|time| at(&format!("2026-01-02T{time}Z")));
        let mut rows: Vec<Row> = moments.into_iter().map(row).collect();
        rows.extend(vec![rows[3].clone(); CHUNK]);
        let put = |cut_off: Option<SignedDuration>| -> Vec<(Option<Timestamp>, usize)> {
            let look = Look {
                features: Vec::new(),
                cut_off,
            };
            chunks(&rows, &look)
                .map(|(cut_off, chunk)| (cut_off, chunk.len()))
                .collect()
        };
        let of = |hour| Some(at(&format!("2026-01-02T{hour:02}:00:00Z")));
        // A cut-off's own moment is not past it.
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
