use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use store::{gunzip, gzip};

use crate::audit::Audit;
use crate::consume::Seen;
use crate::summary::Summary;

/// All that a run found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub source: String,
    pub summary: Summary,
    pub audit: Audit,
    pub seen: Seen,
    /// What is known of each live transaction.
    pub fraud: HashMap<String, bool>,
}

/// The file in a run's folder.
const FILE: &str = "outcome.json.gz";

impl Outcome {
    /// Leaves it in a run's folder.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        fs::write(&path, gzip(&serde_json::to_vec(self)?))
            .with_context(|| format!("can't write {}", path.display()))
    }

    /// What a run has left in its folder.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let bytes = fs::read(&path)
            .with_context(|| format!("can't read {}: was there a run?", path.display()))?;
        let json = gunzip(FILE, &bytes)?;
        serde_json::from_slice(&json).with_context(|| format!("{} is not readable", path.display()))
    }
}
