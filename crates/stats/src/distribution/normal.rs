//! The standard normal law.

use statrs::function::erf::{erfc, erfc_inv};

use std::f64::consts::SQRT_2;

/// `P(Z <= z)`, accurate in the lower tail.
#[must_use]
pub fn cdf(z: f64) -> f64 {
    0.5 * erfc(-z / SQRT_2)
}

/// `P(Z > z)`, accurate in the upper tail.
#[must_use]
pub fn sf(z: f64) -> f64 {
    0.5 * erfc(z / SQRT_2)
}

/// `P(|Z| > |z|)`.
#[must_use]
pub fn two_sided(z: f64) -> f64 {
    erfc(z.abs() / SQRT_2).min(1.0)
}

/// The `z` with `P(Z <= z) = p`; `None` unless `0 < p < 1`.
#[must_use]
pub fn quantile(p: f64) -> Option<f64> {
    (0.0 < p && p < 1.0).then(|| -SQRT_2 * erfc_inv(2.0 * p))
}

/// The `z` with `P(Z > z) = alpha`, accurate for a tiny `alpha`; `None` unless `0 < alpha < 1`.
#[must_use]
pub fn upper_quantile(alpha: f64) -> Option<f64> {
    quantile(alpha).map(|z| -z)
}
