use std::collections::BTreeMap;

use decision::{Batch, Evidence, Hold, Policy, Reason, Schema};
use features::{
    Categories, CategoriesError, Definition, FeatureSource, Look, Profiles, ProfilesError,
};
use jiff::Timestamp;
use scoring::{Matrix, Model};

use crate::Error;
use crate::files::{CATEGORIES, CONFIRM, DEFINITION, FIRST, GOLDEN, MANIFEST, PROFILES};
use crate::manifest::{Manifest, checksum, version};
use crate::rows::{BatchRow, HeldRow, Slots};

const MAX_REASONS: usize = 3;

/// A bundle that was checked whole.
#[derive(Clone, Debug)]
pub struct Bundle {
    pub(crate) definition: Definition,
    pub(crate) version: String,
    pub(crate) policy: Policy,
    pub(crate) models: Models,
    pub(crate) categories: Categories,
    pub(crate) profiles: Option<Profiles>,
    pub(crate) slots: Slots,
    /// What a decision's `degraded` says, by which tables lack its entities (a bit each), and whether the
    /// profiles are stale (the bit after). The last is for a bundle without profiles.
    pub(crate) degraded: Vec<Vec<String>>,
}

/// The models of both looks.
#[derive(Clone, Debug, PartialEq)]
pub struct Models {
    pub first: Model,
    pub confirm: Model,
}

/// Memory that scoring reuses from batch to batch.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(crate) matrix: Matrix,
    pub(crate) scores: Vec<f64>,
    pub(crate) found: Vec<Option<u32>>,
    pub(crate) lacking: Vec<MissingProfiles>,
}

/// What the first look did not know of a transaction; [`Bundle::degraded`] has the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MissingProfiles(u8);

/// The first look's answers, row by row of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FirstScores<'s> {
    /// Probabilities of fraud.
    pub scores: &'s [f64],
    /// What each was made without.
    pub lacking: &'s [MissingProfiles],
}

/// What the confirming look says of a hold.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondScore {
    /// Probability of fraud.
    pub score: f64,
    /// At most three, strongest first.
    pub reasons: Vec<Reason>,
}

impl Bundle {
    /// Opens a bundle from its files by name. Nothing is believed: checksums, version, definition,
    /// policy, models and profiles are checked, and the golden vectors are scored again.
    pub fn open(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        Self::open_parts(files, true)
    }

    /// Opens a bundle for the confirming look alone, which has no use for the profiles.
    pub fn open_without_profiles(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        Self::open_parts(files, false)
    }

    fn open_parts(files: &BTreeMap<String, Vec<u8>>, with_profiles: bool) -> Result<Self, Error> {
        let file = |name: &str| {
            files
                .get(name)
                .ok_or_else(|| Error::Missing(name.to_owned()))
        };
        let manifest = Manifest::read(files)?;
        for (name, expected) in manifest
            .files
            .iter()
            .filter(|(name, _)| with_profiles || *name != PROFILES)
        {
            let found = checksum(file(name)?);
            if found != *expected {
                return Err(Error::Checksum {
                    file: name.clone(),
                    found,
                    expected: expected.clone(),
                });
            }
        }
        if let Some(stranger) = files
            .keys()
            .find(|name| *name != MANIFEST && !manifest.files.contains_key(*name))
        {
            return Err(Error::Stranger(stranger.clone()));
        }
        let found = version(&manifest.files, &manifest.policy)?;
        if found != manifest.version {
            return Err(Error::Version {
                said: manifest.version,
                found,
            });
        }
        let definition = std::str::from_utf8(file(DEFINITION)?).map_err(|_| Error::Utf8)?;
        let definition = Definition::parse(definition)?;
        let model = |name, look: &Look| {
            let model =
                Model::from_bytes(file(name)?).map_err(|source| Error::Model(name, source))?;
            let (found, expected) = (model.features(), look.features.len());
            if found == expected {
                Ok(model)
            } else {
                Err(Error::Columns {
                    file: name,
                    found,
                    expected,
                })
            }
        };
        let (first, confirm) = (
            model(FIRST, &definition.first)?,
            model(CONFIRM, &definition.confirm)?,
        );
        let categories = match files.get(CATEGORIES) {
            None if definition.category_features().next().is_some() => {
                return Err(Error::Missing(CATEGORIES.to_owned()));
            }
            None => Categories::default(),
            Some(bytes) => Categories::from_bytes(bytes)?,
        };
        let profiles = match files.get(PROFILES) {
            Some(bytes) if with_profiles => Some(Profiles::from_bytes(bytes)?),
            _ => None,
        };
        let bundle = Self::new(
            definition,
            manifest.version,
            manifest.policy,
            Models { first, confirm },
            categories,
            profiles,
        )?;
        let golden =
            serde_json::from_slice(file(GOLDEN)?).map_err(|source| Error::Json(GOLDEN, source))?;
        bundle.rescore(&golden)?;
        Ok(bundle)
    }

