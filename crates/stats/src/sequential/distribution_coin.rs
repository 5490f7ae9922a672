//! Do the scores of two arms differ in any place, either way?

use serde::{Deserialize, Serialize};

use super::{Arm, Coin, log_mean_exp};

/// Coins on both sides of frozen thresholds, each for too many and too few.
///
/// With the baseline's p50, p75, p90, p99 as upper and p50, p25, p10, p1 as lower thresholds that
/// is 16 coins, and `E` is their mean: a changed shape with the same mean is found too.
/// Cost: two coins for each threshold that the value passes. Source: as [`Coin`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DistributionCoin {
    upper: Vec<Side>,
    lower: Vec<Side>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Side {
    threshold: f64,
    over: Coin,
    /// The same events with the arms exchanged: evidence that the canary has too few of them.
    under: Coin,
}

impl DistributionCoin {
    /// Events above each of `upper` and below each of `lower`; `None` if there are none or one is
    /// not finite.
    #[must_use]
    pub fn new(upper: &[f64], lower: &[f64]) -> Option<Self> {
        Self::tolerating(upper, lower, 1.0)
    }

    /// The same, with each place up to `ratio` times as full or as empty tolerated; `None` also unless the
    /// ratio is positive and finite.
    #[must_use]
    pub fn tolerating(upper: &[f64], lower: &[f64], ratio: f64) -> Option<Self> {
        let coin = Coin::new(ratio)?;
        let finite = upper.iter().chain(lower).all(|threshold| threshold.is_finite());
        if !finite || upper.is_empty() && lower.is_empty() {
            return None;
        }
        let sides = |thresholds: &[f64]| {
            let side = |threshold| Side { threshold, over: coin, under: coin };
            thresholds.iter().copied().map(side).collect()
        };
        Some(Self { upper: sides(upper), lower: sides(lower) })
    }

    /// Takes in one value; `false` if it is NaN or the share is not between zero and one.
    pub fn observe(&mut self, value: f64, arm: Arm, canary_share: f64) -> bool {
        self.observe_between(value, arm, canary_share, canary_share)
    }

    /// Takes in one value where the canary's share is only known to lie between two numbers: each coin gets
    /// the one that speaks for "no difference".
    pub fn observe_between(&mut self, value: f64, arm: Arm, least_share: f64, most_share: f64) -> bool {
        if value.is_nan() || !(0.0 < least_share && least_share <= most_share && most_share < 1.0) {
            return false;
        }
        let above = self.upper.iter_mut().filter(|side| value > side.threshold);
        let below = self.lower.iter_mut().filter(|side| value < side.threshold);
        let exchanged = match arm {
            Arm::Canary => Arm::Baseline,
            Arm::Baseline => Arm::Canary,
        };
        for side in above.chain(below) {
            side.over.observe(arm, most_share);
            side.under.observe(exchanged, 1.0 - least_share);
        }
        true
    }

    /// The evidence that the two arms differ: `ln E`; stop at `ln(1/alpha)`.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        let sides = self.upper.iter().chain(&self.lower);
        let logs: Vec<f64> = sides.flat_map(|side| [side.over.log_e(), side.under.log_e()]).collect();
        log_mean_exp(&logs).unwrap_or(0.0)
    }

    /// A bound that [`DistributionCoin::log_e`] does not exceed, without exponentials.
    #[must_use]
    pub fn at_most(&self) -> f64 {
        let sides = self.upper.iter().chain(&self.lower);
        sides.map(|side| side.over.at_most().max(side.under.at_most())).fold(f64::NEG_INFINITY, f64::max)
    }

    /// The threshold with the most evidence, whether the canary has too many (or too few) values beyond it,
    /// and whether beyond is above.
    #[must_use]
    pub fn strongest(&self) -> Option<(f64, bool, bool)> {
        let upper = self.upper.iter().map(|side| (side, true));
        let all = upper.chain(self.lower.iter().map(|side| (side, false)));
        let each = all.flat_map(|(side, above)| {
            [(side.over.log_e(), (side.threshold, true, above)), (side.under.log_e(), (side.threshold, false, above))]
        });
        each.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, place)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::tests_stream::Lcg;

    fn log_e(canary: impl Fn(f64) -> f64) -> f64 {
        let mut coin = DistributionCoin::new(&[0.5, 0.75, 0.9, 0.99], &[0.5, 0.25, 0.1, 0.01]).unwrap();
        let mut stream = Lcg::new(11);
        for _ in 0..4_000 {
            let arm = if stream.next() < 0.3 { Arm::Canary } else { Arm::Baseline };
            let value = stream.next();
            let value = if arm == Arm::Canary { canary(value) } else { value };
            coin.observe(value, arm, 0.3);
        }
        coin.log_e()
    }

    #[test]
    fn finds_scores_that_are_narrower_or_wider() {
        assert!(log_e(|score| 0.25 + score / 2.0) > 100.0_f64.ln());
        assert!(log_e(|score| if score > 0.9 { 0.995 } else { score }) > 100.0_f64.ln());
    }

    #[test]
    fn equal_scores_are_no_evidence() {
        assert!(log_e(|score| score) < 20.0_f64.ln());
        assert_eq!(DistributionCoin::new(&[], &[]), None);
    }
}
