//! The tables of the warehouse, and what statements do to them.

use std::collections::{BTreeMap, BTreeSet};

use decision::Identity;
use decision::ledger::hold_group;
use serde::Deserialize;
use turns::{Claim, EvidenceEntry, Lane, OnBadRows, Plan, TurnId, WaitingEntry, batch_holds};
use warehouse::{Row, Value};

use crate::{Bucket, LABELS};

/// What the statements wrote.
#[derive(Debug, Default)]
pub struct Tables {
    /// The transaction id of each identity.
    pub transactions: BTreeMap<Identity, String>,
    /// The transaction id of each hold, by the claimant of its turn and its ordinal.
    pub holds: BTreeMap<(String, u32), String>,
    /// The decision ids of the final decisions.
    pub outcomes: BTreeSet<String>,
    /// The keys of all loaded objects.
    pub loaded: BTreeSet<String>,
}

/// What the warehouse can't work with.
#[derive(Clone, Debug, Default)]
pub struct Flaws {
    pub unreadable: Option<Unreadable>,
    /// The ids of transactions whose rows COPY refuses.
    pub refused_rows: Vec<&'static str>,
    /// The ids of transactions whose holds make their evidence statement fail.
    pub failing_holds: Vec<&'static str>,
}

/// COPY can't read the first object that it meets under this prefix.
#[derive(Clone, Debug)]
pub struct Unreadable {
    pub prefix: &'static str,
    pub named: Named,
    /// The object, once COPY has met it.
    pub key: Option<String>,
}

/// Whether the error text names the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    Yes,
    No,
}

/// The columns of a batch's line that the effects need.
#[derive(Deserialize)]
struct Line {
    transaction_id: String,
    identity_hash: Identity,
    #[serde(default, rename = "_hold_group")]
    hold_group: Option<String>,
    #[serde(default, rename = "_hold_index")]
    hold_index: u32,
}

#[derive(Deserialize)]
struct OutcomeLine {
    decision_id: String,
}

/// One statement of a load.
pub(crate) struct LoadStatement<'s> {
    pub(crate) turn: TurnId,
    pub(crate) claim: &'s Claim,
    /// The places in the claim of the entries to load.
    pub(crate) entries: &'s [usize],
    pub(crate) on_bad_rows: OnBadRows,
}

impl LoadStatement<'_> {
    /// Fails if this is a statement of another plan.
    pub(crate) fn of<'s>(turn: TurnId, claim: &'s Claim, plan: &'s Plan) -> LoadStatement<'s> {
        let Plan::Load {
            entries,
            on_bad_rows,
            ..
        } = plan
        else {
            panic!("{plan:?} loads nothing");
        };
        LoadStatement {
            turn,
            claim,
            entries,
            on_bad_rows: *on_bad_rows,
        }
    }

    /// The keys of the objects.
    fn objects(&self) -> Vec<String> {
        let entries = self.entries.iter().map(|place| &self.claim.entries[*place]);
        entries.map(|entry| entry.object_key().unwrap()).collect()
    }
}

impl Flaws {
    /// The error of a COPY of these objects, if one is unreadable.
    fn refuse_objects(&mut self, objects: &[String]) -> Option<String> {
        let unreadable = self.unreadable.as_mut()?;
        let mut keys = objects.iter();
        let met = match &unreadable.key {
            Some(known) => keys.find(|key| *key == known),
            None => keys.find(|key| key.starts_with(unreadable.prefix)),
        };
        let key = unreadable.key.insert(met?.clone());
        let object = match unreadable.named {
            Named::Yes => key.as_str(),
            Named::No => "an object",
        };
        Some(format!("stl_load_errors: {object} is not in gzip format"))
    }
}

impl Tables {
    /// Loads objects, all or none: the rows that tell of refused rows, or why it fails.
    pub(crate) fn load(
        &mut self,
        load: &LoadStatement<'_>,
        flaws: &mut Flaws,
        bucket: &Bucket,
    ) -> Result<Vec<Row>, String> {
        let objects = load.objects();
        if let Some(error) = flaws.refuse_objects(&objects) {
            return Err(error);
        }
        let mut texts = Vec::new();
        let mut refused = Vec::new();
        for key in &objects {
            let text = text(bucket, key);
            if load.turn.lane == Lane::Transactions {
                refused.extend(refused_rows(flaws, key, &text));
            }
            texts.push(text);
        }
        if !refused.is_empty() && load.on_bad_rows == OnBadRows::Fail {
            return Err("Load into table 'staging' failed. Check 'sys_load_error_detail'".into());
        }
        let groups = hold_groups(load.claim);
        for (key, text) in objects.into_iter().zip(texts) {
            self.add_object(load, &groups, flaws, &text);
            self.loaded.insert(key);
        }
        Ok(refused)
    }

