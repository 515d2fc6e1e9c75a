//! Windows over an entity's history: what they are, and how `bundle.toml` says it.

use decision::Schema;

use super::file::{FeatureEntry, seconds};

/// A measure over the transactions of one entity in `(t − delay − length, t − delay]`, where `t` is
/// the moment of the transaction in question. Without a delay that transaction is one of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Which declared entity.
    pub entity: usize,
    /// What is measured.
    pub measure: Measure,
    /// Length in seconds.
    pub length: u64,
    /// Delay in seconds.
    pub delay: u64,
}

/// What a window measures. Missing values are left out. Of nothing, `Count`, `Sum`, `Distinct` and
/// `FraudRate` are 0, and the others are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// How many transactions.
    Count,
    /// Sum of a quantity.
    Sum(Quantity),
    /// Its mean.
    Mean(Quantity),
    /// Its standard deviation (of the population).
    Deviation(Quantity),
    /// Its least value.
    Min(Quantity),
    /// Its greatest value.
    Max(Quantity),
    /// How many values of a field.
    Distinct(Field),
    /// Share of the transactions that were reported as fraud by `t`.
    FraudRate,
}

/// What can be added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// The amount.
    Amount,
    /// The n-th declared number.
    Number(usize),
}

/// What can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The n-th declared entity.
    Entity(usize),
    /// The n-th declared category.
    Category(usize),
}

impl Measure {
    /// What it is of nothing.
    pub fn of_nothing(self) -> f64 {
        match self {
            Self::Mean(_) | Self::Deviation(_) | Self::Min(_) | Self::Max(_) => f64::NAN,
            Self::Count | Self::Sum(_) | Self::Distinct(_) | Self::FraudRate => 0.0,
        }
    }

    /// What it adds up, if it does.
    pub fn quantity(self) -> Option<Quantity> {
        match self {
            Self::Sum(of)
            | Self::Mean(of)
            | Self::Deviation(of)
            | Self::Min(of)
            | Self::Max(of) => Some(of),
            Self::Count | Self::Distinct(_) | Self::FraudRate => None,
        }
    }
}

impl Quantity {
    /// Its field's name.
    pub fn name(self, schema: &Schema) -> &str {
        match self {
            Self::Amount => "amount",
            Self::Number(number) => schema.numbers.get(number).map_or("", String::as_str),
        }
    }
}

impl Field {
    /// Its name.
    pub fn name(self, schema: &Schema) -> &str {
        let (names, place) = match self {
            Self::Entity(entity) => (&schema.entities, entity),
            Self::Category(category) => (&schema.categories, category),
        };
        names.get(place).map_or("", String::as_str)
    }
}

pub(super) fn measures(entry: &FeatureEntry) -> usize {
    let FeatureEntry {
        sum,
        mean,
        sd,
        min,
        max,
        distinct,
        ..
    } = entry;
    let named = [sum, mean, sd, min, max, distinct]
        .into_iter()
        .filter(|m| m.is_some())
        .count();
    named + usize::from(entry.count == Some(true)) + usize::from(entry.fraud_rate == Some(true))
}

pub(super) fn window(schema: &Schema, entry: &FeatureEntry) -> Result<Window, String> {
    let place = |names: &[String], name: &String| names.iter().position(|other| other == name);
    let entity = entry.entity.as_ref().ok_or("expected an entity")?;
    let entity = place(&schema.entities, entity)
        .ok_or_else(|| format!("`{entity}` is no entity of the schema"))?;
    if measures(entry) != 1 {
        return Err(
            "expected one measure: count, sum, mean, sd, min, max, distinct or fraud_rate"
                .to_owned(),
        );
    }
    let quantity = |field: &String| match place(&schema.numbers, field) {
        _ if field == "amount" => Ok(Quantity::Amount),
        Some(number) => Ok(Quantity::Number(number)),
        None => Err(format!(
            "measure of `{field}`, which is neither amount nor a number of the schema"
        )),
    };
    let distinct = |field: &String| match (
        place(&schema.entities, field),
        place(&schema.categories, field),
    ) {
        (Some(same), _) if same == entity => {
            Err("an entity has one distinct value of itself".to_owned())
        }
        (Some(other), _) => Ok(Field::Entity(other)),
        (None, Some(category)) => Ok(Field::Category(category)),
        (None, None) => Err(format!(
            "distinct of `{field}`, which is no entity and no category of the schema"
        )),
    };
    let measure = match entry {
        FeatureEntry {
            sum: Some(field), ..
        } => Measure::Sum(quantity(field)?),
        FeatureEntry {
            mean: Some(field), ..
        } => Measure::Mean(quantity(field)?),
        FeatureEntry {
            sd: Some(field), ..
        } => Measure::Deviation(quantity(field)?),
        FeatureEntry {
            min: Some(field), ..
        } => Measure::Min(quantity(field)?),
        FeatureEntry {
            max: Some(field), ..
        } => Measure::Max(quantity(field)?),
        FeatureEntry {
            distinct: Some(field),
            ..
        } => Measure::Distinct(distinct(field)?),
        FeatureEntry {
            fraud_rate: Some(true),
            ..
        } => Measure::FraudRate,
        _ => Measure::Count,
    };
    let length = entry
        .window
        .as_deref()
        .ok_or("expected a window such as 7d")?;
    let length = seconds(length)
        .ok_or_else(|| format!("window `{length}`: expected a span such as 1h or 7d"))?;
    let delay = match entry.delay.as_deref() {
        None => 0,
        Some(text) => seconds(text)
            .ok_or_else(|| format!("delay `{text}`: expected a span such as 1h or 7d"))?,
    };
    if measure == Measure::FraudRate && delay == 0 {
        // Its own label is never known at its own moment, so the count would be of nothing known.
        return Err(
            "a fraud rate without a delay would count transactions that nobody can have reported: add delay".to_owned()
        );
    }
    Ok(Window {
        entity,
        measure,
        length,
        delay,
    })
}
