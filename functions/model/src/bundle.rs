//! The unit that is versioned, checked and served: definition, policy and both models.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use decision::{Batch, Evidence, Hold, Origin, Policy, PolicyError, Reason, Schema};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::features::{BatchRow, Facts, HeldRow, Slot};
use crate::profiles::TableBuilder;
use crate::{
    Categories, CategoriesError, Definition, DefinitionError, Kind, Look, Matrix, Model, ModelError, Profiles,
    ProfilesError,
};

const MANIFEST: &str = "bundle.json";
const DEFINITION: &str = "bundle.toml";
const FIRST: &str = "first.model";
const CONFIRM: &str = "confirm.model";
const GOLDEN: &str = "golden.json";
/// What training has learnt of categories; only where a feature names one.
const CATEGORIES: &str = "categories.json";
/// The one file that changes from day to day, and that only the first look needs.
pub const PROFILES: &str = "first.profiles";
const FORMAT: u32 = 3;
/// How far a rescored golden vector may be from what it was.
const TOLERANCE: f64 = 1e-6;
const MAX_REASONS: usize = 3;

/// Why a bundle is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that every bundle has.
    #[error("{0} is missing: copy the whole bundle, or build it again")]
    Missing(String),
    /// A file that the manifest does not name.
    #[error("{0} does not belong to it: copy the bundle into a folder of its own")]
    Stranger(String),
    /// A file's bytes.
    #[error("{file} is not what was built: its SHA-256 is {found}, expected {expected}: copy it again")]
    Checksum {
        /// The file.
        file: String,
        /// Its checksum.
        found: String,
        /// What the manifest says.
        expected: String,
    },
    /// The manifest's version is not its files'.
    #[error("{MANIFEST} says version {said}, its files are version {found}")]
    Version {
        /// What it says.
        said: String,
        /// What follows from the files.
        found: String,
    },
    /// Another format.
    #[error("{MANIFEST} is of format {0}, expected {FORMAT}: build the bundle again with this version")]
    Format(u32),
    /// A JSON file.
    #[error("{0} can't be read")]
    Json(&'static str, #[source] serde_json::Error),
    /// The definition.
    #[error("{DEFINITION} can't be used")]
    Definition(#[from] DefinitionError),
    /// The definition's encoding.
    #[error("{DEFINITION} is not UTF-8")]
    Utf8,
    /// The policy.
    #[error("{MANIFEST}'s policy can't be used")]
    Policy(#[from] PolicyError),
    /// A model.
    #[error("{0} can't be used")]
    Model(&'static str, #[source] ModelError),
    /// The tables of categories.
    #[error("{CATEGORIES} can't be used")]
    Categories(#[from] CategoriesError),
    /// Profiles.
    #[error("{PROFILES} can't be used")]
    Profiles(#[from] ProfilesError),
    /// A model and the definition do not fit.
    #[error("{file} has {found} columns, {DEFINITION} declares {expected}")]
    Columns {
        /// The model's file.
        file: &'static str,
        /// Its columns.
        found: usize,
        /// The look's features.
        expected: usize,
    },
    /// A golden vector.
    #[error("{GOLDEN}: {what} {place} scores {found}, when the bundle was built it scored {expected}")]
    Golden {
        /// Which kind.
        what: &'static str,
        /// Which of them, from 0.
        place: usize,
        /// The score now.
        found: f64,
        /// The score then.
        expected: f64,
    },
    /// A bundle that can't say whether it is what it was.
    #[error("{GOLDEN} has no vector of the {0} look: build the bundle again")]
    NoGolden(&'static str),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    name: String,
    version: String,
    files: BTreeMap<String, String>,
    policy: Policy,
}

/// Scores that were computed when the bundle was built.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// Transactions with their profiles, and the first look's probability.
    pub first: Vec<GoldenFirst>,
    /// Held transactions and their evidence, and the confirming look's probability.
    pub confirm: Vec<GoldenConfirm>,
}

/// One golden vector of the first look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenFirst {
    /// The transaction, as it would come.
    pub transaction: serde_json::Value,
    /// The windows that its entities' profiles hold.
    pub profiles: Evidence,
    /// The probability.
    pub score: f64,
}

/// One golden vector of the confirming look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenConfirm {
    /// The held transaction.
    pub hold: Hold,
    /// Its evidence.
    pub evidence: Evidence,
    /// The probability.
    pub score: f64,
}

/// A bundle that was checked whole.
#[derive(Clone, Debug)]
pub struct Bundle {
    definition: Definition,
    version: String,
    policy: Policy,
    first: Model,
    confirm: Model,
    categories: Categories,
    profiles: Option<Profiles>,
    slots: Slots,
    /// What a decision's `degraded` says, by which tables lack its entities (a bit each), and whether the
    /// profiles are stale (the bit after). The last is for a bundle without profiles.
    degraded: Vec<Vec<String>>,
}

/// Where the first look's windows lie in the profiles.
#[derive(Clone, Debug)]
struct Slots {
    /// For each feature, its slot if it is a window.
    of: Vec<Option<Slot>>,
    tables: usize,
}

/// Memory that scoring reuses from batch to batch.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    matrix: Matrix,
    scores: Vec<f64>,
    found: Vec<Option<u32>>,
    lacking: Vec<Lacking>,
}

/// What the first look did not know of a transaction; [`Bundle::degraded`] has the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lacking(u8);

/// The first look's answers, row by row of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FirstScores<'s> {
    /// Probabilities of fraud.
    pub scores: &'s [f64],
    /// What each was made without.
    pub lacking: &'s [Lacking],
}

/// What the confirming look says of a hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirmed {
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
        let file = |name: &str| files.get(name).ok_or_else(|| Error::Missing(name.to_owned()));
        let manifest = Manifest::read(files)?;
        for (name, expected) in manifest.files.iter().filter(|(name, _)| with_profiles || *name != PROFILES) {
            let found = hex(&Sha256::digest(file(name)?));
            if found != *expected {
                return Err(Error::Checksum { file: name.clone(), found, expected: expected.clone() });
            }
        }
        if let Some(stranger) = files.keys().find(|name| *name != MANIFEST && !manifest.files.contains_key(*name)) {
            return Err(Error::Stranger(stranger.clone()));
        }
        let found = version(&manifest.files, &manifest.policy)?;
        if found != manifest.version {
            return Err(Error::Version { said: manifest.version, found });
        }
        let definition = std::str::from_utf8(file(DEFINITION)?).map_err(|_| Error::Utf8)?;
        let definition = Definition::parse(definition)?;
        let model = |name, look: &Look| {
            let model = Model::from_bytes(file(name)?).map_err(|source| Error::Model(name, source))?;
            let (found, expected) = (model.features(), look.features.len());
            if found == expected { Ok(model) } else { Err(Error::Columns { file: name, found, expected }) }
        };
        let (first, confirm) = (model(FIRST, &definition.first)?, model(CONFIRM, &definition.confirm)?);
        let categories = match files.get(CATEGORIES) {
            None if definition.encoded().next().is_some() => return Err(Error::Missing(CATEGORIES.to_owned())),
            None => Categories::default(),
            Some(bytes) => Categories::from_bytes(bytes)?,
        };
        let profiles = match files.get(PROFILES) {
            Some(bytes) if with_profiles => Some(Profiles::from_bytes(bytes)?),
            _ => None,
        };
        let bundle = Self::new(definition, manifest.version, manifest.policy, [first, confirm], categories, profiles)?;
        let golden = serde_json::from_slice(file(GOLDEN)?).map_err(|source| Error::Json(GOLDEN, source))?;
        bundle.rescore(&golden)?;
        Ok(bundle)
    }

    fn new(
        definition: Definition,
        version: String,
        policy: Policy,
        [first, confirm]: [Model; 2],
        categories: Categories,
        profiles: Option<Profiles>,
    ) -> Result<Self, Error> {
        policy.check()?;
        if profiles.as_ref().is_some_and(|profiles| !profiles.fit(&definition)) {
            return Err(ProfilesError::Other.into());
        }
        if !categories.fit(&definition) {
            return Err(CategoriesError::Other.into());
        }
        let (slots, degraded) = (slots(&definition), degraded(&definition));
        Ok(Self { definition, version, policy, first, confirm, categories, profiles, slots, degraded })
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
        self.first.score(&scratch.matrix, &mut scratch.scores);
        FirstScores { scores: &scratch.scores, lacking: &scratch.lacking }
    }

    /// What a decision's `degraded` says of what one row's score lacks.
    pub fn degraded(&self, lacking: Lacking) -> &[String] {
        self.degraded.get(usize::from(lacking.0)).map_or(&[], Vec::as_slice)
    }

    /// The first look's feature values: a row for each row of a batch.
    fn first_rows(&self, profiles: Option<&Profiles>, batch: &Batch<'_>, scratch: &mut Scratch) {
        let look = &self.definition.first;
        scratch.matrix.reset(look.features.len(), batch.len());
        scratch.lacking.clear();
        for row in 0..batch.len() {
            self.find(profiles, batch, row, &mut scratch.found);
            let found = &scratch.found;
            let facts = BatchRow { batch, row, categories: &self.categories, profiles, slots: &self.slots.of, found };
            self.definition.push_row(look, &facts, &mut scratch.matrix);
            scratch.lacking.push(self.lacking(profiles, batch.occurred_at(row), &scratch.found));
        }
    }

    /// Profiles are stale when those of a later cut-off than the next should long be there.
    fn lacking(&self, profiles: Option<&Profiles>, occurred_at: Timestamp, found: &[Option<u32>]) -> Lacking {
        let (look, tables) = (&self.definition.first, self.slots.tables);
        let Some(every) = look.every else { return Lacking(0) };
        let Some(profiles) = profiles else { return Lacking(1 << (tables + 1)) };
        let missing = found.iter().enumerate().filter(|(_, row)| row.is_none()).fold(0, |set, (bit, _)| set | 1 << bit);
        let behind = look.end(occurred_at).duration_since(profiles.cut_off());
        let stale = behind > SignedDuration::from_secs(every as i64);
        Lacking(missing | u8::from(stale) << tables)
    }

    /// Looks a row's entities up.
    fn find(&self, profiles: Option<&Profiles>, batch: &Batch<'_>, row: usize, found: &mut Vec<Option<u32>>) {
        found.clear();
        if let Some(profiles) = profiles {
            found.extend(
                profiles.entities().enumerate().map(|(table, entity)| profiles.find(table, batch.entity(row, entity))),
            );
        }
    }

    /// Why the first look gave a row its score.
    pub fn first_reasons(&self, batch: &Batch<'_>, row: usize) -> Vec<Reason> {
        let (profiles, mut found) = (self.profiles.as_ref(), Vec::new());
        self.find(profiles, batch, row, &mut found);
        let facts =
            BatchRow { batch, row, categories: &self.categories, profiles, slots: &self.slots.of, found: &found };
        self.reasons(&self.first, &self.definition.first, &facts)
    }

    /// The confirming look.
    pub fn confirm(&self, hold: &Hold, evidence: &Evidence) -> Confirmed {
        let facts = HeldRow { definition: &self.definition, categories: &self.categories, hold, evidence };
        let look = &self.definition.confirm;
        let matrix = self.row(look, &facts);
        // `open` has compared the widths, so there is a score; a person sees to what has none.
        let score = self.confirm.score_one(&matrix, 0).unwrap_or(self.policy.release_below);
        Confirmed { score, reasons: self.reasons(&self.confirm, look, &facts) }
    }

    fn row(&self, look: &Look, facts: &impl Facts) -> Matrix {
        let mut matrix = Matrix::new(look.features.len());
        self.definition.push_row(look, facts, &mut matrix);
        matrix
    }

    fn reasons(&self, model: &Model, look: &Look, facts: &impl Facts) -> Vec<Reason> {
        let contributions = model.contributions(&self.row(look, facts), 0);
        let mut reasons: Vec<Reason> = look
            .features
            .iter()
            .zip(contributions)
            .filter(|(_, contribution)| *contribution != 0.0)
            .filter_map(|(&place, contribution)| {
                let feature = self.definition.feature(place)?.name.clone();
                Some(Reason { feature, value: self.definition.value(place, facts), contribution })
            })
            .collect();
        reasons.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        reasons.truncate(MAX_REASONS);
        reasons
    }

    /// The first look at one golden transaction; NaN if it can't be read.
    fn first_score(&self, GoldenFirst { transaction, profiles, .. }: &GoldenFirst) -> f64 {
        let bytes = transaction.to_string();
        let mut batch = Batch::new(self.schema());
        // Golden vectors are of any time, so that none lies ahead of its arrival.
        if batch.read(bytes.as_bytes(), Origin { record: 0, item: 0 }, Timestamp::MAX).is_err() {
            return f64::NAN;
        }
        let table = |entity| {
            let mut table = TableBuilder::new(&self.definition, entity)?;
            let columns = self.definition.profile_columns(entity).into_iter();
            let values = columns.map(|(name, _)| profiles.get(name).copied().flatten().unwrap_or(f64::NAN));
            table.push(batch.entity(0, entity), values);
            Some(table)
        };
        let tables = self.definition.profiled().filter_map(table).collect();
        let Ok(profiles) = Profiles::build(Timestamp::UNIX_EPOCH, tables) else { return f64::NAN };
        let mut scratch = Scratch::default();
        self.first_rows(Some(&profiles), &batch, &mut scratch);
        self.first.score_one(&scratch.matrix, 0).unwrap_or(f64::NAN)
    }

    fn rescore(&self, golden: &Golden) -> Result<(), Error> {
        let close = |what, place, found: f64, expected: f64| {
            let same = (found - expected).abs() <= TOLERANCE;
            if same { Ok(()) } else { Err(Error::Golden { what, place, found, expected }) }
        };
        if golden.first.is_empty() {
            return Err(Error::NoGolden("first"));
        }
        if golden.confirm.is_empty() {
            return Err(Error::NoGolden("confirming"));
        }
        for (place, vector) in golden.first.iter().enumerate() {
            close("transaction", place, self.first_score(vector), vector.score)?;
        }
        for (place, GoldenConfirm { hold, evidence, score }) in golden.confirm.iter().enumerate() {
            close("hold", place, self.confirm(hold, evidence).score, *score)?;
        }
        Ok(())
    }
}

