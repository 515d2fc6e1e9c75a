use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::{Entities, Identity};

fn hold(id: &str, bundle_version: &str) -> Hold {
    let at = Timestamp::UNIX_EPOCH;
    Hold {
        decision_id: format!("000000000000-495-{id}"),
        transaction_id: id.into(),
        identity: Identity::new(id, at, 1.0, []),
        arrived_at: at,
        occurred_at: at,
        amount: 1.0,
        entities: Entities::new(),
        numbers: BTreeMap::new(),
        categories: BTreeMap::new(),
        profile: BTreeMap::new(),
        score: 0.6,
        reasons: Vec::new(),
        bundle_version: bundle_version.to_owned(),
        decided_at: at,
        deadline: at,
    }
}

#[test]
fn a_ledger_object_reads_back_with_the_holds_of_one_version_together() {
    let holds = vec![hold("0", "b"), hold("1", "a"), hold("2", "b")];
    let ledger = LedgerObject::new("waiting/x".to_owned(), holds);
    let ids: Vec<&str> = ledger
        .holds
        .iter()
        .map(|hold| hold.transaction_id.as_str())
        .collect();
    assert_eq!(ids, ["1", "0", "2"]);
    assert_eq!(ledger.versions(), [("a", 1), ("b", 2)]);
    let bytes = ledger.to_ndjson().unwrap();
    assert_eq!(LedgerObject::parse(&bytes).unwrap(), ledger);
}

#[test]
fn a_damaged_line_is_named_by_its_number() {
    let ledger = LedgerObject::new("waiting/x".to_owned(), vec![hold("0", "a")]);
    let mut bytes = ledger.to_ndjson().unwrap();
    bytes.truncate(bytes.len() - 3);
    assert_eq!(LedgerObject::parse(&bytes).unwrap_err().line, 2);
    assert_eq!(LedgerObject::parse(b"").unwrap_err().line, 1);
    assert_eq!(LedgerObject::parse(b"{}").unwrap_err().line, 1);
}

#[test]
fn a_hold_group_depends_on_batch_and_version() {
    let group = hold_group("0-1-2", "a");
    assert_eq!(group.len(), 16);
    assert_eq!(group, hold_group("0-1-2", "a"));
    assert_ne!(group, hold_group("0-1-2", "b"));
    assert_ne!(group, hold_group("0-1-3", "a"));
}
