//! Has a share passed a known limit? One arm, looked at after every event.

use serde::{Deserialize, Serialize};

use super::mixture::{Direction, Mixture, Steps};
use super::monitor::{EProcess, bit};

/// The one-arm e-process for a share against a fixed limit `p0`.
///
/// Null hypothesis: the share is at most `p0` (for an increase) or at least `p0` (for a decrease)
/// at every event. `E` is the mean over the grid of `prod (p_j/p0)^bad ((1-p_j)/(1-p0))^good`;
/// `n` good events are one update. It also fires in an outage that both arms share, so it holds or
/// pages, but must not roll back alone.
/// Not to be trusted when bad events come in clumps: count one a session.
/// Source: as [`super::Coin`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BernoulliE {
    steps: Steps,
    mixture: Mixture,
    bad: u64,
    total: u64,
}

impl BernoulliE {
    /// Tests against the limit `p0`; `None` unless `0 < p0 < 1`.
    #[must_use]
    pub fn new(p0: f64, direction: Direction) -> Option<Self> {
        (0.0 < p0 && p0 < 1.0).then(|| Self {
            steps: Steps::of_rate(p0, direction),
            mixture: Mixture::default(),
            bad: 0,
            total: 0,
        })
    }

    /// Takes in one event.
    pub fn observe(&mut self, bad: bool) {
        self.observe_counts(u64::from(bad), u64::from(!bad));
    }

    /// Takes in the events of a stretch.
    pub fn observe_counts(&mut self, bad: u64, good: u64) {
        self.mixture.observe(&self.steps, bad, good);
        self.bad += bad;
        self.total += bad + good;
    }

    /// The evidence that the limit is passed: `ln E`; stop at `ln(1/alpha)`.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        self.mixture.log_e()
    }

    /// Bad events and all events that were taken in.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.bad, self.total)
    }
}

impl EProcess for BernoulliE {
    fn take(&mut self, value: f64) {
        if let Some(bad) = bit(value) {
            self.observe(bad);
        }
    }

    fn log_e(&self) -> f64 {
        BernoulliE::log_e(self)
    }

    fn reaches(&self, least_log_e: f64) -> bool {
        self.mixture.reaches(least_log_e)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the mean of E at the limit is 1, below it less. Method: all outcomes of 15 events.
    #[test]
    fn the_mean_under_the_limit_is_at_most_one() {
        for (p0, direction) in [
            (0.001, Direction::Increase),
            (0.3, Direction::Increase),
            (0.95, Direction::Increase),
            (0.3, Direction::Decrease),
        ] {
            let mean_at = |p: f64| -> f64 {
                (0..=15_u64)
                    .map(|bad| {
                        let mut process = BernoulliE::new(p0, direction).unwrap();
                        process.observe_counts(bad, 15 - bad);
                        let ways = (1..=bad).fold(1.0, |w, k| w * (16 - k) as f64 / k as f64);
                        ways * p.powi(bad as i32) * (1.0 - p).powi(15 - bad as i32) * process.log_e().exp()
                    })
                    .sum()
            };
            assert!((mean_at(p0) - 1.0).abs() < 1e-9, "at {p0}: {}", mean_at(p0));
            let inside = if direction == Direction::Increase { p0 * 0.9 } else { p0 * 1.1 };
            assert!(mean_at(inside) < 1.0);
        }
    }

    /// Goal: the least and the most. 3 bad of 100 against 0.1 % is evidence at 1 %, 1 bad is not.
    #[test]
    fn a_few_bad_events_against_a_tight_limit() {
        let log_e = |bad| {
            let mut process = BernoulliE::new(0.001, Direction::Increase).unwrap();
            process.observe_counts(bad, 100 - bad);
            process.log_e()
        };
        assert!(log_e(3) > 100.0_f64.ln());
        assert!(log_e(1) < 100.0_f64.ln());
    }

    #[test]
    fn refuses_a_limit_that_is_no_share() {
        assert_eq!(BernoulliE::new(0.0, Direction::Increase), None);
        assert_eq!(BernoulliE::new(f64::NAN, Direction::Increase), None);
    }
}
