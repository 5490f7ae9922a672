//! The distance between errors against its own greatest.

use serde::{Deserialize, Serialize};

use super::Stage;
use crate::sequential::{Monitor, Promise, bit};

/// The Early Drift Detection Method with the settings of river.
///
/// With `m` and `s` the mean and the standard deviation of the distances between errors, it keeps
/// the greatest `m + 2 s`, and calls a change when the present one is below 0.9 of it (a warning
/// below 0.95), after 30 events and 30 errors. Finds rises only, and starts anew after a change.
///
/// **Promises nothing**: on unchanged errors at 20 % the golden stream alarms every 150 events.
/// Prefer [`crate::sequential::RateWatch`]. Cost `O(1)`.
/// Reference: Baena-Garcia et al., "Early Drift Detection Method", IWKDDS (2006).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Eddm {
    warning: f64,
    change: f64,
    count: u64,
    last_error: u64,
    errors: u64,
    mean: f64,
    squares: f64,
    greatest: f64,
}

const LEAST_COUNT: u64 = 30;

impl Default for Eddm {
    fn default() -> Self {
        Self::empty(0.95, 0.9)
    }
}

impl Eddm {
    /// Warns below `warning` and alarms below `change` of the greatest distance (0.95 and 0.9 are
    /// usual); `None` unless `0 < change <= warning < 1`.
    #[must_use]
    pub fn new(warning: f64, change: f64) -> Option<Self> {
        (0.0 < change && change <= warning && warning < 1.0).then(|| Self::empty(warning, change))
    }

    fn empty(warning: f64, change: f64) -> Self {
        Self { warning, change, count: 0, last_error: 0, errors: 0, mean: 0.0, squares: 0.0, greatest: -1.0 }
    }

    /// Takes in one event. Between errors nothing is known: the answer is [`Stage::Quiet`].
    pub fn observe(&mut self, bad: bool) -> Stage {
        self.count += 1;
        if !bad {
            return Stage::Quiet;
        }
        let distance = (self.count - self.last_error) as f64;
        self.last_error = self.count;
        self.errors += 1;
        let away = distance - self.mean;
        self.mean += away / self.errors as f64;
        self.squares += away * (distance - self.mean);
        if self.count <= LEAST_COUNT {
            return Stage::Quiet;
        }
        let variance = if self.errors > 1 { self.squares / (self.errors - 1) as f64 } else { 0.0 };
        let now = self.mean + 2.0 * variance.max(0.0).sqrt();
        if now > self.greatest {
            self.greatest = now;
            return Stage::Quiet;
        }
        if self.errors <= LEAST_COUNT {
            return Stage::Quiet;
        }
        let level = now / self.greatest;
        let stage = Stage::reached(self.change, self.warning, |least| level < least);
        if stage == Stage::Change {
            *self = Self::empty(self.warning, self.change);
        }
        stage
    }
}

impl Monitor for Eddm {
    fn watch(&mut self, value: f64) -> bool {
        bit(value).is_some_and(|bad| self.observe(bad) == Stage::Change)
    }

    fn promise(&self) -> Promise {
        Promise::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classic::tests_river::{changes_and_warnings, strong_bits};
    use crate::sequential::tests_stream::golden_bits;

    /// river 0.26.1 `EDDM()`.
    #[test]
    fn agrees_with_river() {
        let (changes, _) = changes_and_warnings(&golden_bits(), Eddm::default(), Eddm::observe);
        assert_eq!(changes, [1064, 1346, 1510, 1678, 1862]);
        let (changes, _) = changes_and_warnings(&strong_bits(), Eddm::default(), Eddm::observe);
        let expected = [
            175, 296, 433, 618, 791, 938, 1151, 1290, 1441, 1629, 1764, 2019, 2087, 2128, 2175, 2229, 2720, 2867, 2915,
            2959, 2999, 3152, 3196, 3253, 3295, 3401, 3570, 3650, 3814, 3888,
        ];
        assert_eq!(changes, expected);
    }

    #[test]
    fn regular_errors_are_quiet() {
        let mut detector = Eddm::default();
        assert!((0..5_000).all(|t| detector.observe(t % 7 == 6) == Stage::Quiet));
        assert!(!detector.watch(f64::INFINITY));
        assert_eq!(Eddm::new(0.9, 0.95), None);
    }
}
