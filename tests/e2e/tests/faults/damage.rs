//! The audit must detect damage in each place that it reads.

use decision::Action;
use decision::keys;
use decision::settle::Outcome;
use harness::fixture;
use jiff::{SignedDuration, Timestamp};
use look::audit::{Audit, AuditScope, Finding, audit};
use look::consume::{self, DecisionLog};
use look::init::init;
use look::system::System;
use serde_json::{Value, json};
use store::Objects as _;

use crate::sent::Sent;
use e2e::wait::eventually;

/// Damages the system in one place after the other, and repairs it where possible.
pub(crate) async fn is_seen(system: &System, sent: &Sent, seen: &DecisionLog) {
    let scope = sent.scope();
    let audited = async || audit(system, &scope, Some(seen)).await.unwrap();
    let clean = audited().await;
    assert!(clean.is_clean(), "{clean:?}");
    let of = |action| {
        sent.transactions
            .iter()
            .find(|(_, end)| **end == action)
            .map(|(id, _)| id.clone())
            .unwrap()
    };
    let (approved, released) = (of(None), of(Some(Action::Release)));

    the_stream(system, &scope, seen, &approved, &clean).await;

    // The bucket: a final decision is missing.
    let end = outcome_key(system, &released).await;
    let bytes = system.objects.get(&end).await.unwrap().unwrap();
    system.objects.delete(&end).await.unwrap();
    let found = audited().await;
    assert!(found.unsettled > 0, "{found:?}");
    assert_eq!(
        (found.settled, found.lost),
        (clean.settled - 1, 0),
        "{found:?}"
    );
    // The bucket: a final decision was changed.
    let mut changed: Outcome = serde_json::from_slice(&bytes).unwrap();
    changed.action = Action::Block;
    let changed = serde_json::to_vec(&changed).unwrap();
    system.objects.put(&end, changed).await.unwrap();
    let found = audited().await;
    assert_eq!(found.changed_outcomes, 1, "{found:?}");
    assert!(found.findings[0].subject.contains(&end), "{found:?}");
    system.objects.put(&end, b"{".to_vec()).await.unwrap();
    assert_eq!(audited().await.damaged, 1);
    system.objects.put(&end, bytes).await.unwrap();

    // Failed work is counted until it is repaired.
    for (key, field) in [
        ("aws/lambda/x/y", "given_up_batches"),
        ("quarantine/transactions/x.ndjson.gz", "quarantined"),
    ] {
        system.objects.put(key, b"{}".to_vec()).await.unwrap();
        let found = audited().await;
        let counts: Value = serde_json::to_value(&found).unwrap();
        assert!(!found.is_clean() && counts[field] == 1, "{found:?}");
        system.objects.delete(key).await.unwrap();
    }

    a_file_of_reports(system, &scope, seen, &released).await;
    among_others(system, sent, &clean).await;

    // The warehouse: evidence is no longer the same, because the history was changed.
    assert!(clean.evidence_compared > 0, "{clean:?}");
    let all = |amount: &str| vec![format!("UPDATE transactions SET amount = {amount}")];
    system.execute(all("amount * 2")).await.unwrap();
    let found = audited().await;
    assert!(found.changed_evidence > 0, "{found:?}");
    system.execute(all("amount / 2")).await.unwrap();
    assert_eq!(audited().await.changed_evidence, 0);

    // The warehouse: a row was changed. Halving undoes doubling without rounding.
    for (column, value, original) in [
        ("amount", "amount * 2", "amount / 2"),
        ("score", "score * 2", "score / 2"),
        (
            "customer_id",
            "CONCAT(customer_id, '!')",
            "REPLACE(customer_id, '!', '')",
        ),
    ] {
        let set = |value: &str| {
            format!(
                "UPDATE transactions SET {column} = {value} WHERE transaction_id = '{approved}'"
            )
        };
        system.execute(vec![set(value)]).await.unwrap();
        let found = audited().await;
        assert_eq!(found.changed_rows, 1, "{found:?}");
        let named = |finding: &Finding| finding.subject.contains(column);
        assert!(found.findings.iter().any(named), "{found:?}");
        system.execute(vec![set(original)]).await.unwrap();
        assert_eq!(audited().await.changed_rows, 0);
    }

    // The warehouse, which is not repaired: rows are missing, and one is a duplicate.
    let decisions = system
        .count(&format!(
            "SELECT COUNT(*) FROM outcomes WHERE transaction_id = '{released}'"
        ))
        .await
        .unwrap() as usize;
    let changed =
        format!("UPDATE outcomes SET score = score + 1 WHERE transaction_id = '{released}'");
    system.execute(vec![changed]).await.unwrap();
    assert_eq!(audited().await.changed_rows, decisions);
    let twice =
        format!("INSERT INTO outcomes SELECT * FROM outcomes WHERE transaction_id = '{released}'");
    system.execute(vec![twice]).await.unwrap();
    assert_eq!(audited().await.duplicates, decisions);
    system
        .execute(vec![format!(
            "DELETE FROM outcomes WHERE transaction_id = '{released}'"
        )])
        .await
        .unwrap();
    let found = audited().await;
    assert_eq!(
        (found.unsettled, found.lost, found.duplicates),
        (decisions, 0, 0),
        "{found:?}"
    );
    system
        .execute(vec![format!(
            "DELETE FROM transactions WHERE transaction_id = '{approved}'"
        )])
        .await
        .unwrap();
    let found = audited().await;
    assert_eq!((found.unsettled, found.lost), (decisions, 1), "{found:?}");

    // A whole batch, last: if it were written again, it would be loaded again.
    let batch = system
        .objects
        .list(keys::TRANSACTIONS)
        .await
        .unwrap()
        .pop()
        .unwrap()
        .key;
    system.objects.delete(&batch).await.unwrap();
    let found = audited().await;
    assert!(
        found.decided < clean.decided && found.lost >= clean.decided - found.decided,
        "{found:?}"
    );
}

