use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::sync::Arc;

use confirm::SecondModel;
use features::Definition;
use load::VersionDefinition;

/// The same model and definition for every version.
#[derive(Debug)]
pub struct Bundles<M> {
    pub model: Arc<M>,
    pub definition: Arc<VersionDefinition>,
    /// Versions that do not open.
    pub missing: BTreeSet<String>,
    /// Versions that can't be read now.
    pub unreachable: BTreeSet<String>,
}

impl<M> Bundles<M> {
    pub fn new(model: M, definition: Definition) -> Self {
        Self {
            model: Arc::new(model),
            definition: Arc::new(VersionDefinition {
                definition,
                cut_off: None,
            }),
            missing: BTreeSet::new(),
            unreachable: BTreeSet::new(),
        }
    }
}

impl<M: SecondModel> confirm::Bundles for Bundles<M> {
    type Model = M;

    async fn by_version(
        &self,
        version: &str,
    ) -> Result<Option<Arc<M>>, Box<dyn StdError + Send + Sync>> {
        if self.unreachable.contains(version) {
            return Err("injected by the test".into());
        }
        let opens = !self.missing.contains(version);
        Ok(opens.then(|| Arc::clone(&self.model)))
    }
}

impl<M: Send + Sync> load::Definitions for Bundles<M> {
    async fn of_version(
        &self,
        version: &str,
    ) -> Result<Option<Arc<VersionDefinition>>, Box<dyn StdError + Send + Sync>> {
        let opens = !self.missing.contains(version);
        Ok(opens.then(|| Arc::clone(&self.definition)))
    }
}
