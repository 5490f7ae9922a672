//! Is the canary worse? Given that a bad event happened: whose was it?

use serde::{Deserialize, Serialize};

use super::Arm;
use super::mixture::{FINE_RATIOS, Mixture, RATIOS, Steps};

/// The two-arm e-process on bad events, the default for errors, time-outs and slow answers.
///
/// Null hypothesis: the canary's bad rate is at most `tolerated_ratio` times the baseline's,
/// *whatever the common rate is and however it moves*; so an outage that both arms share is no
/// evidence. With `w` the canary's share of the traffic when the event was routed,
/// `theta(r) = w r / (w r + 1 - w)`, and for each ratio `rho` of the grid a bad event multiplies
///
/// - by `theta(rho r0) / theta(r0)` if it is the canary's,
/// - by `(1 - theta(rho r0)) / (1 - theta(r0))` if it is the baseline's.
///
/// `E` is the mean over the grid. Good events cost nothing; an event costs 14 multiply-adds.
/// Not to be trusted when events come in clumps (count one a session), when `w` is not the counted
/// share, or when routing depends on the request: then the coin is not fair.
/// Source: likelihood ratio of a Bernoulli coin; Ramdas et al., "Game-theoretic statistics and
/// safe anytime-valid inference", Statistical Science 38 (2023).
///
/// ```
/// use wardline_stats::sequential::{Arm, Coin};
/// let mut coin = Coin::new(1.0).unwrap_or_default();
/// for _ in 0..5 { coin.observe(Arm::Canary, 0.1); }
/// assert!(coin.log_e() > 100.0_f64.ln());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coin {
    tolerated_ratio: f64,
    ratios: [f64; RATIOS.len()],
    mixture: Mixture,
    canary_bad: u64,
    baseline_bad: u64,
    peak_log_e: f64,
    /// Steps of the share seen last: the share rarely changes from one event to the next.
    share: f64,
    steps: Steps,
}

impl Default for Coin {
    /// Tolerates no difference.
    fn default() -> Self {
        Self::with_ratio(1.0, RATIOS)
    }
}

impl Coin {
    /// Tolerates a canary that is up to `tolerated_ratio` times as bad (1.0, or 1.1 to overlook
    /// trifles); `None` unless it is positive and finite.
    #[must_use]
    pub fn new(tolerated_ratio: f64) -> Option<Self> {
        (tolerated_ratio > 0.0 && tolerated_ratio.is_finite()).then(|| Self::with_ratio(tolerated_ratio, RATIOS))
    }

    /// The coin for bad events that are frequent, such as wrong labels or rejections: it bets on
    /// [`FINE_RATIOS`]. It needs the share to a few per cent of itself.
    #[must_use]
    pub fn fine(tolerated_ratio: f64) -> Option<Self> {
        (tolerated_ratio > 0.0 && tolerated_ratio.is_finite()).then(|| Self::with_ratio(tolerated_ratio, FINE_RATIOS))
    }

    fn with_ratio(tolerated_ratio: f64, ratios: [f64; RATIOS.len()]) -> Self {
        Self {
            tolerated_ratio,
            ratios,
            mixture: Mixture::default(),
            canary_bad: 0,
            baseline_bad: 0,
            peak_log_e: 0.0,
            share: 0.5,
            steps: steps(0.5, tolerated_ratio, ratios),
        }
    }

    /// Takes in one bad event; `canary_share` is the share of traffic that the canary had.
    ///
    /// `false`, and no change, unless `0 < canary_share < 1`: with one arm there is no coin.
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
        if canary_share != self.share {
            self.share = canary_share;
            self.steps = steps(canary_share, self.tolerated_ratio, self.ratios);
        }
        self.mixture.observe(&self.steps, canary_bad, baseline_bad);
        self.canary_bad += canary_bad;
        self.baseline_bad += baseline_bad;
        if canary_bad > 0 && self.at_most() > self.peak_log_e {
            self.peak_log_e = self.peak_log_e.max(self.log_e());
        }
        true
    }

    /// The evidence against the canary: `ln E`; stop at `ln(1/alpha)`.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        self.mixture.log_e()
    }

    /// A bound that [`Coin::log_e`] does not exceed, without exponentials.
    #[inline]
    #[must_use]
    pub fn at_most(&self) -> f64 {
        self.mixture.most()
    }

    /// The most evidence so far: what an always-watching judge has seen.
    #[must_use]
    pub fn peak_log_e(&self) -> f64 {
        self.peak_log_e
    }

    /// Bad events of the canary and of the baseline that were taken in.
    #[must_use]
    pub fn bad_counts(&self) -> (u64, u64) {
        (self.canary_bad, self.baseline_bad)
    }
}