/// A file of fraud reports is a finding while its rows are not in the warehouse. The command of the
/// finding loads it.
async fn a_file_of_reports(
    system: &System,
    scope: &AuditScope,
    seen: &DecisionLog,
    transaction_id: &str,
) {
    let audited = async || audit(system, scope, Some(seen)).await.unwrap();
    let is_loaded = async || match audited().await {
        audit if audit.is_clean() => Ok(()),
        audit => Err(format!("{audit:?}")),
    };
    let key = format!("{}audit.ndjson.gz", keys::LABELS);
    let reported_at = Timestamp::now();
    let report = json!({
        "transaction_id": transaction_id, "reported_at": reported_at, "is_fraud": true,
    });
    let bytes = store::gzip(format!("{report}\n").as_bytes());
    system.objects.put(&key, bytes).await.unwrap();
    eventually("the file is loaded", 60, &is_loaded).await;

    let delete = format!("DELETE FROM fraud_reports WHERE transaction_id = '{transaction_id}'");
    system.execute(vec![delete]).await.unwrap();
    let found = audited().await;
    assert_eq!(found.not_loaded, 1, "{found:?}");
    let url = format!("s3://{}/", system.bucket);
    let (_, entry) = found.findings[0].repair.rsplit_once(&url).unwrap();
    let entry = entry.trim_end_matches('\'');
    system.objects.put(entry, key.into_bytes()).await.unwrap();
    eventually("the file is loaded again", 60, &is_loaded).await;
}

/// The key of the outcome of this transaction.
async fn outcome_key(system: &System, transaction_id: &str) -> String {
    for listed in system.objects.list(keys::OUTCOMES).await.unwrap() {
        let bytes = system.objects.get(&listed.key).await.unwrap().unwrap();
        let outcome: Outcome = serde_json::from_slice(&bytes).unwrap();
        if outcome.transaction_id == transaction_id {
            return listed.key;
        }
    }
    unreachable!("{transaction_id} has no outcome")
}

/// A definition with a new field adds a column. One that contradicts a column is refused.
pub(crate) async fn a_changed_definition_is_followed_or_refused(system: &System) {
    let entities = r#"entities = ["customer_id", "terminal_id"]"#;
    let grown = fixture::DEFINITION.replace(entities, &format!("{entities}\nnumbers = [\"tip\"]"));
    let tips = "SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 'transactions' AND column_name = 'tip'";
    assert_eq!(system.count(tips).await.unwrap(), 0);
    for _ in 0..2 {
        init(system, &grown).await.unwrap();
        assert_eq!(system.count(tips).await.unwrap(), 1);
    }
    let other = fixture::DEFINITION.replace(
        entities,
        "entities = [\"customer_id\"]\nnumbers = [\"terminal_id\"]",
    );
    let error = init(system, &other).await.unwrap_err().to_string();
    assert!(
        error.contains("column terminal_id of table transactions is character varying"),
        "{error}"
    );
    init(system, fixture::DEFINITION).await.unwrap();
}

/// A second read of the stream gives the same audit. A decision that is missing on the stream is
/// lost.
async fn the_stream(
    system: &System,
    scope: &AuditScope,
    seen: &DecisionLog,
    approved: &str,
    clean: &Audit,
) {
    let read = consume::read(&system.kinesis, &system.decisions_stream)
        .await
        .unwrap();
    assert_eq!(&audit(system, scope, Some(&read)).await.unwrap(), clean);
    let mut less = seen.clone();
    less.provisional
        .retain(|_, read| read.decision.transaction_id != approved);
    let found = audit(system, scope, Some(&less)).await.unwrap();
    assert_eq!((found.lost, found.is_clean()), (1, false), "{found:?}");
}

/// An audit of some transactions ignores the others.
async fn among_others(system: &System, sent: &Sent, clean: &Audit) {
    let some = sent
        .transactions
        .iter()
        .filter(|(id, _)| id.starts_with("T00"))
        .step_by(3);
    let (ids, ends): (Vec<String>, Vec<Option<Action>>) =
        some.map(|(id, end)| (id.clone(), *end)).unzip();
    let held = ends.iter().flatten().count();
    // Their times are the start of the test or the day of the example event.
    let first: Timestamp = "2026-01-30T00:00:00Z".parse().unwrap();
    let span = (first, Timestamp::now() + SignedDuration::from_hours(1));
    let scope = AuditScope {
        ids: ids.into_iter().collect(),
        among_others: Some(span),
    };
    let found = audit(system, &scope, None).await.unwrap();
    let rejected = clean.rejected;
    let expected = Audit {
        sent: scope.ids.len(),
        decided: scope.ids.len(),
        held,
        settled: held,
        rejected,
        evidence_compared: found.evidence_compared,
        late_evidence: found.late_evidence,
        ..Audit::default()
    };
    assert_eq!(found, expected);

    let entry = keys::ledger(first, "000000000009-1-2");
    system.objects.put(&entry, b"{}".to_vec()).await.unwrap();
    assert_eq!(
        audit(system, &scope, None).await.unwrap().pending,
        0,
        "a young entry is in progress"
    );
    assert_eq!(audit(system, &sent.scope(), None).await.unwrap().pending, 1);
    system.objects.delete(&entry).await.unwrap();
}