/// A bundle's files by name. The golden vectors' scores are computed here, by the same code that
/// serves: `golden` brings the transactions, holds, profiles and evidence.
pub fn build(
    definition_text: &str,
    policy: Policy,
    [first, confirm]: [Model; 2],
    categories: &Categories,
    profiles: Option<&Profiles>,
    mut golden: Golden,
) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let (first_bytes, confirm_bytes) = (first.to_bytes(), confirm.to_bytes());
    let definition = Definition::parse(definition_text)?;
    let bundle = Bundle::new(definition, String::new(), policy, [first, confirm], categories.clone(), None)?;
    for vector in &mut golden.first {
        vector.score = bundle.first_score(vector);
    }
    for vector in &mut golden.confirm {
        vector.score = bundle.confirm(&vector.hold, &vector.evidence).score;
    }
    let golden = serde_json::to_vec_pretty(&golden).map_err(|source| Error::Json(GOLDEN, source))?;
    let mut files = BTreeMap::from([
        (DEFINITION.to_owned(), definition_text.as_bytes().to_vec()),
        (FIRST.to_owned(), first_bytes),
        (CONFIRM.to_owned(), confirm_bytes),
        (GOLDEN.to_owned(), golden),
    ]);
    if !categories.is_empty() {
        files.insert(CATEGORIES.to_owned(), categories.to_bytes()?);
    }
    files.extend(profiles.map(|profiles| (PROFILES.to_owned(), profiles.to_bytes())));
    seal(files, bundle.definition.name, bundle.policy)
}

