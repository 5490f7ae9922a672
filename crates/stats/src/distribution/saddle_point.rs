//! Binomial and Poisson terms without the cancellation of large logarithms.
//!
//! Reference: Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000).

use statrs::function::gamma::ln_gamma;

const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// `ln Gamma(z + 1) - (z + 1/2) ln z + z - ln(2 pi)/2`, for `z > 0`.
fn stirling_error(z: f64) -> f64 {
    if z < 16.0 {
        return ln_gamma(z + 1.0) - (z + 0.5) * z.ln() + z - LN_SQRT_TWO_PI;
    }
    let z2 = z * z;
    let inner = 1.0 / 1260.0 - (1.0 / 1680.0 - (1.0 / 1188.0) / z2) / z2;
    (1.0 / 12.0 - (1.0 / 360.0 - inner / z2) / z2) / z
}

/// `x ln(x/mean) + mean - x`, also where the two are close.
fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return x * (x / mean).ln() + mean - x;
    }
    let v = difference / (x + mean);
    let mut sum = difference * v;
    let mut term = 2.0 * x * v;
    for step in 1..1_000 {
        term *= v * v;
        let next = sum + term / f64::from(2 * step + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// `Gamma(a+b+1) / (Gamma(a+1) Gamma(b+1)) p^a (1-p)^b`, for `a`, `b` `> 0` and `0 < p < 1`.
pub(super) fn binomial_term(a: f64, b: f64, p: f64) -> f64 {
    let n = a + b;
    let log =
        stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance(a, n * p) - deviance(b, n * (1.0 - p));
    log.exp() * (n / (std::f64::consts::TAU * a * b)).sqrt()
}

/// `mean^x e^-mean / Gamma(x+1)`, for `x > 0` and `mean > 0`.
pub(super) fn poisson_term(x: f64, mean: f64) -> f64 {
    let log = -stirling_error(x) - deviance(x, mean);
    log.exp() / (std::f64::consts::TAU * x).sqrt()
}
