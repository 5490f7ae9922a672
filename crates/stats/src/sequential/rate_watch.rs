//! The default detector for a stream of errors: learns its baseline, and still keeps its promise.

use serde::{Deserialize, Serialize};

use super::monitor::{Monitor, Promise, bit};
use crate::random::SplitMix;

/// Ratios of the share after the change to the one before, with their weights.
///
/// Nine tenths go to rises. They are dense where delays are long: a change by half is found in
/// thousands of events, one by a factor of ten in dozens.
const CHANGES: [(f64, f64); CELLS] = [
    (1.25, 0.144),
    (1.5, 0.216),
    (2.0, 0.216),
    (3.0, 0.144),
    (5.0, 0.072),
    (10.0, 0.072),
    (30.0, 0.036),
    (0.8, 0.04),
    (0.5, 0.03),
    (0.2, 0.03),
];
const CELLS: usize = 10;

/// Learning ends with so many bad and so many good events, or with `MOST_LEARNED` in all.
const LEARNED_OF_EACH: u64 = 100;
const MOST_LEARNED: u64 = 10_000;

/// Far above every threshold; keeps products finite.
const CEILING: f64 = 1e200;

/// The run length of [`default_detector`].
const DEFAULT_RUN_LENGTH: f64 = 1e6;

/// Watches a share for ever without being told what it was: a conformal Shiryaev-Roberts detector.
///
/// **Promise:** while the events are exchangeable (independent with one share is enough, *whatever
/// that share is*), the average run to a false alarm, and from one to the next, is at least
/// `run_length` events. The baseline is estimated, and the promise does not depend on the estimate.
///
/// How: with `k` bad events among the `n` so far, this one included, the smoothed conformal p-value
/// of a bad event is `U k/n` and of a good one `(k + U (n - k))/n`, with `U` even in `(0, 1)` from
/// the seed. For exchangeable events these are independent and even, so a bet that was fixed
/// beforehand is fair: with `c` the expected share and `q` the share after a change, `L = q/c` where
/// the p-value is below `c`, else `(1 - q)/(1 - c)`. For each `q` of a grid `S <- (S + 1) L`; the
/// weighted mean of `S`, less the number of events, is a martingale, so its value at an alarm, at
/// least `run_length`, is the mean run. `c` comes from the caller or from the first events (until
/// 100 of each kind, at most 10,000), which are then no part of `n`: a wrong `c` costs power only.
///
/// After an alarm the evidence is gone and the baseline stays, so a lasting change alarms again and
/// again; call [`RateWatch::relearn`] where the new share is the new normal.
/// A change that comes before much was learned is found late or never: the events after it are
/// soon most of the baseline. A slow trend, a season or clumps are no exchangeable events, and are
/// found as the changes they are; for them give cells to [`super::EDetector`] with a seasonal limit.
///
/// Delays, with 20,000 events before the change at 5 %: to 7 % 2,550 events, to 10 % 490, to 20 %
/// 85 to 95; ADWIN of river 0.26.1 takes 3,150 to 3,300, 615 and 120 to 130.
/// Measured run at the default of a million, over 150 million events: 1.06 to 1.47 million for shares
/// of 0.1 to 50 %. Cost: 10 multiply-adds and one random number an event; 320 bytes; no allocation.
/// Source: Vovk, "Testing randomness online", Statistical Science 36 (2021), section 4 (conformal
/// Shiryaev-Roberts); Shin, Ramdas, Rinaldo, "E-detectors", NEJSDS 2 (2024).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateWatch {
    run_length: f64,
    /// The share that bets expect; `None` while it is learned.
    expected: Option<f64>,
    learned_bad: u64,
    learned: u64,
    bad: u64,
    total: u64,
    random: SplitMix,
    values: [f64; CELLS],
    /// Likelihood ratios of a p-value at or above `expected`, and of one below.
    ratios: [[f64; CELLS]; 2],
    evidence: f64,
}

/// The default detector for a stream of errors: a [`RateWatch`] that learns its baseline and runs a
/// million unchanged events to a false alarm.
#[must_use]
pub fn default_detector(seed: u64) -> RateWatch {
    RateWatch::empty(DEFAULT_RUN_LENGTH, seed)
}

