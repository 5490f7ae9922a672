//! Counts that vary more than Poisson's: mean `m`, variance `m + dispersion m^2`.

use super::{beta, poisson};

/// `P(X <= k)`; Poisson's where the dispersion is zero. `None` for a mean or dispersion that is
/// negative or not finite.
#[must_use]
pub fn at_most(k: u64, mean: f64, dispersion: f64) -> Option<f64> {
    let Some((size, p)) = parameters(mean, dispersion)? else {
        return poisson::at_most(k, mean);
    };
    beta::cdf(p, size, k as f64 + 1.0)
}

/// `P(X >= k)`, accurate where it is tiny.
#[must_use]
pub fn at_least(k: u64, mean: f64, dispersion: f64) -> Option<f64> {
    let Some((size, p)) = parameters(mean, dispersion)? else {
        return poisson::at_least(k, mean);
    };
    if k == 0 {
        return Some(1.0);
    }
    beta::sf(p, size, k as f64)
}

/// Size and success probability; the inner `None` where the law is Poisson's.
#[expect(clippy::option_option, reason = "refused, Poisson and overdispersed are three answers")]
fn parameters(mean: f64, dispersion: f64) -> Option<Option<(f64, f64)>> {
    let range = 0.0..f64::INFINITY;
    if !range.contains(&mean) || !range.contains(&dispersion) {
        return None;
    }
    // Below this the two laws agree to the last digits, and the size would be out of reach.
    if dispersion * mean.max(1.0) < 1e-9 {
        return Some(None);
    }
    Some(Some((1.0 / dispersion, 1.0 / (1.0 + dispersion * mean))))
}
