//! An e-process that is started anew at each doubling, so that what turns bad late is found as soon.

use serde::{Deserialize, Serialize};

/// Weight of the copy that runs from the start.
const FIRST_WEIGHT: f64 = 0.7;
/// Events until the first fresh copy; each later one comes at the double.
const FIRST_RENEWAL: u64 = 64;
/// Most copies: the last starts after 2^27 events.
const MOST_COPIES: usize = 22;

/// Copies of one e-process that start at 0, 64, 128, 256, ... events, and their weighted sum.
///
/// An e-process that has seen 10,000 good events is far below one and must first climb back when its
/// subject turns bad; a fresh copy starts at one. The weights are fixed beforehand and sum to at most
/// one (0.7 for the first, `0.6 / ((k + 1)(k + 2))` for the k-th renewal), so the sum is an e-process
/// again. Cost: as many copies as the count of events has binary digits, less five.
/// Source: the mixture over starting times of Shin, Ramdas, Rinaldo, "E-detectors", NEJSDS 2 (2024).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Renewed<P> {
    fresh: P,
    copies: Vec<P>,
    events: u64,
}

impl<P: Clone> Renewed<P> {
    /// Copies of a process that has seen nothing.
    #[must_use]
    pub fn new(fresh: P) -> Self {
        Self { copies: vec![fresh.clone()], fresh, events: 0 }
    }

    /// Counts events, good or bad, and starts a copy where one is due. Call it before the event is shown.
    pub fn count(&mut self, events: u64) {
        self.events += events;
        while self.copies.len() < MOST_COPIES && self.events > (FIRST_RENEWAL << (self.copies.len() - 1)) {
            self.copies.push(self.fresh.clone());
        }
    }

    /// Every copy, the oldest first.
    pub fn copies_mut(&mut self) -> &mut [P] {
        &mut self.copies
    }

    /// The copy that has seen everything.
    #[must_use]
    pub fn first(&self) -> &P {
        &self.copies[0]
    }

    /// The copy with the most evidence.
    #[must_use]
    pub fn strongest(&self, log_e: impl Fn(&P) -> f64) -> &P {
        let best = self.copies.iter().max_by(|left, right| log_e(left).total_cmp(&log_e(right)));
        best.unwrap_or(&self.fresh)
    }

    /// `E` of all copies together, from the `ln E` of each; at most `1e300`.
    #[must_use]
    pub fn e(&self, log_e: impl Fn(&P) -> f64) -> f64 {
        let parts =
            self.copies.iter().enumerate().map(|(copy, process)| weight(copy) * log_e(process).min(690.0).exp());
        parts.sum()
    }

    /// A bound on [`Renewed::e`], as a logarithm, from a bound on the `ln E` of each copy.
    #[must_use]
    pub fn at_most(&self, at_most: impl Fn(&P) -> f64) -> f64 {
        self.copies.iter().map(at_most).fold(f64::NEG_INFINITY, f64::max)
    }
}

fn weight(copy: usize) -> f64 {
    if copy == 0 {
        return FIRST_WEIGHT;
    }
    2.0 * (1.0 - FIRST_WEIGHT) / ((copy + 1) * (copy + 2)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::{Arm, Coin};

    fn events_until(renewed: &mut Renewed<Coin>, good: u64, least: f64) -> u64 {
        renewed.count(good);
        (1..=10_000)
            .find(|event| {
                renewed.count(1);
                let arm = if event % 3 == 0 { Arm::Baseline } else { Arm::Canary };
                renewed.copies_mut().iter_mut().for_each(|coin| {
                    coin.observe(arm, 0.1);
                });
                renewed.e(Coin::log_e) >= least
            })
            .unwrap()
    }

    #[test]
    fn weights_sum_to_at_most_one() {
        let sum: f64 = (0..MOST_COPIES).map(weight).sum();
        assert!(0.95 < sum && sum <= 1.0, "{sum}");
    }

    /// Goal: after 3,000 bad events of the baseline alone, a canary that turns bad is found as soon as a new one.
    #[test]
    fn what_turns_bad_late_is_found_soon() {
        let mut late = Renewed::new(Coin::default());
        for _ in 0..3_000 {
            late.count(1);
            late.copies_mut().iter_mut().for_each(|coin| {
                coin.observe(Arm::Baseline, 0.1);
            });
        }
        let mut once = *late.first();
        let found = events_until(&mut late, 3_000, 100.0);
        (0..found).for_each(|_| {
            once.observe(Arm::Canary, 0.1);
        });
        assert!(found <= 20, "{found}");
        assert!(once.log_e() < 0.0);
    }

    #[test]
    fn the_bound_bounds() {
        let mut renewed = Renewed::new(Coin::default());
        events_until(&mut renewed, 0, 50.0);
        assert!(renewed.e(Coin::log_e).ln() <= renewed.at_most(Coin::at_most));
        assert!(renewed.strongest(Coin::log_e).log_e() >= renewed.first().log_e());
    }
}
