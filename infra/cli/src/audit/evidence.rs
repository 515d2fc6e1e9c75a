//! Computes the evidence of some final decisions again, from the warehouse alone.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use bundle::Bundle;
use decision::{Decision, Evidence, Hold, Identity};
use features::sql::{self, PlacedHolds};
use jiff::Timestamp;
use startup::SecondBundles;
use store::Objects as _;
use warehouse::Row;

use super::stored::StoredState;
use crate::system::System;

/// The maximum number of final decisions of one bundle version.
const SAMPLE: usize = 200;
const DECISION_ID: &str = "decision_id";
/// The largest relative difference: the warehouse adds numbers in any order.
const TOLERANCE: f64 = 1e-6;

/// The final decisions whose evidence was computed again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EvidenceAgain {
    /// Those with nothing late.
    pub(super) compared: usize,
    /// Those with a transaction or report that had arrived before the hold and was loaded after
    /// it. Their evidence may differ.
    pub(super) late: usize,
    /// The decision ids of those that differ, and where.
    pub(super) different: BTreeMap<String, String>,
}

/// A transaction that was sent twice has two holds and one outcome, with the evidence of one of
/// them. It is left out.
pub(super) async fn compute_again(system: &System, state: &StoredState) -> Result<EvidenceAgain> {
    let mut sent_twice: BTreeSet<&String> = BTreeSet::new();
    for stored in state.decided.values() {
        if stored.decisions.len() > 1 {
            sent_twice.extend(stored.decisions.keys());
        }
    }
    let mut by_version: BTreeMap<&str, Vec<&Decision>> = BTreeMap::new();
    let comparable = state
        .finals
        .iter()
        .filter(|(id, _)| !sent_twice.contains(id))
        .map(|(_, stored)| &stored.decision)
        .filter(|decision| decision.evidence.is_some());
    for decision in comparable {
        let version = decision.bundle_version.as_str();
        by_version.entry(version).or_default().push(decision);
    }
    let bundles = SecondBundles::new(&system.bundle);
    let mut again = EvidenceAgain::default();
    for (version, decisions) in by_version {
        let bundle = bundles.by_version(version, &system.objects).await?;
        let step = decisions.len().div_ceil(SAMPLE);
        let sample: Vec<&Decision> = decisions.into_iter().step_by(step).collect();
        let profiles_at = created_at(system, version).await?;
        for row in rows(system, &bundle, profiles_at, &sample).await? {
            again.add(&bundle, &row, &sample)?;
        }
    }
    Ok(again)
}

/// When a version was written, with its profiles.
async fn created_at(system: &System, version: &str) -> Result<Timestamp> {
    let key = bundle::keys::file(&system.bundle, version, bundle::MANIFEST);
    let objects = system.objects.list(&key).await?;
    let manifest = objects.first();
    let manifest = manifest.with_context(|| format!("the bucket has no {key}"))?;
    Ok(manifest.modified)
}

async fn rows(
    system: &System,
    bundle: &Bundle,
    profiles_at: Timestamp,
    sample: &[&Decision],
) -> Result<Vec<Row>> {
    let ids = sample.iter().enumerate();
    let ids = ids.map(|(place, decision)| (format!("id_{place}"), decision.decision_id.clone()));
    let ids: Vec<(String, String)> = ids.collect();
    let query = sql::hold_times(sample.len());
    let mut hours = Vec::new();
    for row in system.query_with(query, ids.clone()).await? {
        let time = time(&row)?;
        hours.push(time..=time);
    }
    let holds = PlacedHolds {
        count: sample.len(),
        hours: &hours,
        cut_off: bundle.cut_off(),
        profiles_at,
    };
    let query = sql::evidence_again(bundle.definition(), holds);
    system.query_with(query, ids).await
}

fn time(row: &Row) -> Result<Timestamp> {
    let text = row.text("occurred_at").unwrap_or_default();
    sql::timestamp_of_utc(text).context("a hold without a time")
}

impl EvidenceAgain {
    fn add(&mut self, bundle: &Bundle, row: &Row, sample: &[&Decision]) -> Result<()> {
        let id = row.text(DECISION_ID).unwrap_or_default();
        let Some(decision) = sample.iter().find(|decision| decision.decision_id == id) else {
            return Ok(());
        };
        if row.number("_late").unwrap_or_default() > 0.0 {
            self.late += 1;
            return Ok(());
        }
        self.compared += 1;
        let hold = hold(bundle, row)?;
        let numbers = row.numbers(DECISION_ID);
        let evidence = bundle.definition().evidence(&hold, &numbers);
        let evidence = evidence.unwrap_or_default();
        if let Some(different) = difference(bundle, decision, &hold, &evidence) {
            self.different.insert(id.to_owned(), different);
        }
        Ok(())
    }
}

/// What differs between a final decision and the same decision computed again.
fn difference(
    bundle: &Bundle,
    decision: &Decision,
    hold: &Hold,
    evidence: &Evidence,
) -> Option<String> {
    let before = decision.evidence.as_ref()?;
    let names: BTreeSet<&String> = before.keys().chain(evidence.keys()).collect();
    let value = |evidence: &Evidence, name: &String| evidence.get(name).copied().flatten();
    let differs = |name: &&&String| !is_close(value(before, name), value(evidence, name));
    let different: Vec<&str> = names
        .iter()
        .filter(differs)
        .map(|name| name.as_str())
        .collect();
    if !different.is_empty() {
        return Some(format!("evidence: {}", different.join(", ")));
    }
    let score = bundle.confirm(hold, evidence).score;
    if !is_close(Some(decision.score), Some(score)) {
        return Some("score".to_owned());
    }
    let action = bundle.policy().settled(score);
    (action != decision.action).then(|| "action".to_owned())
}

fn is_close(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= TOLERANCE * one.abs().max(1.0),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// The part of a hold that its features are computed from.
fn hold(bundle: &Bundle, row: &Row) -> Result<Hold> {
    let definition = bundle.definition();
    let schema = definition.schema();
    let text = |name: &String| Some((name.clone(), row.text(name)?.to_owned()));
    let number = |name: &String| Some((name.clone(), row.number(name)?));
    Ok(Hold {
        decision_id: String::new(),
        transaction_id: row.text("transaction_id").unwrap_or_default().into(),
        identity: Identity::default(),
        arrived_at: Timestamp::UNIX_EPOCH,
        occurred_at: time(row)?,
        amount: row.number("amount").unwrap_or(f64::NAN),
        entities: schema.entities.iter().filter_map(text).collect(),
        numbers: schema.numbers.iter().filter_map(number).collect(),
        categories: schema.categories.iter().filter_map(text).collect(),
        profile: definition.profile_numbers(|column| row.number(column)),
        score: 0.0,
        reasons: Vec::new(),
        bundle_version: String::new(),
        decided_at: Timestamp::UNIX_EPOCH,
        deadline: Timestamp::UNIX_EPOCH,
    })
}
