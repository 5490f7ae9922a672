//! The binomial law: successes among `n` independent trials.

use super::beta;
use super::saddle_point::binomial_term;

/// `P(X = k)`; `None` unless `0 <= p <= 1`.
#[must_use]
pub fn probability(k: u64, n: u64, p: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    if k > n {
        return Some(0.0);
    }
    if k == 0 {
        return Some((n as f64 * (-p).ln_1p()).exp().min(1.0)).map(|q| if n == 0 { 1.0 } else { q });
    }
    if k == n {
        return Some((n as f64 * p.ln()).exp());
    }
    if p == 0.0 || p == 1.0 {
        return Some(0.0);
    }
    Some(binomial_term(k as f64, (n - k) as f64, p))
}

/// `P(X <= k)`, exact through the incomplete beta function; `None` unless `0 <= p <= 1`.
#[must_use]
pub fn at_most(k: u64, n: u64, p: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    if k >= n {
        return Some(1.0);
    }
    beta::sf(p, k as f64 + 1.0, (n - k) as f64)
}

/// `P(X >= k)`, exact through the incomplete beta function; `None` unless `0 <= p <= 1`.
#[must_use]
pub fn at_least(k: u64, n: u64, p: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    if k == 0 {
        return Some(1.0);
    }
    if k > n {
        return Some(0.0);
    }
    beta::cdf(p, k as f64, (n - k) as f64 + 1.0)
}
