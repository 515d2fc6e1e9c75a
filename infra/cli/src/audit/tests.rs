mod damages;

use damages::DAMAGES;
use decision::settle::Outcome;
use decision::{Action, Decision, Entities, Identity, SettledBy, Stage, keys};
use jiff::SignedDuration;
use store::ObjectInfo;

use super::finding::Problem;
use super::label_files::{LabelFile, Report};
use super::stored::{StoredDecision, StoredFinal, StoredTransaction};
use super::warehouse_rows::{OutcomeRows, TransactionRows};
use super::*;
use crate::consume::ReadDecision;

const CUSTOMER: &str = "customer_id";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + seconds).unwrap()
}

fn identity(id: &str) -> Identity {
    Identity::new(id, at(0), 3.0, ["c"])
}

/// The provisional or the final decision `1-<id>` on transaction `id`.
fn decision(id: &str, stage: Stage, action: Action) -> Decision {
    let is_final = stage == Stage::Final;
    let held = action != Action::Approve;
    Decision {
        decision_id: format!("1-{id}"),
        transaction_id: id.into(),
        entities: Entities::from([(CUSTOMER.to_owned(), "c".to_owned())]),
        stage,
        action,
        score: 0.5,
        reasons: Vec::new(),
        bundle_version: "v".to_owned(),
        decided_at: at(1),
        deadline: held.then_some(at(20)),
        evidence: None,
        settled_by: is_final.then_some(SettledBy::Confirm),
        held_ms: is_final.then_some(1_000),
        degraded: Vec::new(),
    }
}

fn outcome(id: &str, action: Action) -> Outcome {
    let last = decision(id, Stage::Final, action);
    Outcome {
        identity: identity(id),
        transaction_id: last.transaction_id,
        entities: last.entities,
        action,
        score: last.score,
        reasons: last.reasons,
        bundle_version: last.bundle_version,
        decided_at: last.decided_at,
        evidence: None,
        settled_by: SettledBy::Confirm,
        degraded: Vec::new(),
    }
}

fn stored(id: &str, action: Action) -> StoredTransaction {
    let decision = StoredDecision {
        actions: [action].into(),
        score: 0.5,
        deadline: (action == Action::Hold).then_some(at(20)),
    };
    StoredTransaction {
        transaction_id: id.to_owned(),
        amount: 3.0,
        entities: vec![Some("c".to_owned())],
        batch: object("transactions/dt=1970-01-12/hh=13/s-1-2.ndjson.gz", at(2)),
        decisions: [(format!("1-{id}"), decision)].into(),
    }
}

fn row(id: &str, action: Action) -> TransactionRows {
    TransactionRows {
        times: 1,
        transaction_id: id.to_owned(),
        decision_id: format!("1-{id}"),
        action: Some(action),
        score: Some(0.5),
        amount: Some(3.0),
        entities: vec![Some("c".to_owned())],
    }
}

fn object(key: &str, modified: Timestamp) -> ObjectInfo {
    ObjectInfo {
        key: key.to_owned(),
        modified,
        bytes: 0,
    }
}

/// A file of fraud reports with one report.
fn reported(id: &str) -> LabelFile {
    let report = Report {
        transaction_id: id.to_owned(),
        reported_at: Some(at(5)),
        is_fraud: true,
    };
    LabelFile {
        object: object(&format!("labels/{id}.gz"), at(6)),
        reports: Some(vec![report]),
    }
}

/// A system and the decisions on its stream.
#[derive(Clone)]
struct World {
    scope: AuditScope,
    state: StoredState,
    log: DecisionLog,
}

