//! The columns of CSV that the warehouse unloaded.

use csv::StringRecord;
use decision::Schema;
use features::sql::{has_held_column, profile_column, recent_column, timestamp_of_utc};
use features::{Definition, Measure, NamedWindow, OwnValue, Parts, Quantity, SecondParts, Window};
use jiff::Timestamp;

#[derive(Debug, thiserror::Error)]
pub enum SetError {
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

/// The first line of a file.
pub(super) struct Header(StringRecord);

/// One line of a file.
pub(super) struct CsvRow<'r> {
    header: &'r Header,
    record: &'r StringRecord,
    line: usize,
}

impl Header {
    pub(super) const fn new(names: StringRecord) -> Self {
        Self(names)
    }

    /// The place of a column. Redshift may change the case of its name.
    pub(super) fn place(&self, name: &str) -> Result<usize, SetError> {
        let place = self
            .0
            .iter()
            .position(|column| column.eq_ignore_ascii_case(name));
        place.ok_or_else(|| SetError::Column(name.to_owned()))
    }

    pub(super) fn places(
        &self,
        names: impl Iterator<Item = impl AsRef<str>>,
    ) -> Result<Vec<usize>, SetError> {
        names.map(|name| self.place(name.as_ref())).collect()
    }

    pub(super) const fn row<'r>(&'r self, line: usize, record: &'r StringRecord) -> CsvRow<'r> {
        CsvRow {
            header: self,
            record,
            line,
        }
    }
}

impl CsvRow<'_> {
    pub(super) fn text(&self, place: usize) -> &str {
        self.record.get(place).unwrap_or_default()
    }

    /// NaN for an empty field.
    pub(super) fn number(&self, place: usize) -> Result<f64, SetError> {
        match self.text(place) {
            "" => Ok(f64::NAN),
            text => text
                .parse()
                .map_err(|_| self.wrong(place, "a number or an empty field")),
        }
    }

    pub(super) fn required(&self, place: usize) -> Result<f64, SetError> {
        self.text(place)
            .parse()
            .map_err(|_| self.wrong(place, "a number"))
    }

    /// A timestamp in UTC, such as `2026-01-31 09:00:00.25`.
    pub(super) fn timestamp(&self, place: usize) -> Result<Timestamp, SetError> {
        let timestamp = timestamp_of_utc(self.text(place));
        timestamp.ok_or_else(|| self.wrong(place, "a timestamp in UTC"))
    }

    fn parts(&self, measure: Measure, places: &[usize]) -> Result<Parts, SetError> {
        let mut numbers = Vec::with_capacity(places.len());
        for place in places {
            numbers.push(self.number(*place)?);
        }
        Ok(Parts::of_aggregates(measure, numbers))
    }

    fn wrong(&self, place: usize, expected: &'static str) -> SetError {
        SetError::Value {
            line: self.line,
            column: self.header.0.get(place).unwrap_or_default().to_owned(),
            expected,
        }
    }
}

/// The places of the numbers that a window is computed from.
pub(super) struct WindowColumns {
    window: Window,
    /// Empty if the window has no numbers in the profiles.
    profile: Vec<usize>,
    begins_at_cut_off: bool,
    /// Empty if the second look does not have the window.
    recent: Vec<usize>,
    own: OwnColumn,
}

/// Where a window's own value is.
#[derive(Clone, Copy)]
enum OwnColumn {
    None,
    Number(usize),
    Distinct { field: usize, has_held: usize },
}

impl WindowColumns {
    pub(super) fn find(
        definition: &Definition,
        header: &Header,
        name: &str,
        window: &Window,
    ) -> Result<Self, SetError> {
        let aggregates = || window.measure.aggregates().iter();
        let is_window = |(other, _): &NamedWindow<'_>| *other == name;
        let in_profiles = definition.profile_windows(window.entity);
        let profile = match in_profiles.iter().any(is_window) {
            true => header.places(aggregates().map(|part| profile_column(name, *part)))?,
            false => Vec::new(),
        };
        let second = definition.windows(&definition.confirm);
        let is_in_second = second.iter().any(is_window);
        let recent = match is_in_second {
            true => header.places(aggregates().map(|part| recent_column(name, *part)))?,
            false => Vec::new(),
        };
        let own = match is_in_second {
            true => OwnColumn::find(definition.schema(), header, name, window.measure)?,
            false => OwnColumn::None,
        };
        Ok(Self {
            window: window.clone(),
            profile,
            begins_at_cut_off: definition.is_long(window),
            recent,
            own,
        })
    }

    pub(super) fn first_value(
        &self,
        row: &CsvRow<'_>,
        cut_off: Timestamp,
    ) -> Result<f64, SetError> {
        let measure = self.window.measure;
        Ok(row.parts(measure, &self.profile)?.value(measure, cut_off))
    }

    pub(super) fn second_value(
        &self,
        row: &CsvRow<'_>,
        occurred_at: Timestamp,
    ) -> Result<f64, SetError> {
        let measure = self.window.measure;
        let profile = match self.begins_at_cut_off {
            true => row.parts(measure, &self.profile)?,
            false => Parts::EMPTY,
        };
        let parts = SecondParts {
            profile,
            recent: row.parts(measure, &self.recent)?,
            own: self.own.value(row)?,
        };
        Ok(self.window.second_value(parts, occurred_at))
    }
}

impl OwnColumn {
    fn find(
        schema: &Schema,
        header: &Header,
        name: &str,
        measure: Measure,
    ) -> Result<Self, SetError> {
        if let Measure::Distinct(field) = measure {
            return Ok(Self::Distinct {
                field: header.place(field.name(schema))?,
                has_held: header.place(&has_held_column(name))?,
            });
        }
        match measure.quantity() {
            None => Ok(Self::None),
            Some(Quantity::Amount) => Ok(Self::Number(header.place("amount")?)),
            Some(quantity) => Ok(Self::Number(header.place(quantity.name(schema))?)),
        }
    }

    fn value(self, row: &CsvRow<'_>) -> Result<OwnValue, SetError> {
        match self {
            Self::None => Ok(OwnValue::Number(f64::NAN)),
            Self::Number(place) => Ok(OwnValue::Number(row.number(place)?)),
            Self::Distinct { field, has_held } => {
                let occurs = row.number(has_held)? > 0.0;
                Ok(match row.text(field).is_empty() || occurs {
                    true => OwnValue::Known,
                    false => OwnValue::New,
                })
            }
        }
    }
}
