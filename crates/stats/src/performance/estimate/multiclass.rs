//! Estimated performance of scores of several classes.

use serde::{Deserialize, Serialize};

use super::cbpe::widening;
use crate::interval::Estimate;
use crate::performance::Isotonic;
use crate::performance::classification::{
    BinaryMetric, FALSE_NEGATIVE, FALSE_POSITIVE, TRUE_NEGATIVE, TRUE_POSITIVE, area_and_slopes, precision_and_slopes,
};

/// Confidence-based performance estimation for several classes.
///
/// The scores of each class are calibrated against the rest, and brought to a sum of one in each row
/// (all the same where all are zero). Cost `O(rows * classes * log rows)`.
/// Reference: as [`super::Cbpe`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MulticlassCbpe {
    /// For each class; `None` takes its scores as they are.
    calibrations: Vec<Option<Isotonic>>,
    reference_rows: u64,
}

impl MulticlassCbpe {
    /// Calibrates `classes` scores for each row, one row after the other, on labels below `classes`.
    ///
    /// `None` for fewer than two classes, lengths that do not fit, no rows, an unknown label, or a score
    /// that is not in `0..=1`.
    #[must_use]
    pub fn fit(scores: &[f64], labels: &[usize], classes: usize) -> Option<Self> {
        if !fits(scores, labels, classes) {
            return None;
        }
        let calibration = |class: usize| {
            let own: Vec<f64> = scores[class..].iter().step_by(classes).copied().collect();
            let is_own: Vec<bool> = labels.iter().map(|label| *label == class).collect();
            Isotonic::fit(&own, &is_own).map(Some)
        };
        let calibrations = (0..classes).map(calibration).collect::<Option<_>>()?;
        Some(Self { calibrations, reference_rows: labels.len() as u64 })
    }

    /// Takes scores as they are, as probabilities; `None` for fewer than two classes.
    #[must_use]
    pub fn uncalibrated(classes: usize) -> Option<Self> {
        (2..=1 << 20).contains(&classes).then(|| Self { calibrations: vec![None; classes], reference_rows: 0 })
    }

    /// Calibrates the scores of a window with its decisions; `None` as for [`Self::fit`].
    #[must_use]
    pub fn window(&self, scores: &[f64], decisions: &[usize]) -> Option<MulticlassEstimate> {
        let classes = self.calibrations.len();
        if !fits(scores, decisions, classes) {
            return None;
        }
        let mut probabilities = Vec::with_capacity(scores.len());
        for row in scores.chunks_exact(classes) {
            let first = probabilities.len();
            for (score, calibration) in row.iter().zip(&self.calibrations) {
                probabilities.push(calibration.as_ref().map_or(Some(*score), |curve| curve.probability(*score))?);
            }
            let own = &mut probabilities[first..];
            let total: f64 = own.iter().sum();
            own.iter_mut().for_each(|p| *p = if total > 0.0 { *p / total } else { 1.0 / classes as f64 });
        }
        let mut cells = vec![0.0; classes * classes];
        for (row, decision) in probabilities.chunks_exact(classes).zip(decisions) {
            row.iter().enumerate().for_each(|(label, p)| cells[label * classes + decision] += p);
        }
        Some(MulticlassEstimate {
            classes,
            scores: scores.to_vec(),
            probabilities,
            decisions: decisions.to_vec(),
            cells,
            widening: widening(decisions.len(), self.reference_rows),
        })
    }
}

/// A window of calibrated scores of several classes, and what they make one expect.
///
/// Standard errors as for [`super::CalibratedScores`].
#[derive(Clone, Debug, PartialEq)]
pub struct MulticlassEstimate {
    classes: usize,
    scores: Vec<f64>,
    probabilities: Vec<f64>,
    decisions: Vec<usize>,
    /// Expected counts by label and decision.
    cells: Vec<f64>,
    widening: f64,
}

impl MulticlassEstimate {
    /// The expected count of rows of a label that were decided as a class; `None` for unknown classes.
    #[must_use]
    pub fn cell(&self, label: usize, decision: usize) -> Option<f64> {
        let known = label < self.classes && decision < self.classes;
        known.then(|| self.cells[label * self.classes + decision])
    }

    /// The share of decisions that are right.
    #[must_use]
    pub fn accuracy(&self) -> Option<Estimate> {
        let rows = self.decisions.len() as f64;
        let right = |(row, decision): (&[f64], &usize)| row[*decision];
        let of_rows = || self.probabilities.chunks_exact(self.classes).zip(&self.decisions).map(right);
        let variance: f64 = of_rows().map(|p| p * (1.0 - p)).sum();
        self.widened(of_rows().sum::<f64>() / rows, variance.sqrt() / rows)
    }

