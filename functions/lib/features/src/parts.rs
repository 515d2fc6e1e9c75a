//! What sets of transactions contribute to a window. Both engines compute these parts, and the
//! value of a window is computed from them here alone.

use jiff::Timestamp;

use crate::{Measure, Window};

/// What a set of transactions contributes to a window. The parts of disjoint sets merge.
///
/// Only those numbers are set that the measure needs ([`Measure::aggregates`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// The number of transactions.
    pub rows: f64,
    /// The number of transactions that have the measured field.
    pub values: f64,
    pub sum: f64,
    /// The sum of the squared differences from the mean.
    pub squares: f64,
    /// The minimum or maximum; NaN if there is no value.
    pub extreme: f64,
    /// The number of different values.
    pub distinct: f64,
    /// The number of transactions that are known frauds.
    pub frauds: f64,
    /// When the last known fraud occurred, in whole seconds since 1970; NaN if there is none.
    pub last_fraud: f64,
}

/// One number of [`Parts`], as profiles store it and as the warehouse returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    Rows,
    Values,
    Sum,
    /// Of the population. NULL or NaN if there is no value.
    Variance,
    Extreme,
    Distinct,
    Frauds,
    LastFraud,
}

/// The value of a transaction that enters its own window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OwnValue {
    /// NaN if the field is missing.
    Number(f64),
    /// A value that no other transaction of the window has.
    New,
    /// A value that another transaction of the window has, or none.
    Known,
}

impl Parts {
    pub const EMPTY: Self = Self {
        rows: 0.0,
        values: 0.0,
        sum: 0.0,
        squares: 0.0,
        extreme: f64::NAN,
        distinct: 0.0,
        frauds: 0.0,
        last_fraud: f64::NAN,
    };

    /// From numbers in the order of [`Measure::aggregates`]. A number that is missing or NaN counts
    /// as that of an empty set.
    pub fn of_aggregates(measure: Measure, numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut parts = Self::EMPTY;
        for (aggregate, number) in measure.aggregates().iter().zip(numbers) {
            if !number.is_nan() {
                parts.set(*aggregate, number);
            }
        }
        parts
    }

    /// The numbers in the order of [`Measure::aggregates`].
    pub fn aggregates(self, measure: Measure) -> impl Iterator<Item = f64> {
        let aggregates = measure.aggregates().iter();
        aggregates.map(move |aggregate| self.get(*aggregate))
    }

    /// INVARIANT: [`Aggregate::Values`] comes before [`Aggregate::Variance`].
    fn set(&mut self, aggregate: Aggregate, number: f64) {
        match aggregate {
            Aggregate::Rows => self.rows = number,
            Aggregate::Values => self.values = number,
            Aggregate::Sum => self.sum = number,
            // Rounding can leave a variance just below 0.
            Aggregate::Variance => self.squares = number.max(0.0) * self.values,
            Aggregate::Extreme => self.extreme = number,
            Aggregate::Distinct => self.distinct = number,
            Aggregate::Frauds => self.frauds = number,
            Aggregate::LastFraud => self.last_fraud = number,
        }
    }

    fn get(&self, aggregate: Aggregate) -> f64 {
        match aggregate {
            Aggregate::Rows => self.rows,
            Aggregate::Values => self.values,
            Aggregate::Sum => self.sum,
            Aggregate::Variance if self.values > 0.0 => self.squares / self.values,
            Aggregate::Variance => f64::NAN,
            Aggregate::Extreme => self.extreme,
            Aggregate::Distinct => self.distinct,
            Aggregate::Frauds => self.frauds,
            Aggregate::LastFraud => self.last_fraud,
        }
    }

    /// The parts of two disjoint sets together. The numbers of different values add up only if no
    /// value is in both sets.
    ///
    /// Squares: T. F. Chan, G. H. Golub, R. J. LeVeque, *Updating formulae and a pairwise algorithm
    /// for computing sample variances*, 1979.
    #[must_use]
    pub fn merge(self, other: Self, measure: Measure) -> Self {
        let values = self.values + other.values;
        let between = if self.values > 0.0 && other.values > 0.0 {
            let difference = other.sum / other.values - self.sum / self.values;
            difference * difference * self.values * other.values / values
        } else {
            0.0
        };
        Self {
            rows: self.rows + other.rows,
            values,
            sum: self.sum + other.sum,
            squares: self.squares + other.squares + between,
            // The other number if one is NaN.
            extreme: match measure {
                Measure::Min(_) => self.extreme.min(other.extreme),
                _ => self.extreme.max(other.extreme),
            },
            distinct: self.distinct + other.distinct,
            frauds: self.frauds + other.frauds,
            last_fraud: self.last_fraud.max(other.last_fraud),
        }
    }

