use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use decision::{Batch, Evidence};
use jiff::Timestamp;
use model::features::{Facts, History, Label};
use model::{Definition, Look, Matrix, Profiles, ProfilesError, TableBuilder, sql};

/// Labelled transactions with the windows of both looks: what serving would have had. Columns; rows in
/// the order of time.
#[derive(Clone, Debug, Default)]
pub struct TrainingSet {
    /// When each happened.
    pub occurred_at: Vec<Timestamp>,
    /// Amounts.
    pub amounts: Vec<f64>,
    /// For each declared number, its values; NaN where missing.
    pub numbers: Vec<Vec<f64>>,
    /// For each window of the confirming look, its name and values; NaN where missing.
    pub windows: BTreeMap<String, Vec<f64>>,
    /// For each window of the first look, the same, as of the profiles' last cut-off.
    pub profiles: BTreeMap<String, Vec<f64>>,
    /// Whether each was reported as fraud in time.
    pub frauds: Vec<bool>,
}

/// Why there is nothing to learn from.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// The profiles.
    #[error("profiles can't be built")]
    Profiles(#[from] ProfilesError),
    /// The CSV itself.
    #[error("training set can't be read")]
    Csv(#[from] csv::Error),
    /// A column that the definition asks for.
    #[error("training set has no column `{0}`: unload it with this definition")]
    Column(String),
    /// A value.
    #[error("training set, line {line}, column `{column}`: expected {expected}")]
    Value {
        /// The line, the header being 1.
        line: usize,
        /// The column.
        column: String,
        /// What was expected.
        expected: &'static str,
    },
}

impl TrainingSet {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.frauds.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.frauds.is_empty()
    }

    /// Reads what the warehouse unloaded: the parts of [`model::sql::training_export`], each CSV with a
    /// header. Empty fields are missing values.
    pub fn read(definition: &Definition, parts: impl IntoIterator<Item = impl Read>) -> Result<Self, SetError> {
        let mut rows = Vec::new();
        for part in parts {
            read_part(definition, part, &mut rows)?;
        }
        // By time and then by value: the warehouse gives rows in any order, a bundle must not depend on it.
        rows.sort_by(|a: &Vec<f64>, b| {
            a.iter()
                .zip(b)
                .map(|(a, b)| a.total_cmp(b))
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        let mut set = Self::empty(definition);
        for row in rows {
            let mut values = row.into_iter();
            let mut next = || values.next().unwrap_or(f64::NAN);
            set.occurred_at.push(seconds(next()));
            set.amounts.push(next());
            set.frauds.push(next() >= 0.5);
            set.numbers.iter_mut().for_each(|column| column.push(next()));
            set.windows.values_mut().for_each(|column| column.push(next()));
            // Profiles are served as f32.
            set.profiles.values_mut().for_each(|column| column.push(f64::from(next() as f32)));
        }
        Ok(set)
    }

    fn empty(definition: &Definition) -> Self {
        let windows = |look: &Look| definition.windows(look).into_iter().map(|(name, _)| (name.to_owned(), Vec::new()));
        Self {
            numbers: vec![Vec::new(); definition.schema().numbers.len()],
            windows: windows(&definition.confirm).collect(),
            profiles: windows(&definition.first).collect(),
            ..Self::default()
        }
    }

    /// Takes rows from `past`, of what happened in `[from, to)`, labelled by what was reported by
    /// `as_of`; the windows come from all of it.
    pub fn of_history(definition: &Definition, past: &Past, [from, to, as_of]: [Timestamp; 3]) -> Self {
        let history = &past.history;
        let mut rows: Vec<usize> = (0..history.len())
            .filter(|&row| history.occurred_at.get(row).is_some_and(|moment| (from..to).contains(moment)))
            .collect();
        rows.sort_by_key(|row| history.occurred_at.get(*row));
        let pick =
            |column: &[f64]| rows.iter().map(|&row| column.get(row).copied().unwrap_or(f64::NAN)).collect::<Vec<f64>>();
        let windows = |look: &Look| -> BTreeMap<String, Vec<f64>> {
            let columns = history.windows(definition, look);
            let names = definition.windows(look).into_iter().map(|(name, _)| name.to_owned());
            names.zip(columns.iter().map(|column| pick(column))).collect()
        };
        let known = |label: &Label| label.is_fraud && label.reported_at <= as_of;
        Self {
            occurred_at: rows.iter().filter_map(|&row| history.occurred_at.get(row)).copied().collect(),
            amounts: pick(&history.amounts),
            numbers: past.numbers.iter().map(|column| pick(column)).collect(),
            windows: windows(&definition.confirm),
            profiles: windows(&definition.first),
            frauds: rows
                .iter()
                .map(|&row| history.labels.get(row).and_then(Option::as_ref).is_some_and(known))
                .collect(),
        }
    }

    /// A look's matrix: a row for each transaction.
    pub fn matrix(&self, definition: &Definition, look: &Look) -> Matrix {
        let windows = if look.every.is_some() { &self.profiles } else { &self.windows };
        let columns: Vec<&[f64]> = definition
            .features()
            .iter()
            .map(|feature| windows.get(&feature.name).map_or(&[][..], Vec::as_slice))
            .collect();
        let mut matrix = Matrix::new(look.features.len());
        for row in 0..self.len() {
            definition.push_row(look, &SetRow { set: self, columns: &columns, row }, &mut matrix);
        }
        matrix
    }

    /// The evidence that a row's transaction would have had.
    pub fn evidence(&self, row: usize) -> Evidence {
        evidence(&self.windows, row)
    }

    /// The declared numbers that a row has.
    pub(crate) fn numbers(&self, definition: &Definition, row: usize) -> BTreeMap<String, f64> {
        let names = definition.schema().numbers.iter().zip(&self.numbers);
        let values = names.filter_map(|(name, column)| Some((name.clone(), *column.get(row)?)));
        values.filter(|(_, value)| value.is_finite()).collect()
    }
}

/// One row of such columns as evidence.
pub(crate) fn evidence(windows: &BTreeMap<String, Vec<f64>>, row: usize) -> Evidence {
    let value = |column: &Vec<f64>| column.get(row).copied().filter(|value| value.is_finite());
    windows.iter().map(|(name, column)| (name.clone(), value(column))).collect()
}

/// Reads the profiles that the warehouse unloaded: for each entity of [`Definition::profiled`], the
/// parts of [`model::sql::profiles_export`].
pub(crate) fn read_profiles(
    definition: &Definition,
    cut_off: Timestamp,
    parts: impl IntoIterator<Item = (usize, Vec<Vec<u8>>)>,
) -> Result<Profiles, SetError> {
    let mut tables = Vec::new();
    for (entity, parts) in parts {
        let Some(mut table) = TableBuilder::new(definition, entity) else { continue };
        let names: Vec<&str> = definition.profile_columns(entity).into_iter().map(|(name, _)| name).collect();
        for part in parts {
            let mut reader = csv::Reader::from_reader(part.as_slice());
            let header = reader.headers()?.clone();
            let place = |name: &str| {
                let place = header.iter().position(|column| column.eq_ignore_ascii_case(name));
                place.ok_or_else(|| SetError::Column(name.to_owned()))
            };
            let entity = place("entity")?;
            let places = names.iter().map(|name| place(name)).collect::<Result<Vec<_>, _>>()?;
            let mut record = csv::StringRecord::new();
            let mut values = Vec::with_capacity(names.len());
            for line in 2.. {
                if !reader.read_record(&mut record)? {
                    break;
                }
                values.clear();
                for (name, place) in names.iter().zip(&places) {
                    let wrong =
                        || SetError::Value { line, column: (*name).to_owned(), expected: "a number, or nothing" };
                    let text = record.get(*place).unwrap_or_default();
                    values.push(if text.is_empty() { f64::NAN } else { text.parse().map_err(|_| wrong())? });
                }
                table.push(record.get(entity).unwrap_or_default(), values.iter().copied());
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
    numbers: Vec<Vec<f64>>,
    names: Vec<HashMap<String, u32>>,
}

impl Past {
    /// The profiles that the first look would have from this cut-off on.
    pub fn profiles(&self, definition: &Definition, cut_off: Timestamp) -> Result<Profiles, ProfilesError> {
        let tables = definition.profiled().filter_map(|entity| {
            let mut table = TableBuilder::new(definition, entity)?;
            let mut names = vec![""; self.names.get(entity)?.len()];
            for (name, number) in self.names.get(entity)? {
                if let Some(place) = names.get_mut(*number as usize) {
                    *place = name;
                }
            }
            for (number, windows) in self.history.profiles(definition, entity, cut_off) {
                table.push(names.get(number as usize).copied().unwrap_or_default(), windows.into_iter());
            }
            Some(table)
        });
        Profiles::build(cut_off, tables.collect())
    }

    /// Adds a batch of transactions; `label` says what was reported of each.
    pub fn add(&mut self, batch: &Batch<'_>, label: impl Fn(usize) -> Option<Label>) {
        let schema = batch.schema();
        self.numbers.resize(schema.numbers.len(), Vec::new());
        self.names.resize(schema.entities.len(), HashMap::new());
        self.history.entities.resize(schema.entities.len(), Vec::new());
        for row in 0..batch.len() {
            self.history.occurred_at.push(batch.occurred_at(row));
            self.history.amounts.push(batch.amount(row));
            self.history.labels.push(label(row));
            for (index, column) in self.numbers.iter_mut().enumerate() {
                column.push(batch.number(row, index));
            }
            for (index, (names, column)) in self.names.iter_mut().zip(&mut self.history.entities).enumerate() {
                let next = names.len() as u32;
                column.push(*names.entry(batch.entity(row, index).to_owned()).or_insert(next));
            }
        }
    }
}

/// One row's facts.
struct SetRow<'a> {
    set: &'a TrainingSet,
    /// For each feature that is a window of the look, its values.
    columns: &'a [&'a [f64]],
    row: usize,
}

impl Facts for SetRow<'_> {
    fn occurred_at(&self) -> Timestamp {
        self.set.occurred_at.get(self.row).copied().unwrap_or_default()
    }
    fn amount(&self) -> f64 {
        self.set.amounts.get(self.row).copied().unwrap_or(f64::NAN)
    }
    fn number(&self, index: usize) -> f64 {
        self.set.numbers.get(index).and_then(|column| column.get(self.row)).copied().unwrap_or(f64::NAN)
    }
    fn window(&self, place: usize) -> f64 {
        self.columns.get(place).and_then(|column| column.get(self.row)).copied().unwrap_or(f64::NAN)
    }
}

fn seconds(seconds: f64) -> Timestamp {
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).unwrap_or_default()
}

/// Rows of: moment, amount, label, numbers, windows by name.
fn read_part(definition: &Definition, part: impl Read, rows: &mut Vec<Vec<f64>>) -> Result<(), SetError> {
    let mut reader = csv::Reader::from_reader(part);
    let header = reader.headers()?.clone();
    let mut names = vec!["occurred_at".to_owned(), "amount".to_owned(), "label".to_owned()];
    names.extend(definition.schema().numbers.iter().cloned());
    for (look, prefix) in [(&definition.confirm, ""), (&definition.first, sql::PROFILE)] {
        let mut windows: Vec<&str> = definition.windows(look).into_iter().map(|(name, _)| name).collect();
        windows.sort_unstable();
        names.extend(windows.into_iter().map(|name| format!("{prefix}{name}")));
    }
    let place = |name: &str| {
        let place = header.iter().position(|column| column.eq_ignore_ascii_case(name));
        place.ok_or_else(|| SetError::Column(name.to_owned()))
    };
    let places = names.iter().map(|name| place(name)).collect::<Result<Vec<_>, _>>()?;
    let mut record = csv::StringRecord::new();
    for line in 2.. {
        if !reader.read_record(&mut record)? {
            break;
        }
        let mut row = Vec::with_capacity(names.len());
        for (at, (name, place)) in names.iter().zip(&places).enumerate() {
            let wrong = |expected| SetError::Value { line, column: name.clone(), expected };
            let value = match record.get(*place).unwrap_or_default() {
                "" if at < 3 => return Err(wrong("a number")),
                "" => f64::NAN,
                text => text.parse().map_err(|_| wrong("a number, or nothing"))?,
            };
            row.push(value);
        }
        rows.push(row);
    }
    Ok(())
}
