//! Quantiles with a bounded error of the rank, whatever the values are.

use serde::{Deserialize, Serialize};

mod levels;
mod stored;

use levels::Levels;
use stored::Stored;

use super::{Merge, MergeError};

/// Retained values before the first halving, for [`Kll::default`]: an error of 1.3 % of the rank.
const DEFAULT_K: u16 = 200;
/// Counts stay below this, so that the weight of a level fits a 64-bit integer.
const MOST_VALUES: u64 = 1 << 60;

/// A mergeable quantile sketch whose *rank* error is bounded, for any values and any order.
///
/// Values are kept in levels; a value of level `h` stands for `2^h` values. When the sketch is
/// full, one level is sorted and every other value of it, beginning at a random one, moves a level
/// up. While no more than `k` values came in, nothing is halved and every answer is exact.
///
/// With probability 0.99 the answer for one rank is off by at most [`rank_error`](Self::rank_error)
/// of all values, and the answers for all ranks together by at most
/// [`rank_error_everywhere`](Self::rank_error_everywhere): 1.3 % and 1.7 % for `k` of 200. The same
/// holds after any merging. These are the figures of Apache DataSketches, whose schedule of halving
/// this one shares; the tests measure that they hold.
///
/// Use it where ranks matter and nothing is known of the values; [`super::LogHistogram`] bounds
/// the error of the *value* instead, merges exactly and is faster. Not to be trusted for quantiles
/// closer to an end than the rank error: `p99.9` needs a `k` of 4,000. Minimum and maximum are exact.
///
/// Cost: `O(log(n / k))` levels, some 6 KiB for `k` of 200 and a billion values; some 20 ns a value
/// on average; an insert allocates only when a level is added, which the count must double for.
/// The same seed and the same values in the same order give the same sketch.
///
/// Reference: Karnin, Lang, Liberty, "Optimal Quantile Approximation in Streams", FOCS (2016);
/// the constants: Apache DataSketches, `getNormalizedRankError`.
///
/// ```
/// use wardline_stats::sketch::Kll;
/// let mut sketch = Kll::default();
/// (0..100_000).for_each(|i| {
///     sketch.insert(f64::from(i % 1_000).powi(50));
/// });
/// let median = sketch.quantile(0.5).map(|x| x.powf(0.02)).unwrap_or_default();
/// assert!((median - 500.0).abs() < 20.0);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct Kll {
    k: u16,
    seed: u64,
    /// Coins thrown so far: the coin with a number is the same whenever it is thrown.
    coins: u64,
    count: u64,
    min: f64,
    max: f64,
    levels: Levels,
}

impl Default for Kll {
    fn default() -> Self {
        Self::empty(DEFAULT_K, 0)
    }
}

impl Kll {
    /// The least `k`.
    pub const LEAST_K: u16 = 8;

    /// An empty sketch; `None` for a `k` below 8. The seed decides the coins, not the guarantee.
    #[must_use]
    pub fn new(k: u16, seed: u64) -> Option<Self> {
        (k >= Self::LEAST_K).then(|| Self::empty(k, seed))
    }

    fn empty(k: u16, seed: u64) -> Self {
        Self { k, seed, coins: 0, count: 0, min: 0.0, max: 0.0, levels: Levels::new(k) }
    }

    /// Takes in one value; `false` if it was refused as not finite.
    #[inline]
    pub fn insert(&mut self, value: f64) -> bool {
        if !value.is_finite() || self.count >= MOST_VALUES {
            return false;
        }
        self.widen(value, value);
        self.count += 1;
        if self.levels.is_full() {
            self.levels.make_room(self.k, &mut coin(self.seed, &mut self.coins));
        }
        self.levels.push(value);
        true
    }

    /// Takes in all values; returns how many were refused as not finite.
    pub fn insert_slice(&mut self, values: &[f64]) -> u64 {
        values.iter().map(|&value| u64::from(!self.insert(value))).sum()
    }

