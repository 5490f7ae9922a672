//! One way to drive every detector: a value in, an alarm or none out.

use super::log_threshold;

/// What a detector promises about false alarms while nothing changes.
///
/// The page of each detector says what it must assume of the values for that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Promise {
    /// The average run to a false alarm is at least this many values.
    RunLength(f64),
    /// The average run to a false alarm is this many values, within 20 %.
    AboutRunLength(f64),
    /// The probability of any alarm, however long it runs, is at most this.
    Ever(f64),
    /// Nothing is promised.
    Nothing,
}

/// A detector that takes in one number at a time.
///
/// Binary detectors take 1 for a bad event and 0 for a good one. What a detector cannot take (NaN,
/// an infinity, a number outside its bounds) changes nothing and is no alarm.
///
/// ```
/// use wardline_stats::sequential::{Monitor, RateWatch};
/// let mut detector: Box<dyn Monitor> = Box::new(RateWatch::expecting(0.05, 1e6, 7).unwrap());
/// assert!((0..1_000).all(|at| !detector.watch(f64::from(u8::from(at % 20 == 0)))));
/// assert!((0..100).any(|_| detector.watch(1.0)));
/// ```
pub trait Monitor {
    /// Takes in one value; whether it alarms with it. It may be driven on after an alarm.
    fn watch(&mut self, value: f64) -> bool;

    /// What it promises about false alarms.
    fn promise(&self) -> Promise;
}

/// Evidence that grows against a null hypothesis: an e-process, kept as a logarithm.
pub trait EProcess {
    /// Takes in one value; what it cannot take changes nothing.
    fn take(&mut self, value: f64);

    /// `ln E`.
    fn log_e(&self) -> f64;

    /// Whether `ln E` is at least this, which may be known at less cost than `ln E`.
    fn reaches(&self, least_log_e: f64) -> bool {
        self.log_e() >= least_log_e
    }
}

/// An e-process that alarms once, when `E >= 1/alpha`, and is silent ever after.
///
/// While the null hypothesis of the process holds, the probability that it ever alarms is at most
/// `alpha`, over all looks together.
/// Source: Ville (1939); Ramdas et al., "Game-theoretic statistics and safe anytime-valid
/// inference", Statistical Science 38 (2023), section 3.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop<P> {
    process: P,
    alpha: f64,
    least_log_e: f64,
    stopped: bool,
}

impl<P: EProcess> Stop<P> {
    /// Stops at `1/alpha`; `None` unless `0 < alpha <= 1`.
    #[must_use]
    pub fn new(process: P, alpha: f64) -> Option<Self> {
        Some(Self { process, alpha, least_log_e: log_threshold(alpha)?, stopped: false })
    }

    /// Whether it has alarmed.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.stopped
    }

    /// The process within.
    #[must_use]
    pub fn process(&self) -> &P {
        &self.process
    }
}

impl<P: EProcess> Monitor for Stop<P> {
    fn watch(&mut self, value: f64) -> bool {
        if self.stopped {
            return false;
        }
        self.process.take(value);
        self.stopped = self.process.reaches(self.least_log_e);
        self.stopped
    }

    fn promise(&self) -> Promise {
        Promise::Ever(self.alpha)
    }
}

/// A bad event (1), a good one (0), or neither.
pub(crate) fn bit(value: f64) -> Option<bool> {
    match value {
        1.0 => Some(true),
        0.0 => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::{BernoulliE, Direction};

    #[test]
    fn stops_once() {
        let process = BernoulliE::new(0.01, Direction::Increase).unwrap();
        let mut stop = Stop::new(process, 0.05).unwrap();
        let alarms = (0..100).filter(|_| stop.watch(1.0)).count();
        assert_eq!(alarms, 1);
        assert!(stop.has_stopped() && stop.process().log_e() >= 20.0_f64.ln());
        assert_eq!(Stop::new(process, 0.0), None);
    }

    #[test]
    fn what_is_no_bit_changes_nothing() {
        let process = BernoulliE::new(0.01, Direction::Increase).unwrap();
        let mut stop = Stop::new(process, 0.05).unwrap();
        for value in [f64::NAN, f64::INFINITY, 0.5, -1.0] {
            assert!(!stop.watch(value));
        }
        assert_eq!(stop.process().counts(), (0, 0));
    }
}
