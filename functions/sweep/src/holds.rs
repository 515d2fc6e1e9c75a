//! The ledger's part of a sweep: holds after their deadline, and forgotten batches.

use std::collections::{BTreeSet, VecDeque};

use confirm::{Forgotten, Settler};
use decision::keys::{LEDGER, ledger_batch, ledger_due};
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use startup::chain;
use store::{ObjectInfo, Objects, Stream};
use tokio::time::Instant;

use crate::SweepReport;

/// How many bytes of ledger objects are settled together, as one part: some 500 holds. A larger
/// object is a part by itself.
const PART_BYTES: u64 = 256 * 1024;
/// How many parts are settled at a time when a sweep begins. Each makes at most 32 requests at a
/// time. At 25 ms a request, three parts write about 2,500 outcomes a second: S3 takes 3,500 writes a
/// second under one prefix before it splits the prefix.
const FIRST_PARTS: usize = 3;
/// One more part is settled at a time after so many seconds, because S3 needs time to split a prefix.
/// Until then it may answer 503, and the adapter of the bucket repeats the request with back-off.
const SECONDS_PER_PART: u64 = 10;
const MOST_PARTS: usize = 6;
/// How many forgotten batches are published at a time.
const CONCURRENCY: usize = 8;
/// How many keys are listed at a time.
const PAGE: usize = 1_000;
/// A younger ledger object may belong to a batch that score is still writing.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// The ledger objects that are due, in the order of their keys.
#[derive(Default)]
struct DueObjects {
    /// Those of the last page that are not settled yet.
    listed: VecDeque<ObjectInfo>,
    /// The last key of that page.
    after: String,
    /// Whether no later page has any.
    is_complete: bool,
}

impl DueObjects {
    fn none() -> Self {
        Self {
            is_complete: true,
            ..Self::default()
        }
    }

    fn add(&mut self, page: Vec<ObjectInfo>, now: Timestamp) {
        let is_due = |object: &ObjectInfo| ledger_due(&object.key).is_none_or(|due| due <= now);
        self.is_complete = !page.last().is_some_and(is_due);
        self.listed.extend(page.into_iter().take_while(is_due));
    }

    /// Takes the first objects: one, or several with at most [`PART_BYTES`] together.
    fn part(&mut self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut bytes = 0;
        while let Some(object) = self.listed.front() {
            bytes += object.bytes;
            if bytes > PART_BYTES && !keys.is_empty() {
                break;
            }
            keys.extend(self.listed.pop_front().map(|object| object.key));
        }
        keys
    }
}

/// The ledger's part of a sweep.
pub(crate) struct Holds<'a, O, D, B> {
    pub(crate) objects: &'a O,
    pub(crate) settler: &'a Settler<'a, O, D, B>,
    pub(crate) began: Instant,
    /// No new work after this time.
    pub(crate) until: Instant,
}

