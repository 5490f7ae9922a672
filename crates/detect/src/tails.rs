//! Tail probabilities in the few forms that detectors ask for. A law that is asked beyond its range
//! answers 1: no evidence.

use wardline_stats::distribution::{beta, binomial, negative_binomial, poisson};

/// `P(T > t)` of Student's distribution.
pub(crate) fn student_above(t: f64, degrees: f64) -> f64 {
    // T^2 / (T^2 + v) has the beta distribution with parameters 1/2 and v/2.
    let both = beta::cdf(degrees / (degrees + t * t), degrees / 2.0, 0.5).unwrap_or(2.0);
    let tail = 0.5 * both;
    if t >= 0.0 { tail } else { 1.0 - tail }
}

/// `P(X >= k)` of a Poisson count with a mean.
pub(crate) fn poisson_at_least(k: u64, mean: f64) -> f64 {
    poisson::at_least(k, mean).unwrap_or(1.0)
}

/// `P(X >= k)` of `n` trials that succeed with chance `p`.
pub(crate) fn binomial_at_least(k: u64, n: u64, p: f64) -> f64 {
    binomial::at_least(k, n, p).unwrap_or(1.0)
}

/// `P(X <= k)` of a negative binomial count with a mean and variance `mean + dispersion mean^2`.
pub(crate) fn overdispersed_at_most(k: u64, mean: f64, dispersion: f64) -> f64 {
    negative_binomial::at_most(k, mean, dispersion).unwrap_or(1.0)
}

/// `P(X >= k)` of the same count.
pub(crate) fn overdispersed_at_least(k: u64, mean: f64, dispersion: f64) -> f64 {
    negative_binomial::at_least(k, mean, dispersion).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1: `t.sf(2.5, 7)` = 0.020496109, and the halves at zero.
    #[test]
    fn students_tail_is_that_of_the_known_implementation() {
        assert!((student_above(2.5, 7.0) - 0.020_496_109).abs() < 1e-8, "{}", student_above(2.5, 7.0));
        assert!((student_above(0.0, 7.0) - 0.5).abs() < 1e-12);
        assert!((student_above(-2.5, 7.0) + student_above(2.5, 7.0) - 1.0).abs() < 1e-12);
    }
}
