//! The mean squared difference of two distribution functions.

use std::f64::consts::PI;

use statrs::function::gamma::ln_gamma;

use super::ShapeTest;
use super::order::{Cell, merge, totals};

/// The two-sample Cramér-von Mises test of sorted samples, in `O(n + m)`, by its limit law.
///
/// `T = U / (n m (n+m)) - (4 n m - 1) / (6 (n+m))` with `U` from the ranks; ties take mid-ranks, and
/// the law is standardised to the exact mean and variance of `T`. More sensitive than
/// Kolmogorov-Smirnov to a small shift everywhere. Not to be trusted below 10 values a side.
/// `None` if a sample is empty, not sorted or not finite.
/// Reference: Anderson, Ann. Math. Stat. 33 (1962).
#[must_use]
pub fn cramer_von_mises(reference: &[f64], current: &[f64]) -> Option<ShapeTest> {
    from_cells(&merge(reference, current)?)
}

/// The same from ascending cells.
pub(crate) fn from_cells(cells: &[Cell]) -> Option<ShapeTest> {
    let (n, m) = totals(cells)?;
    let (n, m) = (n as f64, m as f64);
    let (total, pairs) = (n + m, n * m);
    let (mut seen_n, mut seen_m) = (0.0, 0.0);
    let (mut sum_n, mut sum_m) = (0.0, 0.0);
    for cell in cells {
        let (a, b) = (cell.reference as f64, cell.current as f64);
        if cell.is_tie() {
            let rank = seen_n + seen_m + 0.5 * (a + b + 1.0);
            sum_n += squares_from(rank - seen_n, a);
            sum_m += squares_from(rank - seen_m, b);
        } else {
            sum_n += squares_between(seen_m, b, a);
            sum_m += squares_between(seen_n, a, b);
        }
        seen_n += a;
        seen_m += b;
    }
    let u = n * sum_n + m * sum_m;
    let statistic = u / (pairs * total) - (4.0 * pairs - 1.0) / (6.0 * total);
    let mean = (1.0 + 1.0 / total) / 6.0;
    let variance = (total + 1.0) * (4.0 * pairs * total - 3.0 * (n * n + m * m) - 2.0 * pairs)
        / (45.0 * total * total * 4.0 * pairs);
    let standard = 1.0 / 6.0 + (statistic - mean) / (45.0 * variance).sqrt();
    let p_value = if standard < 0.003 { 1.0 } else { 1.0 - limit_cdf(standard) };
    Some(ShapeTest { statistic, p_value: p_value.clamp(0.0, 1.0) })
}

/// `sum (rank - i)^2` over `i = 1 ..= count`.
fn squares_from(rank: f64, count: f64) -> f64 {
    count * (rank - 0.5 * (count + 1.0)).powi(2) + count * (count * count - 1.0) / 12.0
}

/// The sum of squared counts of `others` at or below each of `count` values, all evenly mixed.
fn squares_between(below: f64, others: f64, count: f64) -> f64 {
    if count == 0.0 {
        return 0.0;
    }
    let spread = others * others * (count * count - 1.0) / (12.0 * count * count);
    count * ((below + 0.5 * others).powi(2) + spread)
}

/// The limit law (Csörgő and Faraway 1996, equation 1.2).
fn limit_cdf(x: f64) -> f64 {
    let mut sum = 0.0;
    for k in 0..100 {
        let k = f64::from(k);
        let y = 4.0 * k + 1.0;
        let q = y * y / (16.0 * x);
        let weight = (ln_gamma(k + 0.5) - ln_gamma(k + 1.0)).exp() / (PI.powf(1.5) * x.sqrt());
        let term = weight * y.sqrt() * scaled_bessel(q);
        sum += term;
        if term < 1e-17 * sum || term == 0.0 {
            break;
        }
    }
    sum
}

/// `exp(-q) K_1/4(q)`, from `K_v(q) = integral exp(-q cosh t) cosh(v t) dt` by the trapezoid rule,
/// which converges faster than any power for such integrands.
fn scaled_bessel(q: f64) -> f64 {
    const WIDTH: f64 = 0.05;
    let mut sum = 0.5 * (-2.0 * q).exp();
    for step in 1..2_000 {
        let t = WIDTH * f64::from(step);
        let term = (-q * (t.cosh() + 1.0)).exp() * (0.25 * t).cosh();
        sum += term;
        if term < 1e-18 * sum {
            break;
        }
    }
    WIDTH * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{close, numbers};
    use crate::two_sample::kolmogorov_smirnov::tests::golden_samples;

    /// scipy 1.17.1: `cramervonmises_2samp(a, b, method="asymptotic")`.
    #[test]
    fn agrees_with_scipy() {
        let (a, b) = golden_samples();
        let expected = numbers("/two_sample/cramer_von_mises");
        let found = cramer_von_mises(&a, &b);
        close(found.map(|test| test.statistic), expected[0], 1e-9);
        close(found.map(|test| test.p_value), expected[1], 1e-9);
    }

    #[test]
    fn equal_samples_do_not_differ() {
        let (a, _) = golden_samples();
        assert!(cramer_von_mises(&a, &a).unwrap().p_value > 0.99);
        assert!(cramer_von_mises(&[1.0; 20], &[1.0; 20]).unwrap().p_value > 0.1);
        assert_eq!(cramer_von_mises(&a, &[]), None);
    }
}
