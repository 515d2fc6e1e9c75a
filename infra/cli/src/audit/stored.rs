//! Reads the bucket for an audit.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context as _, Result};
use decision::settle::Outcome;
use decision::{Action, Decision, Identity, Stage, keys};
use futures_util::{StreamExt as _, TryStream, TryStreamExt as _, stream};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::{ObjectInfo, Objects as _, gunzip};

use super::AuditScope;
use super::evidence::EvidenceAgain;
use super::label_files::{self, LabelFile, LoadedReport};
use super::warehouse_rows::{self, OutcomeRows, TransactionRows};
use crate::system::System;

/// How many objects are read at a time.
const AT_A_TIME: usize = 16;
/// A younger object may still be in progress, if the system handles other transactions too.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(15);
/// The time of a transaction is at most this long after its arrival: score rejects a later one.
pub(super) const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// The prefix of the batches that failed for good.
const FAILED_BATCHES: &str = "aws/lambda/";
/// The prefix of the slices of final decisions. The prefix for COPY continues with `dt=`.
const SLICES: &str = "outcomes/";
/// The prefix of all waiting entries.
const WAITING: &str = "waiting/";

/// The state of the bucket and the warehouse.
#[derive(Clone, Debug, Default)]
pub(super) struct StoredState {
    pub(super) bucket: String,
    /// The names of the entities in the schema's order.
    pub(super) entities: Vec<String>,
    /// How long plain entries of the lane of transactions wait without being late.
    pub(super) load_wait: SignedDuration,
    /// The batches' transactions with a decision.
    pub(super) decided: BTreeMap<Identity, StoredTransaction>,
    /// The rows of `transactions`.
    pub(super) transactions: HashMap<Identity, TransactionRows>,
    /// The outcomes of the held identities; `None` for an unreadable object.
    pub(super) outcomes: BTreeMap<Identity, Option<Outcome>>,
    /// The final decisions of the slices, which were published before, by decision id.
    pub(super) finals: BTreeMap<String, StoredFinal>,
    /// The rows of `outcomes` by decision id.
    pub(super) ended: HashMap<String, OutcomeRows>,
    pub(super) evidence_again: EvidenceAgain,
    pub(super) rejected: usize,
    pub(super) waiting: Vec<ObjectInfo>,
    pub(super) ledger: Vec<ObjectInfo>,
    /// The files of fraud reports that no waiting entry stands for.
    pub(super) label_files: Vec<LabelFile>,
    /// The reports in the warehouse.
    pub(super) loaded_reports: BTreeSet<LoadedReport>,
    pub(super) damaged: Vec<String>,
    pub(super) failed_batches: Vec<ObjectInfo>,
    pub(super) quarantined: Vec<ObjectInfo>,
}

/// A transaction as its batches have it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StoredTransaction {
    pub(super) transaction_id: String,
    pub(super) amount: f64,
    /// In the schema's order.
    pub(super) entities: Vec<Option<String>>,
    /// The object of a batch with it.
    pub(super) batch: ObjectInfo,
    /// By decision id: a transaction that is sent twice has two.
    pub(super) decisions: BTreeMap<String, StoredDecision>,
}

/// A final decision, and the slice that it is in.
#[derive(Clone, Debug)]
pub(super) struct StoredFinal {
    pub(super) decision: Decision,
    pub(super) slice: ObjectInfo,
}

/// A provisional decision. More than one action is a contradiction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct StoredDecision {
    pub(super) actions: BTreeSet<Action>,
    pub(super) score: f64,
    pub(super) deadline: Option<Timestamp>,
}

impl StoredTransaction {
    pub(super) fn is_held(&self) -> bool {
        let mut decisions = self.decisions.values();
        decisions.any(|decision| decision.actions.contains(&Action::Hold))
    }
}

