//! Weighted means before and after a cut, by McDiarmid's bound.

use serde::{Deserialize, Serialize};

use super::Stage;
use crate::sequential::{Monitor, Promise, bit};

/// The HDDM W-test of error rates, as in river: weighted means, McDiarmid's bound.
///
/// With a weight of 0.05 on the newest event, it cuts where the upper bound of the weighted mean
/// was least, and calls a rise when the weighted mean since exceeds the one before by
/// `sqrt((b1 + b2) ln(1/c) / 2)`, with `b` the sums of squared weights and `c` the confidence 0.001
/// (a warning at 0.005); a fall, where asked for, by the mirror. Starts anew after a change.
///
/// **Promises nothing over time**: each comparison errs with a probability of at most `c`, and
/// there is one at every event. With the usual weight the bound is about 0.42, so no rise from 5 %
/// to 20 % is ever found. Cost `O(1)`. Reference: as [`super::HddmA`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HddmW {
    change: f64,
    warning: f64,
    weight: f64,
    two_sided: bool,
    all: Weighted,
    rise: Cut,
    fall: Cut,
}

/// A weighted mean and the sum of its squared weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Weighted {
    mean: f64,
    squared_weights: f64,
    empty: bool,
}

const NOTHING: Weighted = Weighted { mean: 0.0, squared_weights: 1.0, empty: true };

impl Weighted {
    fn take(&mut self, value: f64, weight: f64) {
        let kept = 1.0 - weight;
        self.mean = if self.empty { value } else { weight * value + kept * self.mean };
        self.squared_weights = weight * weight + kept * kept * self.squared_weights;
        self.empty = false;
    }

    fn bound(self, confidence: f64) -> f64 {
        (-self.squared_weights * confidence.ln() / 2.0).sqrt()
    }
}

/// Where the bound was at its extreme: before and since.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Cut {
    /// The least upper bound, or the negative of the greatest lower one; `None` at the start.
    extreme: Option<f64>,
    before: Weighted,
    since: Weighted,
}

const NO_CUT: Cut = Cut { extreme: None, before: NOTHING, since: NOTHING };

impl Cut {
    fn take(&mut self, value: f64, weight: f64, all: Weighted, bound: f64) {
        if self.extreme.is_none_or(|extreme| bound < extreme) {
            *self = Self { extreme: Some(bound), before: all, since: NOTHING };
        } else {
            self.since.take(value, weight);
        }
    }

    /// Whether the mean has moved by more than the bound; `sign` is 1 for a rise and -1 for a fall.
    fn has_moved(&self, sign: f64, confidence: f64) -> bool {
        let squared_weights = self.before.squared_weights + self.since.squared_weights;
        let both = Weighted { squared_weights, ..self.since };
        !self.before.empty && !self.since.empty && sign * (self.since.mean - self.before.mean) > both.bound(confidence)
    }
}

impl HddmW {
    /// Confidences of a change and of a warning (0.001 and 0.005 are usual) and the weight of the
    /// newest event (0.05); `None` unless `0 < change <= warning < 1` and `0 < weight <= 1`.
    #[must_use]
    pub fn new(change: f64, warning: f64, weight: f64, two_sided: bool) -> Option<Self> {
        let valid = 0.0 < change && change <= warning && warning < 1.0 && 0.0 < weight && weight <= 1.0;
        valid.then_some(Self { change, warning, weight, two_sided, all: NOTHING, rise: NO_CUT, fall: NO_CUT })
    }

    /// Takes in one event.
    pub fn observe(&mut self, bad: bool) -> Stage {
        let value = f64::from(u8::from(bad));
        self.all.take(value, self.weight);
        let bound = self.all.bound(self.change);
        self.rise.take(value, self.weight, self.all, self.all.mean + bound);
        let rise = self.stage(&self.rise, 1.0);
        let mut fall = Stage::Quiet;
        if self.two_sided {
            self.fall.take(value, self.weight, self.all, bound - self.all.mean);
            fall = self.stage(&self.fall, -1.0);
        }
        if rise == Stage::Change || fall == Stage::Change {
            *self = Self { all: NOTHING, rise: NO_CUT, fall: NO_CUT, ..*self };
            return Stage::Change;
        }
        if rise == Stage::Quiet { fall } else { rise }
    }

    fn stage(&self, cut: &Cut, sign: f64) -> Stage {
        Stage::reached(self.change, self.warning, |confidence| cut.has_moved(sign, confidence))
    }
}

impl Monitor for HddmW {
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

    fn detector(two_sided: bool) -> HddmW {
        HddmW::new(0.001, 0.005, 0.05, two_sided).unwrap()
    }

    /// river 0.26.1 `HDDMW()`, and `HDDMW(two_sided_test=True)` over the streams backwards.
    #[test]
    fn agrees_with_river() {
        let (changes, warnings) = changes_and_warnings(&golden_bits(), detector(false), HddmW::observe);
        assert!(changes.is_empty() && warnings.is_empty());
        let (changes, warnings) = changes_and_warnings(&strong_bits(), detector(false), HddmW::observe);
        assert_eq!(changes, [1405, 2013, 3327]);
        assert_eq!((warnings.len(), &warnings[..5]), (26, &[1400, 1403, 1404, 2012, 3253][..]));
        let backwards: Vec<bool> = golden_bits().into_iter().rev().collect();
        let (changes, warnings) = changes_and_warnings(&backwards, detector(true), HddmW::observe);
        assert_eq!((changes.len(), warnings.len()), (0, 114));
        let backwards: Vec<bool> = strong_bits().into_iter().rev().collect();
        let (changes, warnings) = changes_and_warnings(&backwards, detector(true), HddmW::observe);
        assert_eq!((&changes[..], warnings.len()), (&[1649, 2013][..], 56));
    }

    #[test]
    fn constants_and_bad_settings_are_quiet() {
        let mut quiet = detector(true);
        assert!((0..1_000).all(|_| quiet.observe(true) == Stage::Quiet));
        assert!(!quiet.watch(f64::NAN));
        assert_eq!(HddmW::new(0.001, 0.005, 0.0, false), None);
    }
}
