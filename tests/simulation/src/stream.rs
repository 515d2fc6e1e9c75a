//! The stream of decisions.

use std::sync::{Arc, Mutex};

use decision::Decision;
use store::{Error, Stream, StreamRecord};

use crate::Gate;

/// A stream in memory that accepts every record.
#[derive(Debug)]
pub struct DecisionStream {
    gate: Arc<Gate>,
    published: Mutex<Vec<StreamRecord>>,
}

impl DecisionStream {
    pub fn new(gate: &Arc<Gate>) -> Self {
        Self {
            gate: Arc::clone(gate),
            published: Mutex::default(),
        }
    }

    /// All records, in order.
    pub fn published(&self) -> Vec<StreamRecord> {
        self.published.lock().unwrap().clone()
    }

    /// The decisions of the records after the first `records`. Returns the number of all records
    /// too.
    pub fn decisions_after(&self, records: usize) -> (Vec<Decision>, usize) {
        let published = self.published.lock().unwrap();
        let mut decisions = Vec::new();
        for record in published.iter().skip(records) {
            for line in record.data.split(|&byte| byte == b'\n') {
                decisions.push(serde_json::from_slice(line).unwrap());
            }
        }
        (decisions, published.len())
    }
}

impl Stream for DecisionStream {
    /// Never fails: score would wait in vain before it tries again, since no time passes here.
    async fn publish(&self, decisions: &[StreamRecord]) -> Result<Vec<usize>, Error> {
        let _ = self.gate.pass().await;
        self.published.lock().unwrap().extend_from_slice(decisions);
        Ok(Vec::new())
    }
}
