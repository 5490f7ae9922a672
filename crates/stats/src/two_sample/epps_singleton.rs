//! The difference of two characteristic functions.

use super::ShapeTest;
use super::order::{Cell, merge, totals};
use super::symmetric::Symmetric;
use crate::distribution::chi_square;

/// Where the characteristic functions are compared, in units of half the interquartile range.
const PLACES: [f64; 2] = [0.4, 0.8];

/// A vector of the real and imaginary parts at both places.
type Parts = [f64; 4];

/// The Epps-Singleton test of two samples, in `O((n + m) log(n + m))`; order does not matter.
///
/// `W = N d' S^-1 d` with `d` the difference of the means of `cos(t x)` and `sin(t x)` at `t` = 0.4 and
/// 0.8 over the pooled half interquartile range, `S` their covariance; chi-square with as many degrees
/// of freedom as `S` has rank. Needs no continuity, so it is right for counts and rounded values, where
/// Kolmogorov-Smirnov is not; corrected for small samples where one is below 25.
/// `None` for fewer than five values a side, values that are not finite, or a pooled interquartile
/// range of zero. Reference: Epps, Singleton, J. Stat. Comput. Simul. 26 (1986); Goerg, Kaiser (2009).
#[must_use]
pub fn epps_singleton(reference: &[f64], current: &[f64]) -> Option<ShapeTest> {
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    from_cells(&merge(&sorted(reference), &sorted(current))?)
}

/// The same from ascending cells, whose values are put in the middle.
pub(crate) fn from_cells(cells: &[Cell]) -> Option<ShapeTest> {
    let (n, m) = totals(cells)?;
    if n < 5 || m < 5 {
        return None;
    }
    let unit = 0.5 * (quantile(cells, n + m, 0.75) - quantile(cells, n + m, 0.25));
    if unit <= 0.0 || !unit.is_finite() {
        return None;
    }
    let reference = Sample::of(cells.iter().map(|cell| (cell.middle(), cell.reference)), unit);
    let current = Sample::of(cells.iter().map(|cell| (cell.middle(), cell.current)), unit);
    finish(&reference, &current)
}

/// The mean and the covariance of the parts of one sample.
struct Sample {
    count: f64,
    mean: Parts,
    covariance: [Parts; 4],
}

impl Sample {
    /// Of weighted values, with `unit` half of the pooled interquartile range.
    fn of(values: impl Iterator<Item = (f64, u64)>, unit: f64) -> Self {
        let (mut count, mut sums, mut products) = (0.0, [0.0; 4], [[0.0; 4]; 4]);
        for (value, weight) in values.filter(|(_, weight)| *weight > 0) {
            let weight = weight as f64;
            let [(s1, c1), (s2, c2)] = PLACES.map(|place| (place / unit * value).sin_cos());
            let parts = [c1, c2, s1, s2];
            count += weight;
            for i in 0..4 {
                sums[i] += weight * parts[i];
                for j in i..4 {
                    products[i][j] += weight * parts[i] * parts[j];
                }
            }
        }
        let mean = sums.map(|sum| sum / count);
        let mut covariance = [[0.0; 4]; 4];
        for i in 0..4 {
            for j in i..4 {
                covariance[i][j] = products[i][j] / count - mean[i] * mean[j];
                covariance[j][i] = covariance[i][j];
            }
        }
        Self { count, mean, covariance }
    }
}

/// The statistic and its p-value from what is known of both samples.
fn finish(reference: &Sample, current: &Sample) -> Option<ShapeTest> {
    let (n, m) = (reference.count, current.count);
    let total = n + m;
    let mut covariance = Symmetric::zeros(4);
    let mut difference: Parts = [0.0; 4];
    for (i, part) in difference.iter_mut().enumerate() {
        *part = reference.mean[i] - current.mean[i];
        for j in 0..4 {
            covariance.set(i, j, total / n * reference.covariance[i][j] + total / m * current.covariance[i][j]);
        }
    }
    let (values, vectors) = covariance.eigen();
    let largest = values.iter().copied().fold(0.0, f64::max);
    let (mut sum, mut rank) = (0.0, 0_u32);
    for (value, vector) in values.iter().zip(&vectors) {
        // A direction without variance cannot be divided by; rounding leaves about 1e-16 of the largest.
        if *value > 1e-13 * largest {
            let along: f64 = vector.iter().zip(&difference).map(|(x, y)| x * y).sum();
            sum += along * along / value;
            rank += 1;
        }
    }
    if rank == 0 {
        return None;
    }
    let small =
        if n.max(m) < 25.0 { 1.0 / (1.0 + total.powf(-0.45) + 10.1 * (n.powf(-1.7) + m.powf(-1.7))) } else { 1.0 };
    let statistic = small * total * sum;
    Some(ShapeTest { statistic, p_value: chi_square::sf(statistic, f64::from(rank))? })
}

/// The quantile of all values with linear interpolation between the two nearest.
fn quantile(cells: &[Cell], count: u64, p: f64) -> f64 {
    let place = p * (count - 1) as f64;
    let below = at_rank(cells, place.floor() as u64);
    let above = at_rank(cells, place.floor() as u64 + 1);
    below + (place - place.floor()) * (above - below)
}

/// The value of a rank, from zero; values of a cell lie evenly in it.
fn at_rank(cells: &[Cell], rank: u64) -> f64 {
    let mut seen = 0;
    for cell in cells {
        let held = cell.reference + cell.current;
        if rank < seen + held {
            return cell.low + (cell.high - cell.low) * ((rank - seen) as f64 + 0.5) / held as f64;
        }
        seen += held;
    }
    cells.last().map_or(0.0, |cell| cell.high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::close;
    use crate::two_sample::kolmogorov_smirnov::tests::golden_samples;

    /// evidently 0.7.23 `es`, which is scipy 1.17.1 `epps_singleton_2samp(a, b)`.
    #[test]
    fn agrees_with_scipy() {
        let (a, b) = golden_samples();
        let test = epps_singleton(&a, &b);
        close(test.map(|test| test.p_value), 0.002_164_668_083_501_208, 1e-9);
        let back = epps_singleton(&b, &a);
        close(back.map(|test| test.p_value), 0.002_164_668_083_501_208, 1e-9);
    }

    #[test]
    fn sees_a_change_of_spread_and_keeps_quiet_without() {
        let (a, _) = golden_samples();
        let wide: Vec<f64> = a.iter().map(|value| (value - 0.5) * 3.0 + 0.5).collect();
        assert!(epps_singleton(&a, &wide).unwrap().p_value < 1e-4);
        assert!(epps_singleton(&a, &a).unwrap().p_value > 0.99);
    }

    #[test]
    fn bad_input_gives_nothing() {
        let (a, _) = golden_samples();
        for bad in [&[][..], &[1.0], &[1.0, 2.0, 3.0, f64::NAN, 4.0], &[f64::MAX; 6]] {
            let found = epps_singleton(&a, bad);
            assert!(found.is_none_or(|test| test.p_value.is_finite()), "{found:?}");
        }
        assert_eq!(epps_singleton(&[1.0; 30], &[1.0; 30]), None);
    }
}
