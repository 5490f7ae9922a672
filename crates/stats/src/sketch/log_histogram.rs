//! A histogram with log-linear buckets: quantiles within 0.8 % of the value, merged exactly.

use serde::{Deserialize, Serialize};

mod bucket;
mod cuts;
mod stored;

pub use bucket::Bucket;
use bucket::{CELLS, MANTISSA_BITS, Place, bucket_at, bucket_index, exponent_of, power_of_two};
pub(super) use bucket::{lower_cut, upper_cut};
use stored::Stored;

/// Counts of one doubling of the value, with the exact sum of the mantissas that went in.
#[derive(Clone, Debug, PartialEq)]
struct Octave {
    counts: [u32; CELLS],
    mantissas: u128,
}

impl Octave {
    const EMPTY: Self = Self { counts: [0; CELLS], mantissas: 0 };
}

/// A mergeable quantile sketch with a relative error of at most `1/128` (0.79 %).
///
/// The bucket of a value is read off its bits: sign, exponent and the top six bits of the mantissa,
/// so an insert takes no logarithm and about 4 ns. Buckets are kept by octave and an octave is
/// allocated when its first value arrives; inserts into known octaves allocate nothing.
///
/// Merging adds counts, minima, maxima and exact integer sums, so the sketch of two halves *is* the
/// sketch of the whole, bit for bit, in any order of merging. Quantiles are deterministic.
///
/// Values nearer to zero than `2^-64` (5.4e-20) count as zero; magnitudes of `2^96` (7.9e28) and
/// more fall into the last bucket, and enter the sum as that bucket's upper end. `min` and `max`
/// stay exact. NaN and infinities are refused.
///
/// Not to be trusted for a difference below 0.8 % of the value, nor for exact ties.
/// Reference: Masson, Rim, Lee, "DDSketch", VLDB 12 (2019), with the linear sub-buckets of
/// HdrHistogram in place of logarithms.
///
/// ```
/// use wardline_stats::sketch::LogHistogram;
/// let mut latency = LogHistogram::new();
/// latency.insert_slice(&[120.0, 130.0, 140.0, 900.0]);
/// let median = latency.quantile(0.5).unwrap_or_default();
/// assert!((median - 130.0).abs() / 130.0 < 0.01);
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct LogHistogram {
    /// Octaves from `first_octave` on, in the order of the number line.
    octaves: Vec<Option<Box<Octave>>>,
    first_octave: i16,
    /// Full turns of a bucket's 32-bit count: octave, cell, turns.
    turns: Vec<(i16, u8, u32)>,
    zeros: u64,
    count: u64,
    min: f64,
    max: f64,
}

impl LogHistogram {
    /// An empty sketch; allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in one value; `false` if it was refused as not finite.
    #[inline]
    pub fn insert(&mut self, value: f64) -> bool {
        self.insert_n(value, 1)
    }

    /// Takes in the same value `n` times; `false` if it was refused as not finite.
    #[inline]
    pub fn insert_n(&mut self, value: f64, n: u64) -> bool {
        if !value.is_finite() {
            return false;
        }
        if n == 0 {
            return true;
        }
        self.widen(value, value, n);
        self.count_in(value, n);
        true
    }

    /// Takes in all values; returns how many were refused as not finite. Quicker than one by one.
    pub fn insert_slice(&mut self, values: &[f64]) -> u64 {
        let (mut low, mut high, mut taken) = (f64::INFINITY, f64::NEG_INFINITY, 0);
        for &value in values {
            if value.is_finite() {
                low = low.min(value);
                high = high.max(value);
                taken += 1;
                self.count_in(value, 1);
            }
        }
        if taken > 0 {
            self.widen(low, high, taken);
        }
        values.len() as u64 - taken
    }

    /// Notes that `n` more values lie between these.
    #[inline]
    fn widen(&mut self, low: f64, high: f64, n: u64) {
        if self.count == 0 {
            self.min = low;
            self.max = high;
        } else {
            self.min = self.min.min(low);
            self.max = self.max.max(high);
        }
        self.count = self.count.saturating_add(n);
    }

