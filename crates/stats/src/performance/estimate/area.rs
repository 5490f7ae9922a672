//! Expected areas: scores rank, calibrated probabilities weigh.

use crate::interval::Estimate;
use crate::performance::classification::{area_and_slopes, precision_and_slopes};

/// The expected area under the ROC curve, ties counted half. `O(n log n)`.
///
/// `None` if the lengths differ, a value is not in `0..=1`, or one class has no weight.
/// Reference: as [`super::ExpectedConfusion`].
#[must_use]
pub fn estimated_area_under_roc(scores: &[f64], probabilities: &[f64]) -> Option<f64> {
    Some(estimated_area(scores, probabilities)?.value)
}

/// The expected area under the ROC curve with the standard deviation of the area that labels will
/// show, if they are drawn independently by these probabilities. `O(n log n)`.
///
/// To the first order: `sum p (1 - p) slope^2`. Not to be trusted for fewer than some ten expected of
/// a class. `None` as for [`estimated_area_under_roc`].
#[must_use]
pub fn estimated_area(scores: &[f64], probabilities: &[f64]) -> Option<Estimate> {
    if !valid(scores, probabilities) {
        return None;
    }
    let rest: Vec<f64> = probabilities.iter().map(|probability| 1.0 - probability).collect();
    let (area, slopes) = area_and_slopes(scores, probabilities, &rest)?;
    let of_label = |slope: &[f64; 2]| slope[0] - slope[1];
    let variance = slopes.iter().zip(probabilities).map(|(slope, p)| p * (1.0 - p) * of_label(slope).powi(2));
    Estimate::new(area, variance.sum::<f64>().sqrt())
}

/// The expected average precision with the standard deviation of the one that labels will show.
/// `O(n log n)`.
///
/// NannyML takes equal scores one after the other, in no order; here they are one step, as in
/// scikit-learn. `None` if the lengths differ, a value is not in `0..=1`, or all probabilities are
/// zero.
#[must_use]
pub fn estimated_average_precision(scores: &[f64], probabilities: &[f64]) -> Option<Estimate> {
    if !valid(scores, probabilities) {
        return None;
    }
    let (value, slopes) = precision_and_slopes(scores, probabilities)?;
    let variance = slopes.iter().zip(probabilities).map(|(slope, p)| p * (1.0 - p) * slope.of_label * slope.of_label);
    Estimate::new(value, variance.sum::<f64>().sqrt())
}

fn valid(scores: &[f64], probabilities: &[f64]) -> bool {
    let in_range = |values: &[f64]| values.iter().all(|value| (0.0..=1.0).contains(value));
    scores.len() == probabilities.len()
        && scores.len() <= u32::MAX as usize
        && in_range(scores)
        && in_range(probabilities)
}
