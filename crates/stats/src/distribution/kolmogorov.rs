//! The limit law of the Kolmogorov-Smirnov statistic.

use std::f64::consts::PI;

/// `P(K > x)`: `2 sum (-1)^(k-1) exp(-2 k^2 x^2)`, and its theta form for small `x`.
///
/// One for `x` at or below zero.
#[must_use]
pub fn sf(x: f64) -> f64 {
    // Below 0.2 the law differs from one by less than 1e-12.
    if x.is_nan() || x < 0.2 {
        return 1.0;
    }
    if x < 1.0 {
        let scale = (2.0 * PI).sqrt() / x;
        let cdf: f64 = (0..8).map(|k| (-f64::from(2 * k + 1).powi(2) * PI * PI / (8.0 * x * x)).exp()).sum();
        return (1.0 - scale * cdf).clamp(0.0, 1.0);
    }
    let sum: f64 = (1..=8)
        .map(|k| {
            let term = (-2.0 * f64::from(k * k) * x * x).exp();
            if k % 2 == 1 { term } else { -term }
        })
        .sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

/// The `x` with `P(K > x) = alpha`; `None` unless `0 < alpha < 1`.
#[must_use]
pub fn upper_quantile(alpha: f64) -> Option<f64> {
    if !(0.0 < alpha && alpha < 1.0) {
        return None;
    }
    let (mut low, mut high) = (0.0, 30.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if sf(middle) > alpha {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(0.5 * (low + high))
}