impl World {
    /// An approval `a` and a hold `h` that was released, in perfect order.
    fn in_order() -> Self {
        let released = OutcomeRows {
            times: 1,
            transaction_id: "h".to_owned(),
            action: Some(Action::Release),
            score: Some(0.5),
        };
        let last = StoredFinal {
            decision: decision("h", Stage::Final, Action::Release),
            slice: object("outcomes/dt=1970-01-12/0a.ndjson.gz", at(2)),
        };
        let state = StoredState {
            bucket: "bucket".to_owned(),
            entities: vec![CUSTOMER.to_owned()],
            load_wait: SignedDuration::from_secs(300),
            decided: [
                (identity("a"), stored("a", Action::Approve)),
                (identity("h"), stored("h", Action::Hold)),
            ]
            .into(),
            transactions: [
                (identity("a"), row("a", Action::Approve)),
                (identity("h"), row("h", Action::Hold)),
            ]
            .into(),
            outcomes: [(identity("h"), Some(outcome("h", Action::Release)))].into(),
            finals: [("1-h".to_owned(), last)].into(),
            ended: [("1-h".to_owned(), released)].into(),
            ..StoredState::default()
        };
        let mut world = Self {
            scope: AuditScope::nothing_but(["a", "h"].map(str::to_owned).into()),
            state,
            log: DecisionLog::default(),
        };
        world.see(decision("a", Stage::Provisional, Action::Approve));
        world.see(decision("h", Stage::Provisional, Action::Hold));
        world.see(decision("h", Stage::Final, Action::Release));
        world
    }

    fn see(&mut self, decision: Decision) {
        let decisions = match decision.stage {
            Stage::Provisional => &mut self.log.provisional,
            Stage::Final => &mut self.log.finals,
        };
        decisions.insert(
            decision.decision_id.clone(),
            ReadDecision {
                decision,
                read_at: at(3),
            },
        );
    }

    fn audit(&self, approvals_published: bool) -> Audit {
        let published = Published {
            log: Some(&self.log),
            approvals_published,
        };
        judge(&self.scope, &self.state, published, at(10_000))
    }

    fn without_stream(&self) -> Audit {
        let published = Published {
            log: None,
            approvals_published: true,
        };
        judge(&self.scope, &self.state, published, at(10_000))
    }

    fn decided(&mut self, id: &str) -> &mut StoredDecision {
        let stored = self.state.decided.get_mut(&identity(id)).unwrap();
        stored.decisions.values_mut().next().unwrap()
    }

    fn row(&mut self, id: &str) -> &mut TransactionRows {
        self.state.transactions.get_mut(&identity(id)).unwrap()
    }

    fn outcome(&mut self) -> &mut Outcome {
        let outcome = self.state.outcomes.get_mut(&identity("h")).unwrap();
        outcome.as_mut().unwrap()
    }

    fn ended(&mut self) -> &mut OutcomeRows {
        self.state.ended.get_mut("1-h").unwrap()
    }
}

#[test]
fn a_system_in_order_is_clean() {
    let world = World::in_order();
    let audit = world.audit(true);
    assert_eq!(
        audit,
        Audit {
            sent: 2,
            decided: 2,
            held: 1,
            settled: 1,
            ..Audit::default()
        }
    );
    assert!(audit.is_clean());
    assert!(world.without_stream().is_clean());
}

#[test]
fn each_damage_is_reported_as_its_problem_with_a_repair() {
    let mut found = std::collections::BTreeSet::new();
    for (name, damage, problem, times) in DAMAGES {
        let mut world = World::in_order();
        damage(&mut world);
        let audit = world.audit(true);
        assert!(!audit.is_clean(), "{name}");
        assert_eq!(audit.count(*problem), *times, "{name}: {audit:#?}");
        let named: Vec<_> = audit
            .findings
            .iter()
            .filter(|finding| finding.problem == *problem)
            .collect();
        assert_eq!(named.len(), *times, "{name}: {audit:#?}");
        for finding in named {
            assert!(!finding.subject.is_empty() && !finding.repair.is_empty());
        }
        found.insert(*problem);
    }
    assert_eq!(found.len(), Problem::ALL.len(), "{found:?}");
}

#[test]
fn a_changed_row_is_repaired_by_loading_its_batch_again() {
    let mut world = World::in_order();
    world.row("a").amount = None;
    let audit = world.audit(true);
    let [finding] = &audit.findings[..] else {
        panic!("{audit:#?}");
    };
    assert!(finding.subject.contains("amount"), "{finding:?}");
    let (_, key) = finding.repair.split_once("s3://bucket/").unwrap();
    let key = key.trim_end_matches('\'');
    let entry = turns::WaitingEntry::parse(key).unwrap();
    assert_eq!(entry.lane(), turns::Lane::Transactions);
}

