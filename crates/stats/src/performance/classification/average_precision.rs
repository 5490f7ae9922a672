//! How good the rows at the top are: precision averaged over recall.

use super::area::rising;
use crate::interval::Estimate;

/// The average precision of scores: `sum (recall_k - recall_(k-1)) * precision_k` over the distinct
/// scores from the highest down, with its standard error, in `O(n log n)`.
///
/// No interpolation. The standard error is the infinitesimal jackknife: how much each row moves the
/// number. Not to be trusted for fewer than some twenty positives.
/// `None` if the lengths differ, a score is NaN, or there is no positive.
/// Reference: Davis, Goadrich, ICML (2006); Efron, "The Jackknife" (1982), 6.2.
#[must_use]
pub fn average_precision(scores: &[f64], labels: &[bool]) -> Option<Estimate> {
    if labels.len() != scores.len() {
        return None;
    }
    let positive: Vec<f64> = labels.iter().map(|label| f64::from(u8::from(*label))).collect();
    let (value, slopes) = precision_and_slopes(scores, &positive)?;
    let changes = slopes.iter().zip(&positive).map(|(slope, positive)| slope.of_row + positive * slope.of_label);
    Estimate::new(value, changes.map(|change| change * change).sum::<f64>().sqrt())
}

/// The area under the precision-recall curve by straight lines between its points.
///
/// Too high where points are far apart, as precision does not fall along straight lines: prefer
/// [`average_precision`]. `None` as there. Reference: Davis, Goadrich, ICML (2006).
#[must_use]
pub fn area_under_precision_recall(scores: &[f64], labels: &[bool]) -> Option<f64> {
    if labels.len() != scores.len() || scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let positives = labels.iter().filter(|label| **label).count() as f64;
    let mut order = rising(scores);
    order.reverse();
    let (mut hits, mut rows, mut area) = (0.0, 0.0, 0.0);
    // The curve starts at a precision of one and a recall of zero.
    let mut before = (0.0, 1.0);
    for equal in order.chunk_by(|a, b| scores[*a as usize] == scores[*b as usize]) {
        hits += equal.iter().filter(|row| labels[**row as usize]).count() as f64;
        rows += equal.len() as f64;
        let point = (hits / positives, hits / rows);
        area += 0.5 * (point.0 - before.0) * (point.1 + before.1);
        before = point;
    }
    (positives > 0.0).then_some(area)
}

/// What a row does to the average precision.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::performance) struct PrecisionSlopes {
    /// One more row of this score that is negative.
    pub(in crate::performance) of_row: f64,
    /// The row's label from negative to positive.
    pub(in crate::performance) of_label: f64,
}

/// The average precision where row `i` is positive with weight `positive[i]` in `0..=1`, and slopes.
pub(in crate::performance) fn precision_and_slopes(
    scores: &[f64],
    positive: &[f64],
) -> Option<(f64, Vec<PrecisionSlopes>)> {
    if scores.len() != positive.len() || scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let positives: f64 = positive.iter().sum();
    if positives <= 0.0 {
        return None;
    }
    let order = rising(scores);
    // From the highest score down: hits and rows so far at the end of each group of equal scores.
    let (mut hits, mut rows, mut value) = (0.0, 0.0, 0.0);
    let mut groups = Vec::new();
    for equal in order.chunk_by(|a, b| scores[*a as usize] == scores[*b as usize]).rev() {
        let own: f64 = equal.iter().map(|row| positive[*row as usize]).sum();
        hits += own;
        rows += equal.len() as f64;
        value += own * hits / rows;
        groups.push((equal, own, hits, rows));
    }
    value /= positives;
    let mut slopes = vec![PrecisionSlopes::default(); scores.len()];
    let (mut gains, mut losses) = (0.0, 0.0);
    for (equal, own, hits, rows) in groups.into_iter().rev() {
        gains += own / rows;
        losses += own * hits / (rows * rows);
        for row in equal {
            slopes[*row as usize] =
                PrecisionSlopes { of_row: -losses / positives, of_label: (hits / rows + gains - value) / positives };
        }
    }
    Some((value, slopes))
}
