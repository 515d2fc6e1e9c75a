use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use confirm::{SecondModel, Settler};
use decision::SettledBy;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use load::{AdvanceOutcome, Loader, StartOutcome, WarehouseTable};
use store::{Objects, Stream};
use tokio::time::timeout;
use warehouse::Warehouse;

use crate::{DueWork, Error, SweepReport, find};

/// How many statements are settled at a time. The warehouse answers about 20 result requests per
/// second for the whole account.
const CONCURRENCY: usize = 8;

/// How long a sweep works on entries that are not overdue. Must be shorter than the interval of the
/// schedule.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// One sweep over the ledger.
pub struct Sweep<'a, O, D, W, M> {
    pub settler: &'a Settler<'a, O, D, W, M>,
    pub loader: &'a Loader<'a, O, W>,
    /// The minimum age of an attempt before the sweep handles it.
    pub grace: Duration,
    /// How long the sweep works on entries that are not overdue.
    pub patience: Duration,
}

impl<O: Objects, D: Stream, W: Warehouse, M: SecondModel> Sweep<'_, O, D, W, M> {
    /// Finds the due work and does it. A failure is logged and counted, and does not stop the other
    /// work. Returns an error at the end if anything failed.
    pub async fn run(&self, now: Timestamp) -> Result<SweepReport, Error> {
        let due = find(self.loader.objects, self.grace, now).await?;
        let report = self.act(due, now).await;
        tracing::info!(
            counts = serde_json::to_string(&report).unwrap_or_default(),
            "sweep done"
        );
        report.checked()
    }

    /// Settles all overdue holds first, then does the other work until `patience` is over. The next
    /// sweep finds everything that was left or interrupted.
    pub async fn act(&self, due: DueWork, now: Timestamp) -> SweepReport {
        let mut report = SweepReport {
            holds: due.overdue.len() + due.holds.len(),
            loads: due.loads.len(),
            young: due.young,
            unreadable: due.unreadable.len(),
            failed: due.unreachable.len(),
            ..SweepReport::default()
        };
        self.settle(&due.overdue, now, &mut report).await;
        let rest = async {
            self.settle(&due.holds, now, &mut report).await;
            self.advance_loads(&due.loads, now, &mut report).await;
            self.start_loads(now, &mut report).await;
        };
        if timeout(self.patience, rest).await.is_err() {
            tracing::error!("sweep stopped at its time limit: the next sweep does the rest");
            report.failed += 1;
        }
        report
    }

    async fn settle(&self, names: &[String], now: Timestamp, report: &mut SweepReport) {
        // INVARIANT: a warehouse that does not answer delays all overdue holds together by a few
        // times `patience`, not each of them by one. After `CONCURRENCY` statements without an
        // answer, the sweep does not wait for the warehouse any more.
        let unanswered = AtomicUsize::new(0);
        let impatient = Settler {
            patience: Duration::ZERO,
            ..*self.settler
        };
        let mut results = stream::iter(names)
            .map(|name| {
                let settler = if unanswered.load(Ordering::Relaxed) < CONCURRENCY {
                    self.settler
                } else {
                    &impatient
                };
                async move { (name, settler.settle(name, SettledBy::Sweep, now).await) }
            })
            .buffer_unordered(CONCURRENCY);
        while let Some((name, result)) = results.next().await {
            match result {
                Ok(settled) => {
                    unanswered.fetch_add(settled.unanswered, Ordering::Relaxed);
                    report.settled += settled;
                }
                Err(error) => {
                    tracing::error!(
                        statement = name,
                        error = startup::chain(&error),
                        "can't settle the holds of a statement: the next sweep tries again"
                    );
                    report.failed += 1;
                }
            }
        }
    }

    async fn advance_loads(&self, names: &[String], now: Timestamp, report: &mut SweepReport) {
        for name in names {
            match self.loader.advance(name, now).await {
                Ok(AdvanceOutcome::Loaded) => report.loaded += 1,
                Ok(AdvanceOutcome::GivenUp) => report.given_up += 1,
                Ok(AdvanceOutcome::Resubmitted) => report.begun += 1,
                Ok(
                    AdvanceOutcome::Absent
                    | AdvanceOutcome::Running
                    | AdvanceOutcome::Waiting
                    | AdvanceOutcome::Split,
                ) => {}
                Err(error) => {
                    tracing::error!(
                        statement = name,
                        error = startup::chain(&error),
                        "can't advance a load: the next sweep tries again"
                    );
                    report.failed += 1;
                }
            }
        }
    }

    /// Starts loads for waiting lists that no function started a load for, because it died first.
    async fn start_loads(&self, now: Timestamp, report: &mut SweepReport) {
        for table in WarehouseTable::ALL {
            match self.loader.start(table, now).await {
                Ok(StartOutcome::Begun) => report.begun += 1,
                Ok(StartOutcome::NothingWaits | StartOutcome::UnderWay) => {}
                Err(error) => {
                    tracing::error!(
                        table = table.name(),
                        error = startup::chain(&error),
                        "can't start a load: the next sweep tries again"
                    );
                    report.failed += 1;
                }
            }
        }
    }
}
