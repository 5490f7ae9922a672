//! Is the canary surely not much worse? The coin with its hypotheses exchanged.

use serde::{Deserialize, Serialize};

use super::Arm;
use super::coin::theta;

/// The e-process of non-inferiority: promote when `E >= 1/beta` for every guardrail.
///
/// Null hypothesis: the canary's bad rate is at least `excluded_ratio` times the baseline's. A bad
/// event multiplies by `theta(1)/theta(r1)` if it is the canary's and by
/// `(1 - theta(1))/(1 - theta(r1))` if it is the baseline's, so only bad events of the *baseline*
/// can speak for the canary. Without bad events there is no promotion: at a bad rate of 0.1 %, a
/// share of 10 % and `excluded_ratio` 2 it takes about 14,000 canary requests.
/// Source: as [`super::Coin`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promotion {
    excluded_ratio: f64,
    log_e: f64,
    canary_bad: u64,
    baseline_bad: u64,
}

impl Promotion {
    /// Excludes canaries that are `excluded_ratio` times as bad (2 or 1.5); `None` unless it is
    /// greater than one and finite.
    #[must_use]
    pub fn new(excluded_ratio: f64) -> Option<Self> {
        (excluded_ratio > 1.0 && excluded_ratio.is_finite()).then_some(Self {
            excluded_ratio,
            log_e: 0.0,
            canary_bad: 0,
            baseline_bad: 0,
        })
    }

    /// Takes in one bad event; `false`, and no change, unless `0 < canary_share < 1`.
    pub fn observe(&mut self, arm: Arm, canary_share: f64) -> bool {
        match arm {
            Arm::Canary => self.observe_counts(1, 0, canary_share),
            Arm::Baseline => self.observe_counts(0, 1, canary_share),
        }
    }

    /// Takes in the bad events of a stretch in which the share did not change.
    pub fn observe_counts(&mut self, canary_bad: u64, baseline_bad: u64, canary_share: f64) -> bool {
        if !(0.0 < canary_share && canary_share < 1.0) {
            return false;
        }
        let worse = theta(canary_share, self.excluded_ratio);
        let log_canary = (canary_share / worse).ln();
        let log_baseline = (-canary_share).ln_1p() - (-worse).ln_1p();
        self.log_e += canary_bad as f64 * log_canary + baseline_bad as f64 * log_baseline;
        self.canary_bad += canary_bad;
        self.baseline_bad += baseline_bad;
        true
    }

    /// The evidence for promotion: `ln E`; promote at `ln(1/beta)`.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        self.log_e
    }

    /// Bad events of the canary and of the baseline that were taken in.
    #[must_use]
    pub fn bad_counts(&self) -> (u64, u64) {
        (self.canary_bad, self.baseline_bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_events_of_the_baseline_speak_for_the_canary() {
        let mut promotion = Promotion::new(2.0).unwrap();
        assert!(promotion.observe_counts(0, 100, 0.5));
        assert!(promotion.log_e() > 100.0_f64.ln());
        let before = promotion.log_e();
        promotion.observe(Arm::Canary, 0.5);
        assert!(promotion.log_e() < before);
    }

    /// Goal: a canary exactly at the excluded ratio has a mean E of one after one event.
    #[test]
    fn the_mean_at_the_excluded_ratio_is_one() {
        let (share, ratio) = (0.1, 2.0);
        let chance = theta(share, ratio);
        let after = |arm| {
            let mut promotion = Promotion::new(ratio).unwrap();
            promotion.observe(arm, share);
            promotion.log_e().exp()
        };
        let mean = chance * after(Arm::Canary) + (1.0 - chance) * after(Arm::Baseline);
        assert!((mean - 1.0).abs() < 1e-12);
        assert_eq!(Promotion::new(1.0), None);
    }
}