#[test]
fn a_file_of_reports_that_was_never_loaded_comes_with_the_command_that_loads_it() {
    let mut world = World::in_order();
    world.state.label_files.push(reported("h"));
    world.state.loaded_reports.insert(("h".to_owned(), true));
    assert!(world.audit(true).is_clean());
    world.state.label_files.push(reported("a"));
    let audit = world.audit(true);
    let [finding] = &audit.findings[..] else {
        panic!("{audit:#?}");
    };
    let command = "load it: printf %s 'labels/a.gz' | aws s3 cp - 's3://bucket/waiting/labels/";
    assert!(finding.repair.starts_with(command), "{finding:?}");
}

#[test]
fn findings_are_counted_and_the_first_of_each_problem_named() {
    let mut world = World::in_order();
    for number in 0..100 {
        let key = format!("holds/{number}");
        world.state.ledger.push(object(&key, at(0)));
    }
    let audit = world.audit(true);
    assert_eq!(audit.pending, 100);
    assert_eq!(audit.findings.len(), 20);
}

#[test]
fn an_entry_may_wait_as_long_as_its_lane_waits() {
    let mut world = World::in_order();
    let batch = "waiting/transactions/live/20261124T011419.870Z-0-1-2-b3-v-d-h498745.plain";
    assert!(turns::WaitingEntry::parse(batch).is_some());
    world.state.waiting.push(object(batch, at(10_000 - 600)));
    assert!(world.audit(true).is_clean());
    world.state.waiting.push(object(batch, at(10_000 - 601)));
    assert_eq!(world.audit(true).waiting_too_long, 1);
}

#[test]
fn a_transaction_that_was_sent_twice_is_one_and_each_decision_has_its_end() {
    let mut world = World::in_order();
    let stored = world.state.decided.get_mut(&identity("h")).unwrap();
    let hold = stored.decisions["1-h"].clone();
    stored.decisions.insert("2-h".to_owned(), hold);
    let audit = world.audit(true);
    assert_eq!((audit.held, audit.settled), (1, 1));
    assert_eq!((audit.unsettled, audit.lost), (1, 1), "{audit:#?}");
    for mut again in [
        decision("h", Stage::Provisional, Action::Hold),
        decision("h", Stage::Final, Action::Release),
    ] {
        again.decision_id = "2-h".to_owned();
        world.see(again);
    }
    let rows = world.ended().clone();
    world.state.ended.insert("2-h".to_owned(), rows);
    assert!(world.audit(true).is_clean(), "{:#?}", world.audit(true));
}

#[test]
fn one_id_with_different_content_is_counted() {
    let mut world = World::in_order();
    let other = Identity::new("a", at(0), 4.0, ["c"]);
    let mut again = stored("a", Action::Approve);
    again.amount = 4.0;
    let decision = again.decisions.pop_first().unwrap().1;
    again.decisions.insert("2-a".to_owned(), decision);
    world.state.decided.insert(other, again);
    let rows = TransactionRows {
        decision_id: "2-a".to_owned(),
        amount: Some(4.0),
        ..row("a", Action::Approve)
    };
    world.state.transactions.insert(other, rows);
    let audit = world.without_stream();
    assert_eq!((audit.id_conflicts, audit.is_clean()), (1, true));
}

#[test]
fn approvals_are_missed_only_where_they_are_published() {
    let mut world = World::in_order();
    world.log.provisional.remove("1-a");
    assert!(world.audit(false).is_clean());
    world.log.provisional.remove("1-h");
    assert_eq!(world.audit(false).lost, 1);
}

#[test]
fn other_transactions_are_ignored_among_others() {
    let mut world = World::in_order();
    world.see(decision("theirs", Stage::Final, Action::Block));
    world.log.contradictions.push("1-theirs".to_owned());
    let audit = world.audit(true);
    assert_eq!((audit.unknown, audit.contradictory), (1, 1));
    world.scope.among_others = Some((at(0), at(0)));
    assert!(world.audit(true).is_clean());
}

#[test]
fn the_key_of_a_changed_outcome_is_named() {
    let mut world = World::in_order();
    world.outcome().action = Action::Review;
    let audit = world.without_stream();
    let key = keys::outcome(identity("h"));
    let named = audit.findings.iter().any(|finding| {
        finding.problem == Problem::ChangedOutcome && finding.subject.starts_with(&key)
    });
    assert!(named, "{audit:#?}");
}
