//! A stream of numbers for tests that is the same in every language.

/// The linear congruential generator of the golden values: `z <- 1103515245 z + 12345 mod 2^31`.
pub(crate) struct Lcg(u64);

impl Lcg {
    /// A stream; streams of neighbouring seeds are spread first, as this generator is weak.
    pub(crate) fn new(seed: u64) -> Self {
        let spread = (seed.wrapping_add(1)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self((spread ^ (spread >> 29)) & 0x7fff_ffff)
    }

    /// The stream that starts from exactly this state.
    pub(crate) fn exactly(state: u64) -> Self {
        Self(state)
    }

    /// The next number in `[0, 1)`.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = (1_103_515_245 * self.0 + 12_345) & 0x7fff_ffff;
        self.0 as f64 / 2_147_483_648.0
    }
}

/// The golden stream: 2,000 even numbers, 0.4 more from 1,000 on.
pub(crate) fn golden_shift() -> Vec<f64> {
    let mut stream = Lcg::exactly(42);
    (0..2_000).map(|t| stream.next() + if t < 1_000 { 0.0 } else { 0.4 }).collect()
}

/// The golden bits: ones at 5 %, at 20 % from 1,000 on.
pub(crate) fn golden_bits() -> Vec<bool> {
    let mut stream = Lcg::exactly(42);
    (0..2_000).map(|t| stream.next() < if t < 1_000 { 0.05 } else { 0.2 }).collect()
}
