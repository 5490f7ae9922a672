//! Adds up deviations from a known mean, with a threshold from the run to a false alarm.

use serde::{Deserialize, Serialize};

use super::measurable::is_measurable;
use super::run_length::one_sided;
use crate::sequential::{Monitor, Promise};

/// The two-sided cumulative sum: `high <- max(0, high + x - target - slack)`, and its mirror.
///
/// [`Cusum::calibrated`] **promises** an average run to a false alarm of as many values as it is
/// given, for independent normal values with the mean and deviation it is told; the textbook
/// threshold of 5 with a slack of half a deviation alarms twice in a thousand. Long tails,
/// autocorrelation and an estimated mean all shorten the run.
/// For shares take [`super::BernoulliCusum`]. Cost `O(1)`.
/// Reference: Page, Biometrika 41 (1954).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cusum {
    target: f64,
    slack: f64,
    threshold: f64,
    high: f64,
    low: f64,
    /// The average run to a false alarm, where the threshold was made for one.
    run_length: Option<f64>,
}

impl Cusum {
    /// Watches values around `target`; all in the unit of the values. `None` unless all are finite,
    /// the slack is not negative and the threshold is positive.
    #[must_use]
    pub fn new(target: f64, slack: f64, threshold: f64) -> Option<Self> {
        let valid =
            target.is_finite() && (0.0..f64::INFINITY).contains(&slack) && 0.0 < threshold && threshold.is_finite();
        valid.then_some(Self { target, slack, threshold, high: 0.0, low: 0.0, run_length: None })
    }

    /// Watches normal values around `mean` so that a false alarm comes every `run_length` values on
    /// average, and a shift by `shift` deviations is found soonest.
    ///
    /// The slack is half the shift. `None` unless the deviation and the shift are positive and
    /// finite, and as for [`cusum_threshold`].
    #[must_use]
    pub fn calibrated(mean: f64, deviation: f64, shift: f64, run_length: f64) -> Option<Self> {
        let slack = 0.5 * shift;
        let threshold = cusum_threshold(slack, run_length)?;
        let detector = Self::new(mean, slack * deviation, threshold * deviation)?;
        (deviation > 0.0).then_some(Self { run_length: Some(run_length), ..detector })
    }

    /// Takes in one value; whether it alarms. Starts anew after an alarm. A value that is not finite,
    /// or beyond 1e100, is ignored.
    pub fn observe(&mut self, value: f64) -> bool {
        if !is_measurable(value) {
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
        self.run_length.map_or(Promise::Nothing, Promise::AboutRunLength)
    }
}

/// The run above which Siegmund's approximation is used: the integral equation loses digits there.
const LONGEST_SOLVED: f64 = 1e7;

/// The average run of a two-sided sum to a false alarm, for independent normal values, with slack
/// and threshold in standard deviations.
///
/// Half the run of one side (exact, as the sides cannot alarm one after the other without meeting
/// zero), from its integral equation; beyond ten million values, and for thresholds beyond 40, by
/// Siegmund's approximation, within 2 %. Cost: some 100,000 operations.
/// `None` unless both are positive and finite and the slack is at most 3.
/// Reference: Goel, Wu, Technometrics 13 (1971); Siegmund, "Sequential Analysis" (1985).
#[must_use]
pub fn cusum_run_length(slack: f64, threshold: f64) -> Option<f64> {
    let valid = 0.0 < slack && slack <= 3.0 && 0.0 < threshold && threshold.is_finite();
    valid.then(|| {
        let approximate = siegmund(slack, threshold);
        if approximate < LONGEST_SOLVED && threshold <= 40.0 { 0.5 * one_sided(slack, threshold) } else { approximate }
    })
}

fn siegmund(slack: f64, threshold: f64) -> f64 {
    let drift = 2.0 * slack * (threshold + 1.166);
    // One side; two sides alarm twice as often.
    0.5 * (drift.exp() - drift - 1.0) / (2.0 * slack * slack)
}

/// The threshold, in standard deviations, for a wished average run to a false alarm.
///
/// `None` unless the slack is positive and at most 3 and the run is longer than two values and finite,
/// or where the slack alone gives a longer run. Cost: 60 times [`cusum_run_length`].
#[must_use]
pub fn cusum_threshold(slack: f64, run_length: f64) -> Option<f64> {
    if !(run_length > 2.0 && run_length.is_finite()) {
        return None;
    }
    let (mut low, mut high) = (1e-6, 1.0);
    if cusum_run_length(slack, low)? > run_length {
        return None;
    }
    while cusum_run_length(slack, high)? < run_length {
        low = high;
        high *= 2.0;
    }
    while high - low > 1e-12 * high {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
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

    /// Montgomery, "Introduction to Statistical Quality Control", table 9.3: slack 1/2, threshold 4 and
    /// 5 give 168 and 465; numpy 2.4.6, the integral equation at 400 nodes.
    #[test]
    fn agrees_with_the_tables() {
        for (slack, threshold, expected) in [
            (0.5, 4.0, 167.683_788_813_286_27),
            (0.5, 5.0, 465.443_506_027_936_85),
            (0.25, 8.0, 368.393_873_262_217_94),
            (1.0, 2.5, 358.001_939_461_977_26),
            (0.1, 12.0, 257.050_513_779_683_8),
            (0.5, 12.0, 518_288.736_433_101_5),
        ] {
            let found = cusum_run_length(slack, threshold).unwrap();
            assert!((found / expected - 1.0).abs() < 1e-7, "{slack} {threshold}: {found}");
        }
        let threshold = cusum_threshold(0.5, 1e6).unwrap();
        assert!((cusum_run_length(0.5, threshold).unwrap() / 1e6 - 1.0).abs() < 1e-9);
        // The two ways agree where they meet.
        assert!((siegmund(0.5, 14.5) / (0.5 * one_sided(0.5, 14.5)) - 1.0).abs() < 0.02);
        assert!(cusum_threshold(0.5, 1e30).is_some() && cusum_threshold(3.0, 100.0).is_none());
    }

    /// Goal: the observed run to a false alarm is within 20 % of the stated one.
    #[test]
    fn keeps_the_stated_run_length() {
        let mut detector = Cusum::calibrated(0.0, 1.0, 1.0, 500.0).unwrap();
        assert_eq!(detector.promise(), Promise::AboutRunLength(500.0));
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