    /// The mean of a metric over classes, each against the rest; a class where it has no value counts
    /// as zero.
    #[must_use]
    pub fn macro_average(&self, metric: BinaryMetric) -> Option<Estimate> {
        let share = 1.0 / self.classes as f64;
        let at: Vec<_> = (0..self.classes).map(|class| metric.at(self.one_vs_rest(class))).collect();
        let value = at.iter().flatten().map(|at| at.value).sum::<f64>() * share;
        let slopes: Vec<[f64; 4]> = at.iter().map(|at| at.map_or([0.0; 4], |at| at.slope)).collect();
        let of_label = |label: usize, decision: usize| {
            let (own, other) = (&slopes[label], &slopes[decision]);
            if label == decision {
                own[TRUE_POSITIVE] - own[TRUE_NEGATIVE]
            } else {
                own[FALSE_NEGATIVE] - own[TRUE_NEGATIVE] + other[FALSE_POSITIVE] - other[TRUE_NEGATIVE]
            }
        };
        let mut variance = 0.0;
        for (row, decision) in self.probabilities.chunks_exact(self.classes).zip(&self.decisions) {
            let changes = || row.iter().enumerate().map(|(label, p)| (*p, of_label(label, *decision)));
            let mean: f64 = changes().map(|(p, change)| p * change).sum();
            variance += changes().map(|(p, change)| p * (change - mean) * (change - mean)).sum::<f64>();
        }
        self.widened(value, share * variance.sqrt())
    }

    /// The mean area under the ROC curve of each class against the rest; `None` if a class has no
    /// weight.
    #[must_use]
    pub fn area_under_roc(&self) -> Option<Estimate> {
        self.over_classes(|scores, probabilities| {
            let rest: Vec<f64> = probabilities.iter().map(|p| 1.0 - p).collect();
            let (area, slopes) = area_and_slopes(scores, probabilities, &rest)?;
            Some((area, slopes.into_iter().map(|slope| slope[0] - slope[1]).collect()))
        })
    }

    /// The mean average precision of each class against the rest; `None` if a class has no weight.
    #[must_use]
    pub fn average_precision(&self) -> Option<Estimate> {
        self.over_classes(|scores, probabilities| {
            let (value, slopes) = precision_and_slopes(scores, probabilities)?;
            Some((value, slopes.into_iter().map(|slope| slope.of_label).collect()))
        })
    }

    /// The mean of a number over classes, from its value and its slopes by the label of each row.
    fn over_classes(&self, of_class: impl Fn(&[f64], &[f64]) -> Option<(f64, Vec<f64>)>) -> Option<Estimate> {
        let share = 1.0 / self.classes as f64;
        let mut value = 0.0;
        // For each row: the mean of the slope of its label, and of its square.
        let mut moments = vec![(0.0, 0.0); self.decisions.len()];
        for class in 0..self.classes {
            let column =
                |values: &[f64]| -> Vec<f64> { values[class..].iter().step_by(self.classes).copied().collect() };
            let (scores, probabilities) = (column(&self.scores), column(&self.probabilities));
            let (own, slopes) = of_class(&scores, &probabilities)?;
            value += share * own;
            for ((moment, slope), p) in moments.iter_mut().zip(slopes).zip(&probabilities) {
                moment.0 += p * slope;
                moment.1 += p * slope * slope;
            }
        }
        let variance: f64 = moments.iter().map(|(mean, square)| (square - mean * mean).max(0.0)).sum();
        self.widened(value, share * variance.sqrt())
    }

    fn one_vs_rest(&self, class: usize) -> [f64; 4] {
        let hits = self.cells[class * self.classes + class];
        let labels: f64 = self.cells[class * self.classes..(class + 1) * self.classes].iter().sum();
        let decided: f64 = self.cells[class..].iter().step_by(self.classes).sum();
        let mut cells = [0.0; 4];
        cells[TRUE_POSITIVE] = hits;
        cells[FALSE_POSITIVE] = decided - hits;
        cells[FALSE_NEGATIVE] = labels - hits;
        cells[TRUE_NEGATIVE] = self.decisions.len() as f64 - labels - decided + hits;
        cells
    }

    fn widened(&self, value: f64, standard_error: f64) -> Option<Estimate> {
        Estimate::new(value, standard_error * self.widening)
    }
}

fn fits(scores: &[f64], labels: &[usize], classes: usize) -> bool {
    let rows = labels.len();
    let sized = 2 <= classes
        && 0 < rows
        && rows <= u32::MAX as usize
        && labels.len().checked_mul(classes) == Some(scores.len());
    sized && labels.iter().all(|label| *label < classes) && scores.iter().all(|score| (0.0..=1.0).contains(score))
}