/// The same bundle with other profiles: a bundle of its own, with a version of its own.
pub fn with_profiles(
    mut files: BTreeMap<String, Vec<u8>>,
    profiles: &Profiles,
) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let Manifest { name, policy, .. } = Manifest::read(&files)?;
    files.remove(MANIFEST);
    files.insert(PROFILES.to_owned(), profiles.to_bytes());
    seal(files, name, policy)
}

/// Adds the manifest.
fn seal(
    mut files: BTreeMap<String, Vec<u8>>,
    name: String,
    policy: Policy,
) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let sums = files.iter().map(|(name, bytes)| (name.clone(), hex(&Sha256::digest(bytes)))).collect();
    let version = version(&sums, &policy)?;
    let manifest = Manifest { format: FORMAT, name, version, files: sums, policy };
    let manifest = serde_json::to_vec_pretty(&manifest).map_err(|source| Error::Json(MANIFEST, source))?;
    files.insert(MANIFEST.to_owned(), manifest);
    // What can't be opened is not built.
    Bundle::open(&files)?;
    Ok(files)
}

impl Manifest {
    fn read(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        let bytes = files.get(MANIFEST).ok_or_else(|| Error::Missing(MANIFEST.to_owned()))?;
        let manifest: Self = serde_json::from_slice(bytes).map_err(|source| Error::Json(MANIFEST, source))?;
        if manifest.format == FORMAT { Ok(manifest) } else { Err(Error::Format(manifest.format)) }
    }
}

