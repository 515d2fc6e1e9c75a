use std::sync::Arc;

use decision::{Policy, Schema};
use features::{Categories, CategoriesError, Definition, Profiles, ProfilesError};
use jiff::Timestamp;
use scoring::Model;

use crate::Error;
use crate::profile_slots::ProfileSlots;

/// A bundle whose files were all checked.
#[derive(Clone, Debug)]
pub struct Bundle {
    pub(crate) definition: Definition,
    pub(crate) version: String,
    pub(crate) policy: Policy,
    pub(crate) models: Models,
    pub(crate) categories: Categories,
    pub(crate) profiles: Option<SharedProfiles>,
    /// Of the profiles, also if they were not opened.
    pub(crate) cut_off: Option<Timestamp>,
    pub(crate) slots: ProfileSlots,
    /// The texts for a decision's `degraded`, by [`crate::MissingProfiles`]. Prepared, so that
    /// scoring does not allocate them.
    pub(crate) degraded: Vec<Vec<String>>,
}

/// Profiles are most of a bundle's memory, so several versions may share them.
#[derive(Clone, Debug)]
pub(crate) struct SharedProfiles {
    pub(crate) content: Arc<Profiles>,
    /// The SHA-256 of the file, as in the manifest.
    pub(crate) checksum: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Models {
    pub first: Model,
    pub confirm: Model,
}

impl Bundle {
    pub(crate) fn new(
        definition: Definition,
        version: String,
        policy: Policy,
        models: Models,
        categories: Categories,
        profiles: Option<SharedProfiles>,
    ) -> Result<Self, Error> {
        policy.check()?;
        if let Some(profiles) = &profiles
            && !profiles.content.fit(&definition)
        {
            return Err(ProfilesError::Other.into());
        }
        if !categories.fit(&definition) {
            return Err(CategoriesError::Other.into());
        }
        Ok(Self {
            slots: ProfileSlots::new(&definition),
            degraded: degraded_texts(&definition),
            definition,
            version,
            policy,
            models,
            categories,
            cut_off: profiles.as_ref().map(|profiles| profiles.content.cut_off()),
            profiles,
        })
    }

    /// 16 hexadecimal digits, derived from the content: equal content has an equal version.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    pub fn schema(&self) -> &Schema {
        self.definition.schema()
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The cut-off of the profiles. `None` without profiles.
    pub fn cut_off(&self) -> Option<Timestamp> {
        self.cut_off
    }

    pub(crate) fn profiles(&self) -> Option<&Profiles> {
        Some(&self.profiles.as_ref()?.content)
    }

    /// The SHA-256 of the profiles' file. `None` without profiles.
    pub fn profiles_checksum(&self) -> Option<&str> {
        Some(&self.profiles.as_ref()?.checksum)
    }

    /// Whether both bundles have the same profiles in memory.
    pub fn shares_profiles_with(&self, other: &Self) -> bool {
        let ours = self.profiles.as_ref();
        let theirs = other.profiles.as_ref();
        ours.zip(theirs)
            .is_some_and(|(ours, theirs)| Arc::ptr_eq(&ours.content, &theirs.content))
    }
}

/// For every set of the names below, as bits from the lowest, the names in it; and at last the text
/// for a bundle without profiles.
fn degraded_texts(definition: &Definition) -> Vec<Vec<String>> {
    let entities = &definition.schema().entities;
    let mut names: Vec<String> = definition
        .profiled_entities()
        .filter_map(|entity| entities.get(entity))
        .map(|entity| format!("profile_missing:{entity}"))
        .collect();
    names.push("profiles_stale".to_owned());
    let mut texts = Vec::with_capacity((1 << names.len()) + 1);
    for set in 0..1usize << names.len() {
        let in_set = names
            .iter()
            .enumerate()
            .filter(|(bit, _)| set & (1 << bit) != 0);
        texts.push(in_set.map(|(_, name)| name.clone()).collect());
    }
    texts.push(vec!["profiles_missing".to_owned()]);
    texts
}
