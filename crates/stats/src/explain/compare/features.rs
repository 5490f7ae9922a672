//! Which features carry the change from one model to the next.

use super::{CompareSettings, p_value_of_mean};
use crate::interval::{Bootstrap, bootstrap};
use crate::multiple::holm;

/// A mean over paired rows, and whether it may be called different from zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The mean, its standard error and its interval over resampled rows.
    pub mean: Bootstrap,
    /// Two-sided, by Student's law of the paired differences, and adjusted over all features (Holm).
    pub adjusted_p_value: f64,
}

/// What changed for one feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeatureChange {
    /// `mean(current - reference)`: how far the feature moved the mean output (or loss). Over all
    /// features these sum to the change of the mean, less that of the base.
    pub shift: Change,
    /// `mean(|current|) - mean(|reference|)`: whether the feature counts for more than before.
    pub weight: Change,
    /// `mean(|current - reference|)`: how far single rows moved. Above zero for any two models, and so
    /// without a p-value.
    pub distance: Bootstrap,
}

/// Compares the attributions of two models on the same rows, feature by feature.
///
/// Each side gives one column of values a feature, such as [`super::super::TreeValues::column`]: of
/// [`super::super::TreeShap::values`] to explain the change of the mean output, of
/// [`super::super::TreeShap::losses`] to explain the change of the mean loss. Both sides need the same
/// background, or its difference is part of the change.
/// Intervals are percentiles over resampled rows, each row with both its values. False alarms: the
/// adjusted p-values of shifts and weights of all features (one family) keep the chance of any false
/// finding at alpha, under any dependence (Holm), as far as Student's law holds for the means: not below
/// some 30 rows, nor for rows that depend on each other. Intervals are for each feature by itself.
/// Cost `O(features * resamples * rows)`.
/// `None` for no feature, fewer than two rows, columns of different lengths, a value that is not finite, or
/// settings out of range.
///
/// ```
/// use wardline_stats::explain::{CompareSettings, compare_features};
///
/// let noise = |row: i32| f64::from(row * 37 % 101) / 101.0 - 0.5;
/// let (before, after): (Vec<f64>, Vec<f64>) = (0..200).map(|row| (noise(row), noise(row + 7) + 1.0)).unzip();
/// let found = compare_features(&[&before, &before], &[&after, &before], CompareSettings::default()).unwrap();
/// assert!(found[0].shift.adjusted_p_value < 1e-6 && found[0].shift.mean.interval.contains(1.0));
/// assert_eq!(found[1].shift.adjusted_p_value, 1.0);
/// ```
#[must_use]
pub fn compare_features(
    reference: &[&[f64]],
    current: &[&[f64]],
    settings: CompareSettings,
) -> Option<Vec<FeatureChange>> {
    let rows = reference.first()?.len();
    let sound = |columns: &[&[f64]]| {
        columns.iter().all(|column| column.len() == rows && column.iter().all(|value| value.is_finite()))
    };
    if reference.len() != current.len() || !sound(reference) || !sound(current) || !settings.valid() {
        return None;
    }
    let (mut p_values, mut means) = (Vec::new(), Vec::new());
    for (reference, current) in reference.iter().zip(current) {
        let of = |difference: fn(f64, f64) -> f64| -> Vec<f64> {
            reference.iter().zip(*current).map(|(reference, current)| difference(*reference, *current)).collect()
        };
        let shift = of(|reference, current| current - reference);
        let weight = of(|reference, current| current.abs() - reference.abs());
        let distance = of(|reference, current| (current - reference).abs());
        p_values.extend([p_value_of_mean(&shift)?, p_value_of_mean(&weight)?]);
        means.push([resampled(&shift, settings)?, resampled(&weight, settings)?, resampled(&distance, settings)?]);
    }
    let adjusted = holm(&p_values)?;
    let change = |(means, p_values): ([Bootstrap; 3], &[f64])| FeatureChange {
        shift: Change { mean: means[0], adjusted_p_value: p_values[0] },
        weight: Change { mean: means[1], adjusted_p_value: p_values[1] },
        distance: means[2],
    };
    Some(means.into_iter().zip(adjusted.chunks_exact(2)).map(change).collect())
}

fn resampled(values: &[f64], settings: CompareSettings) -> Option<Bootstrap> {
    let rows = values.len() as f64;
    let mean =
        |weights: &[f64]| Some(weights.iter().zip(values).map(|(weight, value)| weight * value).sum::<f64>() / rows);
    bootstrap(values.len(), settings.resamples, settings.confidence, settings.seed, mean)
}