    pub(crate) fn new(
        definition: Definition,
        version: String,
        policy: Policy,
        models: Models,
        categories: Categories,
        profiles: Option<Profiles>,
    ) -> Result<Self, Error> {
        policy.check()?;
        if profiles
            .as_ref()
            .is_some_and(|profiles| !profiles.fit(&definition))
        {
            return Err(ProfilesError::Other.into());
        }
        if !categories.fit(&definition) {
            return Err(CategoriesError::Other.into());
        }
        let slots = Slots::new(&definition);
        let degraded = degraded(&definition);
        Ok(Self {
            definition,
            version,
            policy,
            models,
            categories,
            profiles,
            slots,
            degraded,
        })
    }

    /// Derived from the bundle's content: the same content has the same version.
    pub fn version(&self) -> &str {
        &self.version
    }
    /// The definition it was built from.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }
    /// The transaction's fields.
    pub fn schema(&self) -> &Schema {
        self.definition.schema()
    }
    /// What follows from a score.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The moment that the first look's profiles end at, if there are any.
    pub fn cut_off(&self) -> Option<Timestamp> {
        self.profiles.as_ref().map(Profiles::cut_off)
    }

    /// The first look: a probability for each row of a batch. Allocates only where `scratch` must grow.
    pub fn first_scores<'s>(&self, batch: &Batch<'_>, scratch: &'s mut Scratch) -> FirstScores<'s> {
        self.first_rows(self.profiles.as_ref(), batch, scratch);
        self.models
            .first
            .score(&scratch.matrix, &mut scratch.scores);
        FirstScores {
            scores: &scratch.scores,
            lacking: &scratch.lacking,
        }
    }

    /// What a decision's `degraded` says of what one row's score lacks.
    pub fn degraded(&self, lacking: MissingProfiles) -> &[String] {
        self.degraded
            .get(usize::from(lacking.0))
            .map_or(&[], Vec::as_slice)
    }

    /// The first look's feature values: a row for each row of a batch.
    pub(crate) fn first_rows(
        &self,
        profiles: Option<&Profiles>,
        batch: &Batch<'_>,
        scratch: &mut Scratch,
    ) {
        let look = &self.definition.first;
        scratch.matrix.reset(look.features.len(), batch.len());
        scratch.lacking.clear();
        for row in 0..batch.len() {
            self.find(profiles, batch, row, &mut scratch.found);
            let found = &scratch.found;
            let facts = BatchRow {
                batch,
                row,
                categories: &self.categories,
                profiles,
                slots: &self.slots.of,
                found,
            };
            scratch.matrix.extend(self.definition.row(look, &facts));
            scratch
                .lacking
                .push(self.lacking(profiles, batch.occurred_at(row), &scratch.found));
        }
    }

