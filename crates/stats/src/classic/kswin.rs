//! The newest values of a window against a sample of the older ones, by Kolmogorov and Smirnov.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::random::SplitMix;
use crate::sequential::{Monitor, Promise};

/// KSWIN with the settings of river.
///
/// From a window of `window` values the newest `part` are compared with as many drawn from the
/// others without replacement, at every value: a change where the exact two-sided Kolmogorov-Smirnov
/// p-value is at most `alpha` and the distance above 0.1. Starts anew after a change, as river does
/// (the paper keeps the newest values).
///
/// **Promises nothing over time**: `alpha` is the error rate of one comparison, and there is one at
/// every value: with the usual settings (0.005, 100, 30) some 1,500 alarms in a million unchanged
/// numbers. Cost: `O(part log part)` a value; memory `O(window)`; no allocation after the first
/// window. The sample is drawn by a generator of its own, so single alarms differ from river's and
/// their rate does not.
/// Reference: Raab, Heusinger, Schleif, "Reactive Soft Prototype Computing for Concept Drift
/// Streams", Neurocomputing 416 (2020).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kswin {
    part: usize,
    window: usize,
    /// The least difference in counts that is a change.
    limit: usize,
    values: VecDeque<f64>,
    old: Vec<f64>,
    new: Vec<f64>,
    places: Vec<usize>,
    random: SplitMix,
}

/// The least distance that is a change, whatever its p-value.
const LEAST_DISTANCE: f64 = 0.1;
const MOST_WINDOW: usize = 1_000_000;

impl Kswin {
    /// The usual settings are 0.005, 100 and 30; `None` unless `0 < alpha < 1`,
    /// `1 <= part <= window / 2` and the window holds at most a million values.
    #[must_use]
    pub fn new(alpha: f64, window: usize, part: usize, seed: u64) -> Option<Self> {
        let valid = 0.0 < alpha && alpha < 1.0 && 1 <= part && part <= window / 2 && window <= MOST_WINDOW;
        valid.then(|| Self {
            part,
            window,
            limit: least_difference(alpha, part),
            values: VecDeque::with_capacity(window + 1),
            old: Vec::with_capacity(part),
            new: Vec::with_capacity(part),
            places: (0..window - part).collect(),
            random: SplitMix::new(seed),
        })
    }

    /// Takes in one value; whether it alarms. A value that is not finite is ignored.
    pub fn observe(&mut self, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        if self.values.len() == self.window {
            self.values.pop_front();
        }
        self.values.push_back(value);
        if self.values.len() < self.window {
            return false;
        }
        self.draw();
        let alarm = greatest_difference(&self.old, &self.new) >= self.limit;
        if alarm {
            self.values.clear();
        }
        alarm
    }

    /// Sorts the newest values, and as many of the older ones, drawn without replacement.
    fn draw(&mut self) {
        self.old.clear();
        self.new.clear();
        self.new.extend(self.values.range(self.window - self.part..));
        // The first places of a shuffle that need not start from order.
        for place in 0..self.part {
            let other = place + self.random.below(self.places.len() - place);
            self.places.swap(place, other);
            self.old.push(self.values[self.places[place]]);
        }
        self.old.sort_unstable_by(f64::total_cmp);
        self.new.sort_unstable_by(f64::total_cmp);
    }
}

impl Monitor for Kswin {
    fn watch(&mut self, value: f64) -> bool {
        self.observe(value)
    }

    fn promise(&self) -> Promise {
        Promise::Nothing
    }
}

/// `n` times the Kolmogorov-Smirnov distance of two sorted samples of `n` values.
fn greatest_difference(a: &[f64], b: &[f64]) -> usize {
    let (mut from_a, mut from_b, mut most) = (0, 0, 0);
    while from_a < a.len() && from_b < b.len() {
        let next = a[from_a].min(b[from_b]);
        while from_a < a.len() && a[from_a] <= next {
            from_a += 1;
        }
        while from_b < b.len() && b[from_b] <= next {
            from_b += 1;
        }
        most = most.max(from_a.abs_diff(from_b));
    }
    most
}

/// The least `h` with `P(n D >= h) <= alpha` and `h / n > 0.1`; `n + 1`, which is never reached, if
/// there is none.
fn least_difference(alpha: f64, n: usize) -> usize {
    let wide = |h: &usize| *h as f64 / n as f64 > LEAST_DISTANCE;
    (1..=n).filter(wide).find(|h| tail(*h, n) <= alpha).unwrap_or(n + 1)
}

/// The exact `P(n D >= h)` for two samples of `n` continuous values, `1 <= h <= n`:
/// `2 sum_k (-1)^(k-1) C(2n, n - k h) / C(2n, n)`, by reflection of lattice paths.
///
/// Reference: Gnedenko, Korolyuk (1951).
fn tail(h: usize, n: usize) -> f64 {
    let mut sum = 0.0;
    for k in 1..=n / h {
        let ratio: f64 = (0..k * h).map(|i| (n - i) as f64 / (n + k * h - i) as f64).product();
        sum += if k % 2 == 1 { ratio } else { -ratio };
        if ratio < 1e-18 {
            break;
        }
    }
    (2.0 * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1 `ks_2samp(range(30), [x + h for x in range(30)], method="exact")`.
    #[test]
    fn the_tail_is_exact() {
        for (h, expected) in [(13, 0.006_548_396_368_058_784), (14, 0.002_530_062_236_269_839_7)] {
            let found = tail(h, 30);
            assert!((found / expected - 1.0).abs() < 1e-9, "{h}: {found}");
        }
        assert_eq!(least_difference(0.005, 30), 14);
    }

    /// Goal: the rate of river 0.26.1 on unchanged numbers, 1,500 in a million. Method: 200,000
    /// numbers; alarms come apart by a window at least, so their number varies little.
    #[test]
    fn alarms_as_often_as_river() {
        let mut detector = Kswin::new(0.005, 100, 30, 1).unwrap();
        let mut stream = SplitMix::new(2);
        let alarms = (0..200_000).filter(|_| detector.observe(stream.normal())).count();
        assert!((240..=360).contains(&alarms), "{alarms} where some 300 are expected");
    }

    #[test]
    fn finds_a_shift_at_once() {
        let mut detector = Kswin::new(0.005, 100, 30, 1).unwrap();
        (0..99).for_each(|_| {
            detector.observe(0.5);
        });
        assert_eq!((0..30).position(|_| detector.observe(2.0)), Some(13));
    }

    #[test]
    fn bad_settings_and_values_are_refused() {
        assert_eq!(Kswin::new(0.005, 100, 51, 1), None);
        assert_eq!(Kswin::new(f64::NAN, 100, 30, 1), None);
        let mut detector = Kswin::new(0.005, 2, 1, 1).unwrap();
        assert!((0..100).all(|at| !detector.observe(if at % 2 == 0 { f64::NAN } else { f64::from(at) })));
    }
}
