//! The phases of a run, one after the other.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use features::CutOffs;
use jiff::Timestamp;
use local::Local;
use serde_json::Value;
use train::Answer;
use train::metrics::Ranking;

use super::arrival::{Arrivals, DECIDED, PATIENCE, PAUSE, REPORTS};
use super::invoke::{invoke_train, until_active};
use super::{Split, live};
use crate::audit::{Audit, AuditScope, audit};
use crate::consume::{Consumer, DecisionLog};
use crate::history;
use crate::init::init;
use crate::outcome::Outcome;
use crate::show::Steps;
use crate::summary::{LiveTransaction, Summary};
use crate::system::System;

/// Brings an empty stack to one with a history and a bundle.
pub(super) async fn prepare(
    steps: &Steps,
    local: &Local,
    system: &System,
    split: &Split,
    definition: &str,
) -> Result<()> {
    let arrivals = Arrivals { local, system };
    let definition = steps
        .wait(
            "upload the definition, create the tables",
            init(system, definition),
        )
        .await?;
    steps
        .wait("write the history to the bucket", async {
            history::transactions(system, &definition, &split.history).await
        })
        .await?;
    steps
        .wait("wait until load has copied it to the warehouse", async {
            let all = "SELECT COUNT(*) FROM transactions";
            arrivals.wait_for(all, split.history.len()).await?;
            // Reports find their transactions at once, not by the retry each hour.
            let from = Timestamp::MIN;
            let reports = history::labels(system, &split.history, from, split.at).await?;
            arrivals.wait_for(REPORTS, reports).await
        })
        .await?;
    let event = serde_json::json!({ "as_of": split.at });
    let trained = invoke_train(local, &event);
    let Answer::Report(training) = steps
        .wait("train both looks (the deployed train function)", trained)
        .await?
    else {
        bail!("train answered without a report");
    };
    until_active(training.active_from).await;
    let report = &training.report;
    steps.note(&format!(
        "bundle {}: AUC on held-out transactions: first look ({}) {}, second look ({}) {}",
        report.version,
        report.first.learner,
        rounded(report.first.ranking),
        report.confirm.learner,
        rounded(report.confirm.ranking),
    ));
    Ok(())
}

fn rounded(ranking: Option<Ranking>) -> String {
    ranking.map_or_else(
        || "unknown".to_owned(),
        |ranking| format!("{:.3}", ranking.auc),
    )
}

/// Streams the live transactions, waits for every final decision, audits.
pub(super) async fn go_live(
    steps: &Steps,
    local: &Local,
    system: &System,
    split: &Split,
    cut_offs: Option<CutOffs>,
) -> Result<Outcome> {
    let arrivals = Arrivals { local, system };
    let consumer = Consumer::start(&system.kinesis, &system.decisions_stream).await?;
    let put_at = live::stream(steps, local, system, &consumer, split, cut_offs).await?;
    let sent: HashSet<String> = put_at.keys().cloned().collect();
    steps
        .wait(
            "wait for every final decision",
            settle(&consumer, sent.len()),
        )
        .await?;
    let arrived = steps.wait("wait until every decision is in the warehouse", async {
        arrivals.wait_for(DECIDED, sent.len()).await?;
        arrivals.wait_for_lanes().await?;
        let holds = consumer.log().holds();
        let ended = "SELECT COUNT(*) FROM outcomes WHERE decision_id IS NOT NULL";
        arrivals.wait_for(ended, holds).await
    });
    // The audit reports missing rows: a run that fails has figures too.
    if let Err(error) = arrived.await {
        steps.note(&format!("{error:#}"));
    }
    let scope = AuditScope::nothing_but(sent);
    let (audit, log) = steps
        .wait(
            "audit bucket, stream and warehouse",
            audited(system, &scope, &consumer),
        )
        .await?;
    let live = live_transactions(split, &put_at);
    let summary = Summary::new(&log, &audit, &live, score_us(local));
    let fraud = live
        .into_iter()
        .filter_map(|(id, transaction)| Some((id, transaction.fraud?)))
        .collect();
    Ok(Outcome {
        source: split.source.clone(),
        summary,
        audit,
        log,
        fraud,
    })
}

fn live_transactions(
    split: &Split,
    put_at: &HashMap<String, Timestamp>,
) -> HashMap<String, LiveTransaction> {
    let mut live = HashMap::with_capacity(put_at.len());
    for row in &split.live {
        let Some(put_at) = put_at.get(&row.transaction_id) else {
            continue;
        };
        let json: Option<Value> = serde_json::from_str(&row.json).ok();
        let transaction = LiveTransaction {
            put_at: *put_at,
            customer: row.partition_key.clone(),
            amount: json.and_then(|json| json.get("amount")?.as_f64()),
            fraud: row.fraud,
        };
        live.insert(row.transaction_id.clone(), transaction);
    }
    live
}

/// The audit, repeated for a while: the last ledger entries are deleted after their final decisions
/// are published.
async fn audited(
    system: &System,
    scope: &AuditScope,
    consumer: &Consumer,
) -> Result<(Audit, DecisionLog)> {
    let deadline = Instant::now() + Duration::from_secs(75);
    loop {
        let log = consumer.log().clone();
        let audit = audit(system, scope, Some(&log)).await?;
        if audit.is_clean() || Instant::now() > deadline {
            return Ok((audit, log));
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Waits until every transaction has a decision and every hold a final one. After a timeout, the
/// audit reports the missing ones.
async fn settle(consumer: &Consumer, sent: usize) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        {
            let log = consumer.log();
            if log.provisional.len() >= sent && log.finals.len() >= log.holds() {
                return Ok(());
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Score's own time per transaction in microseconds, from its log.
fn score_us(local: &Local) -> Option<f64> {
    let mut totals = (0.0, 0.0);
    for entry in std::fs::read_dir(local.folder().join("logs"))
        .ok()?
        .flatten()
    {
        if !entry
            .file_name()
            .to_string_lossy()
            .to_lowercase()
            .contains("score")
        {
            continue;
        }
        for line in std::fs::read_to_string(entry.path()).ok()?.lines() {
            let Ok(line) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            // tracing's JSON may nest the fields in an object.
            let field = |name: &str| line.get("fields").unwrap_or(&line).get(name).cloned();
            // tracing writes 128-bit numbers as text.
            let number = |name: &str| {
                let field = field(name)?;
                field.as_f64().or_else(|| field.as_str()?.parse().ok())
            };
            if let (Some(us), Some(transactions)) = (number("decide_us"), number("transactions")) {
                totals = (totals.0 + us, totals.1 + transactions);
            }
        }
    }
    (totals.1 > 0.0).then(|| totals.0 / totals.1)
}
