use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use decision::{Batch, Evidence};
use jiff::Timestamp;
use model::Definition;
use model::features::{Facts, History, Label};

/// Labelled transactions with the windows of the confirming look: what serving would have had.
/// Columns; rows in the order of time.
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
    /// Whether each was reported as fraud in time.
    pub frauds: Vec<bool>,
}

/// Why there is nothing to learn from.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
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
        }
        Ok(set)
    }

    fn empty(definition: &Definition) -> Self {
        let windows = definition.windows(&definition.confirm);
        Self {
            numbers: vec![Vec::new(); definition.schema().numbers.len()],
            windows: windows.into_iter().map(|(name, _)| (name.to_owned(), Vec::new())).collect(),
            ..Self::default()
        }
    }

    /// Takes rows from `past`, of what happened in `[from, to)`, labelled by what was reported by
    /// `as_of`; the windows come from all of it.
    pub fn of_history(definition: &Definition, past: &Past, [from, to, as_of]: [Timestamp; 3]) -> Self {
        let history = &past.history;
        let windows = history.windows(definition, &definition.confirm);
        let names = definition.windows(&definition.confirm);
        let mut rows: Vec<usize> = (0..history.len())
            .filter(|&row| history.occurred_at.get(row).is_some_and(|moment| (from..to).contains(moment)))
            .collect();
        rows.sort_by_key(|row| history.occurred_at.get(*row));
        let pick = |column: &[f64]| rows.iter().map(|&row| column.get(row).copied().unwrap_or(f64::NAN)).collect();
        let known = |label: &Label| label.is_fraud && label.reported_at <= as_of;
        Self {
            occurred_at: rows.iter().filter_map(|&row| history.occurred_at.get(row)).copied().collect(),
            amounts: pick(&history.amounts),
            numbers: past.numbers.iter().map(|column| pick(column)).collect(),
            windows: names.iter().zip(&windows).map(|((name, _), column)| ((*name).to_owned(), pick(column))).collect(),
            frauds: rows
                .iter()
                .map(|&row| history.labels.get(row).and_then(Option::as_ref).is_some_and(known))
                .collect(),
        }
    }

    /// The evidence that a row's transaction would have had.
    pub(crate) fn evidence(&self, row: usize) -> Evidence {
        let value = |column: &Vec<f64>| column.get(row).copied().filter(|value| value.is_finite());
        self.windows.iter().map(|(name, column)| (name.clone(), value(column))).collect()
    }
}

/// A history at hand, without a warehouse.
#[derive(Clone, Debug, Default)]
pub struct Past {
    history: History,
    numbers: Vec<Vec<f64>>,
    names: Vec<HashMap<String, u32>>,
}

impl Past {
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
pub(crate) struct SetRow<'a>(pub(crate) &'a TrainingSet, pub(crate) usize);

impl Facts for SetRow<'_> {
    fn occurred_at(&self) -> Timestamp {
        self.0.occurred_at.get(self.1).copied().unwrap_or_default()
    }
    fn amount(&self) -> f64 {
        self.0.amounts.get(self.1).copied().unwrap_or(f64::NAN)
    }
    fn number(&self, index: usize) -> f64 {
        self.0.numbers.get(index).and_then(|column| column.get(self.1)).copied().unwrap_or(f64::NAN)
    }
    fn window(&self, name: &str) -> f64 {
        self.0.windows.get(name).and_then(|column| column.get(self.1)).copied().unwrap_or(f64::NAN)
    }
}

fn seconds(seconds: f64) -> Timestamp {
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).unwrap_or_default()
}

/// Rows of: moment, amount, label, numbers, windows by name.
fn read_part(definition: &Definition, part: impl Read, rows: &mut Vec<Vec<f64>>) -> Result<(), SetError> {
    let mut reader = csv::Reader::from_reader(part);
    let header = reader.headers()?.clone();
    let mut names = vec!["occurred_at", "amount", "label"];
    names.extend(definition.schema().numbers.iter().map(String::as_str));
    let mut windows: Vec<&str> = definition.windows(&definition.confirm).into_iter().map(|(name, _)| name).collect();
    windows.sort_unstable();
    names.extend(windows);
    let place = |name: &str| {
        let place = header.iter().position(|column| column.eq_ignore_ascii_case(name));
        place.ok_or_else(|| SetError::Column(name.to_owned()))
    };
    let places = names.iter().copied().map(place).collect::<Result<Vec<_>, _>>()?;
    let mut record = csv::StringRecord::new();
    for line in 2.. {
        if !reader.read_record(&mut record)? {
            break;
        }
        let mut row = Vec::with_capacity(names.len());
        for (at, (name, place)) in names.iter().zip(&places).enumerate() {
            let wrong = |expected| SetError::Value { line, column: (*name).to_owned(), expected };
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