/// The canary's chance of a bad event when it is `ratio` times as bad as the baseline.
pub(super) fn theta(share: f64, ratio: f64) -> f64 {
    share * ratio / (share * ratio + 1.0 - share)
}

fn steps(share: f64, tolerated_ratio: f64, ratios: [f64; RATIOS.len()]) -> Steps {
    let alternatives = ratios.map(|ratio| theta(share, ratio * tolerated_ratio));
    Steps::bernoulli(theta(share, tolerated_ratio), alternatives)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// canary_sim.py, numpy 2.4.6: `coin_logE_counts(4, 3, 0.1, 1.0)`.
    #[test]
    fn agrees_with_the_formula() {
        let mut coin = Coin::default();
        assert!(coin.observe_counts(4, 3, 0.1));
        let expected = RATIOS
            .iter()
            .map(|rho| {
                let theta = 0.1 * rho / (0.1 * rho + 0.9);
                (theta / 0.1).powi(4) * ((1.0 - theta) / 0.9).powi(3) / 7.0
            })
            .sum::<f64>();
        assert!((coin.log_e() - expected.ln()).abs() < 1e-12);
    }

    /// Goal: the mean of E under the null is at most 1. Method: all outcomes of 12 bad events.
    #[test]
    fn the_mean_under_no_difference_is_one() {
        for share in [0.01, 0.1, 0.5, 0.9] {
            let mut mean = 0.0;
            for canary in 0..=12_u64 {
                let mut coin = Coin::default();
                coin.observe_counts(canary, 12 - canary, share);
                let ways = (1..=canary).fold(1.0, |ways, k| ways * (13 - k) as f64 / k as f64);
                mean += ways * share.powi(canary as i32) * (1.0 - share).powi(12 - canary as i32) * coin.log_e().exp();
            }
            assert!((mean - 1.0).abs() < 1e-9, "share {share}: {mean}");
        }
    }

    /// Goal: a fifth more of what is frequent is found by the fine grid long before the coarse one finds it.
    #[test]
    fn the_fine_grid_finds_a_small_rise_of_a_frequent_event() {
        let (mut fine, mut coarse) = (Coin::fine(1.0).unwrap(), Coin::default());
        for coin in [&mut fine, &mut coarse] {
            coin.observe_counts(600, 500, 0.5);
        }
        assert!(fine.log_e() > 20.0_f64.ln() / 2.0 && coarse.log_e() < 0.0, "{} {}", fine.log_e(), coarse.log_e());
        assert!(fine.log_e() <= fine.at_most());
    }

    #[test]
    fn one_arm_alone_is_no_evidence() {
        let mut coin = Coin::default();
        assert!(!coin.observe(Arm::Canary, 1.0));
        assert!(!coin.observe(Arm::Canary, f64::NAN));
        assert_eq!(coin.log_e(), 0.0);
        assert_eq!(Coin::new(0.0), None);
    }

    proptest! {
        #[test]
        fn a_cell_equals_its_events(canary in 0..20_u64, baseline in 0..20_u64) {
            let mut cell = Coin::default();
            cell.observe_counts(canary, baseline, 0.2);
            let mut single = Coin::default();
            (0..canary).for_each(|_| { single.observe(Arm::Canary, 0.2); });
            (0..baseline).for_each(|_| { single.observe(Arm::Baseline, 0.2); });
            prop_assert!((cell.log_e() - single.log_e()).abs() < 1e-9);
        }
    }
}
