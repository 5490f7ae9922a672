//! A number with its standard error, and the interval that follows.

use serde::{Deserialize, Serialize};

use super::{Interval, tail_of};
use crate::distribution::{beta, normal};

/// A number, and how far chance may have moved it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// The standard deviation of `value` over repetitions; not negative.
    pub standard_error: f64,
}

impl Estimate {
    /// `None` unless both are finite and the standard error is not negative.
    #[must_use]
    pub fn new(value: f64, standard_error: f64) -> Option<Self> {
        (value.is_finite() && standard_error.is_finite() && 0.0 <= standard_error)
            .then_some(Self { value, standard_error })
    }

    /// `value ± z * standard_error`: the normal limit.
    ///
    /// Not to be trusted for few values, nor near an end of the range of `value`.
    /// `None` unless `0 < confidence < 1`.
    #[must_use]
    pub fn interval(&self, confidence: f64) -> Option<Interval> {
        let half = normal::quantile(1.0 - tail_of(confidence)?)? * self.standard_error;
        Some(Interval { low: self.value - half, high: self.value + half })
    }

    /// The normal limit on the scale of log-odds, for a value in `0..=1`: never outside.
    ///
    /// `logit(value) ± z * standard_error / (value (1 - value))`. At an end of the range, where the
    /// log-odds are infinite, the plain interval is cut at `0..=1`.
    /// `None` unless `0 < confidence < 1` and `0 <= value <= 1`.
    /// Reference: Brown, Cai, DasGupta, Statistical Science 16 (2001), section 4.1.
    #[must_use]
    pub fn share_interval(&self, confidence: f64) -> Option<Interval> {
        let plain = self.interval(confidence)?;
        if !(0.0..=1.0).contains(&self.value) {
            return None;
        }
        let spread = self.value * (1.0 - self.value);
        if spread < 1e-12 {
            return Some(Interval { low: plain.low.max(0.0), high: plain.high.min(1.0) });
        }
        let half = (plain.high - self.value) / spread;
        let middle = (self.value / (1.0 - self.value)).ln();
        let share = |log_odds: f64| 1.0 / (1.0 + (-log_odds).exp());
        Some(Interval { low: share(middle - half), high: share(middle + half) })
    }
}

/// `value ± t * standard_error` with Student's law, for a mean of few values.
///
/// `None` unless `degrees_of_freedom` is positive and `0 < confidence < 1`.
/// Reference: Student, Biometrika 6 (1908).
#[must_use]
pub fn t_interval(estimate: Estimate, degrees_of_freedom: f64, confidence: f64) -> Option<Interval> {
    let both_tails = 2.0 * tail_of(confidence)?;
    if !(degrees_of_freedom > 0.0 && degrees_of_freedom.is_finite()) {
        return None;
    }
    // P(|T| > t) is the beta law at degrees / (degrees + t^2).
    let x = beta::quantile(both_tails, 0.5 * degrees_of_freedom, 0.5)?;
    let half = (degrees_of_freedom * (1.0 - x) / x).sqrt() * estimate.standard_error;
    half.is_finite().then_some(Interval { low: estimate.value - half, high: estimate.value + half })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::close;

    /// scipy 1.17.1: `norm.ppf(0.975)` is 1.959963984540054.
    #[test]
    fn the_normal_limit_and_its_share_form() {
        let estimate = Estimate::new(0.9, 0.03).unwrap();
        let plain = estimate.interval(0.95).unwrap();
        close(Some(plain.high), 0.9 + 0.03 * 1.959_963_984_540_054, 1e-12);
        let share = estimate.share_interval(0.95).unwrap();
        assert!(share.low < plain.low && share.high < plain.high && share.high < 1.0);
        let end = Estimate::new(1.0, 0.1).unwrap().share_interval(0.95).unwrap();
        assert!(end.high == 1.0 && end.low < 1.0);
    }

    /// scipy 1.17.1: `t.ppf(0.975, [3, 28.5, 1e6])` is 3.1824463052837078, 2.0467893427202686 and
    /// 1.959966356814107; `t.ppf(0.995, 1)` is 63.656741162871526.
    #[test]
    fn students_law_is_wider() {
        let estimate = Estimate::new(0.0, 1.0).unwrap();
        for (degrees, confidence, expected) in [
            (3.0, 0.95, 3.182_446_305_283_707_8),
            (28.5, 0.95, 2.046_789_342_720_268_6),
            (1e6, 0.95, 1.959_966_356_814_107),
            (1.0, 0.99, 63.656_741_162_871_526),
        ] {
            let found = t_interval(estimate, degrees, confidence);
            close(found.map(|interval| interval.high), expected, 1e-9);
        }
        assert_eq!(t_interval(estimate, 0.0, 0.95), None);
    }

    #[test]
    fn bad_input_gives_nothing() {
        assert_eq!(Estimate::new(f64::NAN, 0.1), None);
        assert_eq!(Estimate::new(0.1, -0.1), None);
        assert_eq!(Estimate::new(1.2, 0.1).unwrap().share_interval(0.95), None);
        assert_eq!(Estimate::new(0.5, 0.1).unwrap().interval(1.0), None);
    }
}
