use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::{Action, Batch, Identity, SequenceNumber, SettledBy, Stage, TransactionId};

/// Entity fields and their values.
pub type Entities = BTreeMap<String, String>;

/// The features of one held transaction from the warehouse. `None`: the warehouse has no value.
pub type Evidence = BTreeMap<String, Option<f64>>;

/// The id of a decision. Derived from the record, so that a redelivery repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionId<'a> {
    /// The shard, as in `000000000003`.
    pub shard: &'a str,
    pub sequence_number: SequenceNumber<&'a str>,
    /// Which item of the record.
    pub item: u32,
}

impl fmt::Display for DecisionId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.shard, self.sequence_number, self.item)
    }
}

/// The contribution of one feature to a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    pub feature: String,
    /// The value in the feature's unit; `null` if it was missing.
    #[serde(with = "null_is_nan")]
    pub value: f64,
    /// In log odds. For a forest of probabilities, in probability.
    pub contribution: f64,
}

mod null_is_nan {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Some(*value).filter(|v| v.is_finite()).serialize(serializer)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}

/// A decision on the `decisions` stream and in the slices under `outcomes/`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// See [`DecisionId`]. A final decision has the id of its hold.
    pub decision_id: String,
    /// The transaction it is about.
    pub transaction_id: TransactionId,
    /// In JSON, the entity fields stand beside the other fields.
    #[serde(flatten)]
    pub entities: Entities,
    pub stage: Stage,
    pub action: Action,
    /// Probability of fraud, 0 to 1. A final decision without evidence keeps the first score.
    pub score: f64,
    /// At most three, strongest first.
    pub reasons: Vec<Reason>,
    /// The bundle that scored it.
    pub bundle_version: String,
    pub decided_at: Timestamp,
    /// For a hold and its final decision: when the final decision is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// For a final decision with evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// For a final decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_by: Option<SettledBy>,
    /// For a final decision: how long the hold lasted, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_ms: Option<i64>,
    /// The inputs that were missing for the decision, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degraded: Vec<String>,
}

/// A provisional decision on one row of a batch. It borrows everything, so that score allocates
/// nothing per decision. Its JSON is that of a [`Decision`].
#[derive(Clone, Copy, Debug)]
pub struct Provisional<'a> {
    pub batch: &'a Batch<'a>,
    pub row: usize,
    pub decision_id: DecisionId<'a>,
    pub identity: Identity,
    /// When the stream accepted its record.
    pub arrived_at: Timestamp,
    pub action: Action,
    /// Probability of fraud, 0 to 1.
    pub score: f64,
    /// At most three, strongest first.
    pub reasons: &'a [Reason],
    /// The bundle that scored it.
    pub bundle_version: &'a str,
    pub decided_at: Timestamp,
    /// For a hold: when it must have its final decision.
    pub deadline: Option<Timestamp>,
    /// The inputs that were missing for the decision, by name.
    pub degraded: &'a [String],
}

impl Serialize for Provisional<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("decision_id", &Shown(self.decision_id))?;
        map.serialize_entry("transaction_id", self.batch.transaction_id(self.row))?;
        for (index, name) in self.batch.schema().entities.iter().enumerate() {
            map.serialize_entry(name, self.batch.entity(self.row, index))?;
        }
        map.serialize_entry("stage", &Stage::Provisional)?;
        map.serialize_entry("action", &self.action)?;
        map.serialize_entry("score", &self.score)?;
        map.serialize_entry("reasons", self.reasons)?;
        map.serialize_entry("bundle_version", self.bundle_version)?;
        map.serialize_entry("decided_at", &self.decided_at)?;
        if let Some(deadline) = &self.deadline {
            map.serialize_entry("deadline", deadline)?;
        }
        if !self.degraded.is_empty() {
            map.serialize_entry("degraded", self.degraded)?;
        }
        map.end()
    }
}

/// Serializes a value by its `Display`, without an intermediate string.
struct Shown<T>(T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The numbers of profiles, by the name of the window that they are of.
pub type ProfileNumbers = BTreeMap<String, Vec<Option<f64>>>;

/// A provisionally stopped transaction: everything that is needed to ask for its evidence, to score
/// it again and to settle it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    pub decision_id: String,
    pub transaction_id: TransactionId,
    pub identity: Identity,
    /// When the stream accepted its record.
    pub arrived_at: Timestamp,
    pub occurred_at: Timestamp,
    pub amount: f64,
    pub entities: Entities,
    /// The declared numbers. A missing number is absent.
    #[serde(default)]
    pub numbers: BTreeMap<String, f64>,
    /// The declared categories. A missing category is absent.
    #[serde(default)]
    pub categories: BTreeMap<String, String>,
    /// The numbers that the profiles of its entities contribute to the second look's windows, by
    /// the window's name. `None` for a number that is not known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profile: ProfileNumbers,
    pub score: f64,
    pub reasons: Vec<Reason>,
    /// The bundle that held it.
    pub bundle_version: String,
    pub decided_at: Timestamp,
    /// When the hold must have its final decision.
    pub deadline: Timestamp,
}