    /// Profiles are stale when those of a later cut-off than the next should long be there.
    fn lacking(
        &self,
        profiles: Option<&Profiles>,
        occurred_at: Timestamp,
        found: &[Option<u32>],
    ) -> MissingProfiles {
        let (look, tables) = (&self.definition.first, self.slots.tables);
        let Some(every) = look.cut_off else {
            return MissingProfiles(0);
        };
        let Some(profiles) = profiles else {
            return MissingProfiles(1 << (tables + 1));
        };
        let missing = found
            .iter()
            .enumerate()
            .filter(|(_, row)| row.is_none())
            .fold(0, |set, (bit, _)| set | 1 << bit);
        let behind = look
            .window_end(occurred_at)
            .duration_since(profiles.cut_off());
        let stale = behind > every;
        MissingProfiles(missing | u8::from(stale) << tables)
    }

    /// Looks a row's entities up.
    fn find(
        &self,
        profiles: Option<&Profiles>,
        batch: &Batch<'_>,
        row: usize,
        found: &mut Vec<Option<u32>>,
    ) {
        found.clear();
        if let Some(profiles) = profiles {
            found.extend(
                profiles
                    .entities()
                    .enumerate()
                    .map(|(table, entity)| profiles.find(table, batch.entity(row, entity))),
            );
        }
    }

    /// Why the first look gave a row its score.
    pub fn first_reasons(&self, batch: &Batch<'_>, row: usize) -> Vec<Reason> {
        let (profiles, mut found) = (self.profiles.as_ref(), Vec::new());
        self.find(profiles, batch, row, &mut found);
        let facts = BatchRow {
            batch,
            row,
            categories: &self.categories,
            profiles,
            slots: &self.slots.of,
            found: &found,
        };
        self.reasons(&self.models.first, &self.definition.first, &facts)
    }

    /// The confirming look.
    pub fn confirm(&self, hold: &Hold, evidence: &Evidence) -> SecondScore {
        let facts = HeldRow {
            definition: &self.definition,
            categories: &self.categories,
            hold,
            evidence,
        };
        let look = &self.definition.confirm;
        let matrix = self.row(look, &facts);
        // `open` has compared the widths, so there is a score; a person sees to what has none.
        let score = self
            .models
            .confirm
            .score_one(&matrix, 0)
            .unwrap_or(self.policy.release_below);
        SecondScore {
            score,
            reasons: self.reasons(&self.models.confirm, look, &facts),
        }
    }

    fn row(&self, look: &Look, facts: &impl FeatureSource) -> Matrix {
        let mut matrix = Matrix::new(look.features.len());
        matrix.extend(self.definition.row(look, facts));
        matrix
    }

    fn reasons(&self, model: &Model, look: &Look, facts: &impl FeatureSource) -> Vec<Reason> {
        let contributions = model.contributions(&self.row(look, facts), 0);
        let mut reasons: Vec<Reason> = look
            .features
            .iter()
            .zip(contributions)
            .filter(|(_, contribution)| *contribution != 0.0)
            .filter_map(|(&place, contribution)| {
                let feature = self.definition.feature(place)?.name.clone();
                Some(Reason {
                    feature,
                    value: self.definition.value(place, facts),
                    contribution,
                })
            })
            .collect();
        reasons.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        reasons.truncate(MAX_REASONS);
        reasons
    }
}

/// See [`Bundle::degraded`].
fn degraded(definition: &Definition) -> Vec<Vec<String>> {
    let entities = &definition.schema().entities;
    let mut names: Vec<String> = definition
        .profiled_entities()
        .filter_map(|entity| Some(format!("profile_missing:{}", entities.get(entity)?)))
        .collect();
    names.push("profiles_stale".to_owned());
    let chosen = |set: usize| {
        let named = names
            .iter()
            .enumerate()
            .filter(|(bit, _)| set & (1 << bit) != 0);
        named.map(|(_, name)| name.clone()).collect()
    };
    let mut sets: Vec<Vec<String>> = (0..1 << names.len()).map(chosen).collect();
    sets.push(vec!["profiles_missing".to_owned()]);
    sets
}
