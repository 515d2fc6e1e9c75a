//! The shape of `bundle.toml`, before it is checked.

use std::collections::BTreeMap;

use decision::{Action, Schema};
use serde::Deserialize;

use super::table::Entry;
use super::thresholds::CostsEntry;
use super::training::TrainingEntry;
use super::window::{measures, window};
use super::{Calendar, DefinitionError, Feature, Kind, Rules, setting};
use crate::sql::PROFILE;

/// A window longer than this is a slip of the pen, and would overflow intervals.
const MAX_SECONDS: u64 = 3660 * 86_400;

/// Ratios and differences of ratios and differences: each level may ask twice as often as the one above.
const MAX_DEPTH: u32 = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) schema: Schema,
    #[serde(default)]
    pub(super) table: Option<BTreeMap<String, Entry>>,
    #[serde(default)]
    pub(super) feature: Vec<FeatureEntry>,
    pub(super) first: First,
    pub(super) confirm: Confirm,
    pub(super) costs: CostsEntry,
    pub(super) policy: PolicyEntry,
    pub(super) training: TrainingEntry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct First {
    pub(super) features: Vec<String>,
    #[serde(default)]
    pub(super) cut_off: Option<String>,
    #[serde(default)]
    pub(super) hold_share: Option<f64>,
    #[serde(default)]
    pub(super) holds_a_day: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirm {
    pub(super) features: Vec<String>,
    #[serde(default)]
    pub(super) reviews_a_day: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyEntry {
    hold_deadline: String,
    max_attempts: u32,
    on_expiry: Action,
    on_failure: Action,
    on_missing_evidence: Action,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FeatureEntry {
    name: String,
    field: Option<String>,
    category: Option<String>,
    calendar: Option<Calendar>,
    ratio: Option<[String; 2]>,
    difference: Option<[String; 2]>,
    missing: Option<f64>,
    pub(super) entity: Option<String>,
    pub(super) count: Option<bool>,
    pub(super) sum: Option<String>,
    pub(super) mean: Option<String>,
    pub(super) sd: Option<String>,
    pub(super) min: Option<String>,
    pub(super) max: Option<String>,
    pub(super) distinct: Option<String>,
    pub(super) fraud_rate: Option<bool>,
    pub(super) window: Option<String>,
    pub(super) delay: Option<String>,
}

impl PolicyEntry {
    pub(super) fn rules(self) -> Result<Rules, DefinitionError> {
        for (name, action) in [
            ("policy.on_expiry", self.on_expiry),
            ("policy.on_failure", self.on_failure),
            ("policy.on_missing_evidence", self.on_missing_evidence),
        ] {
            if !action.is_final() {
                return Err(setting(name, "expected release, block or review"));
            }
        }
        if self.max_attempts == 0 {
            return Err(setting("policy.max_attempts", "expected at least 1"));
        }
        Ok(Rules {
            hold_deadline: span("policy.hold_deadline", &self.hold_deadline)?,
            max_attempts: self.max_attempts,
            on_expiry: self.on_expiry,
            on_failure: self.on_failure,
            on_missing_evidence: self.on_missing_evidence,
        })
    }
}

/// `30s`, `10m`, `1h`, `7d` in seconds.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number
        .parse::<u64>()
        .ok()?
        .checked_mul(unit)
        .filter(|seconds| (1..=MAX_SECONDS).contains(seconds))
}

pub(super) fn span(name: &'static str, text: &str) -> Result<u64, DefinitionError> {
    seconds(text).ok_or_else(|| setting(name, "expected a span such as 30s, 10m, 1h or 7d"))
}

pub(super) fn look(
    which: &'static str,
    names: &[String],
    places: &BTreeMap<&str, usize>,
) -> Result<Vec<usize>, DefinitionError> {
    let mut features = Vec::with_capacity(names.len());
    for name in names {
        let refuse = |why: String| DefinitionError::Feature {
            feature: name.clone(),
            why,
        };
        let place = *places
            .get(name.as_str())
            .ok_or_else(|| refuse(format!("[{which}] names it, but there is none")))?;
        if features.contains(&place) {
            return Err(refuse(format!("[{which}] names it twice")));
        }
        features.push(place);
    }
    match features.len() {
        0 => Err(setting("features", "a look needs at least one feature")),
        1..=250 => Ok(features),
        _ => Err(setting(
            "features",
            "a look may have 250 features at the most",
        )),
    }
}

pub(super) fn features(
    schema: &Schema,
    entries: Vec<FeatureEntry>,
) -> Result<Vec<Feature>, DefinitionError> {
    let mut features: Vec<Feature> = Vec::with_capacity(entries.len());
    let mut depths: Vec<u32> = Vec::with_capacity(entries.len());
    for entry in entries {
        let name = entry.name.clone();
        let refuse = |why: String| DefinitionError::Feature {
            feature: name.clone(),
            why,
        };
        let plain = name.len() <= 64
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !plain {
            return Err(refuse(
                "expected a name of lower case letters, digits and _, a letter first".to_owned(),
            ));
        }
        // In training sets, the first look's windows are columns beside the confirming look's.
        let reserved = ["transaction_id", "occurred_at", "label", "entity"]
            .contains(&name.as_str())
            || name.starts_with(PROFILE);
        if reserved || schema.entities.contains(&name) {
            return Err(refuse(format!(
                "this name is a field's, or begins with {PROFILE}"
            )));
        }
        if features.iter().any(|other| other.name == name) {
            return Err(refuse("declared twice".to_owned()));
        }
        let missing = entry.missing;
        if missing.is_some_and(|value| !(value as f32).is_finite()) {
            return Err(refuse("missing: expected a finite number".to_owned()));
        }
        let kind = kind(schema, &features, &entry).map_err(&refuse)?;
        let depth = match kind {
            Kind::Ratio(one, other) | Kind::Difference(one, other) => {
                1 + [one, other]
                    .into_iter()
                    .filter_map(|place| depths.get(place))
                    .max()
                    .copied()
                    .unwrap_or(0)
            }
            _ => 0,
        };
        if depth > MAX_DEPTH {
            return Err(refuse(format!(
                "made of others, {depth} deep: expected {MAX_DEPTH} at the most"
            )));
        }
        depths.push(depth);
        // A field's own name may be its feature's, if it is the same thing: else one column has two meanings.
        let field = match name.as_str() {
            "amount" => Some(Kind::Amount),
            other => {
                let place = |names: &[String]| names.iter().position(|name| name == other);
                place(&schema.numbers)
                    .map(Kind::Number)
                    .or_else(|| place(&schema.categories).map(Kind::Category))
            }
        };
        if field.is_some_and(|field| field != kind) {
            return Err(DefinitionError::Feature {
                feature: name,
                why: "this name is a field's".to_owned(),
            });
        }
        features.push(Feature {
            name,
            kind,
            missing,
        });
    }
    Ok(features)
}

fn kind(schema: &Schema, before: &[Feature], entry: &FeatureEntry) -> Result<Kind, String> {
    let FeatureEntry {
        field,
        category,
        calendar,
        ratio,
        difference,
        entity,
        window: length,
        delay,
        ..
    } = entry;
    let windowed = length.is_some() || delay.is_some() || measures(entry) > 0;
    let made_of_others = [ratio.is_some(), difference.is_some()];
    let kinds = [
        field.is_some(),
        category.is_some(),
        calendar.is_some(),
        entity.is_some(),
    ];
    if kinds
        .iter()
        .chain(&made_of_others)
        .filter(|is| **is)
        .count()
        != 1
        || (windowed && entity.is_none())
    {
        return Err(
            "expected exactly one of field, category, calendar, ratio, difference, or entity with a measure and a window"
                .to_owned(),
        );
    }
    if let Some(field) = field {
        return match schema.numbers.iter().position(|number| number == field) {
            _ if field == "amount" => Ok(Kind::Amount),
            Some(number) => Ok(Kind::Number(number)),
            None => Err(format!("field `{field}` is no number of the schema")),
        };
    }
    if let Some(category) = category {
        let place = schema.categories.iter().position(|other| other == category);
        if entry.missing.is_some() {
            return Err(
                "a missing category counts as the rate of all: leave `missing` out".to_owned(),
            );
        }
        return place
            .map(Kind::Category)
            .ok_or_else(|| format!("`{category}` is no category of the schema"));
    }
    if let Some(calendar) = calendar {
        return Ok(Kind::Calendar(*calendar));
    }
    let place = |name: &String| {
        let place = before.iter().position(|feature| &feature.name == name);
        place.ok_or_else(|| format!("made of `{name}`, which is not declared before it"))
    };
    if let Some([over, under]) = ratio {
        return Ok(Kind::Ratio(place(over)?, place(under)?));
    }
    if let Some([from, less]) = difference {
        return Ok(Kind::Difference(place(from)?, place(less)?));
    }
    window(schema, entry).map(Kind::Window)
}
