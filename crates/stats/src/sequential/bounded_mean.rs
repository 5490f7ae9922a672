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

/// The betting e-process for the mean of values in `-1..=1`.
///
/// Null hypothesis: the conditional mean of every value is at most `delta` (both sides: between
/// `-delta` and `delta`). `E = mean_k prod (1 + lambda_k (d - delta))`; for both sides the average
/// with the same of `-d`. Cost: 7 or 14 logarithms a value, no allocation.
/// Source: Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting",
/// JRSS B 86 (2024).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoundedMeanE {
    delta: f64,
    sides: Sides,
    above: [f64; STAKES.len()],
    below: [f64; STAKES.len()],
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
            above: [0.0; STAKES.len()],
            below: [0.0; STAKES.len()],
            count: 0,
            sum: 0.0,
        })
    }

    /// Takes in one value; `false`, and no change, if it lies outside `-1..=1`.
    pub fn observe(&mut self, value: f64) -> bool {
        if !(-1.0..=1.0).contains(&value) {
            return false;
        }
        self.count += 1;
        self.sum += value;
        for (log, stake) in self.above.iter_mut().zip(STAKES) {
            *log += (stake * (value - self.delta)).ln_1p();
        }
        if self.sides == Sides::Both {
            for (log, stake) in self.below.iter_mut().zip(STAKES) {
                *log += (stake * (-value - self.delta)).ln_1p();
            }
        }
        true
    }

    /// The evidence that the mean has moved: `ln E`; stop at `ln(1/alpha)`.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        let above = log_mean_exp(&self.above).unwrap_or(0.0);
        match self.sides {
            Sides::Above => above,
            Sides::Both => {
                let below = log_mean_exp(&self.below).unwrap_or(0.0);
                log_mean_exp(&[above, below]).unwrap_or(0.0)
            }
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
