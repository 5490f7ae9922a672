//! Seeded random numbers for permutations and random features: the same on every machine.

use serde::{Deserialize, Serialize};

/// SplitMix64: small, fast, passes BigCrush; not for secrets.
///
/// Reference: Steele, Lea, Flood, OOPSLA (2014).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SplitMix(u64);

impl SplitMix {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In `(0, 1)`, never at an end.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    /// Below `bound`, which is not zero; the bias is below `bound / 2^64`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// A standard normal number (Box-Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// The p-value of `observed` among values under permutation: `(1 + as large) / (1 + permutations)`.
///
/// Never zero, and exact for any number of permutations.
/// Reference: Phipson, Smyth, SAGMB 9 (2010).
pub(crate) fn permutation_p(observed: f64, permuted: impl Iterator<Item = f64>) -> f64 {
    // Sums in another order may differ in the last bits; an equal value counts as as large.
    let least = observed - 1e-12 * observed.abs();
    let (mut as_large, mut all) = (1_u64, 1_u64);
    for value in permuted {
        as_large += u64::from(value >= least);
        all += 1;
    }
    as_large as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_evenly() {
        let mut random = SplitMix::new(7);
        let mut cells = [0_u32; 10];
        (0..100_000).for_each(|_| cells[random.below(10)] += 1);
        assert!(cells.iter().all(|cell| (9_500..10_500).contains(cell)), "{cells:?}");
        let normals: Vec<f64> = (0..100_000).map(|_| random.normal()).collect();
        let mean = normals.iter().sum::<f64>() / 1e5;
        let variance = normals.iter().map(|x| x * x).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03);
    }

    #[test]
    fn a_permutation_p_value_is_never_zero() {
        assert_eq!(permutation_p(5.0, [1.0; 99].into_iter()), 0.01);
        assert_eq!(permutation_p(1.0, [1.0; 99].into_iter()), 1.0);
    }
}
