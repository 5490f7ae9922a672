//! The cumulative sum of a share, with an exact run to a false alarm.

use serde::{Deserialize, Serialize};

use crate::sequential::{Monitor, Promise, bit};

/// Larger thresholds are refused: finding one costs some twenty times its size.
const MOST_STATES: u64 = 4_000_000;
const MOST_STEP: u64 = 1_000_000;

/// The Bernoulli CUSUM: each bad event adds `step - 1`, each good one takes 1, never below 0; alarms
/// when the sum reaches a threshold, and starts anew.
///
/// With `step` the whole number nearest to `ln(p1 (1-p0) / (p0 (1-p1))) / ln((1-p0) / (1-p1))` that
/// is the likelihood ratio of the share `p1` against `p0`, up to the rounding of `p1`: of all detectors with
/// its run length the quickest for a rise to that share.
///
/// **Promise:** for independent events with a share of at most `p0` the average run to a false alarm
/// is at least `run_length`, and [`BernoulliCusum::run_length`] says it exactly: the sum walks on
/// whole numbers, so its mean run solves a linear system. `p0` must be known: an estimate that is
/// 10 % too low may cost half the run. Where it is learned take [`crate::sequential::RateWatch`].
/// Cost: one addition an event.
/// Source: Reynolds, Stoumbos, "A CUSUM chart for monitoring a proportion when inspecting
/// continuously", Journal of Quality Technology 31 (1999).
///
/// ```
/// use wardline_stats::classic::BernoulliCusum;
/// let mut detector = BernoulliCusum::new(0.01, 0.05, 100_000.0).unwrap();
/// assert!(detector.run_length() >= 100_000.0);
/// assert!((0..20).any(|_| detector.observe(true)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BernoulliCusum {
    step: u64,
    threshold: u64,
    sum: u64,
    run_length: f64,
}

impl BernoulliCusum {
    /// Watches for a rise from `p0` to `p1`; `None` unless `0 < p0 < p1 < 1` and
    /// `1 <= run_length <= 1e12`, or where the threshold would be beyond four million steps.
    #[must_use]
    pub fn new(p0: f64, p1: f64, run_length: f64) -> Option<Self> {
        let valid = 0.0 < p0 && p0 < p1 && p1 < 1.0 && 1.0 <= run_length && run_length <= 1e12;
        if !valid {
            return None;
        }
        let good = (-p0).ln_1p() - (-p1).ln_1p();
        let step = (((p1 / p0).ln() + good) / good).round();
        if !(2.0 <= step && step <= MOST_STEP as f64) {
            return None;
        }
        let step = step as u64;
        let enough = |threshold: u64| mean_run(p0, step, threshold) >= run_length;
        let mut high = step;
        while !enough(high) {
            high *= 2;
            if high > MOST_STATES {
                return None;
            }
        }
        let mut low = 0;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if enough(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(Self { step, threshold: high, sum: 0, run_length: mean_run(p0, step, high) })
    }

    /// Takes in one event; whether it alarms.
    #[inline]
    pub fn observe(&mut self, bad: bool) -> bool {
        self.sum = if bad { self.sum + (self.step - 1) } else { self.sum.saturating_sub(1) };
        let alarm = self.sum >= self.threshold;
        if alarm {
            self.sum = 0;
        }
        alarm
    }

    /// The exact average run to a false alarm at `p0`, in events.
    #[must_use]
    pub fn run_length(&self) -> f64 {
        self.run_length
    }

    /// The sum, and the threshold at which it alarms.
    #[must_use]
    pub fn sum(&self) -> (u64, u64) {
        (self.sum, self.threshold)
    }
}

impl Monitor for BernoulliCusum {
    fn watch(&mut self, value: f64) -> bool {
        bit(value).is_some_and(|bad| self.observe(bad))
    }

