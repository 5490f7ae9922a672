//! The area under the ROC curve, with its standard error.

use super::multiclass::Average;
use crate::interval::Estimate;

/// The chance that a positive has a higher score than a negative, ties counted half, with DeLong's
/// standard error, in `O(n log n)`.
///
/// The variance is that of the placements of positives among negatives over the positives, and the
/// other way round. Not to be trusted for fewer than some ten of a class: near an area of one the
/// standard error is then too small (zero for perfect ranks).
/// `None` if the lengths differ, a score is NaN, or a class has fewer than two.
/// Reference: DeLong, DeLong, Clarke-Pearson, Biometrics 44 (1988); Sun, Xu, IEEE SPL 21 (2014).
///
/// ```
/// use wardline_stats::performance::area_under_roc;
///
/// let area = area_under_roc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]).unwrap();
/// assert_eq!(area.value, 0.75);
/// ```
#[must_use]
pub fn area_under_roc(scores: &[f64], labels: &[bool]) -> Option<Estimate> {
    let placements = Placements::of(scores, labels)?;
    Estimate::new(placements.area, placements.variance_with(&placements).sqrt())
}

/// Two scores of the same rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AreaDifference {
    /// The area of the reference score.
    pub reference: Estimate,
    /// The area of the current score.
    pub current: Estimate,
    /// Current less reference, with the standard error that the common rows allow.
    pub difference: Estimate,
}

/// Compares the areas of two scores on the same labelled rows, in `O(n log n)`.
///
/// `None` as for [`area_under_roc`]. Reference: DeLong et al. (1988), equation 5.
#[must_use]
pub fn area_under_roc_difference(reference: &[f64], current: &[f64], labels: &[bool]) -> Option<AreaDifference> {
    let before = Placements::of(reference, labels)?;
    let after = Placements::of(current, labels)?;
    let (own_before, own_after) = (before.variance_with(&before), after.variance_with(&after));
    let variance = own_before + own_after - 2.0 * before.variance_with(&after);
    Some(AreaDifference {
        reference: Estimate::new(before.area, own_before.sqrt())?,
        current: Estimate::new(after.area, own_after.sqrt())?,
        difference: Estimate::new(after.area - before.area, variance.max(0.0).sqrt())?,
    })
}

/// The area where each row counts by its weight, in `O(n log n)`.
///
/// `sum w_i w_j (score_i > score_j) / (sum w_i * sum w_j)` over positives `i` and negatives `j`. The
/// standard error takes rows as drawn independently and weights as given.
/// `None` if lengths differ, a score is NaN, a weight is negative or not finite, or one class has no
/// weight. Reference: as [`area_under_roc`], by the infinitesimal jackknife.
#[must_use]
pub fn weighted_area_under_roc(scores: &[f64], labels: &[bool], weights: &[f64]) -> Option<Estimate> {
    if weights.len() != scores.len() || !weights.iter().all(|weight| 0.0 <= *weight && weight.is_finite()) {
        return None;
    }
    let positive: Vec<f64> = labels.iter().zip(weights).map(|(label, w)| if *label { *w } else { 0.0 }).collect();
    let negative: Vec<f64> = labels.iter().zip(weights).map(|(label, w)| if *label { 0.0 } else { *w }).collect();
    let (area, slopes) = area_and_slopes(scores, &positive, &negative)?;
    let changes = slopes.iter().zip(labels).zip(weights).map(|((slope, label), w)| w * slope[usize::from(!*label)]);
    Estimate::new(area, changes.map(|change| change * change).sum::<f64>().sqrt())
}

/// The area of each class's score against the rest, averaged.
///
/// `scores` holds `classes` scores for each row, one row after the other; labels are below `classes`.
/// [`Average::Micro`] takes every score as a row of its own. The standard error follows rows through
/// all classes (infinitesimal jackknife). Cost `O(rows * classes * log rows)`.
/// `None` if lengths do not fit, a score is NaN, a label is unknown, or a class has no label or no
/// other. Reference: Provost, Domingos (2001) for the weighted form.
#[must_use]
pub fn one_vs_rest_area(scores: &[f64], labels: &[usize], classes: usize, average: Average) -> Option<Estimate> {
    let rows = labels.len();
    let fits =
        classes >= 2 && scores.len() == rows.checked_mul(classes)? && labels.iter().all(|label| *label < classes);
    if !fits || rows == 0 {
        return None;
    }
    if average == Average::Micro {
        let positive: Vec<f64> =
            (0..scores.len()).map(|at| f64::from(u8::from(labels[at / classes] == at % classes))).collect();
        let negative: Vec<f64> = positive.iter().map(|positive| 1.0 - positive).collect();
        let (area, slopes) = area_and_slopes(scores, &positive, &negative)?;
        let of_row = |row: (usize, &[[f64; 2]])| -> f64 {
            row.1.iter().enumerate().map(|(class, slope)| slope[usize::from(class != labels[row.0])]).sum()
        };
        let changes = slopes.chunks_exact(classes).enumerate().map(of_row);
        return Estimate::new(area, changes.map(|change| change * change).sum::<f64>().sqrt());
    }
    let (mut area, mut of_rows) = (0.0, vec![0.0; rows]);
    let mut of_classes = Vec::with_capacity(classes);
    for class in 0..classes {
        let own: Vec<f64> = scores[class..].iter().step_by(classes).copied().collect();
        let positive: Vec<f64> = labels.iter().map(|label| f64::from(u8::from(*label == class))).collect();
        let negative: Vec<f64> = positive.iter().map(|positive| 1.0 - positive).collect();
        let (of_class, slopes) = area_and_slopes(&own, &positive, &negative)?;
        let count: f64 = positive.iter().sum();
        let weight = if average == Average::Macro { 1.0 / classes as f64 } else { count / rows as f64 };
        area += weight * of_class;
        for ((sum, slope), label) in of_rows.iter_mut().zip(&slopes).zip(labels) {
            *sum += weight * slope[usize::from(*label != class)];
        }
        of_classes.push(of_class);
    }
    if average == Average::Weighted {
        for (change, label) in of_rows.iter_mut().zip(labels) {
            *change += (of_classes[*label] - area) / rows as f64;
        }
    }
    Estimate::new(area, of_rows.iter().map(|change| change * change).sum::<f64>().sqrt())
}

