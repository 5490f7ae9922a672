//! The squared difference of two densities, estimated without estimating either.

use super::ShapeTest;
use super::kernel::{MOST_ROWS, Rows, squared_distance};
use super::symmetric::{Factor, Symmetric};
use crate::random::{SplitMix, permutation_p};
use crate::robust::median;

/// Rows that kernels are put on.
const MOST_CENTRES: usize = 100;
/// The strongest smoothing may shrink the estimate by this share.
const MOST_SHRINKAGE: f64 = 0.2;

/// The least-squares density-difference test of two samples of rows, with its p-value over seeded
/// permutations.
///
/// The difference of the densities is modelled by Gaussian kernels on up to 100 pooled rows, its width
/// the median distance; with `h` the difference of the mean kernels and `H` their overlaps,
/// `LSDD = 2 h'a - a'Ha`, `a = (H + l I)^-1 h`, in units of one kernel's squared norm. The
/// smoothing `l` is the largest of 1, 1/4, 1/16 ... that shrinks the estimate by less than a fifth.
///
/// The level is exact for exchangeable rows. Sees local differences that a mean hides; weak beyond some
/// 20 columns, where every density is flat. Columns must be on comparable scales.
/// Cost `O(rows (centres + permutations centres))`. `None` for fewer than two rows a side, differing
/// widths, more than 4,000 rows together, or rows of which more than half are equal.
/// Reference: Sugiyama et al., Neural Computation 25 (2013); Bu, Alippi, Zhao, IEEE TNNLS 29 (2018).
#[must_use]
pub fn density_difference(reference: Rows<'_>, current: Rows<'_>, permutations: u32, seed: u64) -> Option<ShapeTest> {
    let total = reference.len() + current.len();
    let fits = reference.width() == current.width() && reference.len().min(current.len()) >= 2 && total <= MOST_ROWS;
    if !fits {
        return None;
    }
    let rows: Vec<&[f64]> = reference.iter().chain(current.iter()).collect();
    let mut random = SplitMix::new(seed);
    let mut places: Vec<usize> = (0..total).collect();
    random.shuffle(&mut places);
    let centres: Vec<&[f64]> = places.iter().take(MOST_CENTRES).map(|place| rows[*place]).collect();
    // Half of the median squared distance is the kernel's variance.
    let doubled_variance = median(&pair_distances(&centres)).filter(|median| *median > 0.0 && median.is_finite())?;
    let kernels: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| centres.iter().map(|centre| (-squared_distance(row, centre) / doubled_variance).exp()).collect())
        .collect();
    let mut overlaps = Symmetric::zeros(centres.len());
    for i in 0..centres.len() {
        for j in 0..=i {
            overlaps.set(i, j, (-squared_distance(centres[i], centres[j]) / (2.0 * doubled_variance)).exp());
        }
    }
    let mut is_current: Vec<bool> = (0..total).map(|row| row >= reference.len()).collect();
    let observed = mean_difference(&kernels, &is_current);
    let permuted: Vec<Vec<f64>> = (0..permutations)
        .map(|_| {
            random.shuffle(&mut is_current);
            mean_difference(&kernels, &is_current)
        })
        .collect();
    let all: Vec<&[f64]> = std::iter::once(&observed).chain(&permuted).map(Vec::as_slice).collect();
    let smoothed = smooth(&overlaps, &all)?;
    let statistic = difference(&overlaps, &smoothed, &observed);
    let values = permuted.iter().map(|h| difference(&overlaps, &smoothed, h));
    statistic.is_finite().then(|| ShapeTest { statistic, p_value: permutation_p(statistic, values) })
}

fn pair_distances(rows: &[&[f64]]) -> Vec<f64> {
    let pairs = rows.iter().enumerate().flat_map(|(at, row)| rows[at + 1..].iter().map(move |other| (row, other)));
    pairs.map(|(row, other)| squared_distance(row, other)).collect()
}

/// Mean kernels of the reference less those of the current rows.
fn mean_difference(kernels: &[Vec<f64>], is_current: &[bool]) -> Vec<f64> {
    let m = is_current.iter().filter(|current| **current).count() as f64;
    let n = is_current.len() as f64 - m;
    let mut difference = vec![0.0; kernels[0].len()];
    for (row, current) in kernels.iter().zip(is_current) {
        let weight = if *current { -1.0 / m } else { 1.0 / n };
        difference.iter_mut().zip(row).for_each(|(sum, kernel)| *sum += weight * kernel);
    }
    difference
}

/// `2 h'a - a'Ha`.
fn difference(overlaps: &Symmetric, smoothed: &Factor, h: &[f64]) -> f64 {
    let (along, shrunk) = parts(overlaps, smoothed, h);
    2.0 * along - shrunk
}

