//! Has the mean of a bounded score moved? By betting on its sign.

use serde::{Deserialize, Serialize};

use super::log_mean_exp;
use super::monitor::EProcess;

/// Stakes of the bets, each with the same weight.
const STAKES: [f64; 7] = [0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.4];

/// Which moves are evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sides {
    /// A mean above `delta`.
    Above,
    /// A mean above `delta` or below `-delta`.
    Both,
}

/// Values between two logarithms: a factor lies in `0.2..1.8`, so products keep within `1e-45..1e17`.
const VALUES_A_LOGARITHM: u64 = 64;

/// The capital of each stake: a product since the last logarithm, and the logarithm before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Capital {
    product: [f64; STAKES.len()],
    log: [f64; STAKES.len()],
}

impl Capital {
    const START: Self = Self { product: [1.0; STAKES.len()], log: [0.0; STAKES.len()] };

    #[inline]
    fn bet(&mut self, gain: f64) {
        for (product, stake) in self.product.iter_mut().zip(STAKES) {
            *product *= 1.0 + stake * gain;
        }
    }

    fn settle(&mut self) {
        self.log = self.logs();
        self.product = [1.0; STAKES.len()];
    }

    fn logs(&self) -> [f64; STAKES.len()] {
        std::array::from_fn(|stake| self.log[stake] + self.product[stake].ln())
    }

    fn log_e(&self) -> f64 {
        log_mean_exp(&self.logs()).unwrap_or(0.0)
    }

    /// A bound on `log_e` without logarithms: a number is below two to its exponent and one more.
    #[inline]
    fn most(&self) -> f64 {
        let bound = |stake: usize| {
            let exponent = ((self.product[stake].to_bits() >> 52) & 0x7ff) as f64 - 1_022.0;
            self.log[stake] + exponent * std::f64::consts::LN_2
        };
        (0..STAKES.len()).map(bound).fold(f64::NEG_INFINITY, f64::max)
    }
}

/// The betting e-process for the mean of values in `-1..=1`.
///
/// Null hypothesis: the conditional mean of every value is at most `delta` (both sides: between
/// `-delta` and `delta`). `E = mean_k prod (1 + lambda_k (d - delta))`; for both sides the average
/// with the same of `-d`. Cost: 7 or 14 multiply-adds a value, and as many logarithms at every
/// 64th; no allocation.
/// Source: Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting",
/// JRSS B 86 (2024).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoundedMeanE {
    delta: f64,
    sides: Sides,
    above: Capital,
    below: Capital,
    count: u64,
    sum: f64,
}

impl BoundedMeanE {
    /// Tolerates means up to `delta`; `None` unless `0 <= delta < 1`.
    #[must_use]
    pub fn new(delta: f64, sides: Sides) -> Option<Self> {
        (0.0..1.0).contains(&delta).then_some(Self {
            delta,
            sides,
            above: Capital::START,
            below: Capital::START,
            count: 0,
            sum: 0.0,
        })
    }

    /// Takes in one value; `false`, and no change, if it lies outside `-1..=1`.
    #[inline]
    pub fn observe(&mut self, value: f64) -> bool {
        if !(-1.0..=1.0).contains(&value) {
            return false;
        }
        self.count += 1;
        self.sum += value;
        self.above.bet(value - self.delta);
        if self.sides == Sides::Both {
            self.below.bet(-value - self.delta);
        }
        if self.count.is_multiple_of(VALUES_A_LOGARITHM) {
            self.above.settle();
            self.below.settle();
        }
        true
    }

    /// The evidence that the mean has moved: `ln E`; stop at `ln(1/alpha)`.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        match self.sides {
            Sides::Above => self.above.log_e(),
            Sides::Both => log_mean_exp(&[self.above.log_e(), self.below.log_e()]).unwrap_or(0.0),
        }
    }

    /// How many values were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean of the values so far.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

