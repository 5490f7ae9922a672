//! How many different values were seen, in 4 KiB at most.

use serde::{Deserialize, Serialize};

const INDEX_BITS: u32 = 12;
const REGISTERS: usize = 1 << INDEX_BITS;
/// Up to this many different hashes are held themselves, and the count is exact.
const HELD: usize = 256;

/// A distinct counter: exact up to 256 values, then HyperLogLog with a standard error of 1.6 %.
///
/// Merging takes the greater register, so the sketch of two halves is the sketch of the whole.
/// An insert costs one hash and one byte; memory is 8 bytes a value up to 256 values, then 4 KiB.
/// Not to be trusted for differences of a few per cent, nor where a sender can choose values
/// whose hashes collide: hash with a secret key first (`insert_hash`) if that matters.
/// Reference: Flajolet et al. (2007), with the estimator of Ertl, arXiv:1702.01284, section 4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distinct {
    state: State,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum State {
    /// Sorted hashes.
    Held(Vec<u64>),
    Registers(Vec<u8>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self { state: State::Held(Vec::new()) }
    }
}

impl Distinct {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a value by its bytes.
    pub fn insert_bytes(&mut self, value: &[u8]) {
        self.insert_hash(hash(value));
    }

    /// Takes in a value by its hash, whose 64 bits must be evenly spread.
    #[inline]
    pub fn insert_hash(&mut self, hash: u64) {
        match &mut self.state {
            State::Registers(registers) => raise(registers, hash),
            State::Held(held) => {
                if let Err(at) = held.binary_search(&hash) {
                    held.insert(at, hash);
                    if held.len() > HELD {
                        self.spread();
                    }
                }
            }
        }
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        match &other.state {
            State::Held(held) => held.iter().for_each(|hash| self.insert_hash(*hash)),
            State::Registers(theirs) => {
                self.spread();
                if let State::Registers(ours) = &mut self.state {
                    for (our, their) in ours.iter_mut().zip(theirs) {
                        *our = (*our).max(*their);
                    }
                }
            }
        }
    }

    /// The estimated number of different values.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        match &self.state {
            State::Held(held) => held.len() as f64,
            State::Registers(registers) => estimate(registers),
        }
    }

    fn spread(&mut self) {
        if let State::Held(held) = &self.state {
            let mut registers = vec![0; REGISTERS];
            held.iter().for_each(|hash| raise(&mut registers, *hash));
            self.state = State::Registers(registers);
        }
    }
}

#[inline]
fn raise(registers: &mut [u8], hash: u64) {
    let index = (hash >> (64 - INDEX_BITS)) as usize;
    let rest = hash << INDEX_BITS;
    let rank = (rest.leading_zeros().min(64 - INDEX_BITS) + 1) as u8;
    if let Some(register) = registers.get_mut(index) {
        *register = (*register).max(rank);
    }
}

/// FNV-1a, then the finaliser of SplitMix64, which spreads what FNV leaves uneven.
fn hash(value: &[u8]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for byte in value {
        state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

fn estimate(registers: &[u8]) -> f64 {
    const HIGHEST: usize = (64 - INDEX_BITS) as usize;
    let mut counts = [0_u32; HIGHEST + 2];
    for register in registers {
        counts[usize::from(*register).min(HIGHEST + 1)] += 1;
    }
    let m = REGISTERS as f64;
    let mut z = m * tau(1.0 - f64::from(counts[HIGHEST + 1]) / m);
    for count in counts[1..=HIGHEST].iter().rev() {
        z = 0.5 * (z + f64::from(*count));
    }
    z += m * sigma(f64::from(counts[0]) / m);
    m * m / (2.0 * std::f64::consts::LN_2 * z)
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sketch(values: impl Iterator<Item = u32>) -> Distinct {
        let mut sketch = Distinct::new();
        values.for_each(|value| sketch.insert_bytes(&value.to_le_bytes()));
        sketch
    }

    #[test]
    fn few_values_are_counted_exactly() {
        assert_eq!(Distinct::new().estimate(), 0.0);
        assert_eq!(sketch((0..256).chain(0..256)).estimate(), 256.0);
    }

    /// Five standard errors of 1.04 / sqrt(4096).
    #[test]
    fn many_values_are_counted_within_the_stated_error() {
        for n in [300, 3_000, 30_000, 300_000] {
            let found = sketch(0..n).estimate() / f64::from(n);
            assert!((found - 1.0).abs() < 5.0 * 0.01625, "{n}: {found}");
        }
    }

    proptest! {
        #[test]
        fn the_sketch_of_halves_is_the_sketch_of_the_whole(
            left in proptest::collection::vec(0..2_000_u32, 0..400),
            right in proptest::collection::vec(0..2_000_u32, 0..400),
        ) {
            let mut merged = sketch(left.iter().copied());
            merged.merge(&sketch(right.iter().copied()));
            prop_assert_eq!(merged, sketch(left.into_iter().chain(right)));
        }
    }
}
