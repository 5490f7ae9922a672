//! Random numbers from a seed, and the laws that the streams need.

/// SplitMix64: small, fast, the same everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xD134_2543_DE82_EF95) ^ 0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Even in `(0, 1)`.
    pub(crate) fn even(&mut self) -> f64 {
        ((self.word() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    pub(crate) fn yes(&mut self, probability: f64) -> bool {
        self.even() < probability
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(bound)) >> 64) as u64
    }

    /// Standard normal (Box-Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.even().ln()).sqrt() * (std::f64::consts::TAU * self.even()).cos()
    }

    /// How many fail before the first success.
    pub(crate) fn geometric(&mut self, probability: f64) -> u64 {
        (self.even().ln() / (-probability).ln_1p()) as u64
    }

    /// Successes of a few trials.
    pub(crate) fn binomial(&mut self, trials: u64, probability: f64) -> u64 {
        (0..trials).filter(|_| self.yes(probability)).count() as u64
    }

    /// Poisson, by exponential gaps.
    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
        let (mut sum, mut count) = (0.0, 0);
        loop {
            sum -= self.even().ln();
            if sum > mean {
                return count;
            }
            count += 1;
        }
    }

    /// Beta with whole parameters: an order statistic.
    pub(crate) fn beta(&mut self, a: usize, b: usize) -> f64 {
        let mut values: [f64; 16] = [2.0; 16];
        let n = (a + b - 1).min(16);
        values[..n].iter_mut().for_each(|value| *value = self.even());
        values[..n].sort_by(f64::total_cmp);
        values[a - 1]
    }
}