    /// Adds everything that `other` has seen; the sketch takes the smaller `k` of the two.
    ///
    /// # Errors
    /// [`MergeError::TooMany`] beyond `2^60` values.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        let count = self.count.saturating_add(other.count);
        if count > MOST_VALUES {
            return Err(MergeError::TooMany);
        }
        if other.count == 0 {
            return Ok(());
        }
        self.widen(other.min, other.max);
        self.count = count;
        self.k = self.k.min(other.k);
        self.levels.merge(&other.levels, self.k, &mut coin(self.seed, &mut self.coins));
        Ok(())
    }

    fn widen(&mut self, low: f64, high: f64) {
        if self.count == 0 {
            self.min = low;
            self.max = high;
        } else {
            self.min = self.min.min(low);
            self.max = self.max.max(high);
        }
    }

    /// Forgets all values and keeps the memory; the coins begin anew.
    pub fn clear(&mut self) {
        self.levels.clear(self.k);
        (self.coins, self.count, self.min, self.max) = (0, 0, 0.0, 0.0);
    }

    /// How exact the sketch is: more is better, and costs memory in proportion.
    #[must_use]
    pub fn k(&self) -> u16 {
        self.k
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

    /// How many values are kept, of all that were seen.
    #[must_use]
    pub fn retained(&self) -> usize {
        self.levels.retained()
    }

    /// Whether every value is still kept, so that answers are exact.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.levels.height() == 1
    }

    /// The error of one rank as a share of all values, kept with probability 0.99:
    /// `2.296 / k^0.9723`; zero while the sketch is exact.
    #[must_use]
    pub fn rank_error(&self) -> f64 {
        if self.is_exact() { 0.0 } else { 2.296 / f64::from(self.k).powf(0.9723) }
    }

    /// The greatest error over all ranks at once, kept with probability 0.99:
    /// `2.446 / k^0.9433`; zero while the sketch is exact.
    #[must_use]
    pub fn rank_error_everywhere(&self) -> f64 {
        if self.is_exact() { 0.0 } else { 2.446 / f64::from(self.k).powf(0.9433) }
    }

    /// The share of values at or below `x`, within the rank error; `None` if the sketch is empty or
    /// `x` is NaN. `O(levels log k)`.
    #[must_use]
    pub fn cdf(&self, x: f64) -> Option<f64> {
        if self.count == 0 || x.is_nan() {
            return None;
        }
        if x >= self.max {
            return Some(1.0);
        }
        Some(self.levels.weight_at_most(x) as f64 / self.count as f64)
    }

    /// The least kept value `x` with `cdf(x) >= p`; `None` if the sketch is empty or `p` lies
    /// outside `0..=1`. `O(k log k)`: ask [`quantiles`](Self::quantiles) for many at once.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        self.quantiles(&[p])?.pop()
    }

    /// The quantiles for several `p`, in their order; `None` as for [`quantile`](Self::quantile).
    #[must_use]
    pub fn quantiles(&self, p: &[f64]) -> Option<Vec<f64>> {
        if self.count == 0 || !p.iter().all(|p| (0.0..=1.0).contains(p)) {
            return None;
        }
        let cumulated = self.cumulated();
        Some(p.iter().map(|p| self.at_rank(&cumulated, (p * self.count as f64).ceil() as u64)).collect())
    }

    fn at_rank(&self, cumulated: &[(f64, u64)], rank: u64) -> f64 {
        if rank <= 1 {
            return self.min;
        }
        if rank >= self.count {
            return self.max;
        }
        cumulated.get(cumulated.partition_point(|(_, up_to)| *up_to < rank)).map_or(self.max, |(value, _)| *value)
    }

    /// The least and the greatest value that the quantile may have, given the rank error.
    #[must_use]
    pub fn quantile_interval(&self, p: f64) -> Option<(f64, f64)> {
        let error = self.rank_error();
        let ends = self.quantiles(&[(p - error).clamp(0.0, 1.0), (p + error).clamp(0.0, 1.0)])?;
        (0.0..=1.0).contains(&p).then(|| Some((*ends.first()?, *ends.last()?)))?
    }

    /// The kept values in ascending order, each with how many values it and those before stand for.
    #[must_use]
    pub fn cumulated(&self) -> Vec<(f64, u64)> {
        let mut weighted: Vec<(f64, u64)> = self.levels.weighted().collect();
        weighted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut up_to = 0;
        for (_, weight) in &mut weighted {
            up_to += *weight;
            *weight = up_to;
        }
        weighted
    }
}

impl Merge for Kll {
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError> {
        self.merge(other)
    }

    fn clear(&mut self) {
        self.clear();
    }
}

impl PartialEq for Kll {
    /// Equal when they would answer and go on alike, whatever memory they keep.
    fn eq(&self, other: &Self) -> bool {
        (self.k, self.seed, self.coins, self.count) == (other.k, other.seed, other.coins, other.count)
            && (self.min, self.max) == (other.min, other.max)
            && self.levels == other.levels
    }
}

/// Throws the coin with the next number.
fn coin(seed: u64, thrown: &mut u64) -> impl FnMut() -> usize + '_ {
    move || {
        // The numbers of SplitMix64, by position: see `crate::random`.
        let state = seed.wrapping_add(thrown.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        *thrown = thrown.wrapping_add(1);
        (crate::random::SplitMix::new(state).next() >> 63) as usize
    }
}

#[cfg(test)]
mod tests;
