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
    use crate::golden::{close, rows};

    /// scipy 1.17.1: `chi2.ppf(tail, 2 k) / 2` and `chi2.ppf(1 - tail, 2 k + 2) / 2`.
    #[test]
    fn agrees_with_scipy() {
        for row in rows("/interval/poisson") {
            let found = poisson_rate(row[0] as u64, 2.0, row[1]);
            close(found.map(|interval| interval.low * 2.0), row[2], 1e-9);
            close(found.map(|interval| interval.high * 2.0), row[3], 1e-9);
        }
        assert_eq!(poisson_rate(3, 0.0, 0.95), None);
    }
}
