//! The stream of decisions.

use std::sync::atomic::{AtomicU64, Ordering};

use store::{Error, Stream, StreamRecord};
use tokio::time::sleep;

use crate::holds::Holds;
use crate::latency::Latencies;

/// The bytes of one PUT payload unit.
const UNIT: u64 = 25 * 1_024;

#[derive(Debug)]
pub(crate) struct Decisions {
    latencies: Latencies,
    holds: Holds,
    units: AtomicU64,
}

impl Decisions {
    pub(crate) fn new(latencies: Latencies, holds: Holds) -> Self {
        Self {
            latencies,
            holds,
            units: AtomicU64::new(0),
        }
    }

    /// PUT payload units of all records.
    pub(crate) fn units(&self) -> u64 {
        self.units.load(Ordering::Relaxed)
    }

    fn accept(&self, record: &StreamRecord) {
        let units = (record.data.len() as u64).div_ceil(UNIT);
        self.units.fetch_add(units, Ordering::Relaxed);
        // The provisional decisions of the bench have no text.
        if record.data.first() != Some(&b'{') {
            return;
        }
        let text = std::str::from_utf8(&record.data).unwrap();
        let expired = text.contains("\"settled_by\":\"expiry\"");
        self.holds.end(hold_of(text), expired);
    }
}

/// The hold that a final decision is about.
fn hold_of(decision: &str) -> usize {
    const FIELD: &str = "\"transaction_id\":\"";
    let (_, rest) = decision.split_once(FIELD).unwrap();
    let (id, _) = rest.split_once('"').unwrap();
    id.parse().unwrap()
}

impl Stream for Decisions {
    async fn publish(&self, records: &[StreamRecord]) -> Result<Vec<usize>, Error> {
        sleep(self.latencies.request.draw()).await;
        records.iter().for_each(|record| self.accept(record));
        Ok(Vec::new())
    }
}