/// The fields of a batch's line that the audit needs.
#[derive(Deserialize)]
struct Line {
    transaction_id: String,
    identity_hash: Identity,
    amount: f64,
    decision_id: Option<String>,
    action: Option<Action>,
    #[serde(default)]
    score: f64,
    deadline: Option<Timestamp>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl StoredState {
    pub(super) async fn read(system: &System, scope: &AuditScope, now: Timestamp) -> Result<Self> {
        let days = scope
            .among_others
            .map(|(first, _)| (day(first - MAX_AHEAD), day(now)));
        let schema = system.definition().await?.schema().clone();
        let mut state = Self {
            bucket: system.bucket.clone(),
            load_wait: system.load_wait,
            entities: schema.entities,
            ..Self::default()
        };
        state.read_batches(system, scope, days).await?;
        state.read_outcomes(system, scope).await?;
        state.read_slices(system, scope, days).await?;
        state.transactions = warehouse_rows::transactions(system, scope, &state.entities).await?;
        state.ended = warehouse_rows::outcomes(system, scope).await?;
        let rejected = listed(system, keys::REJECTED, days).await?;
        let mut objects = read_all(system, rejected);
        while let Some((object, bytes)) = objects.try_next().await? {
            match gunzip(&object.key, &bytes) {
                Ok(text) => state.rejected += lines(&text).count(),
                Err(_) => state.damaged.push(object.key),
            }
        }
        state.waiting = system.objects.list(WAITING).await?;
        state.ledger = system.objects.list(keys::LEDGER).await?;
        state
            .ledger
            .retain(|object| is_old_enough(object, scope, now));
        state.label_files = label_files::read(system, scope, now).await?;
        state.loaded_reports = label_files::loaded(system).await?;
        state.failed_batches = system.objects.list(FAILED_BATCHES).await?;
        state.quarantined = system.objects.list(keys::QUARANTINE).await?;
        state.quarantined.retain(is_no_reason);
        Ok(state)
    }

    async fn read_batches(
        &mut self,
        system: &System,
        scope: &AuditScope,
        days: Option<Days>,
    ) -> Result<()> {
        let mut batches = read_all(system, listed(system, keys::TRANSACTIONS, days).await?);
        while let Some((object, bytes)) = batches.try_next().await? {
            if self.take_batch(scope, &object, &bytes).is_none() {
                self.damaged.push(object.key);
            }
        }
        Ok(())
    }

    /// Adds the decisions of a batch that the audit is about. `None` if it is unreadable.
    fn take_batch(&mut self, scope: &AuditScope, object: &ObjectInfo, bytes: &[u8]) -> Option<()> {
        let text = gunzip(&object.key, bytes).ok()?;
        for line in lines(&text) {
            let line: Line = serde_json::from_slice(line).ok()?;
            // Rows of a loaded history have no decision.
            let (Some(decision_id), Some(action)) = (line.decision_id, line.action) else {
                continue;
            };
            if !scope.is_about(&line.transaction_id) {
                continue;
            }
            let entity = |name: &String| Some(line.others.get(name)?.as_str()?.to_owned());
            let stored = self.decided.entry(line.identity_hash);
            let stored = stored.or_insert_with(|| StoredTransaction {
                transaction_id: line.transaction_id,
                amount: line.amount,
                entities: self.entities.iter().map(entity).collect(),
                batch: object.clone(),
                decisions: BTreeMap::new(),
            });
            let decision = stored.decisions.entry(decision_id).or_default();
            decision.actions.insert(action);
            decision.score = line.score;
            decision.deadline = line.deadline;
        }
        Some(())
    }

    /// The outcomes of the holds or, if no other transaction was sent, all outcomes.
    async fn read_outcomes(&mut self, system: &System, scope: &AuditScope) -> Result<()> {
        let identities: Vec<Identity> = if scope.among_others.is_some() {
            let held = self.decided.iter().filter(|(_, stored)| stored.is_held());
            held.map(|(identity, _)| *identity).collect()
        } else {
            let listed = system.objects.list(keys::OUTCOMES).await?;
            let identity = |object: &ObjectInfo| keys::outcome_identity(&object.key);
            listed.iter().filter_map(identity).collect()
        };
        let mut outcomes = stream::iter(identities)
            .map(|identity| async move {
                let bytes = system.objects.get(&keys::outcome(identity)).await?;
                anyhow::Ok((identity, bytes))
            })
            .buffer_unordered(AT_A_TIME);
        while let Some((identity, bytes)) = outcomes.try_next().await? {
            if let Some(bytes) = bytes {
                let outcome: Option<Outcome> = serde_json::from_slice(&bytes).ok();
                if outcome.is_none() {
                    self.damaged.push(keys::outcome(identity));
                }
                self.outcomes.insert(identity, outcome);
            }
        }
        Ok(())
    }

    async fn read_slices(
        &mut self,
        system: &System,
        scope: &AuditScope,
        days: Option<Days>,
    ) -> Result<()> {
        let mut listed = listed(system, SLICES, days).await?;
        listed.retain(|object| object.key.starts_with(keys::OUTCOME_SLICES));
        let mut slices = read_all(system, listed);
        while let Some((object, bytes)) = slices.try_next().await? {
            if self.take_slice(scope, &object, &bytes).is_none() {
                self.damaged.push(object.key);
            }
        }
        Ok(())
    }

    fn take_slice(&mut self, scope: &AuditScope, slice: &ObjectInfo, bytes: &[u8]) -> Option<()> {
        for line in lines(&gunzip(&slice.key, bytes).ok()?) {
            let decision: Decision = serde_json::from_slice(line).ok()?;
            if decision.stage == Stage::Final && scope.is_about(decision.transaction_id.as_str()) {
                let id = decision.decision_id.clone();
                self.finals.entry(id).or_insert_with(|| StoredFinal {
                    decision,
                    slice: slice.clone(),
                });
            }
        }
        Some(())
    }
}

/// Whether the object is not in progress any more.
pub(super) fn is_old_enough(object: &ObjectInfo, scope: &AuditScope, now: Timestamp) -> bool {
    scope.among_others.is_none() || object.modified + UNDER_WAY <= now
}

/// An object of refused rows or a refused object, not the reason beside it.
fn is_no_reason(object: &ObjectInfo) -> bool {
    !object.key.ends_with(".reason.json")
}

/// The first and the last day of objects.
type Days = (Date, Date);

fn day(timestamp: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(timestamp).date()
}

pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter(|line| !line.is_empty())
}

