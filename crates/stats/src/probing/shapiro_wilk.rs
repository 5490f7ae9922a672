//! Is a sample normal.

use std::f64::consts::{FRAC_PI_3, PI};

use crate::distribution::normal;

/// The result of [`shapiro_wilk`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShapiroWilk {
    /// `W`, at most one; the lower, the less normal.
    pub statistic: f64,
    /// The chance of a `W` as low from independent normal values.
    pub p_value: f64,
    /// The number of values.
    pub n: usize,
}

/// Tests whether values are normal, in `O(n log n)`.
///
/// `W = (sum a_i x_(i))^2 / sum (x_i - mean)^2`, with Royston's weights `a` and his approximate p-value.
/// The p-value holds for independent values without ties. Distances between an honest client's queries are neither
/// normal nor free of duplicates, so a threshold on `p` alone has no stated false-alarm rate there: rank `W` among
/// those of honest clients instead.
///
/// `None` for fewer than 3 or more than 5000 values (the approximation ends there), values that are not finite, or
/// values that are all the same.
/// Reference: Royston, "Algorithm AS R94", Applied Statistics 44 (1995).
#[must_use]
pub fn shapiro_wilk(values: &[f64]) -> Option<ShapiroWilk> {
    let n = values.len();
    if !(3..=5000).contains(&n) || values.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    // The statistic does not depend on scale; halves cannot overflow.
    let (low, range) = (sorted[0], 0.5 * sorted[n - 1] - 0.5 * sorted[0]);
    if range <= 0.0 {
        return None;
    }
    sorted.iter_mut().for_each(|x| *x = (0.5 * *x - 0.5 * low) / range);
    let weights = weights(n)?;
    let mean = sorted.iter().sum::<f64>() / n as f64;
    let spread: f64 = sorted.iter().map(|x| (x - mean) * (x - mean)).sum();
    let contrast: f64 = weights.iter().enumerate().map(|(i, weight)| weight * (sorted[n - 1 - i] - sorted[i])).sum();
    let length = 2.0 * weights.iter().map(|weight| weight * weight).sum::<f64>();
    let root = (length * spread).sqrt();
    let lack = ((root - contrast) * (root + contrast) / (length * spread)).clamp(0.0, 1.0);
    Some(ShapiroWilk { statistic: 1.0 - lack, p_value: p_value(lack, n), n })
}

fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// The weights of the upper half, largest first; the lower half has the opposite signs.
fn weights(n: usize) -> Option<Vec<f64>> {
    if n == 3 {
        return Some(vec![0.5_f64.sqrt()]);
    }
    let scores: Option<Vec<f64>> =
        (1..=n / 2).map(|i| normal::upper_quantile((i as f64 - 0.375) / (n as f64 + 0.25))).collect();
    let mut weights = scores?;
    let squares = 2.0 * weights.iter().map(|m| m * m).sum::<f64>();
    let x = 1.0 / (n as f64).sqrt();
    let (m1, m2) = (weights[0], weights[1]);
    let a1 = m1 / squares.sqrt() + polynomial(&[0.0, 0.221_157, -0.147_981, -2.071_19, 4.434_685, -2.706_056], x);
    let a2 = m2 / squares.sqrt() + polynomial(&[0.0, 0.042_981, -0.293_762, -1.752_461, 5.682_633, -3.582_633], x);
    let scale = if n > 5 {
        ((squares - 2.0 * m1 * m1 - 2.0 * m2 * m2) / (1.0 - 2.0 * a1 * a1 - 2.0 * a2 * a2)).sqrt()
    } else {
        ((squares - 2.0 * m1 * m1) / (1.0 - 2.0 * a1 * a1)).sqrt()
    };
    weights.iter_mut().for_each(|m| *m /= scale);
    weights[0] = a1;
    if n > 5 {
        weights[1] = a2;
    }
    Some(weights)
}

/// From `1 - W`.
fn p_value(lack: f64, n: usize) -> f64 {
    if n == 3 {
        return (6.0 / PI * ((1.0 - lack).sqrt().asin() - FRAC_PI_3)).clamp(0.0, 1.0);
    }
    let size = n as f64;
    let (mut y, log) = (lack.ln(), size.ln());
    let (mean, deviation) = if n <= 11 {
        let limit = polynomial(&[-2.273, 0.459], size);
        if y >= limit {
            return 0.0;
        }
        y = -(limit - y).ln();
        (
            polynomial(&[0.544, -0.399_78, 0.025_054, -6.714e-4], size),
            polynomial(&[1.3822, -0.778_57, 0.062_767, -0.002_032_2], size).exp(),
        )
    } else {
        (
            polynomial(&[-1.5861, -0.310_82, -0.083_751, 0.003_891_5], log),
            polynomial(&[-0.4803, -0.082_676, 0.003_030_2], log).exp(),
        )
    };
    normal::sf((y - mean) / deviation)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1: `shapiro`, whose normal quantiles have seven digits.
    #[test]
    fn agrees_with_scipy() {
        let golden: Vec<(usize, String, f64, f64)> =
            serde_json::from_str(include_str!("../../testdata/golden_probing.json")).unwrap();
        assert_eq!(golden.len(), 24);
        for (n, shape, statistic, p) in golden {
            let even = |i: usize| ((i * 37 + 11) % 101) as f64 / 101.0;
            let value = |i: usize| match shape.as_str() {
                "even" => even(i),
                "exponential" => -(1.0 - even(i)).ln(),
                _ => (i % 7) as f64 + i as f64 * 0.1,
            };
            let found = shapiro_wilk(&(0..n).map(value).collect::<Vec<_>>()).unwrap();
            assert!((found.statistic - statistic).abs() < 1e-6, "{n} {shape}: {found:?}, {statistic}");
            assert!((found.p_value - p).abs() <= 1e-5 * p.max(1e-3), "{n} {shape}: {found:?}, {p}");
        }
    }

    #[test]
    fn bad_input_gives_nothing() {
        assert_eq!(shapiro_wilk(&[1.0, 2.0]), None);
        assert_eq!(shapiro_wilk(&[1.0; 9]), None);
        assert_eq!(shapiro_wilk(&[1.0, 2.0, f64::NAN]), None);
        assert!(shapiro_wilk(&[-f64::MAX, 0.0, 1.0, f64::MAX]).is_some_and(|test| test.p_value.is_finite()));
    }
}
