//! The difference of two distribution functions, weighted towards the tails.

use serde::{Deserialize, Serialize};

use super::order::{Cell, merge, totals};

/// The result of a test whose statistic has no other reading.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShapeTest {
    /// The test statistic.
    pub statistic: f64,
    /// The chance of a statistic at least as large when nothing changed.
    pub p_value: f64,
}

/// Coefficients of `ln p` as a parabola in the statistic, fitted by least squares to the published
/// critical values of two samples at 25, 10, 5, 2.5, 1, 0.5 and 0.1 %.
const LN_P: [f64; 3] = [0.018198094574111343, -1.0082265644652515, -1.077770279820486];

/// The limit of `1 + 1/2 + ... + 1/n - ln n`.
const EULER: f64 = 0.577_215_664_901_532_9;

/// The two-sample Anderson-Darling test with mid-ranks, of sorted samples, in `O(n + m)`.
///
/// The statistic is standardised, so it can be negative. The p-value is interpolated between
/// published critical values and **kept between 0.001 and 0.25**: do not correct it for many tests
/// beyond that, use Kolmogorov-Smirnov there.
/// `None` if a sample is empty, not sorted or not finite, for fewer than four values together, or if
/// all values are equal. Reference: Scholz, Stephens, JASA 82 (1987), equation 7.
#[must_use]
pub fn anderson_darling(reference: &[f64], current: &[f64]) -> Option<ShapeTest> {
    from_cells(&merge(reference, current)?)
}

/// The same from ascending cells; the values of a cell count as tied.
pub(crate) fn from_cells(cells: &[Cell]) -> Option<ShapeTest> {
    let (n, m) = totals(cells)?;
    let (n, m) = (n as f64, m as f64);
    let total = n + m;
    if total < 4.0 || cells.len() < 2 {
        return None;
    }
    let (mut below_n, mut below_m) = (0.0, 0.0);
    let (mut sum_n, mut sum_m) = (0.0, 0.0);
    for cell in cells {
        let (a, b) = (cell.reference as f64, cell.current as f64);
        let tied = a + b;
        let middle = below_n + below_m + 0.5 * tied;
        let weight = tied / total / (middle * (total - middle) - 0.25 * total * tied);
        sum_n += weight * (total * (below_n + 0.5 * a) - middle * n).powi(2);
        sum_m += weight * (total * (below_m + 0.5 * b) - middle * m).powi(2);
        below_n += a;
        below_m += b;
    }
    let squared = (sum_n / n + sum_m / m) * (total - 1.0) / total;
    let statistic = (squared - 1.0) / variance(n, m).sqrt();
    if !statistic.is_finite() {
        return None;
    }
    let [square, slope, constant] = LN_P;
    // Beyond its vertex the parabola would turn; the bounds are reached long before.
    let ln_p = (square * statistic + slope) * statistic + constant;
    let p_value = if statistic < 0.3 {
        0.25
    } else if statistic > 6.6 {
        0.001
    } else {
        ln_p.exp().clamp(0.001, 0.25)
    };
    Some(ShapeTest { statistic, p_value })
}

/// The variance of the two-sample statistic (Scholz and Stephens, equation 4, with k = 2).
fn variance(n: f64, m: f64) -> f64 {
    let total = n + m;
    let inverse = 1.0 / n + 1.0 / m;
    // Sums over all pairs of ranks, by `sum H(N-i) / i = H(N)^2 - H2(N)`.
    let harmonic = harmonic(total - 1.0);
    let g = squared_harmonic(total) - (2.0 * harmonic + 1.0 / total) / total;
    let h = harmonic;
    let a = (4.0 * g - 6.0) + (10.0 - 6.0 * g) * inverse;
    let b = (2.0 * g - 4.0) * 4.0 + 16.0 * h + (2.0 * g - 14.0 * h - 4.0) * inverse - 8.0 * h + 4.0 * g - 6.0;
    let c = (6.0 * h + 2.0 * g - 2.0) * 4.0 + (4.0 * h - 4.0 * g + 6.0) * 2.0 + (2.0 * h - 6.0) * inverse + 4.0 * h;
    let d = (2.0 * h + 6.0) * 4.0 - 8.0 * h;
    (((a * total + b) * total + c) * total + d) / ((total - 1.0) * (total - 2.0) * (total - 3.0))
}

/// `1 + 1/2 + ... + 1/n`: a sum for small `n`, Euler's series beyond.
fn harmonic(n: f64) -> f64 {
    if n < 40.0 {
        return (1..=n as u32).map(|k| 1.0 / f64::from(k)).sum();
    }
    let square = n * n;
    n.ln() + EULER + 0.5 / n - (1.0 - (0.1 - 1.0 / (21.0 * square)) / square) / (12.0 * square)
}

/// `1 + 1/4 + ... + 1/n^2`.
fn squared_harmonic(n: f64) -> f64 {
    if n < 40.0 {
        return (1..=n as u32).map(|k| 1.0 / f64::from(k * k)).sum();
    }
    let square = n * n;
    std::f64::consts::PI.powi(2) / 6.0 - 1.0 / n + 0.5 / square
        - (1.0 - (0.2 - 1.0 / (7.0 * square)) / square) / (6.0 * n * square)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{close, numbers};
    use crate::two_sample::kolmogorov_smirnov::tests::golden_samples;

    /// scipy 1.17.1: `anderson_ksamp([a, b])`.
    #[test]
    fn agrees_with_scipy() {
        let (a, b) = golden_samples();
        let expected = numbers("/two_sample/anderson_darling");
        let found = anderson_darling(&a, &b);
        close(found.map(|test| test.statistic), expected[0], 1e-9);
        close(found.map(|test| test.p_value), expected[1], 1e-9);
    }

    #[test]
    fn series_agree_with_their_sums() {
        for n in [40_u32, 100, 5_000] {
            let exact: f64 = (1..=n).rev().map(|k| 1.0 / f64::from(k)).sum();
            let squares: f64 = (1..=n).rev().map(|k| 1.0 / f64::from(k).powi(2)).sum();
            close(Some(harmonic(f64::from(n))), exact, 1e-14);
            close(Some(squared_harmonic(f64::from(n))), squares, 1e-14);
        }
    }

    #[test]
    fn the_p_value_keeps_to_the_published_range() {
        let (a, _) = golden_samples();
        assert_eq!(anderson_darling(&a, &a).unwrap().p_value, 0.25);
        let far: Vec<f64> = a.iter().map(|value| value + 10.0).collect();
        assert_eq!(anderson_darling(&a, &far).unwrap().p_value, 0.001);
        assert_eq!(anderson_darling(&[1.0; 5], &[1.0; 5]), None);
        assert_eq!(anderson_darling(&[1.0], &[2.0]), None);
    }
}