impl Hold {
    /// The hold of a provisional decision with this deadline.
    pub fn place(decision: &Provisional<'_>, profile: ProfileNumbers, deadline: Timestamp) -> Self {
        let (batch, row, schema) = (decision.batch, decision.row, decision.batch.schema());
        let entities = schema
            .entities
            .iter()
            .enumerate()
            .map(|(i, name)| (name.clone(), batch.entity(row, i).to_owned()));
        let numbers = schema
            .numbers
            .iter()
            .enumerate()
            .map(|(i, name)| (name.clone(), batch.number(row, i)));
        let categories = schema.categories.iter().enumerate();
        Self {
            decision_id: decision.decision_id.to_string(),
            transaction_id: batch.transaction_id(row).into(),
            identity: decision.identity,
            arrived_at: decision.arrived_at,
            occurred_at: batch.occurred_at(row),
            amount: batch.amount(row),
            entities: entities.collect(),
            numbers: numbers.filter(|(_, number)| !number.is_nan()).collect(),
            categories: categories
                .filter_map(|(i, name)| Some((name.clone(), batch.category(row, i)?.to_owned())))
                .collect(),
            profile,
            score: decision.score,
            reasons: decision.reasons.to_vec(),
            bundle_version: decision.bundle_version.to_owned(),
            decided_at: decision.decided_at,
            deadline,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Origin, Schema};

    #[test]
    fn a_provisional_decision_reads_back_as_it_was_written() {
        let schema = Schema {
            entities: vec!["customer_id".into(), "terminal_id".into()],
            numbers: vec!["age".into(), "score_1".into()],
            categories: vec!["channel".into()],
        };
        let mut batch = Batch::new(&schema);
        let item = br#"{"transaction_id":"a\"b","occurred_at":"2026-01-31T10:00:00+01:00","amount":3,"customer_id":7,"terminal_id":"t","age":41}"#;
        let now: Timestamp = "2026-01-31T09:00:02.5Z".parse().unwrap();
        batch
            .read(item, Origin { record: 0, item: 0 }, now)
            .unwrap();
        let reasons = [Reason {
            feature: "amount".into(),
            value: 3.0,
            contribution: 1.25,
        }];
        let provisional = Provisional {
            batch: &batch,
            row: 0,
            decision_id: DecisionId {
                shard: "000000000000",
                sequence_number: "495".into(),
                item: 2,
            },
            identity: batch.identity(0),
            arrived_at: now,
            action: Action::Hold,
            score: 0.75,
            reasons: &reasons,
            bundle_version: "abc",
            decided_at: now,
            deadline: Some("2026-01-31T09:10:00Z".parse().unwrap()),
            degraded: &["profiles_missing".to_owned()],
        };
        let read: Decision =
            serde_json::from_str(&serde_json::to_string(&provisional).unwrap()).unwrap();
        assert_eq!(read.decision_id, "000000000000-495-2");
        assert_eq!(read.transaction_id, "a\"b");
        assert_eq!(
            read.entities,
            Entities::from(
                [("customer_id", "7"), ("terminal_id", "t")].map(|(k, v)| (k.into(), v.into()))
            )
        );
        assert_eq!(
            (read.stage, read.action, read.score),
            (Stage::Provisional, Action::Hold, 0.75)
        );
        assert_eq!(
            (read.decided_at, read.deadline),
            (now, provisional.deadline)
        );
        assert_eq!(
            (&read.reasons[..], &read.degraded[..]),
            (&reasons[..], provisional.degraded)
        );

        let hold = Hold::place(
            &provisional,
            ProfileNumbers::new(),
            provisional.deadline.unwrap(),
        );
        assert_eq!(hold.numbers, BTreeMap::from([("age".to_owned(), 41.0)]));
        assert_eq!(hold.identity, batch.identity(0));
        assert_eq!(
            serde_json::from_str::<Hold>(&serde_json::to_string(&hold).unwrap()).unwrap(),
            hold
        );
    }
}
