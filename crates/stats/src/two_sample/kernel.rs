//! Maximum mean discrepancy: do two samples of rows differ in any direction, shape or dependence?

use super::ShapeTest;
use crate::random::permutation_p;

mod aggregated;
mod fourier;
mod permuted;
mod random_features;
pub(crate) mod sin_cos;

pub use aggregated::{AggregatedTest, aggregated_discrepancy};
pub use fourier::{FourierFeatures, MeanEmbedding};
use permuted::Labels;
pub use random_features::{KernelDrift, KernelReference, KernelSettings, KernelWindow, Scaling};

/// More rows than this are not compared pair by pair: 4,000 take 64 MiB and 8 million kernels.
pub(super) const MOST_ROWS: usize = 4_000;

/// Rows of one length, laid out one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    values: &'a [f64],
    width: usize,
}

impl<'a> Rows<'a> {
    /// `None` if the width is zero, the values do not fill whole rows, or one is not finite.
    #[must_use]
    pub fn new(values: &'a [f64], width: usize) -> Option<Self> {
        let whole = width > 0 && values.len().is_multiple_of(width);
        (whole && values.iter().all(|value| value.is_finite())).then_some(Self { values, width })
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Numbers in each row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a [f64]> {
        self.values.chunks_exact(self.width)
    }
}

/// The median squared distance of all pairs of both samples: the usual width of the kernel.
///
/// `O(rows^2)`. `None` for fewer than two rows, differing widths, more than 4,000 rows together, or
/// a median of zero.
#[must_use]
pub fn median_squared_distance(reference: Rows<'_>, current: Rows<'_>) -> Option<f64> {
    let rows: Vec<&[f64]> = together(reference, current)?;
    let distances: Vec<f64> = rows
        .iter()
        .enumerate()
        .flat_map(|(at, row)| rows[at + 1..].iter().map(|other| squared_distance(row, other)))
        .collect();
    crate::robust::median(&distances).filter(|median| *median > 0.0)
}

/// The unbiased squared discrepancy with the kernel `exp(-d^2 / width)`, and its p-value over seeded
/// permutations.
///
/// `MMD2 = mean k(x, x') + mean k(y, y') - 2 mean k(x, y)`, own pairs left out: about zero, and
/// often negative, under no change. Cost `O(rows^2)` kernels once and additions for each
/// permutation; for more rows use [`MeanEmbedding`]. Columns must be on comparable scales.
/// `None` for fewer than two rows a side, differing widths, more than 4,000 rows, or a width that is
/// not positive. Reference: Gretton et al., JMLR 13 (2012).
#[must_use]
pub fn kernel_discrepancy(
    reference: Rows<'_>,
    current: Rows<'_>,
    width: f64,
    permutations: u32,
    seed: u64,
) -> Option<ShapeTest> {
    let rows = together(reference, current)?;
    let valid = reference.len() >= 2 && current.len() >= 2 && width > 0.0 && width.is_finite();
    if !valid {
        return None;
    }
    let below_diagonal = rows.iter().enumerate().flat_map(|(i, row)| rows[..i].iter().map(move |other| (row, other)));
    let kernel: Vec<f64> = below_diagonal.map(|(row, other)| (-squared_distance(row, other) / width).exp()).collect();
    let found = Labels::new(reference.len(), current.len(), permutations, seed).discrepancies(&kernel);
    let statistic = found[0];
    Some(ShapeTest { statistic, p_value: permutation_p(statistic, found.into_iter().skip(1)) })
}

fn together<'a>(reference: Rows<'a>, current: Rows<'a>) -> Option<Vec<&'a [f64]>> {
    let total = reference.len() + current.len();
    let fits = reference.width == current.width && (2..=MOST_ROWS).contains(&total);
    fits.then(|| reference.iter().chain(current.iter()).collect())
}

pub(super) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The rows A and B of the golden values.
    pub(super) fn golden_rows() -> (Vec<f64>, Vec<f64>) {
        let a =
            (0..20).flat_map(|i| [f64::from((37 * i) % 101) / 101.0, f64::from((71 * i + 5) % 103) / 103.0]).collect();
        let b = (0..15)
            .flat_map(|j| [f64::from((53 * j + 7) % 101) / 101.0 * 0.8 + 0.3, f64::from((29 * j + 11) % 103) / 103.0])
            .collect();
        (a, b)
    }

    /// golden-stats.json, numpy 2.4.6: 20 against 15 rows in the plane, pooled median.
    #[test]
    fn agrees_with_numpy() {
        let (a, b) = golden_rows();
        let (a, b) = (Rows::new(&a, 2).unwrap(), Rows::new(&b, 2).unwrap());
        let width = median_squared_distance(a, b).unwrap();
        assert!((width - 0.255_506_018_536_327_4).abs() < 1e-12);
        let test = kernel_discrepancy(a, b, width, 99, 1).unwrap();
        assert!((test.statistic - 0.003_633_891_463_118_210_7).abs() < 1e-12);
    }

    #[test]
    fn permutations_tell_a_shift_from_none() {
        let (a, _) = golden_rows();
        let shifted: Vec<f64> = a.iter().map(|value| value + 0.4).collect();
        let rows = Rows::new(&a, 2).unwrap();
        let shifted = Rows::new(&shifted, 2).unwrap();
        assert_eq!(kernel_discrepancy(rows, shifted, 0.25, 199, 3).unwrap().p_value, 0.005);
        assert!(kernel_discrepancy(rows, rows, 0.25, 199, 3).unwrap().p_value > 0.5);
    }

    #[test]
    fn bad_rows_are_refused() {
        assert!(Rows::new(&[1.0, 2.0, 3.0], 2).is_none());
        assert!(Rows::new(&[f64::NAN], 1).is_none());
        let one = Rows::new(&[1.0], 1).unwrap();
        assert_eq!(kernel_discrepancy(one, one, 1.0, 9, 0), None);
        assert_eq!(median_squared_distance(one, one), None);
    }
}
