//! The greatest difference of two distribution functions.

use serde::{Deserialize, Serialize};

use super::order::Cell;
use crate::distribution::kolmogorov;
use crate::sketch::LogHistogram;

mod exact;

#[cfg(test)]
pub(super) mod tests;

/// Up to this many pairs the p-value is exact; its cost is one addition a pair.
const MOST_PAIRS: u64 = 1_000_000;

/// The result of a Kolmogorov-Smirnov test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KsTest {
    /// `D = max |F_reference - F_current|`.
    pub statistic: f64,
    /// Two-sided.
    pub p_value: f64,
    /// Where the difference is greatest.
    pub location: f64,
    /// Whether the current values are greater there, that is `F_reference > F_current`.
    pub current_is_greater: bool,
}

/// Compares two sorted samples, in `O(n + m)` and, for the exact p-value, `O(n m)` additions.
///
/// `D = max |F_reference(x) - F_current(x)|`. Exact up to a million pairs by counting lattice paths
/// (conservative with ties); beyond that the Kolmogorov limit with Stephens' correction.
/// Not to be trusted for autocorrelated values, and blind in the far tails: use exceedances there.
/// `None` if a sample is empty, not sorted or holds a NaN.
/// Reference: Hodges, Arkiv Mat. 3 (1958); Stephens, JRSS B 32 (1970).
#[must_use]
pub fn kolmogorov_smirnov(reference: &[f64], current: &[f64]) -> Option<KsTest> {
    let valid = |values: &[f64]| !values.is_empty() && values.is_sorted() && values.iter().all(|value| !value.is_nan());
    if !valid(reference) || !valid(current) {
        return None;
    }
    let (n, m) = (reference.len() as u64, current.len() as u64);
    let (mut i, mut j) = (0, 0);
    let mut most = Greatest::default();
    while i < reference.len() && j < current.len() {
        let x = reference[i].min(current[j]);
        while i < reference.len() && reference[i] <= x {
            i += 1;
        }
        while j < current.len() && current[j] <= x {
            j += 1;
        }
        most.observe(i as u64, j as u64, n, m, x);
    }
    Some(most.finish(n, m))
}

/// The same on counts over ordered bins, between which no difference is seen.
///
/// The p-value is the continuous one, which is too large for few bins: the test is conservative.
/// The location is the index of the bin. `None` if a side is empty or the lengths differ.
#[must_use]
pub fn kolmogorov_smirnov_counts(reference: &[u64], current: &[u64]) -> Option<KsTest> {
    if reference.len() != current.len() {
        return None;
    }
    let cells = reference.iter().zip(current).enumerate();
    compare(cells.map(|(bin, (a, b))| (bin as f64, *a, *b)))
}

/// The same on two sketches, bucket by bucket: `D` within the sketch's resolution of 0.8 %.
#[must_use]
pub fn kolmogorov_smirnov_sketches(reference: &LogHistogram, current: &LogHistogram) -> Option<KsTest> {
    compare(align(reference, current).into_iter())
}

/// The same from ascending cells, with the statistic at their ends; the location is the high end.
pub(crate) fn from_cells(cells: &[Cell]) -> Option<KsTest> {
    compare(cells.iter().map(|cell| (cell.high, cell.reference, cell.current)))
}

/// The buckets of two sketches side by side: midpoint, reference count, current count.
pub(super) fn align(reference: &LogHistogram, current: &LogHistogram) -> Vec<(f64, u64, u64)> {
    let mut ours = reference.buckets().peekable();
    let mut theirs = current.buckets().peekable();
    let mut cells = Vec::new();
    loop {
        let next = match (ours.peek(), theirs.peek()) {
            (Some(a), Some(b)) => a.index.min(b.index),
            (Some(a), None) => a.index,
            (None, Some(b)) => b.index,
            (None, None) => return cells,
        };
        let a = ours.next_if(|bucket| bucket.index == next);
        let b = theirs.next_if(|bucket| bucket.index == next);
        let midpoint = a.or(b).map_or(0.0, |bucket| bucket.midpoint);
        cells.push((midpoint, a.map_or(0, |bucket| bucket.count), b.map_or(0, |bucket| bucket.count)));
    }
}

fn compare(cells: impl Iterator<Item = (f64, u64, u64)> + Clone) -> Option<KsTest> {
    let (n, m) =
        cells.clone().try_fold((0_u64, 0_u64), |(n, m), (_, a, b)| Some((n.checked_add(a)?, m.checked_add(b)?)))?;
    if n == 0 || m == 0 {
        return None;
    }
    let (mut i, mut j) = (0, 0);
    let mut most = Greatest::default();
    for (place, a, b) in cells {
        i += a;
        j += b;
        most.observe(i, j, n, m, place);
    }
    Some(most.finish(n, m))
}

/// The greatest difference so far, as the integer `|i m - j n|`.
#[derive(Default)]
struct Greatest {
    numerator: u128,
    location: f64,
    current_is_greater: bool,
}

impl Greatest {
    fn observe(&mut self, i: u64, j: u64, n: u64, m: u64, place: f64) {
        let ours = u128::from(i) * u128::from(m);
        let theirs = u128::from(j) * u128::from(n);
        if ours.abs_diff(theirs) > self.numerator {
            self.numerator = ours.abs_diff(theirs);
            self.location = place;
            self.current_is_greater = ours > theirs;
        }
    }

    fn finish(&self, n: u64, m: u64) -> KsTest {
        let statistic = self.numerator as f64 / (n as f64 * m as f64);
        let p_value = if n.saturating_mul(m) <= MOST_PAIRS {
            exact::p_value(n as usize, m as usize, self.numerator as u64)
        } else {
            let root = (n as f64 * m as f64 / (n as f64 + m as f64)).sqrt();
            kolmogorov::sf((root + 0.12 + 0.11 / root) * statistic)
        };
        KsTest { statistic, p_value, location: self.location, current_is_greater: self.current_is_greater }
    }
}
