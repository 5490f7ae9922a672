//! Adds up deviations from a known mean, with a threshold from the run to a false alarm.

use serde::{Deserialize, Serialize};

use crate::sequential::{Monitor, Promise};

/// The two-sided cumulative sum: `high <- max(0, high + x - target - slack)`, and its mirror.
///
/// Cost `O(1)`. Take the threshold from [`cusum_threshold`]: the textbook 5 with a slack of half a
/// standard deviation alarms about twice in a thousand unchanged values.
/// Reference: Page, Biometrika 41 (1954).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cusum {
    target: f64,
    slack: f64,
    threshold: f64,
    high: f64,
    low: f64,
}

impl Cusum {
    /// Watches values around `target`; all in the unit of the values. `None` unless all are finite,
    /// the slack is not negative and the threshold is positive.
    #[must_use]
    pub fn new(target: f64, slack: f64, threshold: f64) -> Option<Self> {
        let valid =
            target.is_finite() && (0.0..f64::INFINITY).contains(&slack) && 0.0 < threshold && threshold.is_finite();
        valid.then_some(Self { target, slack, threshold, high: 0.0, low: 0.0 })
    }

    /// Takes in one value; whether it alarms. Starts anew after an alarm. A value that is not finite
    /// is ignored.
    pub fn observe(&mut self, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        let deviation = value - self.target;
        self.high = (self.high + deviation - self.slack).max(0.0);
        self.low = (self.low - deviation - self.slack).max(0.0);
        let alarm = self.high > self.threshold || self.low > self.threshold;
        if alarm {
            self.high = 0.0;
            self.low = 0.0;
        }
        alarm
    }
}

impl Monitor for Cusum {
    fn watch(&mut self, value: f64) -> bool {
        self.observe(value)
    }

    fn promise(&self) -> Promise {
        Promise::Nothing
    }
}

/// The average run of a two-sided sum to a false alarm, for independent normal values, with slack
/// and threshold in standard deviations: Siegmund's approximation, within some 5 %.
///
/// `None` unless both are positive and finite. Reference: Siegmund, "Sequential Analysis" (1985).
#[must_use]
pub fn cusum_run_length(slack: f64, threshold: f64) -> Option<f64> {
    let valid = 0.0 < slack && slack.is_finite() && 0.0 < threshold && threshold.is_finite();
    valid.then(|| {
        let drift = 2.0 * slack * (threshold + 1.166);
        // One side; two sides alarm twice as often.
        0.5 * (drift.exp() - drift - 1.0) / (2.0 * slack * slack)
    })
}

/// The threshold, in standard deviations, for a wished average run to a false alarm.
///
/// `None` unless the slack is positive and the run longer than two values.
#[must_use]
pub fn cusum_threshold(slack: f64, run_length: f64) -> Option<f64> {
    if !(run_length > 2.0 && run_length.is_finite()) {
        return None;
    }
    let (mut low, mut high) = (1e-9, 1.0);
    cusum_run_length(slack, low)?;
    while cusum_run_length(slack, high)? < run_length {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if cusum_run_length(slack, middle)? < run_length {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;
    use crate::sequential::tests_stream::golden_shift;

    /// golden-stats.json: mean 0.5, slack 0.2, threshold 8, first alarm at 1039.
    #[test]
    fn agrees_with_the_golden_alarm() {
        let mut detector = Cusum::new(0.5, 0.2, 8.0).unwrap();
        assert_eq!(golden_shift().iter().position(|value| detector.observe(*value)), Some(1039));
    }

    /// Goal: the observed run to a false alarm is within 20 % of the stated one.
    #[test]
    fn keeps_the_stated_run_length() {
        let threshold = cusum_threshold(0.5, 500.0).unwrap();
        let mut detector = Cusum::new(0.0, 0.5, threshold).unwrap();
        let mut random = SplitMix::new(3);
        let alarms = (0..500_000).filter(|_| detector.observe(random.normal())).count();
        assert!((800..=1_250).contains(&alarms), "{alarms} alarms where 1,000 are stated");
    }

    #[test]
    fn bad_settings_are_refused() {
        assert_eq!(Cusum::new(0.0, -1.0, 5.0), None);
        assert_eq!(cusum_threshold(0.0, 500.0), None);
        assert_eq!(cusum_threshold(0.5, f64::NAN), None);
    }
}
