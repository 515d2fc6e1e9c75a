//! Reads the profiles that the warehouse unloaded as CSV.

use std::io::Read;

use features::sql::profile_column;
use features::{Definition, TableBuilder};

use super::columns::{Header, SetError};

/// Reads the files of one entity that [`features::sql::profiles_export`] unloaded, one after the
/// other.
pub(crate) struct ProfilesReader {
    /// The columns of the numbers.
    names: Vec<String>,
    table: TableBuilder,
}

impl ProfilesReader {
    /// `None` if the definition has no profiles of the entity.
    pub(crate) fn new(definition: &Definition, entity: usize) -> Option<Self> {
        let mut names = Vec::new();
        for (name, window) in definition.profile_windows(entity) {
            let aggregates = window.measure.aggregates().iter();
            names.extend(aggregates.map(|aggregate| profile_column(name, *aggregate)));
        }
        Some(Self {
            names,
            table: TableBuilder::new(definition, entity)?,
        })
    }

    /// Reads a CSV with a header.
    pub(crate) fn read(&mut self, part: impl Read) -> Result<(), SetError> {
        let mut reader = csv::Reader::from_reader(part);
        let header = Header::new(reader.headers()?.clone());
        let entity = header.place("entity")?;
        let places = header.places(self.names.iter())?;
        let mut record = csv::StringRecord::new();
        let mut numbers = Vec::with_capacity(places.len());
        for line in 2.. {
            if !reader.read_record(&mut record)? {
                break;
            }
            let row = header.row(line, &record);
            numbers.clear();
            for place in &places {
                numbers.push(row.number(*place)?);
            }
            self.table.push(row.text(entity), numbers.iter().copied());
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> TableBuilder {
        self.table
    }
}
