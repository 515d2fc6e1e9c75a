//! Transactions as columns.

mod fields;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use jiff::Timestamp;
use serde::de::DeserializeSeed;

use crate::schema::REQUIRED;
use crate::value::Value;
use crate::{Identity, ReadError, Schema};
use fields::Fields;
pub use fields::micros;

/// The source of a transaction: its record in the event and its item in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Index of the Kinesis record in its event.
    pub record: u32,
    /// Index of the item within the record. 0 if the record holds one transaction.
    pub item: u32,
}

/// The readable transactions of one batch, as columns.
///
/// Text without escapes is borrowed from the records: reading allocates per batch, not per
/// transaction. Rows are in reading order.
#[derive(Debug)]
pub struct Batch<'a> {
    schema: &'a Schema,
    transaction_ids: Vec<Cow<'a, str>>,
    occurred_at: Vec<Timestamp>,
    amounts: Vec<f64>,
    entities: Vec<Cow<'a, str>>,
    numbers: Vec<f64>,
    categories: Vec<Option<Cow<'a, str>>>,
    raw: Vec<&'a [u8]>,
    origins: Vec<Origin>,
    slots: Vec<Option<Value<'a>>>,
}

impl<'a> Batch<'a> {
    pub fn new(schema: &'a Schema) -> Self {
        Self::with_capacity(schema, 0)
    }

    /// An empty batch with room for `rows` transactions.
    pub fn with_capacity(schema: &'a Schema, rows: usize) -> Self {
        Self {
            schema,
            transaction_ids: Vec::with_capacity(rows),
            occurred_at: Vec::with_capacity(rows),
            amounts: Vec::with_capacity(rows),
            entities: Vec::with_capacity(rows * schema.entities.len()),
            numbers: Vec::with_capacity(rows * schema.numbers.len()),
            categories: Vec::with_capacity(rows * schema.categories.len()),
            raw: Vec::with_capacity(rows),
            origins: Vec::with_capacity(rows),
            slots: Vec::new(),
        }
    }

    /// Reads one item (a JSON object) and appends it as a row. An unreadable item changes nothing.
    pub fn read(
        &mut self,
        item: &'a [u8],
        origin: Origin,
        arrived_at: Timestamp,
    ) -> Result<(), ReadError> {
        let item = item.trim_ascii();
        if item.is_empty() {
            return Err(ReadError::Empty);
        }
        let text = std::str::from_utf8(item).map_err(|e| ReadError::Utf8(e.valid_up_to()))?;
        if !text.starts_with('{') {
            return Err(ReadError::Json("it does not begin with {".to_owned()));
        }
        self.slots.clear();
        self.slots
            .resize(REQUIRED.len() + self.schema.declared().count(), None);
        let mut duplicate = None;
        let mut json = serde_json::Deserializer::from_str(text);
        Fields {
            schema: self.schema,
            slots: &mut self.slots,
            duplicate: &mut duplicate,
        }
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|e| ReadError::Json(e.to_string()))?;
        if let Some(field) = duplicate {
            return Err(fields::wrong(field, "a duplicate field", "it once"));
        }
        self.append(item, origin, arrived_at)
    }

    /// Checks the values in the slots and moves them into the columns.
    fn append(
        &mut self,
        raw: &'a [u8],
        origin: Origin,
        arrived_at: Timestamp,
    ) -> Result<(), ReadError> {
        let schema = self.schema;
        let (rows, entities, numbers, categories) = (
            self.amounts.len(),
            self.entities.len(),
            self.numbers.len(),
            self.categories.len(),
        );
        let mut slots = self.slots.drain(..);
        let mut next = || slots.next().flatten();

        let id = fields::id(next())?;
        let occurred_at = fields::timestamp(next(), arrived_at)?;
        let amount = fields::amount(next())?;
        // INVARIANT: the columns grow by whole rows. After a failing field, the values of its row
        // are removed again.
        let filled = (|| {
            for name in &schema.entities {
                self.entities.push(fields::text(
                    name,
                    next(),
                    "a string of 1 to 256 bytes, all of them printable",
                )?);
            }
            for name in &schema.numbers {
                self.numbers.push(fields::optional_number(name, next())?);
            }
            for name in &schema.categories {
                self.categories.push(fields::optional_text(name, next())?);
            }
            Ok(())
        })();
        drop(slots);
        if let Err(why) = filled {
            self.entities.truncate(entities);
            self.numbers.truncate(numbers);
            self.categories.truncate(categories);
            return Err(why);
        }
        debug_assert_eq!(rows, self.raw.len());
        self.transaction_ids.push(id);
        self.occurred_at.push(occurred_at);
        self.amounts.push(amount);
        self.raw.push(raw);
        self.origins.push(origin);
        Ok(())
    }

    /// The schema that the rows were read with.
    pub fn schema(&self) -> &'a Schema {
        self.schema
    }
    pub fn len(&self) -> usize {
        self.amounts.len()
    }
    pub fn is_empty(&self) -> bool {
        self.amounts.is_empty()
    }
    pub fn amounts(&self) -> &[f64] {
        &self.amounts
    }
    pub fn timestamps(&self) -> &[Timestamp] {
        &self.occurred_at
    }
}

/// One row. A row out of range panics, as with a slice.
#[expect(
    clippy::indexing_slicing,
    reason = "the row's index is the caller's promise, as with a slice"
)]
impl Batch<'_> {
    pub fn transaction_id(&self, row: usize) -> &str {
        &self.transaction_ids[row]
    }
    pub fn occurred_at(&self, row: usize) -> Timestamp {
        self.occurred_at[row]
    }
    /// Finite and not negative.
    pub fn amount(&self, row: usize) -> f64 {
        self.amounts[row]
    }
    pub fn entity(&self, row: usize, index: usize) -> &str {
        &self.entities[row * self.schema.entities.len() + index]
    }
    /// The first entity, or the transaction id if no entity is declared.
    pub fn partition_key(&self, row: usize) -> &str {
        if self.schema.entities.is_empty() {
            self.transaction_id(row)
        } else {
            self.entity(row, 0)
        }
    }
    pub fn identity(&self, row: usize) -> Identity {
        let entities = self.schema.entities.len();
        let entities = (0..entities).map(|index| self.entity(row, index));
        Identity::new(
            self.transaction_id(row),
            self.occurred_at(row),
            self.amount(row),
            entities,
        )
    }
    /// The `index`-th declared number; NaN if it is missing.
    pub fn number(&self, row: usize, index: usize) -> f64 {
        self.numbers[row * self.schema.numbers.len() + index]
    }
    pub fn category(&self, row: usize, index: usize) -> Option<&str> {
        self.categories[row * self.schema.categories.len() + index].as_deref()
    }
    /// The item's original bytes without surrounding white space.
    pub fn raw(&self, row: usize) -> &[u8] {
        self.raw[row]
    }
    pub fn origin(&self, row: usize) -> Origin {
        self.origins[row]
    }
}