/// `h'a` and `a'Ha`.
fn parts(overlaps: &Symmetric, smoothed: &Factor, h: &[f64]) -> (f64, f64) {
    let a = smoothed.solve(h);
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    (dot(h, &a), dot(&a, &overlaps.times(&a)))
}

/// The factor of `H + l I` for the largest `l` that shrinks little, judged over all permutations and
/// the observed order alike, so that the choice does not favour any.
fn smooth(overlaps: &Symmetric, all: &[&[f64]]) -> Option<Factor> {
    let mut last = None;
    for power in 0..10 {
        let smoothing = 0.25_f64.powi(power);
        let mut matrix = overlaps.clone();
        for i in 0..all[0].len() {
            matrix.set(i, i, overlaps.get(i, i) + smoothing);
        }
        let Some(factor) = matrix.cholesky() else { return last };
        // Some of many permutations tell the mean shrinkage well enough; the observed order is one.
        let ratios = all.iter().take(32).map(|h| {
            let (along, shrunk) = parts(overlaps, &factor, h);
            if along > 0.0 { 1.0 - shrunk / along } else { 0.0 }
        });
        let judged = all.len().min(32) as f64;
        if ratios.sum::<f64>() / judged < MOST_SHRINKAGE {
            return Some(factor);
        }
        last = Some(factor);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(seed: u64, n: usize, make: impl Fn(&mut SplitMix) -> [f64; 2]) -> Vec<f64> {
        let mut random = SplitMix::new(seed);
        (0..n).flat_map(|_| make(&mut random)).collect()
    }

    fn plain(random: &mut SplitMix) -> [f64; 2] {
        [random.normal(), random.normal()]
    }

    fn test(a: &[f64], b: &[f64]) -> Option<ShapeTest> {
        density_difference(Rows::new(a, 2)?, Rows::new(b, 2)?, 199, 5)
    }

    #[test]
    fn sees_a_shift_and_a_hole() {
        let a = rows(1, 200, plain);
        let shifted = rows(2, 200, |random| [random.normal() + 0.6, random.normal()]);
        assert!(test(&a, &shifted).unwrap().p_value <= 0.01);
        let ring = rows(3, 200, |random| {
            let angle = random.unit() * std::f64::consts::TAU;
            [1.4 * angle.cos() + 0.2 * random.normal(), 1.4 * angle.sin() + 0.2 * random.normal()]
        });
        assert!(test(&a, &ring).unwrap().p_value <= 0.01);
    }

    /// Method: 100 unchanged pairs at 10 %; ten are expected, 20 are more than three errors more.
    #[test]
    fn unchanged_rows_keep_the_rate() {
        let found = (0..100).filter(|seed| {
            let (a, b) = (rows(2 * seed + 10, 40, plain), rows(2 * seed + 11, 30, plain));
            density_difference(Rows::new(&a, 2).unwrap(), Rows::new(&b, 2).unwrap(), 99, *seed).unwrap().p_value <= 0.1
        });
        let alarms = found.count();
        assert!((2..=20).contains(&alarms), "{alarms} of 100");
    }

    /// The integral of the squared difference of two normal densities of variance 1 is
    /// `(1 - exp(-d^2 / 4)) / (2 pi)` in the plane; one kernel's squared norm is `pi s^2`, with
    /// `2 s^2` the median squared distance.
    #[test]
    fn estimates_the_squared_difference() {
        let a = rows(1, 1_500, plain);
        let b = rows(2, 1_500, |random| [random.normal() + 2.0, random.normal()]);
        let truth = (1.0 - (-1.0_f64).exp()) / (2.0 * std::f64::consts::PI);
        // The median squared distance of this mixture, from 100 rows, is 4.6 on the average of seeds.
        let expected = truth * std::f64::consts::PI * 0.5 * 4.6;
        let found = test(&a, &b).unwrap().statistic;
        assert!((0.7..1.3).contains(&(found / expected)), "{found} for {expected}");
    }

    #[test]
    fn bad_rows_give_nothing() {
        let a = rows(1, 20, plain);
        assert_eq!(test(&a, &[1.0, 2.0]), None);
        assert_eq!(test(&[1.0; 40], &[1.0; 40]), None);
        let wild = [f64::MAX, f64::MIN, 1.0, 2.0, f64::MAX, 0.0];
        assert!(test(&a, &wild).is_none_or(|found| found.p_value.is_finite()));
        assert!(density_difference(Rows::new(&a, 2).unwrap(), Rows::new(&a, 4).unwrap(), 9, 1).is_none());
    }
}