/// The area for weights of both classes, and for each row what one more of weight does to it: as a
/// positive, and as a negative.
///
/// A row may have a positive and a negative weight: a probability and its rest.
pub(in crate::performance) fn area_and_slopes(
    scores: &[f64],
    positive: &[f64],
    negative: &[f64],
) -> Option<(f64, Vec<[f64; 2]>)> {
    let rows = scores.len();
    if positive.len() != rows || negative.len() != rows || scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let (positives, negatives): (f64, f64) = (positive.iter().sum(), negative.iter().sum());
    if !(positives > 0.0 && negatives > 0.0) {
        return None;
    }
    let (mut below, mut positives_below, mut area) = (0.0, 0.0, 0.0);
    let mut slopes = vec![[0.0; 2]; rows];
    for equal in rising(scores).chunk_by(|a, b| scores[*a as usize] == scores[*b as usize]) {
        let of = |weights: &[f64]| equal.iter().map(|row| weights[*row as usize]).sum::<f64>();
        let (own_positive, own_negative) = (of(positive), of(negative));
        // The share of negatives below a positive of this score, and of positives above a negative.
        let wins = (below + 0.5 * own_negative) / negatives;
        let losses = 1.0 - (positives_below + 0.5 * own_positive) / positives;
        area += own_positive * wins;
        equal.iter().for_each(|row| slopes[*row as usize] = [wins, losses]);
        below += own_negative;
        positives_below += own_positive;
    }
    let area = area / positives;
    for slope in &mut slopes {
        *slope = [(slope[0] - area) / positives, (slope[1] - area) / negatives];
    }
    Some((area, slopes))
}

/// Rows by rising score.
pub(in crate::performance) fn rising(scores: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..scores.len() as u32).collect();
    order.sort_unstable_by(|a, b| scores[*a as usize].total_cmp(&scores[*b as usize]));
    order
}

/// For each positive the share of negatives that it beats, for each negative the share that beats it.
struct Placements {
    area: f64,
    positive: Vec<f64>,
    negative: Vec<f64>,
}

impl Placements {
    fn of(scores: &[f64], labels: &[bool]) -> Option<Self> {
        if scores.len() != labels.len() || scores.len() > u32::MAX as usize || scores.iter().any(|s| s.is_nan()) {
            return None;
        }
        let positives = labels.iter().filter(|label| **label).count();
        let negatives = labels.len() - positives;
        if positives < 2 || negatives < 2 {
            return None;
        }
        let (m, n) = (positives as f64, negatives as f64);
        let mut placement = vec![0.0; labels.len()];
        let (mut below, mut positives_below) = (0.0, 0.0);
        for equal in rising(scores).chunk_by(|a, b| scores[*a as usize] == scores[*b as usize]) {
            let own = equal.iter().filter(|row| labels[**row as usize]).count() as f64;
            let others = equal.len() as f64 - own;
            for row in equal {
                let at = *row as usize;
                let wins = (below + 0.5 * others) / n;
                placement[at] = if labels[at] { wins } else { 1.0 - (positives_below + 0.5 * own) / m };
            }
            below += others;
            positives_below += own;
        }
        let side = |wanted: bool| -> Vec<f64> {
            labels.iter().zip(&placement).filter(|(label, _)| **label == wanted).map(|(_, place)| *place).collect()
        };
        let (positive, negative) = (side(true), side(false));
        let area = positive.iter().sum::<f64>() / m;
        Some(Self { area, positive, negative })
    }

    /// The covariance of the areas of two scores of the same rows.
    fn variance_with(&self, other: &Self) -> f64 {
        let side = |own: &[f64], others: &[f64]| {
            let products = own.iter().zip(others).map(|(a, b)| (a - self.area) * (b - other.area));
            products.sum::<f64>() / (own.len() as f64 * (own.len() - 1) as f64)
        };
        side(&self.positive, &other.positive) + side(&self.negative, &other.negative)
    }
}
