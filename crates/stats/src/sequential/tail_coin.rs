//! Is the canary slower anywhere between the median and the far tail?

use serde::{Deserialize, Serialize};

use super::{Arm, Coin, log_mean_exp};

/// One coin for each threshold; a value above a threshold is a bad event for its coin.
///
/// Thresholds are quantiles of the baseline (p50, p90, p99, p99.9) and the objective, **frozen
/// before the canary starts**. `E` is the mean, so nothing need be chosen and the error rate holds
/// over all thresholds together. Valid for any common movement of both arms.
/// Cost: a coin for each threshold below the value. Source: as [`Coin`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TailCoin {
    thresholds: Vec<f64>,
    coins: Vec<Coin>,
}

impl TailCoin {
    /// Thresholds in ascending order; `None` if there are none or they are out of order.
    #[must_use]
    pub fn new(thresholds: &[f64], tolerated_ratio: f64) -> Option<Self> {
        let ascending = thresholds.windows(2).all(|pair| pair[0] < pair[1]);
        let finite = thresholds.iter().all(|threshold| threshold.is_finite());
        if thresholds.is_empty() || !ascending || !finite {
            return None;
        }
        let coin = Coin::new(tolerated_ratio)?;
        Some(Self { thresholds: thresholds.to_vec(), coins: vec![coin; thresholds.len()] })
    }

    /// Takes in one value; `false` if it is NaN or the share is not between zero and one.
    pub fn observe(&mut self, value: f64, arm: Arm, canary_share: f64) -> bool {
        if value.is_nan() || !(0.0 < canary_share && canary_share < 1.0) {
            return false;
        }
        for (coin, threshold) in self.coins.iter_mut().zip(&self.thresholds) {
            if value <= *threshold {
                break;
            }
            coin.observe(arm, canary_share);
        }
        true
    }

    /// Takes in a stretch: for each threshold, how many values of each arm lay above it.
    ///
    /// `false`, and no change, if the counts do not match the thresholds or the share is invalid.
    pub fn observe_counts(&mut self, canary: &[u64], baseline: &[u64], canary_share: f64) -> bool {
        let fits = canary.len() == self.coins.len() && baseline.len() == self.coins.len();
        if !(fits && 0.0 < canary_share && canary_share < 1.0) {
            return false;
        }
        for ((coin, canary), baseline) in self.coins.iter_mut().zip(canary).zip(baseline) {
            coin.observe_counts(*canary, *baseline, canary_share);
        }
        true
    }

    /// The evidence that the canary is slower: `ln E`; stop at `ln(1/alpha)`.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        let logs: Vec<f64> = self.coins.iter().map(Coin::log_e).collect();
        log_mean_exp(&logs).unwrap_or(0.0)
    }

    /// A bound that [`TailCoin::log_e`] does not exceed, without exponentials.
    #[must_use]
    pub fn at_most(&self) -> f64 {
        self.coins.iter().map(Coin::at_most).fold(f64::NEG_INFINITY, f64::max)
    }

    /// The thresholds.
    #[must_use]
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }

    /// The coins, one a threshold: the one with the most evidence names the place.
    #[must_use]
    pub fn coins(&self) -> &[Coin] {
        &self.coins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_a_slow_tail_behind_an_unchanged_median() {
        let mut coin = TailCoin::new(&[50.0, 100.0, 150.0], 1.0).unwrap();
        for step in 0..200 {
            let arm = if step % 2 == 0 { Arm::Canary } else { Arm::Baseline };
            let slow = arm == Arm::Canary && step % 10 == 0;
            coin.observe(if slow { 400.0 } else { 60.0 }, arm, 0.5);
        }
        assert!(coin.log_e() > 100.0_f64.ln());
        assert!(coin.coins()[0].log_e() < 0.0);
        assert!(coin.coins()[2].log_e() > 100.0_f64.ln());
    }

    #[test]
    fn counts_and_values_agree() {
        let mut by_value = TailCoin::new(&[1.0, 2.0], 1.0).unwrap();
        by_value.observe(1.5, Arm::Canary, 0.3);
        by_value.observe(9.0, Arm::Baseline, 0.3);
        let mut by_count = TailCoin::new(&[1.0, 2.0], 1.0).unwrap();
        assert!(by_count.observe_counts(&[1, 0], &[1, 1], 0.3));
        assert!((by_value.log_e() - by_count.log_e()).abs() < 1e-12);
        assert!(!by_count.observe_counts(&[1], &[1, 1], 0.3));
        assert_eq!(TailCoin::new(&[2.0, 1.0], 1.0), None);
    }
}