fn slots(definition: &Definition) -> Slots {
    let slot = |feature: &crate::Feature| {
        let Kind::Window(window) = &feature.kind else { return None };
        let table = definition.profiled().position(|entity| entity == window.entity)?;
        let column = definition.profile_columns(window.entity).iter().position(|(name, _)| *name == feature.name)?;
        Some(Slot { table, column, of_nothing: window.measure.of_nothing() })
    };
    Slots { of: definition.features().iter().map(slot).collect(), tables: definition.profiled().count() }
}

/// See [`Bundle::degraded`].
fn degraded(definition: &Definition) -> Vec<Vec<String>> {
    let entities = &definition.schema().entities;
    let mut names: Vec<String> =
        definition.profiled().filter_map(|entity| Some(format!("profile_missing:{}", entities.get(entity)?))).collect();
    names.push("profiles_stale".to_owned());
    let chosen = |set: usize| {
        let named = names.iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0);
        named.map(|(_, name)| name.clone()).collect()
    };
    let mut sets: Vec<Vec<String>> = (0..1 << names.len()).map(chosen).collect();
    sets.push(vec!["profiles_missing".to_owned()]);
    sets
}

/// A version that says what is in it: no clock, so that the same training gives the same version.
fn version(sums: &BTreeMap<String, String>, policy: &Policy) -> Result<String, Error> {
    let content = serde_json::to_vec(&(sums, policy)).map_err(|source| Error::Json(MANIFEST, source))?;
    Ok(hex(&Sha256::digest(content)).chars().take(16).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
