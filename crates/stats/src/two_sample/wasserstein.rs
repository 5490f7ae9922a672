//! How far the mass of a distribution moved.

use serde::{Deserialize, Serialize};

use super::order::{Cell, for_each_difference, merge};
use crate::sketch::{LogHistogram, Moments};

/// A distance of two distributions and the unit that makes it comparable between columns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wasserstein {
    /// `integral |F_reference - F_current|`, in the unit of the values.
    pub distance: f64,
    /// The distance divided by the reference's width between its clipping quantiles.
    pub relative: f64,
}

/// The first Wasserstein distance of two sorted samples, in `O(n + m)`.
///
/// One extreme value moves it without bound: for monitoring use [`wasserstein_clipped`].
/// `None` if a sample is empty, not sorted, or holds a value that is not finite.
#[must_use]
pub fn wasserstein(reference: &[f64], current: &[f64]) -> Option<f64> {
    let distance = from_cells(&merge(reference, current)?, f64::NEG_INFINITY, f64::INFINITY)?;
    distance.is_finite().then_some(distance)
}

/// The first Wasserstein distance in standard deviations of the reference (with `n` below), in
/// `O(n + m)`.
///
/// It is the form that several monitoring tools compare with 0.1. One extreme *reference* value
/// stretches the unit and hides every change (1.0005 becomes 0.0047), one extreme current value
/// moves the distance without bound: it is here to be compared with, and [`wasserstein_clipped`] is
/// the one to monitor with. `None` as for [`wasserstein`], and for a constant reference.
#[must_use]
pub fn wasserstein_normalised(reference: &[f64], current: &[f64]) -> Option<f64> {
    let distance = wasserstein(reference, current)?;
    let mut moments = Moments::new();
    moments.insert_slice(reference);
    let deviation = (moments.m2() / reference.len() as f64).sqrt();
    let normalised = distance / deviation;
    (deviation > 0.0 && normalised.is_finite()).then_some(normalised)
}

/// `integral |F_reference - F_current|` over `low ..= high`, from ascending cells.
pub(crate) fn from_cells(cells: &[Cell], low: f64, high: f64) -> Option<f64> {
    let place = |value: f64| value.clamp(low, high);
    let (mut sum, mut last) = (0.0, place(cells.first()?.low));
    for_each_difference(cells, |cell, before, after| {
        let (start, end) = (place(cell.low), place(cell.high));
        sum += before.abs() * (start - last) + mean_size(before, after) * (end - start);
        last = end;
    })?;
    Some(sum)
}

/// The mean of the size of a number that goes evenly from one value to another.
fn mean_size(from: f64, to: f64) -> f64 {
    let (size_from, size_to) = (from.abs(), to.abs());
    if from * to >= 0.0 {
        return 0.5 * (size_from + size_to);
    }
    (from * from + to * to) / (2.0 * (size_from + size_to))
}

/// The first Wasserstein distance of two sketches between the reference's quantiles `clip` and
/// `1 - clip` (0.005 suits), in `O(buckets)`.
///
/// Values beyond the quantiles count as if they lay on them, so one row moves the distance by at
/// most `width / n`, and a wild reference row does not stretch the unit. `relative` divides by
/// the width. `None` if a sketch is empty, `clip` is not in `0..0.5`, or the width is zero.
#[must_use]
pub fn wasserstein_clipped(reference: &LogHistogram, current: &LogHistogram, clip: f64) -> Option<Wasserstein> {
    if !(0.0..0.5).contains(&clip) || current.is_empty() {
        return None;
    }
    let (low, high) = (reference.quantile(clip)?, reference.quantile(1.0 - clip)?);
    if high <= low {
        return None;
    }
    let side = |sketch: &LogHistogram| -> Vec<(f64, f64)> {
        let total = sketch.count() as f64;
        sketch.buckets().map(|bucket| (bucket.midpoint.clamp(low, high), bucket.count as f64 / total)).collect()
    };
    let mut moves: Vec<(f64, f64)> = side(reference);
    moves.extend(side(current).into_iter().map(|(place, share)| (place, -share)));
    moves.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ahead, mut distance, mut last) = (0.0_f64, 0.0, low);
    for (place, share) in moves {
        distance += ahead.abs() * (place - last);
        ahead += share;
        last = place;
    }
    Some(Wasserstein { distance, relative: distance / (high - low) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::two_sample::kolmogorov_smirnov::tests::golden_samples;

    /// golden-stats.json, scipy 1.17.1 `wasserstein_distance(a, b)`.
    #[test]
    fn agrees_with_scipy() {
        let (a, b) = golden_samples();
        assert!((wasserstein(&a, &b).unwrap() - 0.189_009_900_990_099_01).abs() < 1e-12);
        assert_eq!(wasserstein(&[], &b), None);
        assert_eq!(wasserstein(&[2.0, 1.0], &b), None);
    }

    #[test]
    fn one_extreme_row_on_either_side_hides_nothing() {
        let sketch = |shift: f64, extreme: Option<f64>| {
            let mut sketch = LogHistogram::new();
            (0..5_000).for_each(|i| {
                sketch.insert(10.0 + shift + f64::from(i) / 1_000.0);
            });
            extreme.into_iter().for_each(|value| {
                sketch.insert(value);
            });
            sketch
        };
        let plain = wasserstein_clipped(&sketch(0.0, None), &sketch(1.0, None), 0.005).unwrap();
        for (reference, current) in [(Some(1e9), None), (None, Some(1e9)), (None, Some(-1e9))] {
            let found = wasserstein_clipped(&sketch(0.0, reference), &sketch(1.0, current), 0.005).unwrap();
            assert!((found.relative / plain.relative - 1.0).abs() < 0.01, "{found:?}");
        }
    }

    #[test]
    fn a_constant_reference_has_no_unit() {
        let mut sketch = LogHistogram::new();
        sketch.insert_n(3.0, 10);
        assert_eq!(wasserstein_clipped(&sketch, &sketch, 0.01), None);
        assert_eq!(wasserstein_clipped(&LogHistogram::new(), &sketch, 0.01), None);
    }
}