/// The objects under `prefix` that arrived between these days, or all.
async fn listed(system: &System, prefix: &str, days: Option<Days>) -> Result<Vec<ObjectInfo>> {
    let Some((first, last)) = days else {
        return Ok(system.objects.list(prefix).await?);
    };
    let prefixes = first
        .series(jiff::Span::new().days(1))
        .take_while(|day| *day <= last);
    let lists = stream::iter(prefixes.map(|day| format!("{prefix}dt={day}/")))
        .map(|prefix| async move { system.objects.list(&prefix).await })
        .buffer_unordered(AT_A_TIME);
    Ok(lists.try_concat().await?)
}

/// Reads objects, several at a time.
pub(super) fn read_all(
    system: &System,
    objects: Vec<ObjectInfo>,
) -> impl TryStream<Ok = (ObjectInfo, Vec<u8>), Error = anyhow::Error> + Unpin {
    let reads = objects.into_iter().map(|object| read_one(system, object));
    Box::pin(stream::iter(reads).buffer_unordered(AT_A_TIME))
}

async fn read_one(system: &System, object: ObjectInfo) -> Result<(ObjectInfo, Vec<u8>)> {
    let bytes = system.objects.get(&object.key).await?;
    let bytes = bytes.with_context(|| format!("{} is gone", object.key))?;
    Ok((object, bytes))
}