impl EProcess for BoundedMeanE {
    fn take(&mut self, value: f64) {
        self.observe(value);
    }

    fn log_e(&self) -> f64 {
        BoundedMeanE::log_e(self)
    }

    fn reaches(&self, least_log_e: f64) -> bool {
        let below = if self.sides == Sides::Both { self.below.most() } else { f64::NEG_INFINITY };
        self.above.most().max(below) >= least_log_e && self.log_e() >= least_log_e
    }
}

/// Turns the scores of two arms into differences for [`BoundedMeanE`]: each canary score less the
/// mean of the baseline scores since the canary's last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArmDifference {
    sum: f64,
    count: u64,
}

impl ArmDifference {
    /// No score seen.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a score of the baseline, in `0..=1`; anything else is ignored.
    pub fn baseline(&mut self, score: f64) {
        if (0.0..=1.0).contains(&score) {
            self.sum += score;
            self.count += 1;
        }
    }

    /// Takes in a score of the canary, in `0..=1`; `None` if the baseline had none since the last.
    pub fn canary(&mut self, score: f64) -> Option<f64> {
        if self.count == 0 || !(0.0..=1.0).contains(&score) {
            return None;
        }
        let difference = score - self.sum / self.count as f64;
        *self = Self::default();
        Some(difference.clamp(-1.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::tests_stream::Lcg;

    fn log_e(shift: f64, sides: Sides) -> f64 {
        let mut process = BoundedMeanE::new(0.0, sides).unwrap();
        let mut stream = Lcg::new(5);
        for _ in 0..3_000 {
            process.observe((stream.next() - 0.5 + shift).clamp(-1.0, 1.0));
        }
        process.log_e()
    }

    #[test]
    fn finds_a_moved_mean_on_the_asked_side() {
        assert!(log_e(0.05, Sides::Above) > 100.0_f64.ln());
        assert!(log_e(-0.05, Sides::Above) < 0.0);
        assert!(log_e(-0.05, Sides::Both) > 100.0_f64.ln());
        assert!(log_e(0.0, Sides::Both) < 20.0_f64.ln());
    }

    /// Goal: products with a logarithm at times are the sums of logarithms, and the quick answer
    /// is the exact one.
    #[test]
    fn agrees_with_the_formula() {
        let mut process = BoundedMeanE::new(0.02, Sides::Both).unwrap();
        let mut stream = Lcg::new(9);
        let mut logs = [[0.0_f64; STAKES.len()]; 2];
        for _ in 0..1_000 {
            let value = (2.0 * stream.next() - 0.9).clamp(-1.0, 1.0);
            process.observe(value);
            for (k, stake) in STAKES.into_iter().enumerate() {
                logs[0][k] += (stake * (value - 0.02)).ln_1p();
                logs[1][k] += (stake * (-value - 0.02)).ln_1p();
            }
            let expected = log_mean_exp(logs.as_flattened()).unwrap();
            assert!((process.log_e() - expected).abs() < 1e-9);
            for least in [expected - 1e-6, expected + 1e-6, expected + 1.0] {
                assert_eq!(process.reaches(least), process.log_e() >= least);
            }
        }
    }

    #[test]
    fn refuses_what_is_out_of_bounds() {
        let mut process = BoundedMeanE::new(0.1, Sides::Both).unwrap();
        assert!(!process.observe(1.5));
        assert!(!process.observe(f64::NAN));
        assert_eq!(process.log_e(), 0.0);
        assert_eq!(process.mean(), None);
        assert_eq!(BoundedMeanE::new(-0.1, Sides::Above), None);
    }

    #[test]
    fn differences_wait_for_the_baseline() {
        let mut difference = ArmDifference::new();
        assert_eq!(difference.canary(0.5), None);
        difference.baseline(0.2);
        difference.baseline(0.4);
        assert!((difference.canary(0.5).unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(difference.canary(0.5), None);
    }
}
