//! Intervals for a rate from a count of events.

use super::{Interval, tail_of};
use crate::distribution::gamma;

/// The exact interval of a Poisson rate: events for each unit of exposure.
///
/// `low = Q(tail; events) / exposure`, `high = Q(1 - tail; events + 1) / exposure` with `Q` the
/// quantile of the gamma law. Not to be trusted when events come in clumps.
/// `None` if the exposure is not positive or `confidence` is not between zero and one.
/// Reference: Garwood, Biometrika 28 (1936).
#[must_use]
pub fn poisson_rate(events: u64, exposure: f64, confidence: f64) -> Option<Interval> {
    let tail = tail_of(confidence)?;
    if !(exposure > 0.0 && exposure.is_finite()) {
        return None;
    }
    let low = if events == 0 { 0.0 } else { gamma::quantile(tail, events as f64)? };
    let high = gamma::quantile(1.0 - tail, events as f64 + 1.0)?;
    Some(Interval { low: low / exposure, high: high / exposure })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1: `chi2.ppf(0.025, 14)/2`, `chi2.ppf(0.975, 16)/2`.
    #[test]
    fn agrees_with_scipy() {
        let found = poisson_rate(7, 2.0, 0.95).unwrap();
        assert!((found.low * 2.0 / 2.814_363_046_062_139_4 - 1.0).abs() < 1e-9, "{}", found.low);
        assert!((found.high * 2.0 / 14.422_675_363_089_93 - 1.0).abs() < 1e-9, "{}", found.high);
        assert_eq!(poisson_rate(0, 1.0, 0.95).unwrap().low, 0.0);
        assert_eq!(poisson_rate(3, 0.0, 0.95), None);
    }
}
