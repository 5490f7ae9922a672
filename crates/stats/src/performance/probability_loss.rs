//! How far probabilities are from what came true, with standard errors.

use super::calibration::valid;
use super::regression::mean;
use crate::interval::Estimate;
use crate::sketch::Moments;

/// The mean squared distance of score and label, with its standard error, in `O(n)`.
///
/// `None` if the lengths differ, there are fewer than two pairs, or a score is not in `0..=1`.
/// Reference: Brier, Monthly Weather Review 78 (1950).
#[must_use]
pub fn brier_estimate(scores: &[f64], labels: &[bool]) -> Option<Estimate> {
    of_rows(scores, labels, |score, label| (score - f64::from(u8::from(label))).powi(2))
}

/// The mean of `-ln` of the score of what came true, scores kept within `1e-15` of the ends, with its
/// standard error. `None` as for [`brier_estimate`].
#[must_use]
pub fn log_loss_estimate(scores: &[f64], labels: &[bool]) -> Option<Estimate> {
    of_rows(scores, labels, |score, label| {
        let score = score.clamp(1e-15, 1.0 - 1e-15);
        if label { -score.ln() } else { -(-score).ln_1p() }
    })
}

/// The mean of `-ln` of the score of the true class among `classes`, with its standard error.
///
/// `scores` holds `classes` scores for each row, one row after the other; a row that does not sum to
/// one is brought to it. Scores are kept at `1e-15` or more. `None` for lengths that do not fit, fewer
/// than two rows, an unknown label, a score that is not in `0..=1`, or a row of zeros.
#[must_use]
pub fn multiclass_log_loss(scores: &[f64], labels: &[usize], classes: usize) -> Option<Estimate> {
    of_class_rows(scores, labels, classes, |row, label, total| -(row[label] / total).max(1e-15).ln())
}

/// The mean over rows of `sum over classes (score - is the true class)^2`, in `0..=2`, with its
/// standard error. Scores are taken as they are; `None` as for [`multiclass_log_loss`].
///
/// For two classes it is twice [`brier_estimate`].
#[must_use]
pub fn multiclass_brier(scores: &[f64], labels: &[usize], classes: usize) -> Option<Estimate> {
    of_class_rows(scores, labels, classes, |row, label, _| {
        let squares: f64 = row.iter().map(|score| score * score).sum();
        squares + 1.0 - 2.0 * row[label]
    })
}

fn of_rows(scores: &[f64], labels: &[bool], loss: impl Fn(f64, bool) -> f64) -> Option<Estimate> {
    if !valid(scores, labels) {
        return None;
    }
    let mut losses = Moments::new();
    scores.iter().zip(labels).for_each(|(score, label)| {
        losses.insert(loss(*score, *label));
    });
    mean(&losses)
}

fn of_class_rows(
    scores: &[f64],
    labels: &[usize],
    classes: usize,
    loss: impl Fn(&[f64], usize, f64) -> f64,
) -> Option<Estimate> {
    let sized = classes >= 2 && labels.len().checked_mul(classes) == Some(scores.len());
    let valid = sized && scores.iter().all(|score| (0.0..=1.0).contains(score));
    if !valid || labels.iter().any(|label| *label >= classes) {
        return None;
    }
    let mut losses = Moments::new();
    for (row, label) in scores.chunks_exact(classes).zip(labels) {
        let total: f64 = row.iter().sum();
        if total <= 0.0 {
            return None;
        }
        losses.insert(loss(row, *label, total));
    }
    mean(&losses)
}
