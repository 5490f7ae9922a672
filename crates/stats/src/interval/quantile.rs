//! Intervals for a quantile from the order of the sample alone.

use super::{Interval, tail_of};
use crate::distribution::binomial;
use crate::sketch::LogHistogram;

/// Ranks (from 1 to `n`) of the sorted sample between which the quantile `p` lies.
///
/// The number of values at or below the quantile is binomial, so
/// `P(rank low <= quantile <= rank high) >= confidence` for every continuous law; no shape is
/// assumed. Assumes independent values: under autocorrelation it is too narrow.
/// `None` where the sample is too small for a two-sided interval, as for p99 of 100 values.
/// Cost: `O(log n)` binomial tails. Reference: David, Nagaraja, "Order Statistics" (2003), 7.1.
#[must_use]
pub fn quantile_ranks(n: u64, p: f64, confidence: f64) -> Option<(u64, u64)> {
    let tail = tail_of(confidence)?;
    if n == 0 || !(0.0 < p && p < 1.0) {
        return None;
    }
    // The lower rank: the greatest r with P(Binomial(n, p) <= r - 1) <= tail.
    let low = last_where(n, |rank| binomial::at_most(rank - 1, n, p).is_some_and(|t| t <= tail))?;
    // The upper rank: the least r with P(Binomial(n, p) >= r) <= tail.
    let too_low = last_where(n, |rank| binomial::at_least(rank, n, p).is_some_and(|t| t > tail)).unwrap_or(0);
    (too_low < n).then_some((low, too_low + 1))
}

/// The interval of a quantile of a sketch; adds the sketch's own 0.8 % only through its buckets.
#[must_use]
pub fn quantile_interval(sketch: &LogHistogram, p: f64, confidence: f64) -> Option<Interval> {
    let (low, high) = quantile_ranks(sketch.count(), p, confidence)?;
    Some(Interval { low: sketch.value_at_rank(low)?, high: sketch.value_at_rank(high)? })
}

/// The last of `1..=n` for which a condition holds that holds up to some point and not after.
fn last_where(n: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    if !holds(1) {
        return None;
    }
    let (mut yes, mut no) = (1, n + 1);
    while no - yes > 1 {
        let middle = yes + (no - yes) / 2;
        if holds(middle) {
            yes = middle;
        } else {
            no = middle;
        }
    }
    Some(yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables of Conover, and scipy 1.17.1: `quantile_test(range(100), p=0.5)` gives ranks 40..61.
    #[test]
    fn the_median_of_a_hundred() {
        assert_eq!(quantile_ranks(100, 0.5, 0.95), Some((40, 61)));
    }

    #[test]
    fn a_far_quantile_needs_enough_values() {
        assert_eq!(quantile_ranks(100, 0.99, 0.95), None);
        assert!(quantile_ranks(1_000, 0.99, 0.95).is_some());
        assert_eq!(quantile_ranks(0, 0.5, 0.95), None);
    }
}
