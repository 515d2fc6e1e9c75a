//! The live transactions on the stream, in order, and what becomes of them, as it happens.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Result, bail};
use decision::Action;
use jiff::Timestamp;
use local::Local;
use train::Answer;

use super::Split;
use super::phases::{arrive, invoke_train};
use crate::consume::{Consumer, Seen};
use crate::show::{Steps, thousands};
use crate::system::System;
use crate::{history, input};

/// Transactions put at a time: Kinesis takes 500 a call.
const CHUNK: usize = 500;
/// How often fraud reports that fell due are handed in.
const CHUNKS_PER_REPORT: usize = 8;
/// Between two calls: a shard takes 1,000 records a second.
const PACE: Duration = Duration::from_millis(500);

/// Puts all live transactions on the stream. When each was put.
pub(super) async fn stream(
    steps: &Steps,
    local: &Local,
    system: &System,
    consumer: &Consumer,
    split: &Split,
) -> Result<HashMap<String, Timestamp>> {
    let bar = steps.bar("put live transactions on the stream", split.live.len() as u64);
    let mut put_at = HashMap::with_capacity(split.live.len());
    let mut reported = split.at;
    let days = split.live.chunk_by(|a, b| midnight(a.occurred_at) == midnight(b.occurred_at));
    let chunks = days.flat_map(|day| day.chunks(CHUNK));
    let mut day = midnight(split.at);
    for (place, chunk) in chunks.enumerate() {
        if let Some(today) = chunk.first().map(|row| midnight(row.occurred_at)).filter(|today| *today != day) {
            day = today;
            bar.note(&refresh(local, system, put_at.len(), day).await?);
        }
        let began = tokio::time::Instant::now();
        if place % CHUNKS_PER_REPORT == 0
            && let Some(first) = chunk.first()
        {
            // What was reported in the time that has passed since: mostly of the history, where reports
            // are quick also of what has gone live.
            let rows = split.history.iter().chain(&split.live);
            history::labels(system, rows, reported, first.occurred_at).await?;
            reported = first.occurred_at;
        }
        let now = Timestamp::now();
        input::put(&system.transactions, chunk).await?;
        put_at.extend(chunk.iter().map(|row| (row.transaction_id.clone(), now)));
        bar.inc(chunk.len() as u64);
        bar.table(&latest(&consumer.seen()));
        tokio::time::sleep_until(began + PACE).await;
    }
    // The table goes on until the last hold has ended, or nothing has happened for a while.
    let mut still = 0;
    while still < 20 {
        let (decided, open) = {
            let seen = consumer.seen();
            (seen.provisional.len(), seen.holds() - seen.finals.len().min(seen.holds()))
        };
        if decided >= split.live.len() && open == 0 {
            break;
        }
        still += 1;
        bar.table(&latest(&consumer.seen()));
        tokio::time::sleep(PACE).await;
    }
    bar.finish();
    Ok(put_at)
}

fn midnight(moment: Timestamp) -> Timestamp {
    const DAY: i64 = 86_400;
    Timestamp::from_second(moment.as_second().div_euclid(DAY) * DAY).unwrap_or_default()
}

/// What the schedule does on AWS: the first look's profiles anew, once the day before is in the warehouse.
async fn refresh(local: &Local, system: &System, put: usize, day: Timestamp) -> Result<String> {
    arrive(system, "SELECT COUNT(*) FROM transactions WHERE decision_id IS NOT NULL", put).await?;
    let event = serde_json::json!({ "as_of": day, "only": "profiles" });
    match invoke_train(local, &event).await? {
        Answer::Refreshed(told) => Ok(format!("{} profiles as of {}", thousands(told.profiles), told.cut_off)),
        Answer::Trained(_) => bail!("train has answered with a report"),
    }
}

/// The latest holds and their ends, as a table.
fn latest(seen: &Seen) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["transaction", "first look", "because", "second look", "because", "held"]);
    for id in &seen.latest {
        let Some((held, _)) = seen.provisional.get(id) else { continue };
        let end = seen.finals.get(id).map(|(end, _)| end);
        let because = |reasons: &[decision::Reason]| reasons.first().map(|r| r.feature.clone()).unwrap_or_default();
        table.add_row([
            id.clone(),
            format!("hold {:.2}", held.score),
            because(&held.reasons),
            end.map_or_else(|| "…".to_owned(), |end| format!("{} {:.2}", end.action.as_str(), end.score)),
            end.map(|end| because(&end.reasons)).unwrap_or_default(),
            end.and_then(|end| end.held_ms).map(|ms| format!("{:.1} s", ms as f64 / 1000.0)).unwrap_or_default(),
        ]);
    }
    let ended = |action| seen.finals.values().filter(|(end, _)| end.action == action).count();
    format!(
        "{table}\n  decided {}  held {}  released {}  blocked {}  review {}",
        thousands(seen.provisional.len()),
        seen.holds(),
        ended(Action::Release),
        ended(Action::Block),
        ended(Action::Review),
    )
}
