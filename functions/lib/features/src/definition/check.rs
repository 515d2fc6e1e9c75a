//! From the text of `bundle.toml` to a checked [`Definition`].

use std::collections::BTreeMap;

use super::Definition;
use super::column_mapping::ColumnMapping;
use super::duration::duration_setting;
use super::error::{DefinitionError, invalid_setting};
use super::feature_check::{checked_features, checked_look};
use super::file::DefinitionFile;
use super::look::Look;
use super::thresholds::Budgets;

/// A bundle prepares a `degraded` text for every combination of missing profiles, as the bits of
/// one byte: one bit per entity, and two more.
const MAX_PROFILED_ENTITIES: usize = 6;

impl Definition {
    /// Reads and checks the text of a `bundle.toml`.
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        let file: DefinitionFile = toml::from_str(text)?;
        file.schema.check()?;
        check_name(&file.name)?;
        let features = checked_features(&file.schema, &file.feature)?;
        let index_of: BTreeMap<&str, usize> = features
            .iter()
            .enumerate()
            .map(|(index, feature)| (feature.name.as_str(), index))
            .collect();
        let cut_off = match &file.first.cut_off {
            None => None,
            Some(text) => Some(duration_setting("first.cut_off", text)?),
        };
        let first = Look {
            features: checked_look("first", &file.first.features, &index_of)?,
            cut_off,
        };
        let confirm = Look {
            features: checked_look("confirm", &file.confirm.features, &index_of)?,
            cut_off: None,
        };
        let budgets = Budgets {
            hold_share: file.first.hold_share,
            holds_a_day: file.first.holds_a_day,
            reviews_a_day: file.confirm.reviews_a_day,
        };
        let column_mapping = match file.table {
            None => None,
            Some(table) => Some(ColumnMapping::checked(&file.schema, table)?),
        };
        let definition = Self {
            name: file.name,
            schema: file.schema,
            features,
            column_mapping,
            first,
            hold: file.costs.hold_by(&budgets)?,
            confirm,
            review: file.costs.review_by(&budgets)?,
            costs: file.costs.checked()?,
            policy: file.policy.checked()?,
            training: file.training.checked()?,
        };
        definition.check_profiles()?;
        Ok(definition)
    }

    fn check_profiles(&self) -> Result<(), DefinitionError> {
        let windows = self.windows(&self.first);
        match (windows.first(), self.first.cut_off) {
            (Some((name, _)), None) => Err(DefinitionError::Feature {
                feature: (*name).to_owned(),
                why: "the first look reads windows from profiles: set first.cut_off, such as 1d"
                    .to_owned(),
            }),
            (None, Some(_)) => Err(invalid_setting(
                "first.cut_off",
                "the first look has no windows: remove it",
            )),
            _ if self.profiled_entities().count() > MAX_PROFILED_ENTITIES => Err(invalid_setting(
                "first.features",
                &format!("expected windows of at most {MAX_PROFILED_ENTITIES} entities"),
            )),
            _ => Ok(()),
        }
    }
}

fn check_name(name: &str) -> Result<(), DefinitionError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(allowed) {
        return Ok(());
    }
    let why = format!("found `{name}`, expected lower case letters, digits and -, a letter first");
    Err(invalid_setting("name", &why))
}
