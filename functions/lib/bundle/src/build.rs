use std::collections::BTreeMap;

use decision::Policy;
use features::{Categories, Definition, Profiles};

use crate::files::{CATEGORIES, CONFIRM, DEFINITION, FIRST, GOLDEN, PROFILES};
use crate::manifest::seal;
use crate::{Bundle, Error, Golden, Models};

/// Builds a bundle and returns its files by name.
///
/// The serving code computes the scores of the golden vectors; the scores in `golden` are ignored.
/// Opens the finished bundle once, and returns an error if that fails.
pub fn build(
    definition_text: &str,
    policy: Policy,
    models: Models,
    categories: &Categories,
    profiles: Option<&Profiles>,
    mut golden: Golden,
) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let first_bytes = models.first.to_bytes();
    let confirm_bytes = models.confirm.to_bytes();
    let definition = Definition::parse(definition_text)?;
    let bundle = Bundle::new(
        definition,
        String::new(),
        policy,
        models,
        categories.clone(),
        None,
    )?;
    for vector in &mut golden.first {
        vector.score = bundle.golden_score(vector);
    }
    for vector in &mut golden.confirm {
        vector.score = bundle.confirm(&vector.hold, &vector.evidence).score;
    }
    let golden =
        serde_json::to_vec_pretty(&golden).map_err(|source| Error::Json(GOLDEN, source))?;
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
