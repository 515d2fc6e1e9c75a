//! Checks of `[[feature]]` entries that are windows.

use decision::Schema;
use jiff::SignedDuration;

use super::duration::parse_duration;
use super::file::FeatureEntry;
use super::window::{DistinctField, Measure, Quantity, Window};

/// How many measures the entry names; a window needs exactly one.
pub(super) fn measure_count(entry: &FeatureEntry) -> usize {
    let measures = [
        entry.count == Some(true),
        entry.sum.is_some(),
        entry.mean.is_some(),
        entry.sd.is_some(),
        entry.min.is_some(),
        entry.max.is_some(),
        entry.distinct.is_some(),
        entry.fraud_rate == Some(true),
        entry.frauds == Some(true),
        entry.last_fraud_age == Some(true),
    ];
    measures.into_iter().filter(|is_given| *is_given).count()
}

pub(super) fn checked_window(schema: &Schema, entry: &FeatureEntry) -> Result<Window, String> {
    let name = entry.entity.as_ref().ok_or("expected an entity")?;
    let entity = position(&schema.entities, name)
        .ok_or_else(|| format!("`{name}` is not an entity of the schema"))?;
    if measure_count(entry) != 1 {
        return Err(
            "expected one measure: count, sum, mean, sd, min, max, distinct, fraud_rate, frauds \
             or last_fraud_age"
                .to_owned(),
        );
    }
    let measure = checked_measure(schema, entity, entry)?;
    let length = entry
        .window
        .as_deref()
        .ok_or("expected a window such as 7d")?;
    let length = match length {
        "all" if measure.is_of_frauds() => None,
        "all" => {
            return Err(
                "window `all`: only frauds and last_fraud_age may read all of the history"
                    .to_owned(),
            );
        }
        length => Some(duration("window", length)?),
    };
    let delay = match entry.delay.as_deref() {
        None => SignedDuration::ZERO,
        Some(delay) => duration("delay", delay)?,
    };
    if measure == Measure::FraudRate && delay.is_zero() {
        // A transaction is never reported by its own timestamp.
        return Err(
            "a fraud rate needs a delay, the time in which frauds are reported: \
                    add `delay`"
                .to_owned(),
        );
    }
    Ok(Window {
        entity,
        measure,
        length,
        delay,
    })
}

fn duration(key: &str, text: &str) -> Result<SignedDuration, String> {
    parse_duration(text)
        .ok_or_else(|| format!("{key} `{text}`: expected a duration such as 1h or 7d"))
}

fn checked_measure(
    schema: &Schema,
    entity: usize,
    entry: &FeatureEntry,
) -> Result<Measure, String> {
    if let Some(field) = &entry.sum {
        return quantity(schema, field).map(Measure::Sum);
    }
    if let Some(field) = &entry.mean {
        return quantity(schema, field).map(Measure::Mean);
    }
    if let Some(field) = &entry.sd {
        return quantity(schema, field).map(Measure::Deviation);
    }
    if let Some(field) = &entry.min {
        return quantity(schema, field).map(Measure::Min);
    }
    if let Some(field) = &entry.max {
        return quantity(schema, field).map(Measure::Max);
    }
    if let Some(field) = &entry.distinct {
        return distinct_field(schema, entity, field).map(Measure::Distinct);
    }
    if entry.fraud_rate == Some(true) {
        return Ok(Measure::FraudRate);
    }
    if entry.frauds == Some(true) {
        return Ok(Measure::Frauds);
    }
    if entry.last_fraud_age == Some(true) {
        return Ok(Measure::LastFraudAge);
    }
    Ok(Measure::Count)
}

fn quantity(schema: &Schema, field: &str) -> Result<Quantity, String> {
    if field == "amount" {
        return Ok(Quantity::Amount);
    }
    position(&schema.numbers, field)
        .map(Quantity::Number)
        .ok_or_else(|| {
            format!("measure of `{field}`, which is neither amount nor a number of the schema")
        })
}

fn distinct_field(schema: &Schema, entity: usize, field: &str) -> Result<DistinctField, String> {
    if let Some(other) = position(&schema.entities, field) {
        if other == entity {
            return Err(
                "the distinct values of an entity within its own history are always 1: \
                        name another field"
                    .to_owned(),
            );
        }
        return Ok(DistinctField::Entity(other));
    }
    position(&schema.categories, field)
        .map(DistinctField::Category)
        .ok_or_else(|| {
            format!("distinct of `{field}`, which is no entity and no category of the schema")
        })
}

fn position(names: &[String], name: &str) -> Option<usize> {
    names.iter().position(|other| other == name)
}
