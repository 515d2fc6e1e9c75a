//! Checks of `[[feature]]` entries, and of the lists of features in `[first]` and `[confirm]`.

use std::collections::BTreeMap;

use decision::Schema;

use super::error::{DefinitionError, invalid_setting};
use super::feature::{Feature, FeatureKind};
use super::file::FeatureEntry;
use super::window_check::{checked_window, measure_count};

/// How deep ratios and differences may refer to ratios and differences. Each level can double the
/// number of computed values.
const MAX_DEPTH: u32 = 4;
/// A served forest addresses at most 256 columns, including the copies of columns that it reads in
/// a second way.
const MAX_LOOK_FEATURES: usize = 250;

/// The features of a look as indexes; `look` is the name of its section.
pub(super) fn checked_look(
    look: &'static str,
    names: &[String],
    index_of: &BTreeMap<&str, usize>,
) -> Result<Vec<usize>, DefinitionError> {
    let mut features = Vec::with_capacity(names.len());
    for name in names {
        let Some(&index) = index_of.get(name.as_str()) else {
            let why = format!("[{look}] lists it, but no [[feature]] has this name");
            return Err(invalid_feature(name, why));
        };
        if features.contains(&index) {
            return Err(invalid_feature(name, format!("[{look}] lists it twice")));
        }
        features.push(index);
    }
    match features.len() {
        0 => Err(invalid_setting(
            "features",
            "a look needs at least one feature",
        )),
        1..=MAX_LOOK_FEATURES => Ok(features),
        _ => Err(invalid_setting(
            "features",
            &format!("a look may have at most {MAX_LOOK_FEATURES} features"),
        )),
    }
}

pub(super) fn checked_features(
    schema: &Schema,
    entries: &[FeatureEntry],
) -> Result<Vec<Feature>, DefinitionError> {
    let mut features: Vec<Feature> = Vec::with_capacity(entries.len());
    let mut depths: Vec<u32> = Vec::with_capacity(entries.len());
    for entry in entries {
        let checked = check_name(schema, &features, &entry.name)
            .and_then(|()| checked_feature(schema, &features, entry))
            .and_then(|feature| Ok((checked_depth(&feature, &depths)?, feature)));
        let (depth, feature) = checked.map_err(|why| invalid_feature(&entry.name, why))?;
        depths.push(depth);
        features.push(feature);
    }
    Ok(features)
}

fn invalid_feature(name: &str, why: String) -> DefinitionError {
    DefinitionError::Feature {
        feature: name.to_owned(),
        why,
    }
}

fn check_name(schema: &Schema, earlier: &[Feature], name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_plain = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(allowed);
    if !is_plain {
        return Err(
            "expected a name of at most 64 lower case letters, digits and _, a letter first"
                .to_owned(),
        );
    }
    let reserved = [
        "transaction_id",
        "occurred_at",
        "label",
        "entity",
        "ordinal",
    ];
    let is_reserved = reserved.contains(&name);
    if is_reserved || schema.entities.iter().any(|entity| entity == name) {
        return Err("a field has this name: choose another one".to_owned());
    }
    if earlier.iter().any(|feature| feature.name == name) {
        return Err("declared twice".to_owned());
    }
    Ok(())
}

fn checked_feature(
    schema: &Schema,
    earlier: &[Feature],
    entry: &FeatureEntry,
) -> Result<Feature, String> {
    if entry
        .missing
        .is_some_and(|value| !(value as f32).is_finite())
    {
        return Err("missing: expected a finite number".to_owned());
    }
    let kind = checked_kind(schema, earlier, entry)?;
    // A feature may have a field's name only if it is that field: otherwise one column of the
    // training set would have two meanings.
    if field_of_name(schema, &entry.name).is_some_and(|field| field != kind) {
        return Err("a field has this name: choose another one".to_owned());
    }
    Ok(Feature {
        name: entry.name.clone(),
        kind,
        missing: entry.missing,
    })
}

/// How many ratios and differences the feature is made of, one inside the other.
fn checked_depth(feature: &Feature, earlier: &[u32]) -> Result<u32, String> {
    let (FeatureKind::Ratio(left, right) | FeatureKind::Difference(left, right)) = feature.kind
    else {
        return Ok(0);
    };
    let depth_of = |index: usize| earlier.get(index).copied().unwrap_or(0);
    let depth = 1 + depth_of(left).max(depth_of(right));
    if depth > MAX_DEPTH {
        return Err(format!(
            "ratios and differences are nested {depth} deep, expected at most {MAX_DEPTH}"
        ));
    }
    Ok(depth)
}

fn field_of_name(schema: &Schema, name: &str) -> Option<FeatureKind> {
    if name == "amount" {
        return Some(FeatureKind::Amount);
    }
    if let Some(number) = position(&schema.numbers, name) {
        return Some(FeatureKind::Number(number));
    }
    position(&schema.categories, name).map(FeatureKind::Category)
}

fn position(names: &[String], name: &str) -> Option<usize> {
    names.iter().position(|other| other == name)
}

fn checked_kind(
    schema: &Schema,
    earlier: &[Feature],
    entry: &FeatureEntry,
) -> Result<FeatureKind, String> {
    let kinds = [
        entry.field.is_some(),
        entry.category.is_some(),
        entry.calendar.is_some(),
        entry.entity.is_some(),
        entry.ratio.is_some(),
        entry.difference.is_some(),
    ];
    let kind_count = kinds.into_iter().filter(|is_given| *is_given).count();
    let has_window_keys =
        entry.window.is_some() || entry.delay.is_some() || measure_count(entry) > 0;
    if kind_count != 1 || (has_window_keys && entry.entity.is_none()) {
        return Err(
            "expected exactly one of field, category, calendar, ratio, difference, \
             or entity with a measure and a window"
                .to_owned(),
        );
    }
    if let Some(field) = &entry.field {
        return match position(&schema.numbers, field) {
            _ if field == "amount" => Ok(FeatureKind::Amount),
            Some(number) => Ok(FeatureKind::Number(number)),
            None => Err(format!("field `{field}` is not a number of the schema")),
        };
    }
    if let Some(category) = &entry.category {
        if entry.missing.is_some() {
            return Err(
                "a missing category already counts as the overall fraud rate: \
                        remove `missing`"
                    .to_owned(),
            );
        }
        return position(&schema.categories, category)
            .map(FeatureKind::Category)
            .ok_or_else(|| format!("`{category}` is not a category of the schema"));
    }
    if let Some(calendar) = entry.calendar {
        return Ok(FeatureKind::Calendar(calendar));
    }
    if let Some([dividend, divisor]) = &entry.ratio {
        return Ok(FeatureKind::Ratio(
            earlier_feature(earlier, dividend)?,
            earlier_feature(earlier, divisor)?,
        ));
    }
    if let Some([minuend, subtrahend]) = &entry.difference {
        return Ok(FeatureKind::Difference(
            earlier_feature(earlier, minuend)?,
            earlier_feature(earlier, subtrahend)?,
        ));
    }
    checked_window(schema, entry).map(FeatureKind::Window)
}

fn earlier_feature(earlier: &[Feature], name: &str) -> Result<usize, String> {
    earlier
        .iter()
        .position(|feature| feature.name == name)
        .ok_or_else(|| format!("refers to `{name}`: declare that feature before this one"))
}