    /// Counts a finite value in its bucket.
    #[inline]
    fn count_in(&mut self, value: f64, n: u64) {
        let Some(place) = Place::of(value) else {
            self.zeros = self.zeros.saturating_add(n);
            return;
        };
        let octave = self.octave_mut(place.octave);
        octave.mantissas = octave.mantissas.saturating_add(u128::from(place.mantissa) * u128::from(n));
        let cell = &mut octave.counts[usize::from(place.cell)];
        let total = u64::from(*cell) + (n & u64::from(u32::MAX));
        *cell = total as u32;
        let turns = (total >> 32) + (n >> 32);
        if turns > 0 {
            self.add_turns(place.octave, place.cell, turns as u32);
        }
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.widen(other.min, other.max, other.count);
        self.zeros = self.zeros.saturating_add(other.zeros);
        for (key, theirs) in other.octaves_in_order() {
            let ours = self.octave_mut(key);
            ours.mantissas = ours.mantissas.saturating_add(theirs.mantissas);
            let mut turned = 0_u64;
            let counts = ours.counts.iter_mut().zip(&theirs.counts);
            for (cell, (our, their)) in counts.enumerate() {
                let (sum, over) = our.overflowing_add(*their);
                *our = sum;
                turned |= u64::from(over) << cell;
            }
            while turned != 0 {
                self.add_turns(key, turned.trailing_zeros() as u8, 1);
                turned &= turned - 1;
            }
        }
        for &(octave, cell, turns) in &other.turns {
            self.add_turns(octave, cell, turns);
        }
    }

    /// Forgets all values and keeps the memory, for the next window.
    pub fn clear(&mut self) {
        for octave in self.octaves.iter_mut().flatten() {
            **octave = Octave::EMPTY;
        }
        self.turns.clear();
        self.zeros = 0;
        self.count = 0;
        self.min = 0.0;
        self.max = 0.0;
    }

