//! Sums that values can leave again.

/// A sum with twice the digits of its values, so that a value that leaves takes its rounding error
/// with it.
///
/// T. J. Dekker, *A floating-point technique for extending the available precision*, 1971.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    pub(super) fn add(&mut self, value: f64) {
        let high = self.high + value;
        let rest = high - self.high;
        let error = (self.high - (high - rest)) + (value - rest);
        *self = Self::of(high, self.low + error);
    }

    pub(super) fn add_square(&mut self, value: f64, times: f64) {
        let square = value * value;
        self.add(times * square);
        self.add(times * value.mul_add(value, -square));
    }

    /// From a large and a small part.
    fn of(high: f64, low: f64) -> Self {
        let sum = high + low;
        Self {
            high: sum,
            low: low - (sum - high),
        }
    }

    pub(super) fn times(self, factor: f64) -> Self {
        let high = self.high * factor;
        Self::of(high, self.high.mul_add(factor, -high) + self.low * factor)
    }

    /// This minus the square of `other`.
    pub(super) fn minus_square(self, other: Self) -> f64 {
        let high = other.high * other.high;
        let square = Self::of(
            high,
            other.high.mul_add(other.high, -high) + 2.0 * other.high * other.low,
        );
        (self.high - square.high) + (self.low - square.low)
    }

    pub(super) fn value(self) -> f64 {
        self.high + self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_left_leaves_no_rounding_error() {
        let (mut sum, mut squares) = (Sum::default(), Sum::default());
        for value in [0.1, 1e9, 0.3] {
            sum.add(value);
            squares.add_square(value, 1.0);
        }
        sum.add(-1e9);
        squares.add_square(1e9, -1.0);
        assert_eq!(sum.value(), 0.4);
        assert!((squares.times(2.0).minus_square(sum).sqrt() / 2.0 - 0.1).abs() < 1e-9);
    }

    #[test]
    fn small_deviations_of_large_values_keep_their_digits() {
        let (mut sum, mut squares) = (Sum::default(), Sum::default());
        for value in [1_700_000_000.25, 1_700_000_000.5, 1_700_000_000.75] {
            sum.add(value);
            squares.add_square(value, 1.0);
        }
        let deviation = squares.times(3.0).minus_square(sum).sqrt() / 3.0;
        assert!(
            (deviation - (0.125_f64 / 3.0).sqrt()).abs() < 1e-12,
            "{deviation}"
        );
    }
}
