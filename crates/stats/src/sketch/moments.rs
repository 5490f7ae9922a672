//! Count, mean, variance and range of a stream.

use serde::{Deserialize, Serialize};

/// The greatest magnitude that sums of squares have room for, however many there are.
pub(super) const LARGEST: f64 = 1e120;

/// Running mean and variance, in `O(1)` a value and without the cancellation of sums of squares.
///
/// Merging gives the same numbers as one pass up to rounding (about 1e-15 relative). Magnitudes
/// above 1e120 are refused like infinities: their squares would not add up.
/// Reference: Welford, Technometrics 4 (1962); Chan, Golub, LeVeque (1979) for merging.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Moments {
    count: u64,
    mean: f64,
    m2: f64,
    min: f64,
    max: f64,
}

impl Moments {
    /// Nothing seen yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { count: 0, mean: 0.0, m2: 0.0, min: 0.0, max: 0.0 }
    }

    /// Takes in one value; `false` if it was refused as not finite or too large.
    #[inline]
    pub fn insert(&mut self, value: f64) -> bool {
        let fits = value.abs() <= LARGEST && self.count < u64::MAX;
        if !fits {
            return false;
        }
        if self.count == 0 {
            self.min = value;
            self.max = value;
        } else {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        }
        self.count += 1;
        let delta = value - self.mean;
        // The division waits for nothing, so values follow each other twice as fast.
        self.mean += delta * (1.0 / self.count as f64);
        self.m2 += delta * (value - self.mean);
        true
    }

    /// Takes in all values; returns how many were refused.
    pub fn insert_slice(&mut self, values: &[f64]) -> u64 {
        values.iter().map(|&value| u64::from(!self.insert(value))).sum()
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let total = self.count as f64 + other.count as f64;
        let delta = other.mean - self.mean;
        let share = other.count as f64 / total;
        self.m2 += other.m2 + delta * delta * self.count as f64 * share;
        self.mean += delta * share;
        self.count = self.count.saturating_add(other.count);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many values were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean; `None` before the first value.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// The sum of squared deviations from the mean.
    #[must_use]
    pub fn m2(&self) -> f64 {
        self.m2
    }

    /// The variance with `n - 1` below; `None` before the second value.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.m2.max(0.0) / (self.count - 1) as f64)
    }

    /// The square root of the variance.
    #[must_use]
    pub fn standard_deviation(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// The least value.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// The greatest value.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }
}

#[derive(Deserialize)]
struct Stored {
    count: u64,
    mean: f64,
    m2: f64,
    min: f64,
    max: f64,
}

impl TryFrom<Stored> for Moments {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { count, mean, m2, min, max } = stored;
        let spread = 4.0 * LARGEST * LARGEST * count as f64;
        let finite = [mean, min, max].iter().all(|value| value.abs() <= LARGEST) && (0.0..=spread).contains(&m2);
        // A mean may leave the range by its last digits.
        let slack = 1e-9 * min.abs().max(max.abs());
        let in_order = min <= max && min - slack <= mean && mean <= max + slack;
        let empty = (mean, m2, min, max) == (0.0, 0.0, 0.0, 0.0);
        let sound = finite && if count == 0 { empty } else { in_order };
        sound.then_some(Self { count, mean, m2, min, max }).ok_or("moments that no values have")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moments(values: &[f64]) -> Moments {
        let mut moments = Moments::new();
        moments.insert_slice(values);
        moments
    }

    /// numpy 2.4.6: `np.var([1e9+1, 1e9+2, 1e9+4], ddof=1)` is 2.3333333333333335.
    #[test]
    fn a_large_offset_does_not_spoil_the_variance() {
        let found = moments(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 4.0]).variance().unwrap();
        assert!((found - 7.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn too_little_data_gives_nothing() {
        assert_eq!(Moments::new().mean(), None);
        assert_eq!(moments(&[1.0]).variance(), None);
        assert_eq!(moments(&[f64::NAN]).count(), 0);
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let mut extreme = moments(&[f64::MAX, f64::MIN, 1e120, -1e120, 1e120]);
        assert_eq!(extreme.count(), 3);
        (0..70).for_each(|_| extreme.merge(&extreme.clone()));
        assert!(extreme.variance().is_some_and(f64::is_finite) && extreme.mean().is_some_and(f64::is_finite));
        assert_eq!(extreme.count(), u64::MAX);
        assert!(!extreme.insert(1.0));
    }

    proptest! {
        #[test]
        fn merging_halves_gives_the_whole(
            all in proptest::collection::vec(-1e6..1e6_f64, 2..100), cut in 0..100_usize
        ) {
            let (left, right) = all.split_at(cut % all.len());
            let mut merged = moments(left);
            merged.merge(&moments(right));
            let whole = moments(&all);
            prop_assert_eq!(merged.count(), whole.count());
            prop_assert_eq!(merged.max(), whole.max());
            prop_assert!((merged.mean - whole.mean).abs() < 1e-8);
            prop_assert!((merged.m2 - whole.m2).abs() <= 1e-9 * whole.m2 + 1e-6);
        }
    }
}
