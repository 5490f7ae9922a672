//! A weighted mean of likelihood ratios: one alternative for each size of change.

use serde::{Deserialize, Serialize};

/// Ratios of the bad rate under change to the one without, each with weight 1/7.
///
/// The grid costs at most `ln 7` of evidence against knowing the true ratio, and finds ratios
/// between the grid points nearly as fast.
pub const RATIOS: [f64; 7] = [1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0];

/// Ratios for bad events that are frequent, such as wrong labels or rejections: a rate of 20 % cannot rise
/// fifty times, and its rise by a fifth matters.
pub const FINE_RATIOS: [f64; 7] = [1.1, 1.2, 1.3, 1.5, 2.0, 3.0, 5.0];

/// Which way a rate is feared to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// The rate rises.
    Increase,
    /// The rate falls.
    Decrease,
}

/// The evidence at which a test with error rate `alpha` stops: `ln(1/alpha)`; `None` unless
/// `0 < alpha <= 1`.
#[must_use]
pub fn log_threshold(alpha: f64) -> Option<f64> {
    (0.0 < alpha && alpha <= 1.0).then(|| -alpha.ln())
}

/// `ln(mean(exp(x)))`: the logarithm of the mean of e-values that are given as logarithms.
///
/// The mean of e-values is an e-value whatever their dependence. `None` for an empty list.
#[must_use]
pub fn log_mean_exp(log_values: &[f64]) -> Option<f64> {
    if log_values.is_empty() {
        return None;
    }
    let most = log_values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return Some(most);
    }
    let sum: f64 = log_values.iter().map(|value| (value - most).exp()).sum();
    Some(most + (sum / log_values.len() as f64).ln())
}

/// Log-likelihood ratios of the seven alternatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Mixture {
    logs: [f64; RATIOS.len()],
}

impl Mixture {
    /// Adds `yes` outcomes of probability `under[j]` against `null`, and `no` of the opposite.
    #[inline]
    pub(super) fn observe(&mut self, steps: &Steps, yes: u64, no: u64) {
        let (yes, no) = (yes as f64, no as f64);
        for (log, (step_yes, step_no)) in self.logs.iter_mut().zip(steps.yes.iter().zip(&steps.no)) {
            *log += yes * step_yes + no * step_no;
        }
    }

    pub(super) fn log_e(&self) -> f64 {
        log_mean_exp(&self.logs).unwrap_or(0.0)
    }

    /// The greatest of the logarithms: the mean is no greater, and this needs no exponentials.
    #[inline]
    pub(super) fn most(&self) -> f64 {
        self.logs.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// Whether the mean is at least this; it is no greater than the greatest, which needs no
    /// exponentials.
    #[inline]
    pub(super) fn reaches(&self, least_log_e: f64) -> bool {
        self.logs.iter().any(|log| *log >= least_log_e) && self.log_e() >= least_log_e
    }
}

/// What one outcome adds to each log-likelihood ratio.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Steps {
    pub(super) yes: [f64; RATIOS.len()],
    pub(super) no: [f64; RATIOS.len()],
}

impl Steps {
    /// Steps of a Bernoulli outcome: `null` without change, `alternatives` with it.
    pub(super) fn bernoulli(null: f64, alternatives: [f64; RATIOS.len()]) -> Self {
        Self { yes: alternatives.map(|p| (p / null).ln()), no: alternatives.map(|p| (-p).ln_1p() - (-null).ln_1p()) }
    }

    /// Steps for a rate `p0` that rises or falls by the ratios of the grid.
    ///
    /// A rise is `min(ratio p0, 0.9)`, or the same ratio of the odds where that is more, so that
    /// rates near one keep alternatives above them.
    pub(super) fn of_rate(p0: f64, direction: Direction) -> Self {
        let alternatives = RATIOS.map(|ratio| match direction {
            Direction::Increase => {
                let odds = ratio * p0 / (1.0 - p0 + ratio * p0);
                (ratio * p0).min(0.9).max(odds)
            }
            Direction::Decrease => p0 / ratio,
        });
        Self::bernoulli(p0, alternatives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_logarithms_do_not_overflow() {
        let found = log_mean_exp(&[1_000.0, 1_000.0]).unwrap();
        assert!((found - 1_000.0).abs() < 1e-12);
        assert_eq!(log_mean_exp(&[]), None);
        assert_eq!(log_mean_exp(&[f64::NEG_INFINITY]), Some(f64::NEG_INFINITY));
    }

    #[test]
    fn thresholds_need_an_error_rate() {
        assert_eq!(log_threshold(0.0), None);
        assert!((log_threshold(0.01).unwrap() - 100.0_f64.ln()).abs() < 1e-12);
    }
}