    fn promise(&self) -> Promise {
        Promise::RunLength(self.run_length)
    }
}

/// The mean run from zero to the threshold, in as many steps as that has.
///
/// With `E(s)` the mean run from the sum `s`, `E(s) = 1 + q E(s - 1) + p E(s + step - 1)`. From the
/// threshold down each `E(s)` is `a + b E(s - 1)`, and what lies `step - 1` above is a chain of such,
/// kept in two parts: down to a border, for every start, and from there to the newest.
fn mean_run(p: f64, step: u64, threshold: u64) -> f64 {
    let (states, up) = (threshold as usize, step as usize - 1);
    let same = Link { constant: 0.0, factor: 1.0 };
    let mut links = vec![same; states];
    let mut to_border = vec![same; states];
    let (mut border, mut from_border) = (states, same);
    for sum in (0..states).rev() {
        let mut above = Link { constant: 0.0, factor: 0.0 };
        if sum + up < states {
            if border > sum + up {
                border = sum + 1;
                from_border = same;
                for start in border..=sum + up {
                    let rest = if start == border { same } else { to_border[start - 1] };
                    to_border[start] = links[start].then(rest);
                }
            }
            above = to_border[sum + up].then(from_border);
        }
        if sum == 0 {
            return (1.0 + p * above.constant) / (p * (1.0 - above.factor));
        }
        let rest = 1.0 - p * above.factor;
        links[sum] = Link { constant: (1.0 + p * above.constant) / rest, factor: (1.0 - p) / rest };
        from_border = from_border.then(links[sum]);
    }
    1.0
}

/// `E(s) = constant + factor E(t)` for a lower sum `t`.
#[derive(Clone, Copy)]
struct Link {
    constant: f64,
    factor: f64,
}

impl Link {
    /// From `s` to `t`, and from `t` on.
    fn then(self, rest: Self) -> Self {
        Self { constant: self.constant + self.factor * rest.constant, factor: self.factor * rest.factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    /// Goal: the linear system, solved by walking on: the chance to be at each sum, step by step.
    #[test]
    fn the_mean_run_is_that_of_the_walk() {
        for (p, step, threshold) in [(0.1, 8_usize, 20_usize), (0.3, 2, 5), (0.05, 15, 14), (0.5, 2, 1)] {
            let mut at = vec![0.0; threshold];
            at[0] = 1.0;
            let mut mean = 0.0;
            for _ in 0..20_000 {
                mean += at.iter().sum::<f64>();
                let mut next = vec![0.0; threshold];
                for (sum, chance) in at.iter().enumerate() {
                    next[sum.saturating_sub(1)] += (1.0 - p) * chance;
                    if sum + step - 1 < threshold {
                        next[sum + step - 1] += p * chance;
                    }
                }
                at = next;
            }
            let found = mean_run(p, step as u64, threshold as u64);
            assert!((found / mean - 1.0).abs() < 1e-9, "{found} and {mean}");
        }
    }

    /// Goal: the observed run is the stated one within 20 %, and a rise is found soon.
    #[test]
    fn keeps_the_stated_run_length() {
        let mut detector = BernoulliCusum::new(0.05, 0.1, 2_000.0).unwrap();
        let stated = detector.run_length();
        assert!((2_000.0..2_200.0).contains(&stated), "{stated}");
        let mut random = SplitMix::new(4);
        let alarms = (0..1_000_000).filter(|_| detector.observe(random.unit() < 0.05)).count() as f64;
        assert!((alarms * stated / 1e6 - 1.0).abs() < 0.2, "{alarms} alarms, {stated} stated");
        let late = (0..50).filter(|_| !(0..600).any(|_| detector.observe(random.unit() < 0.1))).count();
        assert!(late <= 2, "{late} of 50 rises are not found in 600 events");
    }

    #[test]
    fn rare_events_and_bad_settings() {
        let rare = BernoulliCusum::new(0.001, 0.003, 1e6).unwrap();
        assert!(rare.run_length() >= 1e6 && rare.run_length() < 1.01e6);
        assert_eq!(BernoulliCusum::new(0.05, 0.05, 1e6), None);
        assert_eq!(BernoulliCusum::new(0.05, f64::NAN, 1e6), None);
        assert_eq!(BernoulliCusum::new(0.05, 0.1, 1e13), None);
        assert_eq!(BernoulliCusum::new(1e-7, 2e-7, 1e12), None);
        let mut detector = BernoulliCusum::new(0.05, 0.1, 1e6).unwrap();
        assert!(!detector.watch(f64::NAN) && detector.sum().0 == 0);
    }
}
