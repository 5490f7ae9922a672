//! Seeded randomness whose numbers are the same on every machine and in every later version.

use rand::{Rng, RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::{Distribution, StandardNormal};

/// A seeded source of random numbers.
///
/// The generator is named and portable, unlike `StdRng`, so that a seed in a bug report still means
/// the same stream years later.
#[derive(Clone, Debug)]
pub(crate) struct Random(Xoshiro256PlusPlus);

impl Random {
    /// The source for one named part of one seed. Parts do not disturb each other: another model in a
    /// fleet leaves the events of the first as they were.
    pub(crate) fn new(seed: u64, part: &str) -> Self {
        let mut state = seed ^ 0x5741_5244_4c49_4e45;
        for byte in part.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Self(Xoshiro256PlusPlus::seed_from_u64(mix(state)))
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `0 <= x < 1`.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// Uniform in `low <= x < high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in `0..n`; 0 where `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// Whether an event of this probability happens.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Standard normal.
    pub(crate) fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// Exponential with a mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// The index of a weighted choice; weights need not sum to one.
    pub(crate) fn weighted<T>(&mut self, choices: &[(T, f64)]) -> usize {
        let total: f64 = choices.iter().map(|(_, weight)| weight).sum();
        let mut left = self.unit() * total;
        for (index, (_, weight)) in choices.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        choices.len().saturating_sub(1)
    }
}

/// SplitMix64's last step: a bijection, so that distinct numbers stay distinct.
pub(crate) const fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a seed means the same stream in every version. Method: the numbers themselves.
    #[test]
    fn a_seed_gives_the_numbers_it_has_always_given() {
        let mut random = Random::new(7, "card-fraud");
        assert_eq!(random.bits(), Random::new(7, "card-fraud").bits());
        assert_ne!(Random::new(7, "a").bits(), Random::new(7, "b").bits());
        assert_ne!(Random::new(7, "a").bits(), Random::new(8, "a").bits());
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn weighted_choices_follow_their_weights() {
        let mut random = Random::new(1, "weights");
        let choices = [("often", 9.0), ("rarely", 1.0), ("never", 0.0)];
        let mut counts = [0u32; 3];
        for _ in 0..10_000 {
            counts[random.weighted(&choices)] += 1;
        }
        assert!((8_850..9_150).contains(&counts[0]), "{counts:?}");
        assert_eq!(counts[2], 0);
    }

    #[test]
    fn an_exponential_has_its_mean() {
        let mut random = Random::new(1, "exponential");
        let mean = (0..20_000).map(|_| random.exponential(3.0)).sum::<f64>() / 20_000.0;
        assert!((2.9..3.1).contains(&mean), "{mean}");
    }
}
