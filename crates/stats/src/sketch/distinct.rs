//! How many different values were seen, in 4 KiB at most.

use serde::{Deserialize, Serialize};

mod registers;

use registers::{REGISTERS, WORDS, estimate, raise, raise_all, ranks, words_of};

/// Up to this many different hashes are held themselves, and the count is exact.
const HELD: usize = 256;
const LEAST_SLOTS: usize = 8;

/// A distinct counter: exact up to 256 values, then HyperLogLog with a standard error of 1.6 %.
///
/// Merging takes the greater register, so the sketch of two halves is the sketch of the whole.
/// An insert costs a hash (some 3 ns and 1 ns for each 8 bytes) and one byte, or while values are
/// held one comparison on average; memory is 16 to 32 bytes a value, and 4 KiB at most.
/// Not to be trusted for differences of a few per cent, nor where a sender can choose values
/// whose hashes collide: hash with a secret key first (`insert_hash`) if that matters.
/// Reference: Flajolet et al. (2007), with the estimator of Ertl, arXiv:1702.01284, section 4.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct Distinct {
    /// While values are held: their hashes, each found by probing from its top bits on, zero for a
    /// free slot; a power of two of them, or none, at least half of them free. Once there were too
    /// many values: eight registers to a word.
    words: Vec<u64>,
    held: usize,
    spread: bool,
}

impl Default for Distinct {
    fn default() -> Self {
        Self::new()
    }
}

impl Distinct {
    /// Nothing seen yet; allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { words: Vec::new(), held: 0, spread: false }
    }

    /// Takes in a value by its bytes.
    #[inline]
    pub fn insert_bytes(&mut self, value: &[u8]) {
        self.insert_hash(hash(value));
    }

    /// Takes in a value by its hash, whose 64 bits must be evenly spread.
    #[inline]
    pub fn insert_hash(&mut self, hash: u64) {
        // Zero says that a slot is free, so it takes the place of its neighbour.
        let hash = hash.max(1);
        if self.spread {
            raise(&mut self.words, hash);
        } else {
            self.hold(hash);
        }
    }

    fn hold(&mut self, hash: u64) {
        if self.words.is_empty() {
            self.words.resize(LEAST_SLOTS, 0);
        }
        let mut slot = self.first_slot(hash);
        while self.words[slot] != 0 {
            if self.words[slot] == hash {
                return;
            }
            slot = (slot + 1) & (self.words.len() - 1);
        }
        if self.held == HELD {
            self.spread();
            raise(&mut self.words, hash);
            return;
        }
        self.words[slot] = hash;
        self.held += 1;
        if 2 * self.held > self.words.len() {
            self.grow();
        }
    }

    fn first_slot(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.words.len() as u128) >> 64) as usize
    }

    #[cold]
    fn grow(&mut self) {
        let slots = 2 * self.words.len();
        let hashes = std::mem::replace(&mut self.words, vec![0; slots]);
        for hash in hashes.into_iter().filter(|hash| *hash != 0) {
            let mut slot = self.first_slot(hash);
            while self.words[slot] != 0 {
                slot = (slot + 1) & (slots - 1);
            }
            self.words[slot] = hash;
        }
    }

    /// The hashes held, in ascending order; registers are none.
    fn hashes(&self) -> Vec<u64> {
        let mut hashes: Vec<u64> = self.words.iter().copied().filter(|hash| !self.spread && *hash != 0).collect();
        hashes.sort_unstable();
        hashes
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        if other.spread {
            self.spread();
            raise_all(&mut self.words, &other.words);
        } else {
            other.words.iter().filter(|hash| **hash != 0).for_each(|hash| self.insert_hash(*hash));
        }
    }

    /// The estimated number of different values.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        if self.spread { estimate(&self.words) } else { self.held as f64 }
    }

    /// Forgets all values and keeps the memory.
    pub fn clear(&mut self) {
        self.words.fill(0);
        self.held = 0;
        self.spread = false;
    }

    #[cold]
    fn spread(&mut self) {
        if self.spread {
            return;
        }
        let mut hashes = [0; HELD];
        for (copy, hash) in hashes.iter_mut().zip(self.words.iter().filter(|hash| **hash != 0)) {
            *copy = *hash;
        }
        self.words.clear();
        self.words.resize(WORDS, 0);
        self.spread = true;
        hashes[..self.held].iter().for_each(|hash| raise(&mut self.words, *hash));
        self.held = 0;
    }
}

