//! Windows over an entity's history.

use decision::Schema;
use jiff::SignedDuration;

/// A measure over transactions of one entity. With `t`, the time of the transaction that is scored,
/// and `c`, the cut-off of the profiles that are active when it arrives, the window is
///
/// | look | window |
/// |---|---|
/// | first | `(c − delay − length, c − delay]` |
/// | second, [long](super::Definition::is_long) | `(c − delay − length, t − delay]` |
/// | second, not long | `(t − delay − length, t − delay]` |
///
/// Long windows of the second look are sawtooth windows: they end exactly and begin at a cut-off,
/// so that their part up to the cut-off can come from a profile. In the second look, the scored
/// transaction is in its own windows without a delay.
///
/// Only what arrived counts: in the part up to the cut-off, what arrived up to the cut-off; in the
/// rest, what arrived no later than the scored transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Index into the schema's entities.
    pub entity: usize,
    pub measure: Measure,
    /// `None`: the window has no beginning. Only for [`Measure::Frauds`] and
    /// [`Measure::LastFraudAge`].
    pub length: Option<SignedDuration>,
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
    /// Share of the window's transactions that are known frauds: the latest report up to `t` (in
    /// the first look: up to the cut-off) says so.
    FraudRate,
    /// The number of the window's transactions that are known frauds.
    Frauds,
    /// The seconds from the last known fraud to the end of the window, before its delay. Missing if
    /// no fraud is known.
    LastFraudAge,
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

impl Window {
    /// Whether one statement would read the transactions of a day or more.
    pub(super) fn reaches_back_a_day(&self) -> bool {
        let is_short = |length| length < SignedDuration::from_hours(24);
        !self.measure.is_of_frauds() && !self.length.is_some_and(is_short)
    }
}

impl Measure {
    /// Whether the measure counts known frauds alone, so that it needs no transactions but those.
    pub fn is_of_frauds(self) -> bool {
        matches!(self, Self::Frauds | Self::LastFraudAge)
    }

    /// The numeric field that is measured, if there is one.
    pub fn quantity(self) -> Option<Quantity> {
        match self {
            Self::Sum(quantity)
            | Self::Mean(quantity)
            | Self::Deviation(quantity)
            | Self::Min(quantity)
            | Self::Max(quantity) => Some(quantity),
            Self::Count
            | Self::Distinct(_)
            | Self::FraudRate
            | Self::Frauds
            | Self::LastFraudAge => None,
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
