use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use confirm::{SecondModel, SettleReport, Settler};
use decision::SettledBy;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use load::{AdvanceOutcome, Loader, StartOutcome, WarehouseTable};
use serde::Serialize;
use store::{Objects, Stream};
use tokio::time::timeout;
use warehouse::Warehouse;

use crate::{DueWork, Error, find};

/// How many statements are dealt with at a time; the warehouse answers some 20 result requests a
/// second for the whole account.
const CONCURRENCY: usize = 8;

/// How long a sweep goes on with what no deadline presses: less than the time between two sweeps.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// One sweep over the ledger.
pub struct Sweep<'a, O, D, W, J> {
    /// The path of holds.
    pub settler: &'a Settler<'a, O, D, W, J>,
    /// The path of loads.
    pub loader: &'a Loader<'a, O, W>,
    /// How old an attempt must be before the sweep looks at it.
    pub grace: Duration,
    /// How long it goes on with what no deadline presses.
    pub patience: Duration,
}

/// What a sweep did, in counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SweepReport {
    /// Statements of holds that were due.
    pub holds: usize,
    /// Statements of loads that were due.
    pub loads: usize,
    /// Entries left alone, as they are too young.
    pub young: usize,
    /// Entries that can't be read; the log names their keys.
    pub unreadable: usize,
    /// Entries and tables that could not be dealt with this time; the log says why.
    pub failed: usize,
    /// Loads whose end was found.
    pub loaded: usize,
    /// Loads given up.
    pub given_up: usize,
    /// Loads begun or submitted again.
    pub begun: usize,
    /// What became of the holds.
    #[serde(flatten)]
    pub settled: SettleReport,
}

impl SweepReport {
    /// Itself, unless something in it is for a person to see to.
    fn checked(self) -> Result<Self, Error> {
        let Self {
            failed,
            unreadable,
            given_up,
            ..
        } = self;
        if failed + unreadable + given_up == 0 {
            Ok(self)
        } else {
            Err(Error::Left {
                failed,
                unreadable,
                given_up,
            })
        }
    }
}

impl<O: Objects, D: Stream, W: Warehouse, J: SecondModel> Sweep<'_, O, D, W, J> {
    /// Finds what is due and does it. What fails is logged and counted, and stops nothing else; when
    /// all is done, it is an error.
    pub async fn run(&self, now: Timestamp) -> Result<SweepReport, Error> {
        let due = find(self.loader.objects, self.grace, now).await?;
        let swept = self.act(due, now).await;
        tracing::info!(
            counts = serde_json::to_string(&swept).unwrap_or_default(),
            "swept"
        );
        swept.checked()
    }

    /// Does what is due: first what is overdue, however long it takes, then the rest while there is
    /// time. What is left, or broken off, the next sweep finds as it was.
    pub async fn act(&self, due: DueWork, now: Timestamp) -> SweepReport {
        let mut swept = SweepReport {
            holds: due.overdue.len() + due.holds.len(),
            loads: due.loads.len(),
            young: due.young,
            unreadable: due.unreadable.len(),
            failed: due.unreachable.len(),
            ..SweepReport::default()
        };
        self.settle(&due.overdue, now, &mut swept).await;
        let rest = async {
            self.settle(&due.holds, now, &mut swept).await;
            self.load(&due.loads, now, &mut swept).await;
        };
        if timeout(self.patience, rest).await.is_err() {
            tracing::error!("sweep cut short: the rest is left to the next");
            swept.failed += 1;
        }
        swept
    }

    async fn settle(&self, names: &[String], now: Timestamp, swept: &mut SweepReport) {
        // INVARIANT: a warehouse that does not answer holds up the overdue for a moment in all, not
        // each of them for one: so many are asked about at a time, and then no more.
        let unanswered = AtomicUsize::new(0);
        let hasty = Settler {
            patience: Duration::ZERO,
            ..*self.settler
        };
        let mut settled = stream::iter(names)
            .map(|name| {
                let settler = if unanswered.load(Ordering::Relaxed) < CONCURRENCY {
                    self.settler
                } else {
                    &hasty
                };
                async move { (name, settler.settle(name, SettledBy::Sweep, now).await) }
            })
            .buffer_unordered(CONCURRENCY);
        while let Some((name, result)) = settled.next().await {
            match result {
                Ok(report) => {
                    unanswered.fetch_add(report.unanswered, Ordering::Relaxed);
                    swept.settled += report;
                }
                Err(error) => {
                    tracing::error!(
                        statement = name,
                        error = startup::chain(&error),
                        "holds not settled"
                    );
                    swept.failed += 1;
                }
            }
        }
    }

    async fn load(&self, names: &[String], now: Timestamp, swept: &mut SweepReport) {
        for name in names {
            match self.loader.advance(name, now).await {
                Ok(AdvanceOutcome::Loaded) => swept.loaded += 1,
                Ok(AdvanceOutcome::GivenUp) => swept.given_up += 1,
                Ok(AdvanceOutcome::Resubmitted) => swept.begun += 1,
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
                        "load not advanced"
                    );
                    swept.failed += 1;
                }
            }
        }
        // Lists may wait that nobody has kicked for: whoever wrote them died.
        for table in WarehouseTable::ALL {
            match self.loader.kick(table, now).await {
                Ok(StartOutcome::Begun) => swept.begun += 1,
                Ok(StartOutcome::NothingWaits | StartOutcome::UnderWay) => {}
                Err(error) => {
                    tracing::error!(
                        table = table.name(),
                        error = startup::chain(&error),
                        "no load begun"
                    );
                    swept.failed += 1;
                }
            }
        }
    }
}
