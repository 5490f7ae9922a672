//! The error rate against its own best, in standard deviations.

use serde::{Deserialize, Serialize};

use super::Stage;
use crate::sequential::{Monitor, Promise, bit};

/// The Drift Detection Method with the settings of river.
///
/// With `p` the share of errors since the start and `s = sqrt(p (1 - p) / n)`, it keeps the `p` and
/// `s` at which `p + s` was least, and calls a change when `p + s > p_least + 3 s_least` (a warning
/// at 2), from the 31st event on. Finds rises only, and starts anew after a change.
///
/// **Promises nothing**: the limit is not corrected for looking again, and a lucky start makes a
/// later return to normal a change (the golden stream alarms at event 91 of 1,000 unchanged ones).
/// Prefer [`crate::sequential::RateWatch`]. Cost `O(1)`.
/// Reference: Gama, Medas, Castillo, Rodrigues, "Learning with Drift Detection", SBIA (2004).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ddm {
    warning: f64,
    change: f64,
    count: u64,
    share: f64,
    /// Share and deviation where their sum was least.
    best: Option<(f64, f64)>,
}

const LEAST_COUNT: u64 = 30;

impl Default for Ddm {
    fn default() -> Self {
        Self { warning: 2.0, change: 3.0, count: 0, share: 0.0, best: None }
    }
}

impl Ddm {
    /// Warns at `warning` and alarms at `change` deviations (2 and 3 are usual); `None` unless both
    /// are positive and finite.
    #[must_use]
    pub fn new(warning: f64, change: f64) -> Option<Self> {
        let positive = |x: f64| 0.0 < x && x.is_finite();
        (positive(warning) && positive(change)).then(|| Self { warning, change, ..Self::default() })
    }

    /// Takes in one event.
    pub fn observe(&mut self, bad: bool) -> Stage {
        self.count += 1;
        self.share += (f64::from(u8::from(bad)) - self.share) / self.count as f64;
        let deviation = (self.share * (1.0 - self.share) / self.count as f64).max(0.0).sqrt();
        if self.count <= LEAST_COUNT {
            return Stage::Quiet;
        }
        let now = self.share + deviation;
        let (best_share, best_deviation) = match self.best {
            Some(best) if now > best.0 + best.1 => best,
            _ => *self.best.insert((self.share, deviation)),
        };
        let exceeds = |deviations: f64| now > best_share + deviations * best_deviation;
        let stage = Stage::reached(self.change, self.warning, exceeds);
        if stage == Stage::Change {
            *self = Self { count: 0, share: 0.0, best: None, ..*self };
        }
        stage
    }
}

impl Monitor for Ddm {
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

    /// river 0.26.1 `DDM()`.
    #[test]
    fn agrees_with_river() {
        let (changes, _) = changes_and_warnings(&golden_bits(), Ddm::default(), Ddm::observe);
        assert_eq!(changes, [91, 1070, 1898]);
        let (changes, warnings) = changes_and_warnings(&strong_bits(), Ddm::default(), Ddm::observe);
        assert_eq!(changes, [2065]);
        assert_eq!((warnings.len(), &warnings[..5]), (879, &[49, 270, 271, 272, 273][..]));
    }

    #[test]
    fn constants_and_bad_settings_are_quiet() {
        let mut detector = Ddm::default();
        assert!((0..1_000).all(|_| detector.observe(true) == Stage::Quiet));
        assert!(!detector.watch(f64::NAN));
        assert_eq!(Ddm::new(2.0, f64::NAN), None);
    }
}
