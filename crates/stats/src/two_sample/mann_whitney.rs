//! Is one sample larger than the other, whatever the shape?

use serde::{Deserialize, Serialize};

use super::kolmogorov_smirnov::align;
use super::order::{Cell, merge};
use crate::distribution::normal;
use crate::sketch::LogHistogram;

/// The comparison of two samples by ranks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MannWhitney {
    /// Pairs in which the reference is the greater, ties as half.
    pub u: f64,
    /// `current` against `reference` in standard errors: positive where the current is greater.
    pub z: f64,
    /// Two-sided, with correction for ties and continuity.
    pub p_value: f64,
    /// The chance that a current value exceeds a reference value, ties as half; 0.5 is no change.
    pub superiority: f64,
}

/// The two-sided Mann-Whitney test of two sorted samples, in `O(n + m)`, by the normal limit.
///
/// Not to be trusted below 8 values a side. `None` if a sample is empty, not sorted or not finite,
/// or if all values are equal.
/// Reference: Mann, Whitney, Ann. Math. Stat. 18 (1947); ties as in Lehmann (1975).
#[must_use]
pub fn mann_whitney(reference: &[f64], current: &[f64]) -> Option<MannWhitney> {
    from_cells(&merge(reference, current)?)
}

/// The same from ascending cells; only the values of a tied cell are ties.
pub(crate) fn from_cells(cells: &[Cell]) -> Option<MannWhitney> {
    compare(cells.iter().map(|cell| (cell.reference, cell.current, cell.is_tie())))
}

/// The same on counts over ordered bins; values of one bin are ties.
#[must_use]
pub fn mann_whitney_counts(reference: &[u64], current: &[u64]) -> Option<MannWhitney> {
    (reference.len() == current.len()).then(|| compare(reference.iter().zip(current).map(|(a, b)| (*a, *b, true))))?
}

/// The same on two sketches, bucket by bucket.
#[must_use]
pub fn mann_whitney_sketches(reference: &LogHistogram, current: &LogHistogram) -> Option<MannWhitney> {
    compare(align(reference, current).into_iter().map(|(_, a, b)| (a, b, true)))
}

fn compare(cells: impl Iterator<Item = (u64, u64, bool)>) -> Option<MannWhitney> {
    let (mut n, mut m, mut current_below, mut u, mut ties) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (a, b, is_tie) in cells {
        let (a, b) = (a as f64, b as f64);
        u += a * (current_below + 0.5 * b);
        current_below += b;
        n += a;
        m += b;
        let tied = if is_tie { a + b } else { 0.0 };
        ties += tied * (tied * tied - 1.0);
    }
    if n == 0.0 || m == 0.0 {
        return None;
    }
    let total = n + m;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 || !variance.is_finite() {
        return None;
    }
    let difference = 0.5 * n * m - u;
    let corrected = (difference.abs() - 0.5).max(0.0).copysign(difference);
    let z = corrected / variance.sqrt();
    let p_value = normal::two_sided(z);
    Some(MannWhitney { u, z, p_value, superiority: 1.0 - u / (n * m) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::two_sample::kolmogorov_smirnov::tests::golden_samples;

    /// golden-stats.json, scipy 1.17.1 `mannwhitneyu(a, b, "two-sided", method="asymptotic")`.
    #[test]
    fn agrees_with_scipy() {
        let (a, b) = golden_samples();
        let test = mann_whitney(&a, &b).unwrap();
        assert!((test.u - 382.0).abs() < 1e-9);
        assert!((test.p_value / 0.009_844_323_318_657_195 - 1.0).abs() < 1e-9);
        assert!(test.z > 0.0 && test.superiority > 0.5);
    }

    #[test]
    fn a_fall_is_seen_as_well_as_a_rise() {
        let (a, b) = golden_samples();
        let (rise, fall) = (mann_whitney(&a, &b).unwrap(), mann_whitney(&b, &a).unwrap());
        assert!((rise.p_value - fall.p_value).abs() < 1e-12);
        assert!((rise.z + fall.z).abs() < 1e-12);
    }

    #[test]
    fn counts_are_ties() {
        let test = mann_whitney_counts(&[10, 10], &[5, 15]).unwrap();
        assert!((test.superiority - 0.625).abs() < 1e-12);
        assert_eq!(mann_whitney_counts(&[10], &[10]), None);
        assert_eq!(mann_whitney(&[], &[1.0]), None);
    }
}
