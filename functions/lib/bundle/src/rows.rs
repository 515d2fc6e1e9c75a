//! What the features of one row are computed from.

use decision::{Batch, Evidence, Hold};
use features::{Categories, Definition, FeatureSource};
use jiff::Timestamp;

/// A transaction of a batch, with its windows by the index of the feature.
pub(crate) struct BatchRow<'a, W> {
    pub(crate) batch: &'a Batch<'a>,
    pub(crate) row: usize,
    pub(crate) categories: &'a Categories,
    pub(crate) windows: W,
}

impl<W: Fn(usize) -> f64> FeatureSource for BatchRow<'_, W> {
    fn occurred_at(&self) -> Timestamp {
        self.batch.occurred_at(self.row)
    }

    fn amount(&self) -> f64 {
        self.batch.amount(self.row)
    }

    fn number(&self, index: usize) -> f64 {
        self.batch.number(self.row, index)
    }

    fn category(&self, index: usize) -> f64 {
        let names = &self.batch.schema().categories;
        let name = names.get(index).map_or("", String::as_str);
        let value = self.batch.category(self.row, index);
        self.categories.value(name, value)
    }

    fn window(&self, feature: usize) -> f64 {
        (self.windows)(feature)
    }
}

/// A held transaction with its evidence.
pub(crate) struct HeldRow<'a> {
    pub(crate) definition: &'a Definition,
    pub(crate) categories: &'a Categories,
    pub(crate) hold: &'a Hold,
    pub(crate) evidence: &'a Evidence,
}

impl FeatureSource for HeldRow<'_> {
    fn occurred_at(&self) -> Timestamp {
        self.hold.occurred_at
    }

    fn amount(&self) -> f64 {
        self.hold.amount
    }

    fn number(&self, index: usize) -> f64 {
        let name = self.definition.schema().numbers.get(index);
        let number = name.and_then(|name| self.hold.numbers.get(name));
        number.copied().unwrap_or(f64::NAN)
    }

    fn category(&self, index: usize) -> f64 {
        let names = &self.definition.schema().categories;
        let name = names.get(index).map_or("", String::as_str);
        let value = self.hold.categories.get(name);
        self.categories.value(name, value.map(String::as_str))
    }

    fn window(&self, feature: usize) -> f64 {
        window_value(self.definition, self.evidence, feature)
    }
}

/// The value of the window feature at an index, by its name. NaN if it is missing.
pub(crate) fn window_value(definition: &Definition, values: &Evidence, feature: usize) -> f64 {
    let feature = definition.feature(feature);
    let value = feature.and_then(|feature| values.get(&feature.name));
    value.copied().flatten().unwrap_or(f64::NAN)
}
