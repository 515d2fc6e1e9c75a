//! The audit must detect damage in each place that it reads.

use decision::Action;
use decision::keys;
use harness::fixture;
use jiff::{SignedDuration, Timestamp};
use look::audit::{Audit, AuditScope, audit};
use look::consume::{self, DecisionLog};
use look::init::init;
use look::system::System;
use serde_json::Value;
use store::Objects as _;

use crate::sent::Sent;

/// Damages the system in one place after the other, and repairs it where possible.
pub(crate) async fn is_seen(system: &System, sent: &Sent, log: &DecisionLog) {
    let scope = sent.scope();
    let audited = async || audit(system, &scope, Some(log)).await.unwrap();
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

    the_stream(system, &scope, log, &approved, &clean).await;

    // The bucket: a final decision is missing.
    let end = keys::outcome(&released.as_str().into());
    let bytes = system.objects.get(&end).await.unwrap().unwrap();
    system.objects.delete(&end).await.unwrap();
    let found = audited().await;
    assert_eq!(
        (found.unsettled, found.settled, found.lost),
        (1, clean.settled - 1, 0),
        "{found:?}"
    );
    system.objects.put(&end, bytes).await.unwrap();

    // Failed work is counted until it is repaired.
    for (key, field) in [
        ("aws/lambda/x/y", "given_up_batches"),
        ("manifests/failed/outcomes/x.json", "given_up_loads"),
    ] {
        system.objects.put(key, b"{}".to_vec()).await.unwrap();
        let found = audited().await;
        let counts: Value = serde_json::to_value(&found).unwrap();
        assert!(!found.is_clean() && counts[field] == 1, "{found:?}");
        system.objects.delete(key).await.unwrap();
    }

    among_others(system, sent, &clean).await;

    // The warehouse, which is not repaired: rows are missing, and one is a duplicate.
    let twice =
        format!("INSERT INTO outcomes SELECT * FROM outcomes WHERE transaction_id = '{released}'");
    system.execute(vec![twice]).await.unwrap();
    assert_eq!(audited().await.duplicates, 1);
    system
        .execute(vec![format!(
            "DELETE FROM outcomes WHERE transaction_id = '{released}'"
        )])
        .await
        .unwrap();
    let found = audited().await;
    assert_eq!(
        (found.unsettled, found.lost, found.duplicates),
        (1, 0, 0),
        "{found:?}"
    );
    system
        .execute(vec![format!(
            "DELETE FROM transactions WHERE transaction_id = '{approved}'"
        )])
        .await
        .unwrap();
    let found = audited().await;
    assert_eq!((found.unsettled, found.lost), (1, 1), "{found:?}");

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
    log: &DecisionLog,
    approved: &str,
    clean: &Audit,
) {
    let read = consume::read(&system.kinesis, &system.decisions_stream)
        .await
        .unwrap();
    assert_eq!(&audit(system, scope, Some(&read)).await.unwrap(), clean);
    let mut less = log.clone();
    less.provisional.remove(approved);
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
        ..Audit::default()
    };
    assert_eq!(found, expected);

    let entry = keys::pending("second-look-confirm-young");
    system.objects.put(&entry, b"{}".to_vec()).await.unwrap();
    assert_eq!(
        audit(system, &scope, None).await.unwrap().pending,
        0,
        "a young entry is in progress"
    );
    assert_eq!(audit(system, &sent.scope(), None).await.unwrap().pending, 1);
    system.objects.delete(&entry).await.unwrap();
}
