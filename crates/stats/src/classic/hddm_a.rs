//! The mean of a stretch against the whole, by Hoeffding's bound.

use serde::{Deserialize, Serialize};

use super::Stage;
use crate::sequential::{Monitor, Promise, bit};

/// The HDDM A-test of error rates, as in river: averages of all events, Hoeffding's bound.
///
/// It keeps the first stretch whose upper bound `mean + sqrt(ln(1/c) / (2 n))` was least, and calls
/// a rise when the mean of all exceeds that of the stretch by
/// `sqrt((N - n) / (2 n N) ln(2/c))`, with `c` the confidence 0.001 (a warning at 0.005); a fall,
/// where asked for, by the mirror. Starts anew after a change.
///
/// **Promises nothing over time**: each comparison errs with a probability of at most `c`, and
/// there is one at every event. Cost `O(1)`.
/// Reference: Frías-Blanco et al., "Online and non-parametric drift detection methods based on
/// Hoeffding's bounds", IEEE TKDE 27 (2015).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HddmA {
    change: f64,
    warning: f64,
    two_sided: bool,
    all: Stretch,
    least: Stretch,
    greatest: Stretch,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Stretch {
    count: f64,
    mean: f64,
}

impl Stretch {
    fn bound(self, confidence: f64) -> f64 {
        (-confidence.ln() / (2.0 * self.count)).sqrt()
    }
}

impl HddmA {
    /// Confidences of a change and of a warning (0.001 and 0.005 are usual); `None` unless
    /// `0 < change <= warning < 1`.
    #[must_use]
    pub fn new(change: f64, warning: f64, two_sided: bool) -> Option<Self> {
        let none = Stretch::default();
        let valid = 0.0 < change && change <= warning && warning < 1.0;
        valid.then_some(Self { change, warning, two_sided, all: none, least: none, greatest: none })
    }

    /// Takes in one event.
    pub fn observe(&mut self, bad: bool) -> Stage {
        self.all.count += 1.0;
        self.all.mean += (f64::from(u8::from(bad)) - self.all.mean) / self.all.count;
        let bound = self.all.bound(self.change);
        if self.least.count == 0.0 || self.least.mean + self.least.bound(self.change) >= self.all.mean + bound {
            self.least = self.all;
        }
        if self.greatest.count == 0.0 || self.greatest.mean - self.greatest.bound(self.change) <= self.all.mean - bound
        {
            self.greatest = self.all;
        }
        let rise = self.stage(self.least, self.all.mean - self.least.mean);
        let fall =
            if self.two_sided { self.stage(self.greatest, self.greatest.mean - self.all.mean) } else { Stage::Quiet };
        if rise == Stage::Change || fall == Stage::Change {
            let none = Stretch::default();
            *self = Self { all: none, least: none, greatest: none, ..*self };
            return Stage::Change;
        }
        if rise == Stage::Quiet { fall } else { rise }
    }

    fn stage(&self, part: Stretch, difference: f64) -> Stage {
        if part.count == self.all.count {
            return Stage::Quiet;
        }
        let rest = (self.all.count - part.count) / part.count / self.all.count;
        let exceeds = |confidence: f64| difference >= (rest / 2.0 * (2.0 / confidence).ln()).sqrt();
        Stage::reached(self.change, self.warning, exceeds)
    }
}

impl Monitor for HddmA {
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

    fn detector(two_sided: bool) -> HddmA {
        HddmA::new(0.001, 0.005, two_sided).unwrap()
    }

    /// river 0.26.1 `HDDMA()`, and `HDDMA(two_sided_test=True)` over the streams backwards.
    #[test]
    fn agrees_with_river() {
        let (changes, warnings) = changes_and_warnings(&golden_bits(), detector(false), HddmA::observe);
        assert_eq!(changes, [1240]);
        assert_eq!((warnings.len(), &warnings[..5]), (144, &[1024, 1033, 1044, 1045, 1046][..]));
        let (changes, warnings) = changes_and_warnings(&strong_bits(), detector(false), HddmA::observe);
        assert_eq!((&changes[..], &warnings[..]), (&[2013][..], &[2011, 2012][..]));
        let backwards: Vec<bool> = golden_bits().into_iter().rev().collect();
        let (changes, warnings) = changes_and_warnings(&backwards, detector(true), HddmA::observe);
        assert_eq!((&changes[..], warnings.len()), (&[1227][..], 61));
        let backwards: Vec<bool> = strong_bits().into_iter().rev().collect();
        let (changes, warnings) = changes_and_warnings(&backwards, detector(true), HddmA::observe);
        assert_eq!((&changes[..], warnings.len()), (&[2063][..], 22));
    }

    #[test]
    fn constants_and_bad_settings_are_quiet() {
        let mut quiet = detector(true);
        assert!((0..1_000).all(|_| quiet.observe(false) == Stage::Quiet));
        assert!(!quiet.watch(0.5));
        assert_eq!(HddmA::new(0.0, 0.005, false), None);
    }
}
