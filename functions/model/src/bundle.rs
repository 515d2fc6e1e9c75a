//! The unit that is versioned, checked and served: definition, policy and both models.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use decision::{Batch, Evidence, Hold, Origin, Policy, PolicyError, Reason, Schema};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::features::{BatchRow, Facts, HeldRow};
use crate::{Definition, DefinitionError, Forest, ForestError, Look, Matrix};

const MANIFEST: &str = "bundle.json";
const DEFINITION: &str = "bundle.toml";
const FIRST: &str = "first.forest";
const CONFIRM: &str = "confirm.forest";
const GOLDEN: &str = "golden.json";
const FORMAT: u32 = 1;
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
    /// A forest.
    #[error("{0} can't be used")]
    Forest(&'static str, #[source] ForestError),
    /// A forest and the definition do not fit.
    #[error("{file} has {found} columns, {DEFINITION} declares {expected}")]
    Columns {
        /// The forest's file.
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
    /// Transactions, as they would come, and the first look's probability.
    pub first: Vec<(serde_json::Value, f64)>,
    /// Held transactions and their evidence, and the confirming look's probability.
    pub confirm: Vec<GoldenConfirm>,
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
    first: Forest,
    confirm: Forest,
}

/// Memory that scoring reuses from batch to batch.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    matrix: Matrix,
    scores: Vec<f64>,
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
    /// policy and forests are checked, and the golden vectors are scored again.
    pub fn open(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        let file = |name: &str| files.get(name).ok_or_else(|| Error::Missing(name.to_owned()));
        let manifest: Manifest =
            serde_json::from_slice(file(MANIFEST)?).map_err(|source| Error::Json(MANIFEST, source))?;
        if manifest.format != FORMAT {
            return Err(Error::Format(manifest.format));
        }
        for (name, expected) in &manifest.files {
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
        manifest.policy.check()?;
        let definition = std::str::from_utf8(file(DEFINITION)?).map_err(|_| Error::Utf8)?;
        let definition = Definition::parse(definition)?;
        let forest = |name, look: &Look| {
            let forest = Forest::from_bytes(file(name)?).map_err(|source| Error::Forest(name, source))?;
            let (found, expected) = (forest.features(), look.features.len());
            if found == expected { Ok(forest) } else { Err(Error::Columns { file: name, found, expected }) }
        };
        let bundle = Self {
            first: forest(FIRST, &definition.first)?,
            confirm: forest(CONFIRM, &definition.confirm)?,
            version: manifest.version,
            policy: manifest.policy,
            definition,
        };
        let golden = serde_json::from_slice(file(GOLDEN)?).map_err(|source| Error::Json(GOLDEN, source))?;
        bundle.rescore(&golden)?;
        Ok(bundle)
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

    /// The first look: a probability for each row of a batch. Allocates only where `scratch` must grow.
    pub fn first_scores<'s>(&self, batch: &Batch<'_>, scratch: &'s mut Scratch) -> &'s [f64] {
        self.first_rows(batch, &mut scratch.matrix);
        self.first.score(&scratch.matrix, &mut scratch.scores);
        &scratch.scores
    }

    /// The first look's feature values: a row for each row of a batch.
    pub fn first_rows(&self, batch: &Batch<'_>, matrix: &mut Matrix) {
        let look = &self.definition.first;
        matrix.reset(look.features.len(), batch.len());
        for row in 0..batch.len() {
            self.definition.push_row(look, &BatchRow(batch, row), matrix);
        }
    }

    /// Why the first look gave a row its score.
    pub fn first_reasons(&self, batch: &Batch<'_>, row: usize) -> Vec<Reason> {
        self.reasons(&self.first, &self.definition.first, &BatchRow(batch, row))
    }

    /// The confirming look.
    pub fn confirm(&self, hold: &Hold, evidence: &Evidence) -> Confirmed {
        let facts = HeldRow { definition: &self.definition, hold, evidence };
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

    fn reasons(&self, forest: &Forest, look: &Look, facts: &impl Facts) -> Vec<Reason> {
        let contributions = forest.contributions(&self.row(look, facts), 0);
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
    fn first_score(&self, transaction: &serde_json::Value) -> f64 {
        let bytes = transaction.to_string();
        let mut batch = Batch::new(self.schema());
        // Golden vectors are of any time, so that none lies ahead of its arrival.
        let read = batch.read(bytes.as_bytes(), Origin { record: 0, item: 0 }, Timestamp::MAX);
        let score = read.ok().and_then(|()| self.first_scores(&batch, &mut Scratch::default()).first().copied());
        score.unwrap_or(f64::NAN)
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
        for (place, (transaction, expected)) in golden.first.iter().enumerate() {
            close("transaction", place, self.first_score(transaction), *expected)?;
        }
        for (place, GoldenConfirm { hold, evidence, score }) in golden.confirm.iter().enumerate() {
            close("hold", place, self.confirm(hold, evidence).score, *score)?;
        }
        Ok(())
    }
}

/// A bundle's files by name. The golden vectors' scores are computed here, by the same code that
/// serves: `golden` brings the transactions, holds and evidence.
pub fn build(
    definition_text: &str,
    policy: Policy,
    first: &Forest,
    confirm: &Forest,
    mut golden: Golden,
) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    policy.check()?;
    let bundle = Bundle {
        definition: Definition::parse(definition_text)?,
        version: String::new(),
        policy: policy.clone(),
        first: first.clone(),
        confirm: confirm.clone(),
    };
    for (transaction, score) in &mut golden.first {
        *score = bundle.first_score(transaction);
    }
    for vector in &mut golden.confirm {
        vector.score = bundle.confirm(&vector.hold, &vector.evidence).score;
    }
    let golden = serde_json::to_vec_pretty(&golden).map_err(|source| Error::Json(GOLDEN, source))?;
    let mut files = BTreeMap::from([
        (DEFINITION.to_owned(), definition_text.as_bytes().to_vec()),
        (FIRST.to_owned(), first.to_bytes()),
        (CONFIRM.to_owned(), confirm.to_bytes()),
        (GOLDEN.to_owned(), golden),
    ]);
    let sums = files.iter().map(|(name, bytes)| (name.clone(), hex(&Sha256::digest(bytes)))).collect();
    let version = version(&sums, &policy)?;
    let manifest = Manifest { format: FORMAT, name: bundle.definition.name, version, files: sums, policy };
    let manifest = serde_json::to_vec_pretty(&manifest).map_err(|source| Error::Json(MANIFEST, source))?;
    files.insert(MANIFEST.to_owned(), manifest);
    // What can't be opened is not built.
    Bundle::open(&files)?;
    Ok(files)
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
