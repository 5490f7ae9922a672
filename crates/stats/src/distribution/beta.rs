//! The beta law.

use super::saddle_point::binomial_term;
use super::solve;

/// `P(X <= x)`, the regularised incomplete beta function `I_x(a, b)`.
///
/// Continued fraction (Lentz), about `sqrt(max(a, b))` steps; relative error near 1e-13.
/// `None` unless `a` and `b` are positive and finite and `0 <= x <= 1`.
/// Reference: NIST DLMF 8.17.22.
#[must_use]
pub fn cdf(x: f64, a: f64, b: f64) -> Option<f64> {
    tails(x, a, b).map(|tails| tails.0)
}

/// `P(X > x)`, accurate where it is tiny.
#[must_use]
pub fn sf(x: f64, a: f64, b: f64) -> Option<f64> {
    tails(x, a, b).map(|tails| tails.1)
}

/// The `x` with `P(X <= x) = p`; `None` unless `0 <= p <= 1` and `a`, `b` are positive.
#[must_use]
pub fn quantile(p: f64, a: f64, b: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&p) || !valid(a, b) {
        return None;
    }
    if p == 0.0 || p == 1.0 {
        return Some(p);
    }
    Some(solve::rising(p, 0.0, 1.0, |x| (tails(x, a, b).map_or(0.0, |t| t.0), density(x, a, b))))
}

fn valid(a: f64, b: f64) -> bool {
    a > 0.0 && a.is_finite() && b > 0.0 && b.is_finite()
}

fn density(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    a * b / (a + b) * binomial_term(a, b, x) / (x * (1.0 - x))
}

/// Both tails, the smaller of them computed directly.
fn tails(x: f64, a: f64, b: f64) -> Option<(f64, f64)> {
    if !valid(a, b) || !(0.0..=1.0).contains(&x) {
        return None;
    }
    if x == 0.0 {
        return Some((0.0, 1.0));
    }
    if x == 1.0 {
        return Some((1.0, 0.0));
    }
    // x^a (1-x)^b / B(a, b), the same for both tails.
    let front = a * b / (a + b) * binomial_term(a, b, x);
    if x < (a + 1.0) / (a + b + 2.0) {
        let lower = (front * fraction(x, a, b) / a).clamp(0.0, 1.0);
        Some((lower, 1.0 - lower))
    } else {
        let upper = (front * fraction(1.0 - x, b, a) / b).clamp(0.0, 1.0);
        Some((1.0 - upper, upper))
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for step in 1..1_000_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        result *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    result
}
