//! How much a reference row counts for a window: the density ratio of their inputs.

use super::rows::{picked, sample, table};
use super::{LEAST_EFFECTIVE_ROWS, ShiftError};
use crate::learn::{BoostSettings, DomainScores, Features, Loss};
use crate::performance::Platt;

/// Folds of the model that tells the samples apart.
const FOLDS: u32 = 4;

/// For each reference row, how many times likelier its inputs are in the window than in the reference.
pub(super) struct Weights {
    /// With a mean of one, none above the root of the reference rows.
    pub(super) of_reference: Vec<f64>,
    /// The share of window rows that lie where the reference has next to none.
    pub(super) outside: f64,
}

impl Weights {
    /// The weights of a kept reference for a window, of which at most 50,000 rows are looked at.
    pub(super) fn of_window(reference: &[Vec<f64>], window: &[Vec<f64>], seed: u64) -> Result<Self, ShiftError> {
        let kept = sample(window.first().map_or(0, Vec::len), seed.wrapping_add(1));
        let current: Vec<Vec<f64>> = window.iter().map(|column| picked(column, &kept)).collect();
        let tables = table(reference).zip(table(&current));
        let weights = tables.and_then(|(reference, current)| Self::learn(&reference, &current, seed));
        let weights = weights.ok_or(ShiftError::Invalid)?;
        let effective_rows = weights.effective_rows();
        let enough = effective_rows >= LEAST_EFFECTIVE_ROWS;
        if enough { Ok(weights) } else { Err(ShiftError::TooFarApart { effective_rows }) }
    }

    /// Learns to tell the samples apart, calibrates the odds, and bounds them.
    ///
    /// A bound of `sqrt(n)` keeps the variance finite at a bias that falls with `n`: Ionides, "Truncated
    /// Importance Sampling", JCGS 17 (2008).
    fn learn(reference: &Features<'_>, current: &Features<'_>, seed: u64) -> Option<Self> {
        let settings = BoostSettings { trees: 50, depth: 3, ridge: 5.0, seed, ..BoostSettings::new(Loss::Logistic) };
        let scores = DomainScores::fit(reference, current, &settings, FOLDS, seed)?;
        let log_odds = |p: &f64| (p.max(1e-9) / (1.0 - p).max(1e-9)).ln();
        let all: Vec<f64> = scores.reference.iter().chain(&scores.current).map(log_odds).collect();
        let is_current: Vec<bool> = (0..all.len()).map(|row| row >= reference.rows()).collect();
        let calibration = Platt::fit(&all, &is_current)?;
        let (n, m) = (reference.rows() as f64, current.rows() as f64);
        let ratio = |log_odds: &f64| {
            let p = calibration.probability(*log_odds)?;
            Some(p / (1.0 - p).max(1e-12) * n / m)
        };
        let (own, others) = all.split_at(reference.rows());
        let most = n.sqrt();
        let mut of_reference: Vec<f64> = own.iter().map(ratio).collect::<Option<_>>()?;
        of_reference.iter_mut().for_each(|weight| *weight = weight.min(most));
        let mean = of_reference.iter().sum::<f64>() / n;
        if !(mean > 0.0 && mean.is_finite()) {
            return None;
        }
        of_reference.iter_mut().for_each(|weight| *weight /= mean);
        let beyond = others.iter().filter_map(ratio).filter(|ratio| *ratio > most).count();
        Some(Self { of_reference, outside: beyond as f64 / m })
    }

    /// How many rows of equal weight would vary as much: `(sum w)^2 / sum w^2`.
    pub(super) fn effective_rows(&self) -> f64 {
        let squares: f64 = self.of_reference.iter().map(|weight| weight * weight).sum();
        (self.of_reference.len() as f64).powi(2) / squares
    }
}
