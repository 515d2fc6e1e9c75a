use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use store::{gunzip, gzip};

use crate::audit::Audit;
use crate::consume::DecisionLog;
use crate::summary::Summary;

/// The results of a run: everything that its report is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub source: String,
    pub summary: Summary,
    pub audit: Audit,
    pub log: DecisionLog,
    /// The labels of the live transactions.
    pub fraud: HashMap<String, bool>,
}

const FILE: &str = "outcome.json.gz";

impl Outcome {
    /// Writes the results into a run's folder.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        fs::write(&path, gzip(&serde_json::to_vec(self)?))
            .with_context(|| format!("can't write {}", path.display()))
    }

    /// Reads the results from a run's folder.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let bytes = fs::read(&path)
            .with_context(|| format!("can't read {}: start a run first", path.display()))?;
        let json = gunzip(FILE, &bytes)?;
        serde_json::from_slice(&json).with_context(|| format!("{} is not readable", path.display()))
    }
}