impl<O: Objects, D: Stream, B: confirm::Bundles> Holds<'_, O, D, B> {
    /// Settles each hold after its deadline, earliest due minute first.
    ///
    /// INVARIANT: memory does not grow with the number of holds: one page of keys and at most
    /// `MOST_PARTS` parts at a time.
    pub(crate) async fn expire(&self, now: Timestamp, report: &mut SweepReport) {
        let mut due = DueObjects::default();
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < self.parts_at_once() {
                let Some(keys) = self.next_part(&mut due, now, report).await else {
                    break;
                };
                running.push(self.expire_part(keys, now));
            }
            let Some(settled) = running.next().await else {
                return;
            };
            *report += settled;
        }
    }

    /// How many parts are settled at a time.
    fn parts_at_once(&self) -> usize {
        let added = self.began.elapsed().as_secs() / SECONDS_PER_PART;
        (FIRST_PARTS + added as usize).min(MOST_PARTS)
    }

    /// Whether the ledger has an object whose due minute begins before `time`.
    pub(crate) async fn is_due_before(&self, time: Timestamp) -> bool {
        let first = self.objects.list_after(LEDGER, "", 1).await;
        let keys = first.unwrap_or_default().into_iter();
        let mut due = keys.filter_map(|object| ledger_due(&object.key));
        due.any(|due| due < time)
    }

    /// The next objects to settle together; `None` if no more are due or the time is over.
    async fn next_part(
        &self,
        due: &mut DueObjects,
        now: Timestamp,
        report: &mut SweepReport,
    ) -> Option<Vec<String>> {
        if due.listed.is_empty() && !due.is_complete {
            let page = self.next_page(&mut due.after, report).await;
            due.add(page.unwrap_or_default(), now);
        }
        if due.listed.is_empty() {
            return None;
        }
        if self.is_over(report) {
            *due = DueObjects::none();
            return None;
        }
        Some(due.part())
    }

    async fn expire_part(&self, keys: Vec<String>, now: Timestamp) -> SweepReport {
        let mut report = SweepReport::default();
        match self.settler.expire(&keys, now).await {
            Ok(settled) => report.settled += settled,
            Err(error) => {
                tracing::error!(
                    first = keys.first(),
                    objects = keys.len(),
                    error = chain(&error),
                    "holds not settled at their deadline: the next sweep tries again"
                );
                report.failed += 1;
            }
        }
        report
    }

    /// For the batches that no waiting entry and no turn stands for: publishes the outcomes of their
    /// holds. If a hold has none, writes the waiting entry of the batch again. `pending` names the
    /// batches in progress; it was read before.
    pub(crate) async fn recover(
        &self,
        pending: &BTreeSet<String>,
        now: Timestamp,
        report: &mut SweepReport,
    ) {
        let mut after = String::new();
        while let Some(page) = self.next_page(&mut after, report).await {
            let forgotten: Vec<String> = page
                .into_iter()
                // Those that are due were settled by `expire`.
                .filter(|object| ledger_due(&object.key).is_some_and(|due| due > now))
                .filter(|object| is_late(object, now))
                .map(|object| object.key)
                .filter(|key| ledger_batch(key).is_none_or(|batch| !pending.contains(batch)))
                .collect();
            let mut recovered = stream::iter(forgotten)
                .map(|key| async move { (self.recover_one(&key).await, key) })
                .buffer_unordered(CONCURRENCY);
            while let Some((result, key)) = recovered.next().await {
                match result {
                    Ok(part) => *report += part,
                    Err(error) => {
                        tracing::error!(
                            key,
                            error = chain(&error),
                            "batch not recovered: the next sweep tries again"
                        );
                        report.failed += 1;
                    }
                }
            }
        }
    }

    async fn recover_one(&self, key: &str) -> Result<SweepReport, confirm::Error> {
        let Forgotten { report, waiting } = self.settler.publish_known(key).await?;
        let mut report = SweepReport {
            settled: report,
            ..SweepReport::default()
        };
        if let Some(waiting) = waiting {
            tracing::warn!(key, waiting, "batch was forgotten: it waits again");
            self.objects.put(&waiting, Vec::new()).await?;
            report.recovered += 1;
        }
        Ok(report)
    }

    /// The next keys of the ledger; `None` at its end or when the time is over.
    async fn next_page(
        &self,
        after: &mut String,
        report: &mut SweepReport,
    ) -> Option<Vec<ObjectInfo>> {
        if self.is_over(report) {
            return None;
        }
        match self.objects.list_after(LEDGER, after, PAGE).await {
            Ok(page) => {
                after.clone_from(&page.last()?.key);
                Some(page)
            }
            Err(error) => {
                tracing::error!(error = chain(&error), "ledger not listed");
                report.failed += 1;
                None
            }
        }
    }

    /// Whether the sweep takes no new work any more, although there is some.
    fn is_over(&self, report: &mut SweepReport) -> bool {
        let is_over = Instant::now() >= self.until;
        if is_over {
            tracing::error!("sweep stopped at its time limit: the next sweep does the rest");
            report.failed += 1;
        }
        is_over
    }
}

/// Whether a quarter of the time to its due minute has passed.
fn is_late(object: &ObjectInfo, now: Timestamp) -> bool {
    let time = ledger_due(&object.key).map(|due| due.duration_since(object.modified));
    let wait = time.unwrap_or_default() / 4;
    now.duration_since(object.modified) >= wait.max(SHORTEST_WAIT)
}
