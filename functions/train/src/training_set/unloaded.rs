//! Reads what the warehouse unloaded: training sets and profiles as CSV.

use std::collections::HashMap;
use std::io::Read;

use features::{Definition, Look, Profiles, ProfilesError, TableBuilder};
use jiff::Timestamp;

use super::values::{in_order, number_of};
use super::{Category, TrainingSet};

#[derive(Debug, thiserror::Error)]
pub enum SetError {
    #[error("the profiles can't be built")]
    Profiles(#[from] ProfilesError),
    #[error("the unloaded CSV can't be parsed")]
    Csv(#[from] csv::Error),
    #[error("the unloaded CSV has no column `{0}`: unload it again with this definition")]
    Column(String),
    #[error("unloaded CSV, line {line}, column `{column}`: expected {expected}")]
    Value {
        /// The header is line 1.
        line: usize,
        column: String,
        expected: &'static str,
    },
}

impl TrainingSet {
    /// Reads the files that [`features::sql::training_export`] unloaded, each CSV with a header.
    /// Empty fields are missing values.
    pub fn read(
        definition: &Definition,
        parts: impl IntoIterator<Item = impl Read>,
    ) -> Result<Self, SetError> {
        let mut rows = Vec::new();
        for part in parts {
            read_part(definition, part, &mut rows)?;
        }
        // Sort by time and then by value: the bundle must not depend on the order in which the
        // warehouse returns rows.
        rows.sort_by(|a: &Line, b| {
            let mut orders = a
                .numbers
                .iter()
                .zip(&b.numbers)
                .map(|(a, b)| a.total_cmp(b));
            orders
                .find(|order| order.is_ne())
                .unwrap_or_else(|| a.categories.cmp(&b.categories))
        });
        let mut set = Self::empty(definition);
        let mut names = vec![HashMap::new(); definition.schema().categories.len()];
        for row in rows {
            for ((column, names), value) in set
                .categories
                .iter_mut()
                .zip(&mut names)
                .zip(row.categories)
            {
                column
                    .rows
                    .push((!value.is_empty()).then(|| number_of(names, &value)));
            }
            let mut values = row.numbers.into_iter();
            let mut next = || values.next().unwrap_or(f64::NAN);
            set.occurred_at.push(seconds(next()));
            set.amounts.push(next());
            set.frauds.push(next() >= 0.5);
            set.numbers
                .iter_mut()
                .for_each(|column| column.push(next()));
            set.windows
                .values_mut()
                .for_each(|column| column.push(next()));
            // Profiles are served as f32.
            set.profiles
                .values_mut()
                .for_each(|column| column.push(f64::from(next() as f32)));
        }
        for (column, names) in set.categories.iter_mut().zip(&names) {
            column.names = in_order(names).into_iter().map(str::to_owned).collect();
        }
        Ok(set)
    }

    fn empty(definition: &Definition) -> Self {
        let windows = |look: &Look| {
            definition
                .windows(look)
                .into_iter()
                .map(|(name, _)| (name.to_owned(), Vec::new()))
        };
        Self {
            numbers: vec![Vec::new(); definition.schema().numbers.len()],
            categories: vec![Category::default(); definition.schema().categories.len()],
            windows: windows(&definition.confirm).collect(),
            profiles: windows(&definition.first).collect(),
            ..Self::default()
        }
    }
}

/// Reads the profiles that [`features::sql::profiles_export`] unloaded: the files of each entity of
/// [`Definition::profiled_entities`].
pub(crate) fn read_profiles(
    definition: &Definition,
    cut_off: Timestamp,
    parts: impl IntoIterator<Item = (usize, Vec<Vec<u8>>)>,
) -> Result<Profiles, SetError> {
    let mut tables = Vec::new();
    for (entity, parts) in parts {
        let Some(mut table) = TableBuilder::new(definition, entity) else {
            continue;
        };
        let names: Vec<&str> = definition
            .profile_columns(entity)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        for part in parts {
            let mut reader = csv::Reader::from_reader(part.as_slice());
            let header = reader.headers()?.clone();
            let place = |name: &str| {
                let place = header
                    .iter()
                    .position(|column| column.eq_ignore_ascii_case(name));
                place.ok_or_else(|| SetError::Column(name.to_owned()))
            };
            let entity = place("entity")?;
            let places = names
                .iter()
                .map(|name| place(name))
                .collect::<Result<Vec<_>, _>>()?;
            let mut record = csv::StringRecord::new();
            let mut values = Vec::with_capacity(names.len());
            for line in 2.. {
                if !reader.read_record(&mut record)? {
                    break;
                }
                values.clear();
                for (name, place) in names.iter().zip(&places) {
                    let wrong = || SetError::Value {
                        line,
                        column: (*name).to_owned(),
                        expected: "a number or an empty field",
                    };
                    let text = record.get(*place).unwrap_or_default();
                    values.push(if text.is_empty() {
                        f64::NAN
                    } else {
                        text.parse().map_err(|_| wrong())?
                    });
                }
                table.push(
                    record.get(entity).unwrap_or_default(),
                    values.iter().copied(),
                );
            }
        }
        tables.push(table);
    }
    Ok(Profiles::build(cut_off, tables)?)
}

fn seconds(seconds: f64) -> Timestamp {
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).unwrap_or_default()
}

/// One row of an unloaded training set.
struct Line {
    /// Timestamp, amount, label, declared numbers, then windows by name.
    numbers: Vec<f64>,
    /// Empty where missing.
    categories: Vec<String>,
}

fn read_part(
    definition: &Definition,
    part: impl Read,
    rows: &mut Vec<Line>,
) -> Result<(), SetError> {
    let mut reader = csv::Reader::from_reader(part);
    let header = reader.headers()?.clone();
    let mut names = vec![
        "occurred_at".to_owned(),
        "amount".to_owned(),
        "label".to_owned(),
    ];
    names.extend(definition.schema().numbers.iter().cloned());
    for (look, prefix) in [
        (&definition.confirm, ""),
        (&definition.first, features::PROFILE_PREFIX),
    ] {
        let mut windows: Vec<&str> = definition
            .windows(look)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        windows.sort_unstable();
        names.extend(windows.into_iter().map(|name| format!("{prefix}{name}")));
    }
    let place = |name: &str| {
        let place = header
            .iter()
            .position(|column| column.eq_ignore_ascii_case(name));
        place.ok_or_else(|| SetError::Column(name.to_owned()))
    };
    let places = names
        .iter()
        .map(|name| place(name))
        .collect::<Result<Vec<_>, _>>()?;
    let categories = definition.schema().categories.iter();
    let categories = categories
        .map(|name| place(name))
        .collect::<Result<Vec<_>, _>>()?;
    let mut record = csv::StringRecord::new();
    for line in 2.. {
        if !reader.read_record(&mut record)? {
            break;
        }
        let mut row = Vec::with_capacity(names.len());
        for (at, (name, place)) in names.iter().zip(&places).enumerate() {
            let wrong = |expected| SetError::Value {
                line,
                column: name.clone(),
                expected,
            };
            let value = match record.get(*place).unwrap_or_default() {
                "" if at < 3 => return Err(wrong("a number")),
                "" => f64::NAN,
                text => text
                    .parse()
                    .map_err(|_| wrong("a number or an empty field"))?,
            };
            row.push(value);
        }
        let text = |place: &usize| record.get(*place).unwrap_or_default().to_owned();
        rows.push(Line {
            numbers: row,
            categories: categories.iter().map(text).collect(),
        });
    }
    Ok(())
}
