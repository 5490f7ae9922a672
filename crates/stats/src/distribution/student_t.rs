//! Student's law.

use super::beta;

/// `P(|T| > |t|)`; `None` unless `degrees_of_freedom` is positive and `t` is a number.
#[must_use]
pub fn two_sided(t: f64, degrees_of_freedom: f64) -> Option<f64> {
    if t.is_nan() {
        return None;
    }
    let x = degrees_of_freedom / (degrees_of_freedom + t * t);
    beta::cdf(x, 0.5 * degrees_of_freedom, 0.5)
}