impl RateWatch {
    /// Learns the baseline first; `None` unless `1 <= run_length` and it is at most 1e100.
    #[must_use]
    pub fn new(run_length: f64, seed: u64) -> Option<Self> {
        (1.0 <= run_length && run_length <= 1e100).then(|| Self::empty(run_length, seed))
    }

    /// Watches from the first event on, around a share of `rate`; `None` also unless
    /// `0 < rate < 1`.
    ///
    /// `rate` says where to look, not what is normal: that is still learned, from all events so far,
    /// so bad events from the very first are the baseline. For a limit that is known take
    /// [`super::EDetector`].
    /// The closer to the truth, the sooner changes are found; the promise holds in any case.
    #[must_use]
    pub fn expecting(rate: f64, run_length: f64, seed: u64) -> Option<Self> {
        let mut detector = Self::new(run_length, seed)?;
        (0.0 < rate && rate < 1.0).then(|| {
            detector.expect(rate);
            detector
        })
    }

    fn empty(run_length: f64, seed: u64) -> Self {
        Self {
            run_length,
            expected: None,
            learned_bad: 0,
            learned: 0,
            bad: 0,
            total: 0,
            random: SplitMix::new(seed),
            values: [0.0; CELLS],
            ratios: [[1.0; CELLS]; 2],
            evidence: 0.0,
        }
    }

    /// Takes in one event; whether it alarms.
    #[inline]
    pub fn observe(&mut self, bad: bool) -> bool {
        let Some(expected) = self.expected else {
            self.learn(bad);
            return false;
        };
        self.total += 1;
        self.bad += u64::from(bad);
        let (bad_so_far, total) = (self.bad as f64, self.total as f64);
        let even = self.random.unit();
        let p_times_total = if bad { even * bad_so_far } else { bad_so_far + even * (total - bad_so_far) };
        let ratios = &self.ratios[usize::from(p_times_total < expected * total)];
        let mut evidence = 0.0;
        for ((value, ratio), (_, weight)) in self.values.iter_mut().zip(ratios).zip(CHANGES) {
            *value = ((*value + 1.0) * ratio).min(CEILING);
            evidence += weight * *value;
        }
        self.evidence = evidence;
        let alarm = evidence >= self.run_length;
        if alarm {
            self.values = [0.0; CELLS];
        }
        alarm
    }

    fn learn(&mut self, bad: bool) {
        self.learned += 1;
        self.learned_bad += u64::from(bad);
        let of_each = self.learned_bad.min(self.learned - self.learned_bad);
        if of_each >= LEARNED_OF_EACH || self.learned >= MOST_LEARNED {
            self.expect((self.learned_bad as f64 + 0.5) / (self.learned as f64 + 1.0));
        }
    }

    fn expect(&mut self, rate: f64) {
        let changed = CHANGES.map(|(ratio, _)| {
            // The same ratio of the odds where the share itself cannot rise so far.
            let odds = ratio * rate / (1.0 - rate + ratio * rate);
            if ratio < 1.0 { ratio * rate } else { (ratio * rate).min(0.9).max(odds) }
        });
        self.ratios = [changed.map(|after| (1.0 - after) / (1.0 - rate)), changed.map(|after| after / rate)];
        self.expected = Some(rate);
    }

    /// The value that is compared with the run length: below it most of the time, and at an alarm
    /// not.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        self.evidence
    }

    /// The share of bad events since learning ended; `None` before the first of them.
    #[must_use]
    pub fn baseline(&self) -> Option<f64> {
        (self.total > 0).then(|| self.bad as f64 / self.total as f64)
    }

    /// Whether it still learns, and so cannot alarm.
    #[must_use]
    pub fn is_learning(&self) -> bool {
        self.expected.is_none()
    }

    /// Forgets the baseline and learns it anew.
    pub fn relearn(&mut self) {
        *self = Self { random: self.random.clone(), ..Self::empty(self.run_length, 0) };
    }
}

impl Monitor for RateWatch {
    fn watch(&mut self, value: f64) -> bool {
        bit(value).is_some_and(|bad| self.observe(bad))
    }

    fn promise(&self) -> Promise {
        Promise::RunLength(self.run_length)
    }
}

#[cfg(test)]
mod tests;