impl PartialEq for Distinct {
    /// Equal when they have seen the same, whatever memory they keep.
    fn eq(&self, other: &Self) -> bool {
        (self.spread, self.held) == (other.spread, other.held)
            && if self.spread { self.words == other.words } else { self.hashes() == other.hashes() }
    }
}

/// Multiply and fold, eight bytes at a time, then the finaliser of SplitMix64.
#[inline]
fn hash(value: &[u8]) -> u64 {
    let (words, rest) = value.as_chunks::<8>();
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ value.len() as u64;
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word));
    }
    let last = rest.iter().rev().fold(0, |last, byte| (last << 8) | u64::from(*byte));
    state = fold(state ^ last);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// Both halves of a product: every bit in has a say in every bit out.
#[inline]
fn fold(word: u64) -> u64 {
    let product = u128::from(word ^ 0x2d35_8dcc_aa6c_78a5) * 0x8bb8_4b93_962e_acc9;
    (product as u64) ^ ((product >> 64) as u64)
}

/// How it is written down.
#[derive(Serialize, Deserialize)]
enum Stored {
    /// Sorted hashes.
    Held(Vec<u64>),
    /// A byte for each register.
    Registers(Vec<u8>),
}

impl From<Distinct> for Stored {
    fn from(sketch: Distinct) -> Self {
        if sketch.spread { Self::Registers(ranks(&sketch.words)) } else { Self::Held(sketch.hashes()) }
    }
}

impl TryFrom<Stored> for Distinct {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        match stored {
            Stored::Held(hashes) => {
                if hashes.len() > HELD || !hashes.is_sorted_by(|a, b| a < b) || hashes.first() == Some(&0) {
                    return Err("a distinct count with hashes out of order");
                }
                let mut sketch = Self::new();
                hashes.into_iter().for_each(|hash| sketch.hold(hash));
                Ok(sketch)
            }
            Stored::Registers(ranks) if ranks.len() == REGISTERS => {
                let words = words_of(&ranks).ok_or("a distinct count with a rank that no hash has")?;
                Ok(Self { words, held: 0, spread: true })
            }
            Stored::Registers(_) => Err("a distinct count with a wrong number of registers"),
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
        let mut texts = Distinct::new();
        for text in ["", "\0", "\0\0", "a", "a\0", "12345678", "12345678\0", "123456789"] {
            texts.insert_bytes(text.as_bytes());
        }
        assert_eq!(texts.estimate(), 8.0);
    }

    /// Five standard errors of 1.04 / sqrt(4096).
    #[test]
    fn many_values_are_counted_within_the_stated_error() {
        for n in [300, 3_000, 30_000, 300_000] {
            let found = sketch(0..n).estimate() / f64::from(n);
            assert!((found - 1.0).abs() < 5.0 * 0.01625, "{n}: {found}");
            let mut texts = Distinct::new();
            (0..n).for_each(|i| texts.insert_bytes(format!("customer-{i:09}").as_bytes()));
            let found = texts.estimate() / f64::from(n);
            assert!((found - 1.0).abs() < 5.0 * 0.01625, "{n} texts: {found}");
        }
    }

    #[test]
    fn hashes_at_the_ends_are_held_too() {
        let mut sketch = Distinct::new();
        [0, u64::MAX, 2, 0, u64::MAX, u64::MAX - 1].iter().for_each(|hash| sketch.insert_hash(*hash));
        assert_eq!(sketch.estimate(), 4.0);
        (0..300).for_each(|hash| sketch.insert_hash(hash));
        assert!(sketch.estimate().is_finite());
    }

    #[test]
    fn a_cleared_sketch_equals_a_new_one() {
        let mut used = sketch(0..1_000);
        used.clear();
        assert_eq!(used, Distinct::new());
        used.merge(&sketch(0..10));
        assert_eq!(used.estimate(), 10.0);
    }

    proptest! {
        #[test]
        fn the_sketch_of_halves_is_the_sketch_of_the_whole(
            left in proptest::collection::vec(0..2_000_u32, 0..400),
            right in proptest::collection::vec(0..2_000_u32, 0..400),
        ) {
            let mut merged = sketch(left.iter().copied());
            merged.merge(&sketch(right.iter().copied()));
            let whole = sketch(left.into_iter().chain(right));
            prop_assert_eq!(&merged, &whole);
            prop_assert_eq!(Distinct::try_from(Stored::from(merged)).unwrap(), whole);
        }
    }
}
