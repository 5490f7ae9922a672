//! The Poisson law: counts of independent events.

use super::gamma;

/// `P(X <= k)`; `None` unless the mean is finite and not negative.
#[must_use]
pub fn at_most(k: u64, mean: f64) -> Option<f64> {
    gamma::sf(mean, k as f64 + 1.0)
}

/// `P(X >= k)`, accurate where it is tiny; `None` unless the mean is finite and not negative.
#[must_use]
pub fn at_least(k: u64, mean: f64) -> Option<f64> {
    if !(0.0..f64::INFINITY).contains(&mean) {
        return None;
    }
    if k == 0 { Some(1.0) } else { gamma::cdf(mean, k as f64) }
}
