//! Predictions where no row is judged by a model that has seen it.

use serde::{Deserialize, Serialize};

use super::Features;
use super::bins::Bins;
use super::boosted::{BLOCK, BoostSettings, BoostedTrees, Truth, trainable};
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
        Self::fit_from(features, Truth { targets, weights, offsets: None }, settings, folds, seed)
    }

    /// As [`Self::fit`], where each row starts from its own log-odds or mean, if `truth` has such.
    ///
    /// The trees then learn how far to move the rows, and [`Self::predict_from`] needs the places of
    /// new rows.
    pub(crate) fn fit_from_offsets(
        features: &Features<'_>,
        targets: &[f64],
        offsets: &[f64],
        settings: &BoostSettings,
        folds: u32,
        seed: u64,
    ) -> Option<Self> {
        let valid = offsets.len() == features.rows() && offsets.iter().all(|offset| offset.is_finite());
        let truth = Truth { targets, weights: None, offsets: Some(offsets) };
        if valid { Self::fit_from(features, truth, settings, folds, seed) } else { None }
    }

    fn fit_from(
        features: &Features<'_>,
        truth: Truth<'_>,
        settings: &BoostSettings,
        folds: u32,
        seed: u64,
    ) -> Option<Self> {
        let enough = 2 <= folds && folds as usize <= features.rows();
        if !enough || !trainable(features, truth.targets, truth.weights, settings) {
            return None;
        }
        let fold_of = dealt(features.rows(), folds, seed);
        let bins = Bins::fit(features, settings.bins as usize, settings.seed);
        let rows = bins.apply(features);
        let mut out_of_fold = vec![0.0; features.rows()];
        let mut models = Vec::with_capacity(folds as usize);
        for fold in 0..folds {
            let chosen = (0..features.rows() as u32).filter(|row| fold_of[*row as usize] != fold).collect();
            let model = BoostedTrees::fit_rows(&bins, &rows, chosen, truth, settings);
            for (row, value) in out_of_fold.iter_mut().enumerate().filter(|(row, _)| fold_of[*row] == fold) {
                *value = model.at(rows.row(row), truth.offsets.map_or(0.0, |offsets| offsets[row]));
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
        self.predict_with(features, |_| 0.0)
    }

    /// As [`Self::predict`], for rows that start from their own places; `None` also if there are fewer
    /// places than rows.
    pub(crate) fn predict_from(&self, features: &Features<'_>, offsets: &[f64]) -> Option<Vec<f64>> {
        if offsets.len() < features.rows() { None } else { self.predict_with(features, |row| offsets[row]) }
    }

    fn predict_with(&self, features: &Features<'_>, offset: impl Fn(usize) -> f64) -> Option<Vec<f64>> {
        let bins = self.models.first()?.bins();
        // Fitted models share their bins; what was read from elsewhere may not.
        let shared = self.models.iter().all(|model| model.bins() == bins);
        if features.width() != bins.width() || !shared {
            return None;
        }
        let count = self.models.len() as f64;
        let mut values = Vec::with_capacity(features.rows());
        for first in (0..features.rows()).step_by(BLOCK) {
            let rows = bins.apply_range(features, first, BLOCK.min(features.rows() - first));
            for (at, row) in rows.iter().enumerate() {
                let offset = offset(first + at);
                values.push(self.models.iter().map(|model| model.at(row, offset)).sum::<f64>() / count);
            }
        }
        Some(values)
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