    /// The parts of one transaction that no report is known of.
    pub fn of_transaction(own: OwnValue) -> Self {
        let one = Self {
            rows: 1.0,
            ..Self::EMPTY
        };
        match own {
            OwnValue::Number(number) if number.is_nan() => one,
            OwnValue::Number(number) => Self {
                values: 1.0,
                sum: number,
                extreme: number,
                ..one
            },
            OwnValue::New => Self {
                distinct: 1.0,
                ..one
            },
            OwnValue::Known => one,
        }
    }

    /// The window's value; NaN if it is missing. `as_of` is where the window ends, before its delay.
    pub fn value(&self, measure: Measure, as_of: Timestamp) -> f64 {
        match measure {
            Measure::Count => self.rows,
            Measure::Sum(_) => self.sum,
            // 0 / 0 is NaN.
            Measure::Mean(_) => self.sum / self.values,
            Measure::Deviation(_) => (self.squares / self.values).sqrt(),
            Measure::Min(_) | Measure::Max(_) => self.extreme,
            Measure::Distinct(_) => self.distinct,
            Measure::FraudRate if self.rows > 0.0 => (self.frauds / self.rows).min(1.0),
            Measure::FraudRate => 0.0,
            Measure::Frauds => self.frauds,
            Measure::LastFraudAge => whole_seconds(as_of) - self.last_fraud,
        }
    }
}

impl Measure {
    /// The numbers that the measure's value is computed from.
    pub fn aggregates(self) -> &'static [Aggregate] {
        match self {
            Self::Count => &[Aggregate::Rows],
            Self::Sum(_) => &[Aggregate::Sum],
            Self::Mean(_) => &[Aggregate::Values, Aggregate::Sum],
            Self::Deviation(_) => &[Aggregate::Values, Aggregate::Sum, Aggregate::Variance],
            Self::Min(_) | Self::Max(_) => &[Aggregate::Extreme],
            Self::Distinct(_) => &[Aggregate::Distinct],
            Self::FraudRate => &[Aggregate::Rows, Aggregate::Frauds],
            Self::Frauds => &[Aggregate::Frauds],
            Self::LastFraudAge => &[Aggregate::LastFraud],
        }
    }
}

impl Aggregate {
    /// The end of the aggregate's column name: one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Values => "values",
            Self::Sum => "sum",
            Self::Variance => "variance",
            Self::Extreme => "extreme",
            Self::Distinct => "distinct",
            Self::Frauds => "frauds",
            Self::LastFraud => "last",
        }
    }

    /// Whether it is computed from fraud reports.
    pub fn is_of_reports(self) -> bool {
        matches!(self, Self::Frauds | Self::LastFraud)
    }
}

/// Whole seconds since 1970, rounded down.
pub(crate) fn whole_seconds(timestamp: Timestamp) -> f64 {
    timestamp.as_microsecond().div_euclid(1_000_000) as f64
}

/// The parts of a window of the second look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SecondParts {
    /// Up to the cut-off. Empty if the window does not begin at one.
    pub profile: Parts,
    /// The other transactions, and the known frauds of the whole window.
    pub recent: Parts,
    /// Of the scored transaction itself.
    pub own: OwnValue,
}

impl Window {
    /// The value of the window for a transaction of this time; NaN if it is missing.
    pub fn second_value(&self, parts: SecondParts, occurred_at: Timestamp) -> f64 {
        let profile = Parts {
            frauds: 0.0,
            last_fraud: f64::NAN,
            ..parts.profile
        };
        let mut all = profile.merge(parts.recent, self.measure);
        if self.delay.is_zero() && !self.measure.is_of_frauds() {
            all = all.merge(Parts::of_transaction(parts.own), self.measure);
        }
        all.value(self.measure, occurred_at)
    }
}
