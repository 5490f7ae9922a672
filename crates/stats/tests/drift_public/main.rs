//! Drift and two-sample tests through the public API: what other tools get wrong, and bad input.

#![expect(clippy::unwrap_used, reason = "a test says best by panicking where it found out")]

mod bad_input;
mod defects;
mod table;

/// Seeded numbers: SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn new(seed: u64) -> Self {
        // Not a multiple of the step below: streams would be the same one, shifted.
        Self(seed.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In `(0, 1)`.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    fn normals(&mut self, n: usize, shift: f64) -> Vec<f64> {
        (0..n).map(|_| self.normal() + shift).collect()
    }

    /// Categories with shares like `1 / rank^1.1`.
    fn categories(&mut self, n: usize, values: u32) -> Vec<u32> {
        let mut ends = Vec::new();
        let mut sum = 0.0;
        for rank in 1..=values {
            sum += f64::from(rank).powf(-1.1);
            ends.push(sum);
        }
        (0..n).map(|_| self.unit() * sum).map(|place| ends.partition_point(|end| *end < place) as u32).collect()
    }
}
