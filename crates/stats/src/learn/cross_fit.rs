//! Predictions where no row is judged by a model that has seen it.

use serde::{Deserialize, Serialize};

use super::Features;
use super::bins::Bins;
use super::boosted::{BoostSettings, BoostedTrees, trainable};
use crate::random::SplitMix;

/// Boosted trees by folds: each row is predicted by the model that was fitted without its fold.
///
/// New rows get the mean of all folds' models. Errors of the training rows are then as large as those
/// of new rows, which means of residuals rest on.
/// Cost: `folds` times that of [`BoostedTrees`] with `1 - 1 / folds` of the rows.
/// Reference: Chernozhukov et al., Econometrics Journal 21 (2018), section 3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossFit {
    models: Vec<BoostedTrees>,
    out_of_fold: Vec<f64>,
}

impl CrossFit {
    /// Deals the rows into folds by the seed and fits; `None` as for [`BoostedTrees::fit`], or unless
    /// `2 <= folds <= rows`.
    #[must_use]
    pub fn fit(
        features: &Features<'_>,
        targets: &[f64],
        weights: Option<&[f64]>,
        settings: &BoostSettings,
        folds: u32,
        seed: u64,
    ) -> Option<Self> {
        let enough = 2 <= folds && folds as usize <= features.rows();
        if !enough || !trainable(features, targets, weights, settings) {
            return None;
        }
        let fold_of = dealt(features.rows(), folds, seed);
        let bins = Bins::fit(features, settings.bins as usize, settings.seed);
        let rows = bins.apply(features);
        let mut out_of_fold = vec![0.0; features.rows()];
        let mut models = Vec::with_capacity(folds as usize);
        for fold in 0..folds {
            let chosen = (0..features.rows() as u32).filter(|row| fold_of[*row as usize] != fold).collect();
            let model = BoostedTrees::fit_rows(&bins, &rows, chosen, targets, weights, settings);
            for (row, value) in out_of_fold.iter_mut().enumerate().filter(|(row, _)| fold_of[*row] == fold) {
                *value = model.at(rows.row(row));
            }
            models.push(model);
        }
        Some(Self { models, out_of_fold })
    }

    /// For each training row, the prediction of the model that has not seen it.
    #[must_use]
    pub fn out_of_fold(&self) -> &[f64] {
        &self.out_of_fold
    }

    /// For each new row, the mean prediction of the folds' models; `None` if the number of columns
    /// differs.
    #[must_use]
    pub fn predict(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        let mut total = vec![0.0; features.rows()];
        for model in &self.models {
            for (sum, value) in total.iter_mut().zip(model.predict(features)?) {
                *sum += value;
            }
        }
        let count = self.models.len() as f64;
        Some(total.into_iter().map(|sum| sum / count).collect())
    }

    /// The mean importance of each feature, as shares; see [`BoostedTrees::importance`].
    #[must_use]
    pub fn importance(&self) -> Vec<f64> {
        let mut total: Vec<f64> = Vec::new();
        for model in &self.models {
            let importance = model.importance();
            total.resize(importance.len(), 0.0);
            total.iter_mut().zip(importance).for_each(|(sum, share)| *sum += share / self.models.len() as f64);
        }
        total
    }
}

/// The fold of each row: sizes differ by at most one.
pub(super) fn dealt(rows: usize, folds: u32, seed: u64) -> Vec<u32> {
    let mut folds_of: Vec<u32> = (0..rows as u32).map(|row| row % folds).collect();
    SplitMix::new(seed).shuffle(&mut folds_of);
    folds_of
}