    /// How many values were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether nothing was taken in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The least value, exact.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// The greatest value, exact.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    /// The sum of the values: exact up to one rounding an octave, whatever the order of arrival.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.octaves_in_order()
            .map(|(key, octave)| {
                let unit = power_of_two(exponent_of(key) - MANTISSA_BITS as i32);
                let size = octave.mantissas as f64 * unit;
                if key < 0 { -size } else { size }
            })
            .sum()
    }

    /// The mean of the values.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum() / self.count as f64)
    }

    /// The least value `x` with `cdf(x) >= p`, within 0.8 % of `x`; `None` if the sketch is empty
    /// or `p` lies outside `0..=1`.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        if self.count == 0 || !(0.0..=1.0).contains(&p) {
            return None;
        }
        let rank = ((p * self.count as f64).ceil() as u64).clamp(1, self.count);
        self.value_at_rank(rank)
    }

    /// The value at a rank of the sorted sample, from 1 to `count`, within 0.8 %.
    #[must_use]
    pub fn value_at_rank(&self, rank: u64) -> Option<f64> {
        if rank == 0 || rank > self.count {
            return None;
        }
        if rank == 1 {
            return self.min();
        }
        if rank == self.count {
            return self.max();
        }
        let mut seen = 0_u64;
        for bucket in self.buckets() {
            seen += bucket.count;
            if seen >= rank {
                return Some(bucket.midpoint.clamp(self.min, self.max));
            }
        }
        self.max()
    }

    /// How many values lie in buckets above the bucket of `x`.
    ///
    /// The cut is the upper end of that bucket for every sketch, so counts of two sketches above
    /// the same `x` speak of exactly the same event.
    #[must_use]
    pub fn count_above(&self, x: f64) -> u64 {
        let index = bucket_index(x);
        self.buckets().filter(|bucket| bucket.index > index).map(|bucket| bucket.count).sum()
    }

    /// The share of values at or below `x`; the bucket that holds `x` is split evenly.
    #[must_use]
    pub fn cdf(&self, x: f64) -> Option<f64> {
        if self.count == 0 || x.is_nan() {
            return None;
        }
        if x < self.min {
            return Some(0.0);
        }
        if x >= self.max {
            return Some(1.0);
        }
        let mut below = 0.0;
        for bucket in self.buckets() {
            let (low, high) = (bucket.low.max(self.min), bucket.high.min(self.max));
            if high <= x {
                below += bucket.count as f64;
            } else if low <= x {
                below += bucket.count as f64 * (x - low) / (high - low);
            } else {
                break;
            }
        }
        Some((below / self.count as f64).clamp(0.0, 1.0))
    }

    /// The buckets that hold anything, in ascending order.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let negative = self.octaves_in_order().take_while(|(key, _)| *key < 0);
        let positive = self.octaves_in_order().skip_while(|(key, _)| *key < 0);
        let zero =
            (self.zeros > 0).then_some(Bucket { index: 0, low: 0.0, high: 0.0, midpoint: 0.0, count: self.zeros });
        let cells = move |(key, octave): (i16, &Octave)| {
            let counts = octave.counts;
            (0..CELLS).filter_map(move |step| {
                let cell = if key < 0 { CELLS - 1 - step } else { step };
                let count = self.full_count(key, cell as u8, counts[cell]);
                (count > 0).then(|| bucket_at(key, cell as u8, count))
            })
        };
        negative.flat_map(cells).chain(zero).chain(positive.flat_map(cells))
    }

    #[inline]
    fn octave_mut(&mut self, key: i16) -> &mut Octave {
        let offset = i32::from(key) - i32::from(self.first_octave);
        let known = usize::try_from(offset).is_ok_and(|slot| self.octaves.get(slot).is_some_and(Option::is_some));
        let slot = if known { offset as usize } else { self.grow(key) };
        self.octaves[slot].get_or_insert_with(|| Box::new(Octave::EMPTY))
    }

    #[cold]
    fn grow(&mut self, key: i16) -> usize {
        if self.octaves.is_empty() {
            self.first_octave = key;
        }
        while key < self.first_octave {
            let missing = (i32::from(self.first_octave) - i32::from(key)) as usize;
            self.octaves.splice(0..0, std::iter::repeat_with(|| None).take(missing));
            self.first_octave = key;
        }
        let slot = (i32::from(key) - i32::from(self.first_octave)) as usize;
        if slot >= self.octaves.len() {
            self.octaves.resize(slot + 1, None);
        }
        slot
    }

    #[cold]
    fn add_turns(&mut self, octave: i16, cell: u8, turns: u32) {
        match self.turns.binary_search_by_key(&(octave, cell), |turn| (turn.0, turn.1)) {
            Ok(at) => self.turns[at].2 = self.turns[at].2.saturating_add(turns),
            Err(at) => self.turns.insert(at, (octave, cell, turns)),
        }
    }

    fn full_count(&self, octave: i16, cell: u8, low: u32) -> u64 {
        if self.turns.is_empty() {
            return u64::from(low);
        }
        let turns =
            self.turns.binary_search_by_key(&(octave, cell), |turn| (turn.0, turn.1)).map_or(0, |at| self.turns[at].2);
        (u64::from(turns) << 32) + u64::from(low)
    }

    fn octaves_in_order(&self) -> impl Iterator<Item = (i16, &Octave)> {
        self.octaves
            .iter()
            .enumerate()
            .filter_map(|(slot, octave)| octave.as_deref().map(|octave| (self.first_octave + slot as i16, octave)))
    }
}

impl PartialEq for LogHistogram {
    /// Two sketches are equal when they have seen the same buckets, whatever memory they keep.
    fn eq(&self, other: &Self) -> bool {
        let seen = |sketch: &Self| {
            sketch
                .octaves_in_order()
                .filter(|(_, octave)| octave.mantissas > 0)
                .map(|(key, octave)| (key, octave.clone()))
                .collect::<Vec<_>>()
        };
        (self.count, self.zeros, self.min, self.max) == (other.count, other.zeros, other.min, other.max)
            && self.turns == other.turns
            && seen(self) == seen(other)
    }
}

#[cfg(test)]
mod tests;
