//! Features as small numbers: the bin of each value among quantiles.

use std::hint::select_unpredictable;

use serde::{Deserialize, Serialize};

use super::Features;
use crate::random::SplitMix;

/// Values of a column that its quantiles are taken from: their error is about 0.4 % of the rows.
const SAMPLE: usize = 20_000;

/// How often the outermost bins are halved.
const TAIL_HALVINGS: usize = 4;

/// The bin of a missing value; the others follow from one.
const MISSING: u8 = 0;

/// Where the bins of each column end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Bins {
    /// For each column: ends of its bins, rising, filled up with the greatest number to `2^k - 1`.
    ends: Vec<Vec<f64>>,
}

/// Bins of rows, one row after the other.
pub(super) struct BinnedRows {
    bins: Vec<u8>,
    width: usize,
}

impl Bins {
    /// At most `most` bins a column (2 to 254) besides that of missing values, of about equal counts, from 16
    /// bins on with finer ones at both ends; a value that is frequent gets a bin of its own.
    pub(super) fn fit(features: &Features<'_>, most: usize, seed: u64) -> Self {
        let mut random = SplitMix::new(seed);
        let rows = features.rows();
        let mut sample = Vec::with_capacity(rows.min(SAMPLE));
        let ends = features.columns().iter().map(|column| {
            sample.clear();
            if rows <= SAMPLE {
                sample.extend(column.iter().copied().filter(|value| !value.is_nan()));
            } else {
                let picks = (0..SAMPLE).map(|_| column[random.below(rows)]);
                sample.extend(picks.filter(|value| !value.is_nan()));
            }
            sample.sort_unstable_by(f64::total_cmp);
            padded(ends_of(&sample, most.clamp(2, 254)))
        });
        Self { ends: ends.collect() }
    }

    pub(super) fn width(&self) -> usize {
        self.ends.len()
    }

    /// Whether the ends are as many as the search for a bin needs, and rise.
    pub(super) fn is_sound(&self) -> bool {
        self.ends.iter().all(|ends| {
            let sized = (ends.len() + 1).is_power_of_two() && ends.len() < 256;
            sized && ends.windows(2).all(|pair| pair[0] <= pair[1])
        })
    }

    /// The bins of all rows.
    pub(super) fn apply(&self, features: &Features<'_>) -> BinnedRows {
        self.apply_range(features, 0, features.rows())
    }

    /// The bins of `count` rows from `first` on.
    pub(super) fn apply_range(&self, features: &Features<'_>, first: usize, count: usize) -> BinnedRows {
        let width = self.width();
        let mut bins = vec![MISSING; count * width];
        for (at, (column, ends)) in features.columns().iter().zip(&self.ends).enumerate() {
            for (row, value) in column[first..first + count].iter().enumerate() {
                bins[row * width + at] = bin_of(ends, *value);
            }
        }
        BinnedRows { bins, width }
    }
}

impl BinnedRows {
    pub(super) fn row(&self, at: usize) -> &[u8] {
        &self.bins[at * self.width..(at + 1) * self.width]
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.bins.chunks_exact(self.width)
    }
}

/// One, and one more for each end below the value; the ends are `2^k - 1` many.
fn bin_of(ends: &[f64], value: f64) -> u8 {
    if value.is_nan() {
        return MISSING;
    }
    let mut below = 0;
    let mut step = ends.len().div_ceil(2);
    while step > 0 {
        // A branch would be guessed wrong half of the time.
        below = select_unpredictable(ends[below + step - 1] < value, below + step, below);
        step /= 2;
    }
    1 + below as u8
}

/// Ends between neighbouring values where there are few, at quantiles otherwise.
fn ends_of(sorted: &[f64], most: usize) -> Vec<f64> {
    let mut ends: Vec<f64> = Vec::with_capacity(most);
    let Some(greatest) = sorted.last() else { return ends };
    let distinct = sorted.chunk_by(|a, b| a == b).take(most + 1).count();
    if distinct <= most {
        let firsts: Vec<f64> = sorted.chunk_by(|a, b| a == b).map(|equal| equal[0]).collect();
        // Halves are taken first, as a sum may overflow.
        ends.extend(firsts.windows(2).map(|pair| (0.5 * pair[0] + 0.5 * pair[1]).max(pair[0])));
        return ends;
    }
    for share in shares_below(most) {
        let end = sorted[((share * sorted.len() as f64) as usize).min(sorted.len() - 1)];
        if end < *greatest && ends.last().is_none_or(|last| *last < end) {
            ends.push(end);
        }
    }
    ends
}

/// Rising shares of the values that end a bin: even ones, and the outermost halved again and again, as a
/// shift of the inputs shows first and most in the tails.
fn shares_below(most: usize) -> Vec<f64> {
    let halvings = if most >= 4 * TAIL_HALVINGS { TAIL_HALVINGS } else { 0 };
    let even = most - 2 * halvings;
    let outermost = |times: usize| 0.5_f64.powi(times as i32) / even as f64;
    let low = (1..=halvings).rev().map(outermost);
    let high = (1..=halvings).map(|times| 1.0 - outermost(times));
    low.chain((1..even).map(|bin| bin as f64 / even as f64)).chain(high).collect()
}

fn padded(mut ends: Vec<f64>) -> Vec<f64> {
    let size = (ends.len() + 1).next_power_of_two() - 1;
    ends.resize(size, f64::MAX);
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(column: &[f64], most: usize) -> Vec<u8> {
        let features = Features::new(vec![column]).unwrap();
        Bins::fit(&features, most, 1).apply(&features).bins
    }

    #[test]
    fn few_values_get_a_bin_each_and_missing_ones_their_own() {
        assert_eq!(bins(&[3.0, 1.0, f64::NAN, 2.0, 1.0], 8), [3, 1, 0, 2, 1]);
        assert_eq!(bins(&[5.0; 4], 8), [1; 4]);
        assert_eq!(bins(&[f64::NAN; 3], 8), [0; 3]);
        assert_eq!(bins(&[-f64::MAX, f64::MAX], 8), [1, 2]);
    }

    #[test]
    fn many_values_are_shared_out_evenly() {
        let column: Vec<f64> = (0..1_000).map(f64::from).collect();
        let mut counts = [0; 12];
        bins(&column, 10).into_iter().for_each(|bin| counts[usize::from(bin)] += 1);
        assert!(counts[1..=10].iter().all(|count| (99..=101).contains(count)), "{counts:?}");
    }

    #[test]
    fn tails_are_told_apart() {
        let column: Vec<f64> = (0..10_000).map(f64::from).collect();
        let found = bins(&column, 63);
        assert_eq!(found[9_999], 63);
        assert!(found[9_999] - found[9_900] >= 3 && found[100] - found[0] >= 3);
        assert!(found.is_sorted());
    }

    #[test]
    fn the_bin_is_one_more_than_the_ends_below() {
        let ends = padded(vec![1.0, 2.0, 3.0, 4.0, 5.0]);
        for (value, bin) in [(0.0, 1), (1.0, 1), (1.5, 2), (5.0, 5), (9.0, 6)] {
            assert_eq!(bin_of(&ends, value), bin, "{value}");
        }
    }
}
