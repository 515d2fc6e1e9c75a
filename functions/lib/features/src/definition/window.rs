//! Windows over an entity's history.

use decision::Schema;
use jiff::SignedDuration;

/// A measure over the transactions of one entity in `(t − delay − length, t − delay]`, where `t` is
/// the timestamp of the transaction that is scored, or the last cut-off before it
/// ([`super::Look::window_end`]). Without a delay and a cut-off, the scored transaction itself is
/// inside.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Index into the schema's entities.
    pub entity: usize,
    pub measure: Measure,
    pub length: SignedDuration,
    pub delay: SignedDuration,
}

/// What a window measures. Transactions whose field is missing are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    Count,
    Sum(Quantity),
    Mean(Quantity),
    /// Standard deviation of the population (divided by n).
    Deviation(Quantity),
    Min(Quantity),
    Max(Quantity),
    Distinct(DistinctField),
    /// Share of the window's transactions that were reported as fraud by `t`.
    FraudRate,
}

/// A numeric field. `Number` is an index into the schema's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantity {
    Amount,
    Number(usize),
}

/// A field whose different values can be counted, as an index into the schema's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DistinctField {
    Entity(usize),
    Category(usize),
}

/// A window with the name of its feature.
pub type NamedWindow<'d> = (&'d str, &'d Window);

/// What several windows span together: every window of a transaction at `t` lies in
/// `(t − start, t − end]`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reach {
    pub start: SignedDuration,
    pub end: SignedDuration,
}

impl Reach {
    /// Zero if there are no windows.
    pub fn of(windows: &[NamedWindow<'_>]) -> Self {
        let starts = windows
            .iter()
            .map(|(_, window)| window.delay + window.length);
        let ends = windows.iter().map(|(_, window)| window.delay);
        Self {
            start: starts.max().unwrap_or_default(),
            end: ends.min().unwrap_or_default(),
        }
    }
}

impl Measure {
    /// The measure of a window without transactions: 0, or NaN (missing) where 0 would be wrong.
    pub fn empty_value(self) -> f64 {
        match self {
            Self::Mean(_) | Self::Deviation(_) | Self::Min(_) | Self::Max(_) => f64::NAN,
            Self::Count | Self::Sum(_) | Self::Distinct(_) | Self::FraudRate => 0.0,
        }
    }

    /// The numeric field that is measured, if there is one.
    pub fn quantity(self) -> Option<Quantity> {
        match self {
            Self::Sum(quantity)
            | Self::Mean(quantity)
            | Self::Deviation(quantity)
            | Self::Min(quantity)
            | Self::Max(quantity) => Some(quantity),
            Self::Count | Self::Distinct(_) | Self::FraudRate => None,
        }
    }
}

impl Quantity {
    pub fn name(self, schema: &Schema) -> &str {
        match self {
            Self::Amount => "amount",
            Self::Number(number) => schema.numbers.get(number).map_or("", String::as_str),
        }
    }
}

impl DistinctField {
    pub fn name(self, schema: &Schema) -> &str {
        let name = match self {
            Self::Entity(entity) => schema.entities.get(entity),
            Self::Category(category) => schema.categories.get(category),
        };
        name.map_or("", String::as_str)
    }
}
