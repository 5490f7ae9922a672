//! Which of two models is right where they disagree? Both answer the same requests.

use serde::{Deserialize, Serialize};
use statrs::function::beta::ln_beta;

use super::Sides;
use super::monitor::EProcess;
use crate::distribution::beta;

/// The sequential McNemar test of pairs: one request, two answers, one truth.
///
/// Null hypothesis: where exactly one of the two is right, it is the new one at least as often as
/// the old one (above), or equally often (both sides), *whatever share of requests that is and
/// however it moves*. With `w` pairs in which the new one was worse (old right, new wrong) and `b`
/// in which it was better, `E = 2^n B(w + 1/2, b + 1/2) / B(1/2, 1/2)` with `n = w + b`; above, the
/// same over chances beyond one half only: twice that times the upper tail at 1/2 of
/// `Beta(w + 1/2, b + 1/2)`. Pairs that agree cost nothing.
/// Not to be trusted when the truth is known for one of the answers only, or when labels were chosen
/// by looking at one of them.
/// Cost: two additions a pair; `log_e` some hundred steps, which [`super::Stop`] asks for only where
/// two logarithms leave it open. No allocation.
/// Source: McNemar, Psychometrika 12 (1947); the mixture of Robbins, "Statistical methods related to
/// the law of the iterated logarithm", Annals of Mathematical Statistics 41 (1970).
///
/// ```
/// use wardline_stats::sequential::{McNemarE, Sides};
/// let mut pairs = McNemarE::new(Sides::Above);
/// for _ in 0..12 { pairs.observe(true, false); }
/// assert!(pairs.log_e() > 100.0_f64.ln());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct McNemarE {
    sides: Sides,
    worse: u64,
    better: u64,
}

impl McNemarE {
    /// No pair seen. Above: evidence that the new one is worse; both: that they differ.
    #[must_use]
    pub fn new(sides: Sides) -> Self {
        Self { sides, worse: 0, better: 0 }
    }

    /// Takes in one pair: was the old one right, and was the new one.
    pub fn observe(&mut self, old_is_right: bool, new_is_right: bool) {
        self.worse += u64::from(old_is_right && !new_is_right);
        self.better += u64::from(new_is_right && !old_is_right);
    }

    /// Takes in many pairs at once.
    pub fn observe_counts(&mut self, worse: u64, better: u64) {
        self.worse = self.worse.saturating_add(worse);
        self.better = self.better.saturating_add(better);
    }

    /// The evidence: `ln E`; stop at `ln(1/alpha)`.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        let (worse, better) = (self.worse as f64 + 0.5, self.better as f64 + 0.5);
        let two_sided =
            (worse + better - 1.0) * std::f64::consts::LN_2 + ln_beta(worse, better) - std::f64::consts::PI.ln();
        match (self.sides, beta::sf(0.5, worse, better)) {
            (Sides::Above, Some(tail)) if tail > 1e-250 => two_sided + (2.0 * tail).ln(),
            // The tail alone underflows where the new one is far better; with the factor it is
            // the first terms of its continued fraction, 2 / (pi (b - w)) to one in a thousand.
            (Sides::Above, _) => -(std::f64::consts::FRAC_PI_2 * (better - worse).max(1.0)).ln(),
            (Sides::Both, _) => two_sided,
        }
    }

    /// Pairs in which the new one was worse, and those in which it was better.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.worse, self.better)
    }
}

impl EProcess for McNemarE {
    /// 1 is a pair in which the new one was worse, -1 one in which it was better.
    fn take(&mut self, value: f64) {
        if value == 1.0 {
            self.worse += 1;
        } else if value == -1.0 {
            self.better += 1;
        }
    }

    fn log_e(&self) -> f64 {
        McNemarE::log_e(self)
    }

    fn reaches(&self, least_log_e: f64) -> bool {
        // A mixture is no greater than its greatest part: the likelihood at the share seen.
        let (worse, better) = (self.worse as f64, self.better as f64);
        let half = 0.5 * (worse + better);
        let part = |count: f64| if count > 0.0 { count * (count / half).ln() } else { 0.0 };
        let is_asked = self.sides == Sides::Both || worse > better;
        // Above, the parts weigh twice.
        let most = if is_asked { part(worse) + part(better) + std::f64::consts::LN_2 } else { std::f64::consts::LN_2 };
        most >= least_log_e && self.log_e() >= least_log_e
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log_e(sides: Sides, worse: u64, better: u64) -> f64 {
        let mut pairs = McNemarE::new(sides);
        pairs.observe_counts(worse, better);
        pairs.log_e()
    }

    /// scipy 1.17.1: `integrate.quad` of the mixture over chances beyond one half, `betaln` for both.
    #[test]
    fn agrees_with_the_integral() {
        for (worse, better, above, both) in [
            (3, 1, 0.048_231_133_253_513_185, -0.470_003_629_245_735_47),
            (10, 2, 2.095_847_158_159_876_5, 1.411_129_875_084_739_4),
            (0, 50, -4.383_044_451_259_001, 32.126_482_624_020_16),
            (60, 40, 0.153_017_727_190_506_13, -0.517_394_483_015_123_6),
            (1_000, 1_200, -5.798_860_246_300_091, 5.029_460_643_239_774),
        ] {
            for (sides, expected) in [(Sides::Above, above), (Sides::Both, both)] {
                let found = log_e(sides, worse, better);
                assert!((found - expected).abs() < 1e-9 * (1.0 + f64::abs(expected)), "{worse} {better}: {found}");
            }
        }
        assert!((log_e(Sides::Above, 0, 2_000) + 8.052_984_790_496_476).abs() < 1e-3);
        assert!(log_e(Sides::Above, 0, 0).abs() < 1e-12);
    }

    /// Goal: the mean of E is one at equal chances, and at most one where the new one is better.
    /// Method: all outcomes of 14 pairs that disagree.
    #[test]
    fn the_mean_under_the_null_is_at_most_one() {
        let mean = |sides, chance: f64| -> f64 {
            (0..=14_u64)
                .map(|worse| {
                    let ways = (1..=worse).fold(1.0, |ways, k| ways * (15 - k) as f64 / k as f64);
                    let better = 14 - worse;
                    ways * chance.powi(worse as i32)
                        * (1.0 - chance).powi(better as i32)
                        * log_e(sides, worse, better).exp()
                })
                .sum()
        };
        assert!((mean(Sides::Above, 0.5) - 1.0).abs() < 1e-9);
        assert!((mean(Sides::Both, 0.5) - 1.0).abs() < 1e-9);
        assert!(mean(Sides::Above, 0.4) < 1.0);
    }

    proptest! {
        #[test]
        fn what_it_reaches_is_its_evidence(worse in 0..300_u64, better in 0..300_u64, least in -3.0..20.0_f64) {
            for sides in [Sides::Above, Sides::Both] {
                let mut pairs = McNemarE::new(sides);
                pairs.observe_counts(worse, better);
                prop_assert_eq!(pairs.reaches(least), pairs.log_e() >= least);
            }
        }

        #[test]
        fn is_a_number_and_grows_with_worse_pairs(worse in 0..5_000_u64, better in 0..5_000_u64) {
            let before = log_e(Sides::Above, worse, better);
            prop_assert!(before.is_finite());
            prop_assert!(log_e(Sides::Above, worse + 1, better) > before - 1e-3);
            let (one, other) = (log_e(Sides::Both, worse, better), log_e(Sides::Both, better, worse));
            prop_assert!((one - other).abs() < 1e-6);
        }
    }
}
