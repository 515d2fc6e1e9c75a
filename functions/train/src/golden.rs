use std::collections::BTreeMap;

use bundle::{Golden, GoldenConfirm, GoldenFirst};
use decision::{Hold, Identity, Policy, ProfileNumbers};
use features::Definition;
use jiff::Timestamp;
use serde_json::json;

use crate::training_set::{TrainingSet, evidence};

/// Number of golden vectors of each look.
const GOLDEN: usize = 8;

/// Golden vectors from rows spread over the training set. Ids and entities are replaced, so that a
/// bundle contains no customer's id; numbers and categories are kept.
pub(crate) fn golden(definition: &Definition, policy: &Policy, set: &TrainingSet) -> Golden {
    let schema = definition.schema();
    let mut golden = Golden::default();
    for vector in 0..GOLDEN.min(set.len()) {
        let row = vector * (set.len() - 1) / (GOLDEN - 1);
        let occurred_at = set.occurred_at.get(row).copied().unwrap_or_default();
        let amount = set.amounts.get(row).copied().unwrap_or_default();
        let id = format!("golden-{vector}");
        let (numbers, categories) = (
            set.numbers(definition, row),
            set.categories(definition, row),
        );
        let entities: BTreeMap<String, String> = schema
            .entities
            .iter()
            .map(|name| (name.clone(), "golden".to_owned()))
            .collect();
        let mut transaction =
            json!({ "transaction_id": id, "occurred_at": occurred_at, "amount": amount });
        if let Some(fields) = transaction.as_object_mut() {
            fields.extend(
                numbers
                    .iter()
                    .map(|(name, value)| (name.clone(), json!(value))),
            );
            fields.extend(
                categories
                    .iter()
                    .map(|(name, value)| (name.clone(), json!(value))),
            );
            fields.extend(
                entities
                    .iter()
                    .map(|(name, value)| (name.clone(), json!(value))),
            );
        }
        golden.first.push(GoldenFirst {
            transaction,
            windows: evidence(&set.profiles, row),
            score: 0.0,
        });
        let hold = Hold {
            decision_id: id.clone(),
            transaction_id: id.into(),
            // Neither influences the score.
            identity: Identity::default(),
            arrived_at: occurred_at,
            occurred_at,
            amount,
            entities,
            numbers,
            categories,
            profile: ProfileNumbers::new(),
            score: policy.hold_at,
            reasons: Vec::new(),
            bundle_version: String::new(),
            decided_at: Timestamp::UNIX_EPOCH,
            deadline: Timestamp::UNIX_EPOCH,
        };
        golden.confirm.push(GoldenConfirm {
            hold,
            evidence: set.evidence(row),
            score: 0.0,
        });
    }
    golden
}
