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

    /// All published decisions. A record has one a line.
    ///
    /// # Panics
    /// If a line is not a decision.
    pub fn decisions(&self) -> Vec<Decision> {
        let mut decisions = Vec::new();
        for record in self.published() {
            for line in record.data.split(|&byte| byte == b'\n') {
                decisions.push(serde_json::from_slice(line).unwrap());
            }
        }
        decisions
    }
}

impl store::Stream for Stream {
    async fn publish(&self, decisions: &[StreamRecord]) -> Result<Vec<usize>, Error> {
        self.faults.wait().await;
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
                Course::Good | Course::Slow => {}
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
