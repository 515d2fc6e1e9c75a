use std::sync::Mutex;

use decision::Decision;
use store::{Error, StreamRecord};
use tokio::task::yield_now;

use super::faults::Course;
use super::objects::injected;
use super::{Faults, lock};

#[derive(Debug, Default)]
pub struct Stream {
    published: Mutex<Vec<StreamRecord>>,
    faults: Faults,
}

impl Stream {
    /// An empty stream without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty stream with these faults.
    pub fn with(faults: &Faults) -> Self {
        Self {
            faults: faults.clone(),
            ..Self::default()
        }
    }

    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// All published records, in order.
    pub fn published(&self) -> Vec<StreamRecord> {
        lock(&self.published).clone()
    }

    /// All published records as decisions.
    ///
    /// # Panics
    /// If a record is not a decision.
    pub fn decisions(&self) -> Vec<Decision> {
        self.published()
            .iter()
            .map(|outgoing| serde_json::from_slice(&outgoing.data).unwrap())
            .collect()
    }
}

impl store::Stream for Stream {
    async fn publish(&self, decisions: &[StreamRecord]) -> Result<Vec<usize>, Error> {
        yield_now().await;
        let course = self.faults.answered("publish", "").await;
        if course == Course::Refused {
            return Err(injected("publish", "decisions"));
        }
        let mut refused = Vec::new();
        for (index, decision) in decisions.iter().enumerate() {
            match self.faults.course("record", &decision.partition_key) {
                Course::Refused | Course::Hangs => {
                    refused.push(index);
                    continue;
                }
                Course::AnswerLost => refused.push(index),
                Course::Good => {}
            }
            lock(&self.published).push(decision.clone());
        }
        if course == Course::AnswerLost {
            Err(injected("publish", "decisions"))
        } else {
            Ok(refused)
        }
    }
}
