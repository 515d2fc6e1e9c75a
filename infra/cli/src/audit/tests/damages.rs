//! Damages to a system, and the problem that the audit must report for each.

use super::*;

pub(super) type Damage = fn(&mut World);

/// Each damage, the problem that the audit reports and how often.
pub(super) const DAMAGES: &[(&str, Damage, Problem, usize)] = &[
    (
        "no object",
        |world| {
            world.state.decided.remove(&identity("a"));
            world.state.transactions.remove(&identity("a"));
        },
        Problem::Lost,
        1,
    ),
    (
        "no row",
        |world| drop(world.state.transactions.remove(&identity("a"))),
        Problem::Lost,
        1,
    ),
    (
        "no approval on the stream",
        |world| drop(world.log.provisional.remove("1-a")),
        Problem::Lost,
        1,
    ),
    (
        "no hold on the stream",
        |world| drop(world.log.provisional.remove("1-h")),
        Problem::Lost,
        1,
    ),
    (
        "no outcome",
        |world| world.state.outcomes.clear(),
        Problem::Unsettled,
        1,
    ),
    (
        "no row of the end",
        |world| world.state.ended.clear(),
        Problem::Unsettled,
        1,
    ),
    (
        "no end on the stream",
        |world| world.log.finals.clear(),
        Problem::Unsettled,
        1,
    ),
    (
        "a row three times",
        |world| world.row("a").times = 3,
        Problem::Duplicate,
        2,
    ),
    (
        "an end twice",
        |world| world.ended().times = 2,
        Problem::Duplicate,
        1,
    ),
    (
        "a row without a batch",
        |world| {
            let rows = row("x", Action::Approve);
            world.state.transactions.insert(identity("x"), rows);
        },
        Problem::Unknown,
        1,
    ),
    (
        "a transaction that was never sent",
        |world| world.scope.ids.retain(|id| id != "a"),
        Problem::Unknown,
        1,
    ),
    (
        "an outcome of an approval",
        |world| {
            let outcome = outcome("a", Action::Block);
            world.state.outcomes.insert(identity("a"), Some(outcome));
        },
        Problem::Unknown,
        1,
    ),
    (
        "a final decision without a hold",
        |world| world.see(decision("x", Stage::Final, Action::Block)),
        Problem::Unknown,
        1,
    ),
    (
        "two actions in the bucket",
        |world| world.decided("a").actions.extend([Action::Hold]),
        Problem::Contradictory,
        1,
    ),
    (
        "another action on the stream",
        |world| world.see(decision("a", Stage::Provisional, Action::Hold)),
        Problem::Contradictory,
        1,
    ),
    (
        "another action in the warehouse",
        |world| world.row("a").action = Some(Action::Hold),
        Problem::Contradictory,
        1,
    ),
    (
        "another end in the warehouse",
        |world| world.ended().action = Some(Action::Block),
        Problem::Contradictory,
        1,
    ),
    (
        "two ends on the stream",
        |world| world.log.contradictions.push("1-h".to_owned()),
        Problem::Contradictory,
        1,
    ),
    (
        "an end after the deadline and one interval of the sweep",
        |world| {
            let late = at(20 + 66);
            world.outcome().decided_at = late;
            let stored = world.state.finals.get_mut("1-h").unwrap();
            stored.decision.decided_at = late;
            world.log.finals.get_mut("1-h").unwrap().decision.decided_at = late;
        },
        Problem::Late,
        1,
    ),
    (
        "another action in the outcome",
        |world| world.outcome().action = Action::Block,
        Problem::ChangedOutcome,
        1,
    ),
    (
        "another score in the outcome",
        |world| world.outcome().score = 0.51,
        Problem::ChangedOutcome,
        1,
    ),
    (
        "another amount in the warehouse",
        |world| world.row("a").amount = Some(3.01),
        Problem::ChangedRow,
        1,
    ),
    (
        "another customer in the warehouse",
        |world| world.row("h").entities = vec![Some("d".to_owned())],
        Problem::ChangedRow,
        1,
    ),
    (
        "other evidence than before",
        |world| {
            let again = &mut world.state.evidence_again;
            again.different.insert("1-h".to_owned(), "score".to_owned());
        },
        Problem::ChangedEvidence,
        1,
    ),
    (
        "another score in the warehouse",
        |world| world.row("h").score = None,
        Problem::ChangedRow,
        1,
    ),
    (
        "another score of the end in the warehouse",
        |world| world.ended().score = Some(0.51),
        Problem::ChangedRow,
        1,
    ),
    (
        "a file of fraud reports that was never loaded",
        |world| world.state.label_files.push(reported("a")),
        Problem::NotLoaded,
        1,
    ),
    (
        "an entry that waits for too long",
        |world| {
            let key = "waiting/evidence-0/0000000001-0000000-0000001.held";
            world.state.waiting.push(object(key, at(9_600)));
        },
        Problem::WaitsTooLong,
        1,
    ),
    (
        "an object that is no waiting entry",
        |world| world.state.waiting.push(object("waiting/x", at(9_999))),
        Problem::Damaged,
        1,
    ),
    (
        "a damaged object",
        |world| world.state.damaged.push("outcomes/x".to_owned()),
        Problem::Damaged,
        1,
    ),
    (
        "an object in the ledger",
        |world| world.state.ledger.push(object("holds/x", at(0))),
        Problem::LeftInLedger,
        1,
    ),
    (
        "a failed batch",
        |world| {
            let failed = object("aws/lambda/x", at(0));
            world.state.failed_batches.push(failed);
        },
        Problem::FailedBatch,
        1,
    ),
    (
        "refused rows",
        |world| world.state.quarantined.push(object("quarantine/x", at(0))),
        Problem::Quarantined,
        1,
    ),
];