    fn add_object(
        &mut self,
        load: &LoadStatement<'_>,
        groups: &HoldGroups,
        flaws: &Flaws,
        text: &str,
    ) {
        for line in text.lines() {
            match load.turn.lane {
                Lane::Transactions => self.add_transaction(load.claim, groups, flaws, line),
                Lane::Outcomes => {
                    let line: OutcomeLine = serde_json::from_str(line).unwrap();
                    self.outcomes.insert(line.decision_id);
                }
                Lane::Labels => {}
                lane @ Lane::Evidence(_) => panic!("{lane} loads nothing"),
            }
        }
    }

    fn add_transaction(&mut self, claim: &Claim, groups: &HoldGroups, flaws: &Flaws, line: &str) {
        let line: Line = serde_json::from_str(line).unwrap();
        if flaws.refused_rows.contains(&line.transaction_id.as_str()) {
            return;
        }
        if let Some(group) = &line.hold_group {
            for first in &groups[group] {
                let hold = (claim.claimant.clone(), first + line.hold_index);
                self.holds.insert(hold, line.transaction_id.clone());
            }
        }
        self.transactions
            .entry(line.identity_hash)
            .or_insert(line.transaction_id);
    }

    /// A mean of 100 for each hold that is loaded: the fixture's second look blocks it.
    pub(crate) fn evidence(
        &self,
        range: &EvidenceEntry,
        flaws: &Flaws,
        bucket: &Bucket,
    ) -> Result<Vec<Row>, String> {
        let turn = TurnId {
            lane: Lane::Transactions,
            number: range.turn,
        };
        let loaded: Claim = read(bucket, &turn.claim_key());
        let mut rows = Vec::new();
        for ordinal in range.from..range.to {
            let hold = (loaded.claimant.clone(), ordinal);
            let Some(transaction_id) = self.holds.get(&hold) else {
                continue;
            };
            if flaws.failing_holds.contains(&transaction_id.as_str()) {
                return Err("Numeric data overflow".to_owned());
            }
            rows.push(Row::from([
                ("ordinal", Value::Integer(i64::from(ordinal))),
                ("_id_conflict", Value::Bool(false)),
                ("_recent_customer_mean_7d_values", Value::Number(1_000.0)),
                ("_recent_customer_mean_7d_sum", Value::Number(100_000.0)),
            ]));
        }
        Ok(rows)
    }
}

/// The first ordinals of each hold group of a claim. A batch that was delivered again may be in a
/// claim twice.
type HoldGroups = BTreeMap<String, Vec<u32>>;

fn hold_groups(claim: &Claim) -> HoldGroups {
    let mut groups = HoldGroups::new();
    for holds in batch_holds(claim) {
        let Some(WaitingEntry::Batch(batch)) = claim.entries[holds.place].entry() else {
            panic!("only batches have holds");
        };
        let group = hold_group(&batch.batch_name(), &holds.version);
        groups.entry(group).or_default().push(holds.first);
    }
    groups
}

/// The rows of the error table for one object.
fn refused_rows(flaws: &Flaws, key: &str, text: &str) -> Vec<Row> {
    if flaws.refused_rows.is_empty() {
        return Vec::new();
    }
    let mut refused = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line: Line = serde_json::from_str(line).unwrap();
        if flaws.refused_rows.contains(&line.transaction_id.as_str()) {
            refused.push(Row::from([
                ("file_name", Value::Text(format!("s3://bucket/{key}  "))),
                ("line_number", Value::Integer(number)),
                ("column_name", Value::Text("amount".to_owned())),
                ("error_message", Value::Text("Overflow".to_owned())),
            ]));
        }
    }
    refused
}

fn text(bucket: &Bucket, key: &str) -> String {
    let bytes = bucket.bytes(key).unwrap();
    if key == LABELS {
        return String::from_utf8(bytes).unwrap();
    }
    String::from_utf8(store::gunzip(key, &bytes).unwrap()).unwrap()
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(bucket: &Bucket, key: &str) -> T {
    serde_json::from_slice(&bucket.bytes(key).unwrap()).unwrap()
}
