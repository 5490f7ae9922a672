//! The standard normal law.

use std::f64::consts::{SQRT_2, TAU};

use statrs::function::erf::erfc_inv;

use super::gamma;

/// `P(Z <= z)`, accurate in the lower tail.
#[must_use]
pub fn cdf(z: f64) -> f64 {
    sf(-z)
}

/// `P(Z > z)`, accurate in the upper tail: half of `P(Gamma(1/2) > z^2 / 2)`.
#[must_use]
pub fn sf(z: f64) -> f64 {
    let both = two_sided(z);
    if z > 0.0 { 0.5 * both } else { 1.0 - 0.5 * both }
}

/// `P(|Z| > |z|)`; one for NaN, which is no evidence.
#[must_use]
pub fn two_sided(z: f64) -> f64 {
    gamma::sf(0.5 * z * z, 0.5).unwrap_or(1.0)
}

/// The `z` with `P(Z <= z) = p`; `None` unless `0 < p < 1`.
#[must_use]
pub fn quantile(p: f64) -> Option<f64> {
    if !(0.0 < p && p < 1.0) {
        return None;
    }
    let z = -SQRT_2 * erfc_inv(2.0 * p);
    // One Newton step takes the last digits that the rational approximation leaves.
    let density = (-0.5 * z * z).exp() / TAU.sqrt();
    let step = (cdf(z) - p) / density;
    Some(if step.is_finite() { z - step } else { z })
}

/// The `z` with `P(Z > z) = alpha`, accurate for a tiny `alpha`; `None` unless `0 < alpha < 1`.
#[must_use]
pub fn upper_quantile(alpha: f64) -> Option<f64> {
    quantile(alpha).map(|z| -z)
}
