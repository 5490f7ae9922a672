//! Two models on the same rows: which features carry the change, and which rows.

mod features;
mod slices;

pub use features::{Change, FeatureChange, compare_features};
pub use slices::{SliceChange, loss_by_slice};

use super::PointLoss;
use crate::distribution::student_t;

/// How sure a comparison must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompareSettings {
    /// Of each interval, between zero and one.
    pub confidence: f64,
    /// Of the paired rows, `40..=100_000`.
    pub resamples: u32,
    /// Of the resamples.
    pub seed: u64,
}

impl Default for CompareSettings {
    /// 95 % and 1,000 resamples.
    fn default() -> Self {
        Self { confidence: 0.95, resamples: 1_000, seed: 1 }
    }
}

impl CompareSettings {
    fn valid(&self) -> bool {
        0.0 < self.confidence && self.confidence < 1.0 && (40..=100_000).contains(&self.resamples)
    }
}

/// Predictions of the same rows by the reference model and the current one, and what was true.
#[derive(Clone, Copy, Debug)]
pub struct PairedPredictions<'a> {
    /// Of the reference model.
    pub reference: &'a [f64],
    /// Of the current model.
    pub current: &'a [f64],
    /// What was true.
    pub targets: &'a [f64],
    /// What a prediction costs.
    pub loss: PointLoss,
}

/// A two-sided p-value that the mean of independent differences is zero, by Student's law; one where
/// all are zero, `None` for fewer than two.
fn p_value_of_mean(differences: &[f64]) -> Option<f64> {
    if differences.len() < 2 {
        return None;
    }
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let squares: f64 = differences.iter().map(|difference| (difference - mean).powi(2)).sum();
    let error = (squares / (n - 1.0) / n).sqrt();
    if error <= 1e-12 * mean.abs() {
        // All the same: if not zero, a sign test says how far that is from chance.
        let signs = differences.len().min(1_000) as i32 - 1;
        return Some(if mean == 0.0 { 1.0 } else { 0.5_f64.powi(signs) });
    }
    student_t::two_sided(mean / error, n - 1.0)
}

#[cfg(test)]
mod tests;
