//! The lanes' part of a sweep.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use startup::chain;
use store::Objects;
use turns::{Lane, Progress, Started, Starter, Turns, Work};
use warehouse::Warehouse;

use crate::SweepReport;

/// How many lanes are worked on side by side.
const CONCURRENCY: usize = 8;
/// An entry may wait this long beyond the usual wait of its lane. An older entry means that the lane
/// stands still.
const STANDS_STILL_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// The lanes' part of a sweep.
pub(crate) struct Lanes<'a, O, W, K> {
    pub(crate) turns: &'a Turns<'a, O, W, K>,
    pub(crate) evidence_lanes: u16,
}

impl<O: Objects, W: Warehouse, K: Work> Lanes<'_, O, W, K> {
    /// Works on each lane. A failure in one is logged and counted, and stops no other.
    pub(crate) async fn sweep(&self, now: Timestamp, report: &mut SweepReport) {
        let lanes = self.all(report).await;
        let mut swept = stream::iter(lanes)
            .map(|lane| async move { (self.sweep_one(lane, now).await, lane) })
            .buffer_unordered(CONCURRENCY);
        while let Some((result, lane)) = swept.next().await {
            match result {
                Ok(part) => *report += part,
                Err(error) => {
                    tracing::error!(
                        %lane,
                        error = chain(&error),
                        "lane not handled: the next sweep tries again"
                    );
                    report.failed += 1;
                }
            }
        }
    }

    /// Evidence first: holds wait for it.
    async fn all(&self, report: &mut SweepReport) -> Vec<Lane> {
        let evidence = self.turns.evidence_lanes(self.evidence_lanes).await;
        let evidence = evidence.unwrap_or_else(|error| {
            tracing::error!(error = chain(&error), "evidence lanes not listed");
            report.failed += 1;
            BTreeSet::new()
        });
        let others = [Lane::Transactions, Lane::Labels, Lane::Outcomes];
        evidence.into_iter().chain(others).collect()
    }

    async fn sweep_one(&self, lane: Lane, now: Timestamp) -> Result<SweepReport, turns::Error> {
        let mut report = SweepReport::default();
        if let Some(progress) = self.turns.advance_overdue(lane, now).await? {
            report.resumed += 1;
            if progress == Progress::Ended {
                report.ended += 1;
            }
        }
        let started = self.turns.start(lane, Starter::Sweep, now).await?;
        if matches!(started, Started::Claimed(_)) {
            report.started += 1;
        }
        self.report_standstill(lane, now, &mut report).await?;
        Ok(report)
    }

    async fn report_standstill(
        &self,
        lane: Lane,
        now: Timestamp,
        report: &mut SweepReport,
    ) -> Result<(), turns::Error> {
        let settings = self.turns.settings;
        let usual = match lane {
            Lane::Transactions => settings.load_interval + settings.turn_interval,
            Lane::Evidence(_) | Lane::Labels | Lane::Outcomes => SignedDuration::ZERO,
        };
        let Some(since) = self.turns.waiting_since(lane).await? else {
            return Ok(());
        };
        let waited = now.duration_since(since);
        if waited > usual + STANDS_STILL_AFTER {
            // The template counts this message: see `LanesStandStillInSweep` there.
            tracing::error!(
                %lane,
                waited_seconds = waited.as_secs(),
                "lane stands still: its oldest entry waits for too long"
            );
            report.standing_still += 1;
        }
        Ok(())
    }

    /// Deletes turns that are over. Called once an hour.
    pub(crate) async fn clean_up(&self, now: Timestamp, report: &mut SweepReport) {
        for lane in self.all(report).await {
            match self.turns.clean_up(lane, self.evidence_lanes, now).await {
                Ok(deleted) => report.deleted_turns += deleted,
                Err(error) => {
                    tracing::error!(%lane, error = chain(&error), "old turns not deleted");
                    report.failed += 1;
                }
            }
        }
    }
}
