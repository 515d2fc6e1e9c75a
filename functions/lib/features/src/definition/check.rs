//! From the text of `bundle.toml` to a checked [`Definition`].

use std::collections::BTreeMap;

use super::column_mapping::ColumnMapping;
use super::cut_offs::CutOffs;
use super::error::{DefinitionError, invalid_setting};
use super::feature_check::{checked_features, checked_look};
use super::file::DefinitionFile;
use super::look::Look;
use super::thresholds::Budgets;
use super::{Definition, Measure, NamedWindow};

/// A bundle prepares a `degraded` text for every combination of missing profiles, as the bits of
/// one byte: one bit per entity, and two more.
const MAX_PROFILED_ENTITIES: usize = 6;
const NO_PROFILES: &str = "the first look reads windows from profiles: set cut_off and \
                           profile_lag, such as 1d and 1h";
const LONG_WITHOUT_CUT_OFF: &str = "a window of a day or longer begins at a cut-off: set cut_off \
                                    and profile_lag, such as 1d and 1h";
const LONG_DISTINCT: &str = "different values can't be counted over a window of a cut-off period \
                             or longer, because those of its parts do not add up: choose a window \
                             shorter than cut_off";

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
        let first = Look {
            features: checked_look("first", &file.first.features, &index_of)?,
        };
        let confirm = Look {
            features: checked_look("confirm", &file.confirm.features, &index_of)?,
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
            cut_offs: cut_offs(file.cut_off.as_deref(), file.profile_lag.as_deref())?,
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
        let refused = |name: &str, why: &str| DefinitionError::Feature {
            feature: name.to_owned(),
            why: why.to_owned(),
        };
        if self.cut_offs.is_none() {
            let needs_cut_off = |(_, window): &NamedWindow<'_>| window.reaches_back_a_day();
            let mut second = self.windows(&self.confirm).into_iter();
            if let Some((name, _)) = self.windows(&self.first).first() {
                return Err(refused(name, NO_PROFILES));
            }
            if let Some((name, _)) = second.find(needs_cut_off) {
                return Err(refused(name, LONG_WITHOUT_CUT_OFF));
            }
            return Ok(());
        }
        for look in [&self.first, &self.confirm] {
            for (name, window) in self.windows(look) {
                if matches!(window.measure, Measure::Distinct(_)) && self.is_long(window) {
                    return Err(refused(name, LONG_DISTINCT));
                }
            }
        }
        match self.profiled_entities().count() {
            0 => Err(invalid_setting(
                "cut_off",
                "no feature needs profiles: remove cut_off and profile_lag",
            )),
            1..=MAX_PROFILED_ENTITIES => Ok(()),
            _ => Err(invalid_setting(
                "features",
                &format!("expected profiles of at most {MAX_PROFILED_ENTITIES} entities"),
            )),
        }
    }
}

fn cut_offs(period: Option<&str>, lag: Option<&str>) -> Result<Option<CutOffs>, DefinitionError> {
    match (period, lag) {
        (None, None) => Ok(None),
        (Some(period), Some(lag)) => CutOffs::checked(period, lag).map(Some),
        (Some(_), None) => Err(invalid_setting(
            "profile_lag",
            "expected a duration such as 1h: how long after a cut-off its profiles are active",
        )),
        (None, Some(_)) => Err(invalid_setting(
            "cut_off",
            "profile_lag is set without it: expected a duration such as 1d",
        )),
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
