//! Adds up deviations from the running mean.

use serde::{Deserialize, Serialize};

use super::measurable::is_measurable;
use crate::sequential::{Monitor, Promise};

/// The two-sided Page-Hinkley test with forgetting, as in river.
///
/// `sum <- 0.9999 sum + (x - mean -+ delta)`; alarms when a sum leaves its extreme by more than
/// `threshold`, and then starts anew. The threshold is in the unit of the values: without scaling
/// them first it means nothing, and nothing is promised of false alarms. A single number far outside
/// blinds it: clip values first. Cost `O(1)`.
/// Reference: Page, Biometrika 41 (1954); Hinkley, Biometrika 58 (1971).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageHinkley {
    delta: f64,
    threshold: f64,
    count: u64,
    mean: f64,
    /// Upward sum and its least value, downward sum and its greatest.
    rise: (f64, f64),
    fall: (f64, f64),
}

const KEPT: f64 = 0.9999;
const LEAST_COUNT: u64 = 30;

impl PageHinkley {
    /// `delta` 0.005 and `threshold` 50 are usual; `None` unless both are finite, `delta` not
    /// negative and `threshold` positive.
    #[must_use]
    pub fn new(delta: f64, threshold: f64) -> Option<Self> {
        let valid = (0.0..f64::INFINITY).contains(&delta) && 0.0 < threshold && threshold.is_finite();
        valid.then_some(Self { delta, threshold, count: 0, mean: 0.0, rise: (0.0, f64::MAX), fall: (0.0, f64::MIN) })
    }

    /// Takes in one value; whether it alarms. A value that is not finite, or beyond 1e100, is ignored.
    pub fn observe(&mut self, value: f64) -> bool {
        if !is_measurable(value) {
            return false;
        }
        self.count += 1;
        self.mean += (value - self.mean) / self.count as f64;
        let deviation = value - self.mean;
        self.rise.0 = KEPT * self.rise.0 + deviation - self.delta;
        self.fall.0 = KEPT * self.fall.0 + deviation + self.delta;
        self.rise.1 = self.rise.1.min(self.rise.0);
        self.fall.1 = self.fall.1.max(self.fall.0);
        let rose = self.rise.0 - self.rise.1 > self.threshold;
        let fell = self.fall.1 - self.fall.0 > self.threshold;
        let alarm = self.count >= LEAST_COUNT && (rose || fell);
        if alarm {
            *self = Self { count: 0, mean: 0.0, rise: (0.0, f64::MAX), fall: (0.0, f64::MIN), ..*self };
        }
        alarm
    }
}

impl Monitor for PageHinkley {
    fn watch(&mut self, value: f64) -> bool {
        self.observe(value)
    }

    fn promise(&self) -> Promise {
        Promise::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::tests_stream::{golden_bits, golden_shift};

    /// golden-stats.json, river 0.26.1: `PageHinkley()` and `PageHinkley(threshold=10)`.
    #[test]
    fn agrees_with_river() {
        let alarms = |values: &[f64], threshold| -> Vec<usize> {
            let mut detector = PageHinkley::new(0.005, threshold).unwrap();
            let found = values.iter().enumerate();
            found.filter_map(|(at, value)| detector.observe(*value).then_some(at)).collect()
        };
        assert_eq!(alarms(&golden_shift(), 50.0), [1134]);
        let bits: Vec<f64> = golden_bits().iter().map(|bit| f64::from(u8::from(*bit))).collect();
        assert_eq!(alarms(&bits, 10.0), [655, 1064, 1532]);
        assert_eq!(PageHinkley::new(0.005, 0.0), None);
    }
}
