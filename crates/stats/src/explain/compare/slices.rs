//! Which rows carry the change of the loss.

use super::{CompareSettings, PairedPredictions, p_value_of_mean};
use crate::explain::loss::losses;
use crate::interval::{Estimate, Interval, t_interval};
use crate::multiple::holm;

/// Slices are at most as many.
const MOST_SLICES: usize = 1 << 20;

/// Rows of a slice that is tested, at least.
const LEAST_TESTED: usize = 20;

/// The change of the mean loss in one slice of the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SliceChange {
    /// How many rows it has.
    pub rows: usize,
    /// The mean of `loss(current) - loss(reference)` over its rows, above zero where the current model is
    /// worse; `None` for fewer than two rows.
    pub change: Option<Estimate>,
    /// Student's interval of the change, of this slice by itself.
    pub interval: Option<Interval>,
    /// The sum of its differences over the sum of all rows' differences: above one, or below zero, where
    /// slices cancel; `None` where all together cancel.
    pub share: Option<f64>,
    /// Two-sided, and adjusted over all tested slices (Holm); `None` where the slice has fewer than 20
    /// rows, too few for a verdict.
    pub adjusted_p_value: Option<f64>,
}

/// The paired change of the mean loss by slice: `slice[row]` says which slice a row is in, from zero.
///
/// Both models' losses of the same row are subtracted first, so that hard rows do not count as change.
/// False alarms: the adjusted p-values keep the chance of any false finding at alpha (Holm), as far as
/// Student's law holds for the mean: roughly from 20 rows, and later where few rows carry all of the loss.
/// Cost `O(rows + slices log slices)`.
/// `None` for no row, lengths that differ, a prediction without a loss, settings out of range, or a slice
/// beyond `2^20`.
///
/// ```
/// use wardline_stats::explain::{CompareSettings, PairedPredictions, PointLoss, loss_by_slice};
///
/// let (reference, targets) = ([0.1; 100], [0.0; 100]);
/// let current: Vec<f64> = (0..100).map(|row| if row < 30 { 0.4 + f64::from(row) / 1e3 } else { 0.1 }).collect();
/// let paired = PairedPredictions { reference: &reference, current: &current, targets: &targets, loss: PointLoss::Squared };
/// let slices: Vec<usize> = (0..100).map(|row| usize::from(row >= 30)).collect();
/// let found = loss_by_slice(paired, &slices, CompareSettings::default()).unwrap();
/// assert_eq!(found[0].share, Some(1.0));
/// assert!(found[0].adjusted_p_value.unwrap() < 1e-6);
/// assert_eq!(found[1].adjusted_p_value, Some(1.0));
/// ```
#[must_use]
pub fn loss_by_slice(
    predictions: PairedPredictions<'_>,
    slice: &[usize],
    settings: CompareSettings,
) -> Option<Vec<SliceChange>> {
    let PairedPredictions { reference, current, targets, loss } = predictions;
    let (before, after) = (losses(loss, reference, targets)?, losses(loss, current, targets)?);
    let slices = *slice.iter().max()?;
    if slice.len() != targets.len() || before.len() != after.len() || slices >= MOST_SLICES || !settings.valid() {
        return None;
    }
    let mut differences: Vec<Vec<f64>> = vec![Vec::new(); slices + 1];
    for ((before, after), slice) in before.iter().zip(&after).zip(slice) {
        differences[*slice].push(after - before);
    }
    let total: f64 = differences.iter().flatten().sum();
    let size: f64 = differences.iter().flatten().map(|difference| difference.abs()).sum();
    let tested = |differences: &&Vec<f64>| differences.len() >= LEAST_TESTED;
    let p_values: Option<Vec<f64>> = differences.iter().filter(tested).map(|slice| p_value_of_mean(slice)).collect();
    let mut adjusted = holm(&p_values?)?.into_iter();
    let of_slice = |differences: &Vec<f64>| {
        let change = estimate(differences);
        SliceChange {
            rows: differences.len(),
            change,
            interval: change.and_then(|change| t_interval(change, differences.len() as f64 - 1.0, settings.confidence)),
            // Below this the total is what rounding left.
            share: (total.abs() > 1e-12 * size).then(|| differences.iter().sum::<f64>() / total),
            adjusted_p_value: if differences.len() >= LEAST_TESTED { adjusted.next() } else { None },
        }
    };
    Some(differences.iter().map(of_slice).collect())
}

fn estimate(values: &[f64]) -> Option<Estimate> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Estimate::new(mean, (squares / (n - 1.0) / n).sqrt())
}
