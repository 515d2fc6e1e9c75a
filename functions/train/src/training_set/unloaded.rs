//! Reads the training set that the warehouse unloaded as CSV.

use std::collections::HashMap;
use std::io::Read;

use features::{Definition, Look, NamedWindow};

use super::columns::{CsvRow, Header, SetError, WindowColumns};
use super::values::{in_order, number_of};
use super::{Category, TrainingSet};

/// Reads the files that [`features::sql::training_export`] unloaded, one after the other, into
/// columns.
#[derive(Debug)]
pub struct TrainingSetReader<'d> {
    definition: &'d Definition,
    set: TrainingSet,
    /// For each declared category, the numbers of its values in the order in which they were read.
    names: Vec<HashMap<String, u32>>,
}

impl TrainingSet {
    /// Reads the files that [`features::sql::training_export`] unloaded.
    pub fn read(
        definition: &Definition,
        parts: impl IntoIterator<Item = impl Read>,
    ) -> Result<Self, SetError> {
        let mut reader = TrainingSetReader::new(definition, 0);
        for part in parts {
            reader.read(part)?;
        }
        Ok(reader.finish())
    }
}

impl<'d> TrainingSetReader<'d> {
    /// `rows` is how many rows are expected.
    pub fn new(definition: &'d Definition, rows: usize) -> Self {
        let schema = definition.schema();
        let windows = |look: &Look| {
            let windows = definition.windows(look).into_iter();
            windows.map(|(name, _)| (name.to_owned(), Vec::with_capacity(rows)))
        };
        let category = || Category {
            names: Vec::new(),
            rows: Vec::with_capacity(rows),
        };
        let numbers = schema.numbers.iter();
        let categories = schema.categories.iter();
        Self {
            definition,
            set: TrainingSet {
                occurred_at: Vec::with_capacity(rows),
                amounts: Vec::with_capacity(rows),
                numbers: numbers.map(|_| Vec::with_capacity(rows)).collect(),
                categories: categories.map(|_| category()).collect(),
                windows: windows(&definition.confirm).collect(),
                profiles: windows(&definition.first).collect(),
                frauds: Vec::with_capacity(rows),
                good_weight: definition.training.good_sample().weight(),
            },
            names: vec![HashMap::new(); schema.categories.len()],
        }
    }

    /// Reads a CSV with a header. Empty fields are missing values.
    pub fn read(&mut self, part: impl Read) -> Result<(), SetError> {
        let mut reader = csv::Reader::from_reader(part);
        let header = Header::new(reader.headers()?.clone());
        let columns = Columns::find(self.definition, &header)?;
        let mut record = csv::StringRecord::new();
        for line in 2.. {
            if !reader.read_record(&mut record)? {
                break;
            }
            self.push(&columns, &header.row(line, &record))?;
        }
        Ok(())
    }

    fn push(&mut self, columns: &Columns, row: &CsvRow<'_>) -> Result<(), SetError> {
        let set = &mut self.set;
        let occurred_at = row.timestamp(columns.occurred_at)?;
        let arrived_at = row.timestamp(columns.arrived_at)?;
        set.occurred_at.push(occurred_at);
        set.amounts.push(row.required(columns.amount)?);
        set.frauds.push(row.required(columns.label)? >= 0.5);
        for (column, place) in set.numbers.iter_mut().zip(&columns.numbers) {
            column.push(row.number(*place)?);
        }
        for (column, window) in set.windows.values_mut().zip(&columns.second) {
            column.push(window.second_value(row, occurred_at)?);
        }
        let cut_offs = self.definition.cut_offs;
        let cut_off = cut_offs.map_or(occurred_at, |of| of.of(occurred_at, arrived_at));
        for (column, window) in set.profiles.values_mut().zip(&columns.first) {
            column.push(window.first_value(row, cut_off)?);
        }
        let categories = set.categories.iter_mut().zip(&mut self.names);
        for ((column, names), place) in categories.zip(&columns.categories) {
            let value = row.text(*place);
            let number = (!value.is_empty()).then(|| number_of(names, value));
            column.rows.push(number);
        }
        Ok(())
    }

    /// The bundle must not depend on the order in which the warehouse returns rows, so they are
    /// sorted.
    pub fn finish(self) -> TrainingSet {
        let mut set = self.set;
        for (column, names) in set.categories.iter_mut().zip(&self.names) {
            column.names = in_order(names).into_iter().map(str::to_owned).collect();
        }
        set.sort();
        set
    }
}

/// Where the columns are in a file.
struct Columns {
    occurred_at: usize,
    arrived_at: usize,
    amount: usize,
    label: usize,
    numbers: Vec<usize>,
    categories: Vec<usize>,
    /// The windows of the second look, in the order of their names.
    second: Vec<WindowColumns>,
    /// The windows of the first look, in the order of their names.
    first: Vec<WindowColumns>,
}

impl Columns {
    fn find(definition: &Definition, header: &Header) -> Result<Self, SetError> {
        let schema = definition.schema();
        let windows = |look: &Look| {
            let find = |(name, window): NamedWindow<'_>| {
                WindowColumns::find(definition, header, name, window)
            };
            let mut windows = definition.windows(look);
            windows.sort_unstable_by_key(|(name, _)| *name);
            windows.into_iter().map(find).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            occurred_at: header.place("occurred_at")?,
            arrived_at: header.place("arrived_at")?,
            amount: header.place("amount")?,
            label: header.place("label")?,
            numbers: header.places(schema.numbers.iter())?,
            categories: header.places(schema.categories.iter())?,
            second: windows(&definition.confirm)?,
            first: windows(&definition.first)?,
        })
    }
}
