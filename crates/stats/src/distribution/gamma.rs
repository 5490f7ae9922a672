//! The gamma law with unit scale.

use super::saddle_point::poisson_term;
use super::solve;

/// `P(X <= x)`, the regularised lower incomplete gamma function; series or continued fraction.
///
/// `None` unless the shape is positive and finite and `x >= 0`.
/// Reference: NIST DLMF 8.11.4 and 8.9.2.
#[must_use]
pub fn cdf(x: f64, shape: f64) -> Option<f64> {
    tails(x, shape).map(|tails| tails.0)
}

/// `P(X > x)`, accurate where it is tiny.
#[must_use]
pub fn sf(x: f64, shape: f64) -> Option<f64> {
    tails(x, shape).map(|tails| tails.1)
}

/// The `x` with `P(X <= x) = p`; `None` unless `0 <= p < 1` and the shape is positive.
#[must_use]
pub fn quantile(p: f64, shape: f64) -> Option<f64> {
    if !(0.0..1.0).contains(&p) || !valid(shape) {
        return None;
    }
    if p == 0.0 {
        return Some(0.0);
    }
    let lower = |x: f64| tails(x, shape).map_or(1.0, |tails| tails.0);
    let high = bracket(shape, |x| lower(x) >= p);
    Some(solve::rising(p, 0.0, high, |x| (lower(x), density(x, shape))))
}

/// The `x` with `P(X > x) = alpha`, accurate for a tiny `alpha`; `None` unless `0 < alpha <= 1`.
#[must_use]
pub fn upper_quantile(alpha: f64, shape: f64) -> Option<f64> {
    if !(0.0 < alpha && alpha <= 1.0 && valid(shape)) {
        return None;
    }
    if alpha == 1.0 {
        return Some(0.0);
    }
    let upper = |x: f64| tails(x, shape).map_or(0.0, |tails| tails.1);
    let high = bracket(shape, |x| upper(x) <= alpha);
    Some(solve::rising(-alpha, 0.0, high, |x| (-upper(x), density(x, shape))))
}

fn bracket(shape: f64, reached: impl Fn(f64) -> bool) -> f64 {
    let mut high = shape + 1.0;
    while !reached(high) && high < 1e300 {
        high *= 2.0;
    }
    high
}

fn valid(shape: f64) -> bool {
    shape > 0.0 && shape.is_finite()
}

fn density(x: f64, shape: f64) -> f64 {
    if x <= 0.0 { 0.0 } else { poisson_term(shape, x) * shape / x }
}

fn tails(x: f64, shape: f64) -> Option<(f64, f64)> {
    if !valid(shape) || x.is_nan() || x < 0.0 {
        return None;
    }
    if x == 0.0 {
        return Some((0.0, 1.0));
    }
    if x.is_infinite() {
        return Some((1.0, 0.0));
    }
    let front = poisson_term(shape, x);
    if x < shape + 1.0 {
        let lower = (front * series(x, shape)).clamp(0.0, 1.0);
        Some((lower, 1.0 - lower))
    } else {
        let upper = (front * shape * fraction(x, shape)).clamp(0.0, 1.0);
        Some((1.0 - upper, upper))
    }
}

fn series(x: f64, shape: f64) -> f64 {
    let (mut term, mut sum, mut divisor) = (1.0, 1.0, shape);
    for _ in 0..10_000_000 {
        divisor += 1.0;
        term *= x / divisor;
        sum += term;
        if term <= sum * 1e-17 {
            break;
        }
    }
    sum
}

fn fraction(x: f64, shape: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut b = x + 1.0 - shape;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / away(b);
    let mut result = d;
    for step in 1..10_000_000 {
        let m = f64::from(step);
        let a = -m * (m - shape);
        b += 2.0;
        d = 1.0 / away(a * d + b);
        c = away(b + a / c);
        result *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    result
}
