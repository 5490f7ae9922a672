//! Mean and variance of values with weights.

use serde::{Deserialize, Serialize};

use super::super::moments::LARGEST;
use super::super::{Merge, MergeError};
use super::{Mass, Weighted};

/// Running weighted mean and variance, in `O(1)` a value.
///
/// `mean = sum w x / sum w`, and the variance `sum w (x - mean)^2 / (sum w - sum w^2 / sum w)`,
/// which is without bias for independent values whose weights say how much they count, and is the
/// ordinary variance for equal weights. Merging gives the same numbers as one pass up to rounding.
///
/// Values of a magnitude above 1e120 are refused, as by [`crate::sketch::Moments`].
/// Not to be trusted while [`effective_count`](Weighted::effective_count) is small.
/// Reference: West, CACM 22 (1979); Chan, Golub, LeVeque (1979) for merging.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct WeightedMoments {
    mass: Mass,
    mean: f64,
    m2: f64,
}

impl WeightedMoments {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The weighted mean; `None` before the first value.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.mass.weight > 0.0).then_some(self.mean)
    }

    /// The variance; `None` before the effective count exceeds one.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        let effective = self.mass.effective_count();
        // Weights that differ by 1e16 leave no more than one value in effect.
        (effective > 1.0 + 1e-9).then(|| self.m2.max(0.0) / self.mass.weight * (effective / (effective - 1.0)))
    }

    /// The square root of the variance.
    #[must_use]
    pub fn standard_deviation(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }
}

impl Weighted for WeightedMoments {
    type Value = f64;

    fn accepts(&self, value: &f64) -> bool {
        value.abs() <= LARGEST
    }

    #[inline]
    fn insert_weighted(&mut self, value: &f64, weight: f64) -> bool {
        if !(self.accepts(value) && self.mass.add(weight)) {
            return false;
        }
        let delta = value - self.mean;
        self.mean += delta * (weight / self.mass.weight);
        self.m2 += weight * (delta * (value - self.mean));
        true
    }

    fn scale(&mut self, factor: f64) {
        self.mass.scale(factor);
        self.m2 *= factor;
    }

    fn weight(&self) -> f64 {
        self.mass.weight
    }

    fn effective_count(&self) -> f64 {
        self.mass.effective_count()
    }
}

impl Merge for WeightedMoments {
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError> {
        let weight = self.mass.weight + other.mass.weight;
        if weight > 0.0 {
            let share = other.mass.weight / weight;
            let delta = other.mean - self.mean;
            self.m2 += other.m2 + delta * delta * self.mass.weight * share;
            self.mean += delta * share;
        }
        self.mass.merge(&other.mass);
        Ok(())
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

#[derive(Deserialize)]
struct Stored {
    mass: Mass,
    mean: f64,
    m2: f64,
}

impl TryFrom<Stored> for WeightedMoments {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { mass, mean, m2 } = stored;
        let spread = 4.0 * LARGEST * LARGEST * mass.weight;
        let sound = mass.is_sound() && mean.abs() <= LARGEST && (0.0..=spread).contains(&m2);
        sound.then_some(Self { mass, mean, m2 }).ok_or("weighted moments that no values have")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moments(values: &[(f64, f64)]) -> WeightedMoments {
        let mut moments = WeightedMoments::new();
        values.iter().for_each(|(value, weight)| assert!(moments.insert_weighted(value, *weight)));
        moments
    }

    /// numpy 2.4.6: `cov([1, 2, 4, 5], aweights=[2, 3, 4, 1])` is 2.6999999999999997.
    #[test]
    fn the_divisor_is_that_of_reliability_weights() {
        let found = moments(&[(1.0, 2.0), (2.0, 3.0), (4.0, 4.0), (5.0, 1.0)]);
        assert!((found.mean().unwrap() - 2.9).abs() < 1e-15);
        assert!((found.variance().unwrap() - 2.7).abs() < 1e-14);
        assert!((found.effective_count() - 100.0 / 30.0).abs() < 1e-15);
    }

    #[test]
    fn bad_input_is_refused() {
        let mut found = moments(&[(1.0, 1.0)]);
        for (value, weight) in [(f64::NAN, 1.0), (1e200, 1.0), (1.0, 0.0), (1.0, -1.0), (1.0, f64::INFINITY)] {
            assert!(!found.insert_weighted(&value, weight));
        }
        assert_eq!((found.mean(), found.variance()), (Some(1.0), None));
        found.scale(0.0);
        assert_eq!((found.mean(), found.effective_count()), (None, 0.0));
    }

    proptest! {
        #[test]
        fn merging_halves_gives_the_whole(
            all in proptest::collection::vec((-1e6..1e6_f64, 1e-3..1e3_f64), 2..100), cut in 0..100_usize
        ) {
            let (left, right) = all.split_at(cut % all.len());
            let mut merged = moments(left);
            merged.merge_from(&moments(right)).unwrap();
            let whole = moments(&all);
            prop_assert!((merged.weight() - whole.weight()).abs() <= 1e-12 * whole.weight());
            prop_assert!((merged.mean - whole.mean).abs() < 1e-8);
            prop_assert!((merged.m2 - whole.m2).abs() <= 1e-9 * whole.m2 + 1e-6);
            prop_assert!(whole.effective_count() <= all.len() as f64 * (1.0 + 1e-12));
        }

        #[test]
        fn equal_weights_are_no_weights(all in proptest::collection::vec(-1e3..1e3_f64, 2..100), weight in 1e-3..1e3_f64) {
            let weighted = moments(&all.iter().map(|value| (*value, weight)).collect::<Vec<_>>());
            let mut plain = crate::sketch::Moments::new();
            plain.insert_slice(&all);
            prop_assert!((weighted.mean().unwrap() - plain.mean().unwrap()).abs() < 1e-9);
            let (a, b) = (weighted.variance().unwrap(), plain.variance().unwrap());
            prop_assert!((a - b).abs() <= 1e-9 * b + 1e-9);
        }
    }
}
