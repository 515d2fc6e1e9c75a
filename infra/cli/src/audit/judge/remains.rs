//! Things without an origin, and work that is left behind.

use std::collections::BTreeSet;

use decision::{Action, keys};
use jiff::SignedDuration;
use turns::{Lane, WaitingEntry};

use super::Judge;
use crate::audit::finding::Problem;
use crate::audit::label_files::{self, NotLoaded};
use crate::audit::load_again;
use crate::audit::stored::StoredTransaction;

/// An entry that waits this long beyond its lane's usual time is late. The sweep's alarm has the same
/// limit.
const LATE_ENTRY: SignedDuration = SignedDuration::from_mins(5);

impl Judge<'_> {
    pub(super) fn nothing_is_unknown(&mut self) {
        let state = self.state;
        let mut decisions: BTreeSet<&str> = BTreeSet::new();
        for stored in state.decided.values() {
            for (id, decision) in &stored.decisions {
                if decision.actions.contains(&Action::Hold) {
                    decisions.insert(id);
                }
            }
            if !self.scope.ids.contains(&stored.transaction_id) {
                self.unknown(format!(
                    "transaction {} in {} was never sent",
                    stored.transaction_id, stored.batch.key
                ));
            }
        }
        for (identity, rows) in &state.transactions {
            if !state.decided.contains_key(identity) {
                self.unknown(format!(
                    "row of transaction {} in the warehouse is in no batch",
                    rows.transaction_id
                ));
            }
        }
        for (identity, outcome) in &state.outcomes {
            let id = outcome.as_ref().map(|outcome| &outcome.transaction_id);
            let is_ours = id.is_none_or(|id| self.scope.is_about(id.as_str()));
            let held = state
                .decided
                .get(identity)
                .is_some_and(StoredTransaction::is_held);
            if is_ours && !held {
                self.unknown(format!("{} has no hold", keys::outcome(*identity)));
            }
        }
        let on_stream = self.published.log.into_iter().flat_map(|log| &log.finals);
        let on_stream = on_stream
            .filter(|(_, read)| self.scope.is_about(read.decision.transaction_id.as_str()))
            .map(|(id, _)| id);
        let finals: BTreeSet<&String> = on_stream
            .chain(state.finals.keys())
            .chain(state.ended.keys())
            .collect();
        for id in finals {
            if !decisions.contains(id.as_str()) {
                self.unknown(format!("final decision {id} has no hold"));
            }
        }
    }

    fn unknown(&mut self, subject: String) {
        let repair = "find its source: another producer, or a part of the bucket that is gone";
        self.findings.add(Problem::Unknown, subject, repair);
    }

    pub(super) fn nothing_is_left_behind(&mut self) {
        let state = self.state;
        let bucket = &state.bucket;
        for object in &state.waiting {
            let age = self.now.duration_since(object.modified);
            match WaitingEntry::parse(&object.key) {
                None => self.findings.add(
                    Problem::Damaged,
                    format!("{} is not a waiting entry", object.key),
                    "move the object elsewhere",
                ),
                Some(entry) if age > self.usual_wait(&entry) + LATE_ENTRY => self.findings.add(
                    Problem::WaitsTooLong,
                    format!("{}, for {} s", object.key, age.as_secs()),
                    "invoke sweep; the logs of load, confirm and sweep say why its lane stands \
                     still",
                ),
                Some(_) => {}
            }
        }
        for NotLoaded { object, missing } in
            label_files::not_loaded(&state.label_files, &state.loaded_reports)
        {
            let key = &object.key;
            let subject = match missing {
                Some(missing) => format!("{missing} reports of {key} are not in the warehouse"),
                None => format!("{key} is not gzip"),
            };
            let repair = format!("load it: {}", load_again::label_file(bucket, object));
            self.findings.add(Problem::NotLoaded, subject, repair);
        }
        for object in &state.ledger {
            self.findings.add(
                Problem::LeftInLedger,
                &object.key,
                "invoke sweep: it deletes the object when all its holds are settled",
            );
        }
        for key in &state.damaged {
            self.findings.add(
                Problem::Damaged,
                key,
                "restore the object from a copy or, for an outcome, from the final decision \
                 under outcomes/dt=…",
            );
        }
        for object in &state.failed_batches {
            self.findings.add(
                Problem::FailedBatch,
                &object.key,
                "replay its records: docs/operating.md, Replay records",
            );
        }
        for object in &state.quarantined {
            self.findings.add(
                Problem::Quarantined,
                &object.key,
                format!(
                    "docs/operating.md, Load an object again; then: aws s3 rm 's3://{bucket}/{}'",
                    object.key
                ),
            );
        }
        let contradictions = self
            .published
            .log
            .into_iter()
            .flat_map(|log| &log.contradictions);
        let ours: Vec<&String> = contradictions
            .filter(|id| self.is_about_decision(id))
            .collect();
        for id in ours {
            self.findings.add(
                Problem::Contradictory,
                format!("decision {id} on the stream"),
                "the bucket counts: transactions/ and outcomes/by-transaction/",
            );
        }
    }

    fn usual_wait(&self, entry: &WaitingEntry) -> SignedDuration {
        match entry.lane() {
            Lane::Transactions => self.state.load_wait,
            Lane::Evidence(_) | Lane::Labels | Lane::Outcomes => SignedDuration::ZERO,
        }
    }

    fn is_about_decision(&self, decision_id: &str) -> bool {
        let decision = self.published.provisional(decision_id);
        let decision = decision.or_else(|| self.published.last(decision_id));
        decision.is_none_or(|decision| self.scope.is_about(decision.transaction_id.as_str()))
    }
}
