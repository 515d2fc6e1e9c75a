use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use decision::{Batch, Evidence};
use features::{Categories, FraudCount};
use features::{Definition, Look, Profiles, ProfilesError, TableBuilder, TrainingPeriod};
use features::{FeatureSource, History, Label};
use jiff::Timestamp;
use scoring::Matrix;

/// Labelled transactions with the windows of both looks: what serving would have had. Columns; rows in
/// the order of time.
#[derive(Clone, Debug, Default)]
pub struct TrainingSet {
    pub occurred_at: Vec<Timestamp>,
    pub amounts: Vec<f64>,
    /// For each declared number, its values; NaN where missing.
    pub numbers: Vec<Vec<f64>>,
    /// For each declared category, its values.
    pub categories: Vec<Category>,
    /// For each window of the confirming look, its name and values; NaN where missing.
    pub windows: BTreeMap<String, Vec<f64>>,
    /// For each window of the first look, the same, as of the profiles' last cut-off.
    pub profiles: BTreeMap<String, Vec<f64>>,
    /// Whether each was reported as fraud in time.
    pub frauds: Vec<bool>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Category {
    pub names: Vec<String>,
    /// For each row its value's number; none where it is missing.
    pub rows: Vec<Option<u32>>,
}

/// Why there is nothing to learn from.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    #[error("profiles can't be built")]
    Profiles(#[from] ProfilesError),
    #[error("training set can't be read")]
    Csv(#[from] csv::Error),
    /// A column that the definition asks for.
    #[error("training set has no column `{0}`: unload it with this definition")]
    Column(String),
    #[error("training set, line {line}, column `{column}`: expected {expected}")]
    Value {
        /// The line, the header being 1.
        line: usize,
        column: String,
        expected: &'static str,
    },
}

impl TrainingSet {
    pub fn len(&self) -> usize {
        self.frauds.len()
    }

    pub fn is_empty(&self) -> bool {
        self.frauds.is_empty()
    }

    /// Reads what the warehouse unloaded: the parts of [`features::sql::training_export`], each CSV with a
    /// header. Empty fields are missing values.
    pub fn read(
        definition: &Definition,
        parts: impl IntoIterator<Item = impl Read>,
    ) -> Result<Self, SetError> {
        let mut rows = Vec::new();
        for part in parts {
            read_part(definition, part, &mut rows)?;
        }
        // By time and then by value: the warehouse gives rows in any order, a bundle must not depend on it.
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
                    .push((!value.is_empty()).then(|| numbered(names, &value)));
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

    /// Takes rows from `past`, of what happened in `[from, to)`, labelled by what was reported by
    /// `as_of`; the windows come from all of it.
    pub fn of_history(definition: &Definition, past: &Past, period: &TrainingPeriod) -> Self {
        let history = &past.history;
        let mut rows: Vec<usize> = (0..history.len())
            .filter(|&row| {
                history
                    .occurred_at
                    .get(row)
                    .is_some_and(|moment| period.contains(*moment))
            })
            .collect();
        rows.sort_by_key(|row| history.occurred_at.get(*row));
        let pick = |column: &[f64]| {
            rows.iter()
                .map(|&row| column.get(row).copied().unwrap_or(f64::NAN))
                .collect::<Vec<f64>>()
        };
        let windows = |look: &Look| -> BTreeMap<String, Vec<f64>> {
            let columns = history.windows(definition, look);
            let names = definition
                .windows(look)
                .into_iter()
                .map(|(name, _)| name.to_owned());
            names
                .zip(columns.iter().map(|column| pick(column)))
                .collect()
        };
        let categories = history
            .categories
            .iter()
            .zip(&past.categories)
            .map(|(column, names)| Category {
                names: in_order(names).into_iter().map(str::to_owned).collect(),
                rows: rows
                    .iter()
                    .map(|&row| column.get(row).copied().flatten())
                    .collect(),
            });
        let known = |label: &Label| label.is_fraud && label.reported_at <= period.as_of;
        Self {
            occurred_at: rows
                .iter()
                .filter_map(|&row| history.occurred_at.get(row))
                .copied()
                .collect(),
            amounts: pick(&history.amounts),
            numbers: history.numbers.iter().map(|column| pick(column)).collect(),
            categories: categories.collect(),
            windows: windows(&definition.confirm),
            profiles: windows(&definition.first),
            frauds: rows
                .iter()
                .map(|&row| {
                    history
                        .labels
                        .get(row)
                        .and_then(Option::as_ref)
                        .is_some_and(known)
                })
                .collect(),
        }
    }

    /// The rows to learn from: all but those of the holdout, the last ones.
    pub fn learnt(&self, definition: &Definition) -> Vec<bool> {
        let last = self.occurred_at.iter().max().copied().unwrap_or_default();
        let apart = definition.training.holdout;
        self.occurred_at
            .iter()
            .map(|moment| last.duration_since(*moment) >= apart)
            .collect()
    }

    /// The tables of the categories that features name, from the rows to learn from.
    pub fn tables(&self, definition: &Definition) -> Categories {
        let mut tables = Categories::default();
        let learnt = self.learnt(definition);
        for (place, name) in definition.category_features() {
            let Some(column) = self.categories.get(place) else {
                continue;
            };
            let counts = Counts::of(self, column, |row| learnt.get(row) == Some(&true));
            let seen = column.names.iter().map(String::as_str).zip(counts.values);
            // What was not seen is not listed: the holdout must leave no trace.
            tables.learn(
                name,
                counts.all,
                seen.filter(|(_, count)| count.transactions > 0),
            );
        }
        tables
    }

    /// A look's matrix: a row for each transaction.
    pub fn matrix(&self, definition: &Definition, look: &Look) -> Matrix {
        let windows = if look.cut_off.is_some() {
            &self.profiles
        } else {
            &self.windows
        };
        let columns: Vec<&[f64]> = definition
            .features()
            .iter()
            .map(|feature| windows.get(&feature.name).map_or(&[][..], Vec::as_slice))
            .collect();
        let learnt = self.learnt(definition);
        let mut rates = vec![Vec::new(); definition.schema().categories.len()];
        for (place, _) in definition.category_features() {
            if let (Some(rates), Some(column)) = (rates.get_mut(place), self.categories.get(place))
            {
                *rates = Counts::rates(self, column, &learnt);
            }
        }
        let mut matrix = Matrix::new(look.features.len());
        for row in 0..self.len() {
            let facts = SetRow {
                set: self,
                columns: &columns,
                rates: &rates,
                row,
            };
            matrix.extend(definition.row(look, &facts));
        }
        matrix
    }

    /// The evidence that a row's transaction would have had.
    pub fn evidence(&self, row: usize) -> Evidence {
        evidence(&self.windows, row)
    }

    /// The categories that a row has, of those that features name.
    pub(crate) fn categories(
        &self,
        definition: &Definition,
        row: usize,
    ) -> BTreeMap<String, String> {
        let value = |(place, name): (usize, &str)| {
            let column = self.categories.get(place)?;
            let value = column.names.get((*column.rows.get(row)?)? as usize)?;
            Some((name.to_owned(), value.clone()))
        };
        definition.category_features().filter_map(value).collect()
    }

    /// The declared numbers that a row has.
    pub(crate) fn numbers(&self, definition: &Definition, row: usize) -> BTreeMap<String, f64> {
        let names = definition.schema().numbers.iter().zip(&self.numbers);
        let values = names.filter_map(|(name, column)| Some((name.clone(), *column.get(row)?)));
        values.filter(|(_, value)| value.is_finite()).collect()
    }
}

/// How many transactions had each value of a category, and how many of them were frauds.
#[derive(Clone)]
struct Counts {
    all: FraudCount,
    values: Vec<FraudCount>,
}

/// A row to learn from must not find its own answer in its category's rate: its rate comes from the
/// other rows but every n-th, of which it is one.
const FOLDS: usize = 5;

impl Counts {
    fn of(set: &TrainingSet, column: &Category, rows: impl Fn(usize) -> bool) -> Self {
        let mut counts = Self {
            all: FraudCount::default(),
            values: vec![FraudCount::default(); column.names.len()],
        };
        for (_, (value, fraud)) in column
            .rows
            .iter()
            .zip(&set.frauds)
            .enumerate()
            .filter(|(row, _)| rows(*row))
        {
            let of_value = value.and_then(|value| counts.values.get_mut(value as usize));
            for count in of_value.into_iter().chain([&mut counts.all]) {
                count.transactions += 1;
                count.frauds += usize::from(*fraud);
            }
        }
        counts
    }

    /// For each row the number that stands for its value.
    fn rates(set: &TrainingSet, column: &Category, learnt: &[bool]) -> Vec<f64> {
        let learns = |row: usize| learnt.get(row) == Some(&true);
        let whole = Self::of(set, column, learns);
        let folds: Vec<Self> = (0..FOLDS)
            .map(|fold| Self::of(set, column, |row| learns(row) && row % FOLDS != fold))
            .collect();
        let rate = |(row, value): (usize, &Option<u32>)| {
            let counts = if learns(row) {
                folds.get(row % FOLDS).unwrap_or(&whole)
            } else {
                &whole
            };
            let of_value = value
                .and_then(|value| counts.values.get(value as usize))
                .copied()
                .unwrap_or_default();
            of_value.shrunk_fraud_rate(counts.all.fraud_rate())
        };
        column.rows.iter().enumerate().map(rate).collect()
    }
}

/// One row of such columns as evidence.
pub(crate) fn evidence(windows: &BTreeMap<String, Vec<f64>>, row: usize) -> Evidence {
    let value = |column: &Vec<f64>| column.get(row).copied().filter(|value| value.is_finite());
    windows
        .iter()
        .map(|(name, column)| (name.clone(), value(column)))
        .collect()
}

/// Reads the profiles that the warehouse unloaded: for each entity of [`Definition::profiled`], the
/// parts of [`features::sql::profiles_export`].
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
                        expected: "a number, or nothing",
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

/// A history at hand, without a warehouse.
#[derive(Clone, Debug, Default)]
pub struct Past {
    history: History,
    /// For each entity, its values' numbers.
    entities: Vec<HashMap<String, u32>>,
    categories: Vec<HashMap<String, u32>>,
}

impl Past {
    /// The profiles that the first look would have from this cut-off on.
    pub fn profiles(
        &self,
        definition: &Definition,
        cut_off: Timestamp,
    ) -> Result<Profiles, ProfilesError> {
        let tables = definition.profiled_entities().filter_map(|entity| {
            let mut table = TableBuilder::new(definition, entity)?;
            let names = in_order(self.entities.get(entity)?);
            for (number, windows) in self.history.profiles(definition, entity, cut_off) {
                table.push(
                    names.get(number as usize).copied().unwrap_or_default(),
                    windows.into_iter(),
                );
            }
            Some(table)
        });
        Profiles::build(cut_off, tables.collect())
    }

    /// Adds a batch of transactions; `label` says what was reported of each.
    pub fn add(&mut self, batch: &Batch<'_>, label: impl Fn(usize) -> Option<Label>) {
        let schema = batch.schema();
        let history = &mut self.history;
        history.numbers.resize(schema.numbers.len(), Vec::new());
        history.entities.resize(schema.entities.len(), Vec::new());
        history
            .categories
            .resize(schema.categories.len(), Vec::new());
        self.entities.resize(schema.entities.len(), HashMap::new());
        self.categories
            .resize(schema.categories.len(), HashMap::new());
        for row in 0..batch.len() {
            history.occurred_at.push(batch.occurred_at(row));
            history.amounts.push(batch.amount(row));
            history.labels.push(label(row));
            for (index, column) in history.numbers.iter_mut().enumerate() {
                column.push(batch.number(row, index));
            }
            for (index, (names, column)) in self
                .entities
                .iter_mut()
                .zip(&mut history.entities)
                .enumerate()
            {
                column.push(numbered(names, batch.entity(row, index)));
            }
            for (index, (names, column)) in self
                .categories
                .iter_mut()
                .zip(&mut history.categories)
                .enumerate()
            {
                column.push(
                    batch
                        .category(row, index)
                        .map(|value| numbered(names, value)),
                );
            }
        }
    }
}

/// A value's number, which is a new one if it is new.
fn numbered(names: &mut HashMap<String, u32>, value: &str) -> u32 {
    if let Some(number) = names.get(value) {
        return *number;
    }
    let next = names.len() as u32;
    names.insert(value.to_owned(), next);
    next
}

/// The values by their numbers.
fn in_order(numbered: &HashMap<String, u32>) -> Vec<&str> {
    let mut names = vec![""; numbered.len()];
    for (name, number) in numbered {
        if let Some(place) = names.get_mut(*number as usize) {
            *place = name;
        }
    }
    names
}

struct SetRow<'a> {
    set: &'a TrainingSet,
    /// For each feature that is a window of the look, its values.
    columns: &'a [&'a [f64]],
    /// For each category that a feature names, its values as numbers.
    rates: &'a [Vec<f64>],
    row: usize,
}

impl FeatureSource for SetRow<'_> {
    fn occurred_at(&self) -> Timestamp {
        self.set
            .occurred_at
            .get(self.row)
            .copied()
            .unwrap_or_default()
    }
    fn amount(&self) -> f64 {
        self.set.amounts.get(self.row).copied().unwrap_or(f64::NAN)
    }
    fn number(&self, index: usize) -> f64 {
        self.set
            .numbers
            .get(index)
            .and_then(|column| column.get(self.row))
            .copied()
            .unwrap_or(f64::NAN)
    }
    fn category(&self, index: usize) -> f64 {
        self.rates
            .get(index)
            .and_then(|column| column.get(self.row))
            .copied()
            .unwrap_or(f64::NAN)
    }
    fn window(&self, place: usize) -> f64 {
        self.columns
            .get(place)
            .and_then(|column| column.get(self.row))
            .copied()
            .unwrap_or(f64::NAN)
    }
}

fn seconds(seconds: f64) -> Timestamp {
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).unwrap_or_default()
}

/// One row of an unloaded training set.
struct Line {
    /// Moment, amount, label, numbers, windows by name.
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
                text => text.parse().map_err(|_| wrong("a number, or nothing"))?,
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
