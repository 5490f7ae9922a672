//! The chi-square law.

use super::gamma;

/// `P(X > x)`; `None` unless `degrees_of_freedom` is positive and `x >= 0`.
#[must_use]
pub fn sf(x: f64, degrees_of_freedom: f64) -> Option<f64> {
    gamma::sf(0.5 * x, 0.5 * degrees_of_freedom)
}

/// The `x` with `P(X > x) = alpha`; `None` unless `0 < alpha <= 1`.
#[must_use]
pub fn upper_quantile(alpha: f64, degrees_of_freedom: f64) -> Option<f64> {
    gamma::upper_quantile(alpha, 0.5 * degrees_of_freedom).map(|x| 2.0 * x)
}
