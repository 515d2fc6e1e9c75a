//! One line of the object under `transactions/`: the transaction's columns, its provisional
//! decision, and the original transaction. COPY loads the columns that the table has and ignores
//! the rest.

use std::io::{self, Write};

use decision::{DecisionId, Provisional};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The content of a line.
pub(crate) struct Line<'a> {
    pub(crate) decision: &'a Provisional<'a>,
    /// The same for the whole batch, so it is formatted once.
    pub(crate) decided_at: &'a str,
    /// Only for a hold.
    pub(crate) place: Option<Place<'a>>,
}

/// The place of a hold, for the statement that loads the line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// See [`decision::ledger::hold_group`].
    pub(crate) group: &'a str,
    /// The place among the holds of the group, in the ledger's order.
    pub(crate) index: u32,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Provisional { batch, row, .. } = *self.decision;
        let schema = batch.schema();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("transaction_id", batch.transaction_id(row))?;
        map.serialize_entry("identity_hash", &self.decision.identity)?;
        map.serialize_entry("arrived_at", &self.decision.arrived_at)?;
        map.serialize_entry("occurred_at", &batch.occurred_at(row))?;
        map.serialize_entry("amount", &batch.amount(row))?;
        for (index, name) in schema.entities.iter().enumerate() {
            map.serialize_entry(name, batch.entity(row, index))?;
        }
        for (index, name) in schema.numbers.iter().enumerate() {
            let number = batch.number(row, index);
            if number.is_finite() {
                map.serialize_entry(name, &number)?;
            }
        }
        for (index, name) in schema.categories.iter().enumerate() {
            if let Some(category) = batch.category(row, index) {
                map.serialize_entry(name, category)?;
            }
        }
        map.serialize_entry("decision_id", &Id(self.decision.decision_id))?;
        map.serialize_entry("action", self.decision.action.as_str())?;
        map.serialize_entry("score", &self.decision.score)?;
        map.serialize_entry("bundle_version", self.decision.bundle_version)?;
        map.serialize_entry("decided_at", self.decided_at)?;
        if let Some(deadline) = &self.decision.deadline {
            map.serialize_entry("deadline", deadline)?;
        }
        if !self.decision.degraded.is_empty() {
            map.serialize_entry("degraded", self.decision.degraded)?;
        }
        if let Some(place) = self.place {
            map.serialize_entry("_hold_group", place.group)?;
            map.serialize_entry("_hold_index", &place.index)?;
        }
        map.end()
    }
}

struct Id<'a>(DecisionId<'a>);

impl Serialize for Id<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Appends the line to `lines`.
pub(crate) fn write(lines: &mut Vec<u8>, line: &Line<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *lines, line)?;
    // Remove the closing brace and append the transaction's own bytes: nesting it by serde would
    // parse it a second time.
    lines.pop();
    lines.write_all(b",\"transaction\":")?;
    let raw = line.decision.batch.raw(line.decision.row);
    if raw.contains(&b'\n') || raw.contains(&b'\r') {
        // Valid JSON has line breaks only between its tokens, where a space means the same.
        lines.extend(raw.iter().map(|&byte| without_line_break(byte)));
    } else {
        lines.extend_from_slice(raw);
    }
    lines.write_all(b"}\n")
}

const fn without_line_break(byte: u8) -> u8 {
    match byte {
        b'\n' | b'\r' => b' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use decision::{Action, Batch, Origin, Schema};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_line_has_the_columns_and_the_original_transaction() {
        let schema = Schema {
            entities: vec!["customer_id".into()],
            numbers: vec!["age".into(), "height".into()],
            categories: vec!["channel".into(), "country".into()],
        };
        let mut batch = Batch::new(&schema);
        let item = "{\r\n\"transaction_id\": \"t\\\"1\",\n \
                    \"occurred_at\":\"2026-01-31T10:00:00+01:00\",\"amount\":1e2,\
                    \"customer_id\":7,\"age\":41,\"country\":\"ä\",\
                    \"unknown\":{\"kept\":[1,\" \\n \"]}}";
        let now = "2026-01-31T09:00:02.5Z".parse().unwrap();
        batch
            .read(item.as_bytes(), Origin { record: 0, item: 0 }, now)
            .unwrap();
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
            reasons: &[],
            bundle_version: "abc",
            decided_at: now,
            deadline: Some("2026-01-31T09:10:00Z".parse().unwrap()),
            degraded: &["profiles_missing".to_owned()],
        };
        let line = Line {
            decision: &provisional,
            decided_at: "2026-01-31T09:00:02.5Z",
            place: Some(Place {
                group: "0123456789abcdef",
                index: 7,
            }),
        };
        let mut lines = Vec::new();
        write(&mut lines, &line).unwrap();
        let text = String::from_utf8(lines).unwrap();
        assert_eq!(text.find('\n'), Some(text.len() - 1), "one line");
        let expected = json!({
            "transaction_id": "t\"1", "occurred_at": "2026-01-31T09:00:00Z", "amount": 100.0,
            "customer_id": "7", "age": 41.0, "country": "ä",
            "decision_id": "000000000000-495-2", "action": "hold", "score": 0.75,
            "bundle_version": "abc",
            "decided_at": "2026-01-31T09:00:02.5Z", "deadline": "2026-01-31T09:10:00Z",
            "degraded": ["profiles_missing"],
            "identity_hash": batch.identity(0).to_string(), "arrived_at": "2026-01-31T09:00:02.5Z",
            "_hold_group": "0123456789abcdef", "_hold_index": 7,
            "transaction": serde_json::from_str::<Value>(item).unwrap(),
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }
}
