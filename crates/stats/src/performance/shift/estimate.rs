//! What the weighted reference says about a window.

use crate::interval::Estimate;
use crate::performance::classification::{
    FALSE_NEGATIVE, FALSE_POSITIVE, TRUE_NEGATIVE, TRUE_POSITIVE, area_and_slopes, precision_and_slopes, rising,
};
use crate::performance::{BinaryMetric, BusinessValue};

/// What a labelled reference row adds to the uncertainty of sums over the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ReferenceRow {
    pub(super) score: f64,
    pub(super) decision: bool,
    /// Its label less its probability, weighted, in rows of the window.
    pub(super) change: f64,
}

/// A window whose labels are missing, and what weighted labels of the reference say about it.
///
/// Standard errors cover that labels of the window are drawn, that those of the reference were, and that
/// weights and probabilities are learned.
#[derive(Clone, Debug, PartialEq)]
pub struct ShiftEstimate {
    pub(super) scores: Vec<f64>,
    pub(super) decisions: Vec<bool>,
    pub(super) probabilities: Vec<f64>,
    pub(super) reference: Vec<ReferenceRow>,
    pub(super) effective_rows: f64,
    pub(super) outside: f64,
}

impl ShiftEstimate {
    /// The estimated probability of a positive label, row by row.
    #[must_use]
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// How many reference rows of equal weight would say as much as all do: few after a large shift.
    #[must_use]
    pub fn effective_rows(&self) -> f64 {
        self.effective_rows
    }

    /// The share of window rows where the reference has next to none. What is said about these rests on
    /// the learned model alone: above some 5 %, estimates and intervals are not to be trusted.
    #[must_use]
    pub fn outside(&self) -> f64 {
        self.outside
    }

    /// The expected counts of true positives, false positives, true negatives, false negatives.
    #[must_use]
    pub fn cells(&self) -> [f64; 4] {
        let mut cells = [0.0; 4];
        for (probability, decision) in self.probabilities.iter().zip(&self.decisions) {
            let (positive, negative) =
                if *decision { (TRUE_POSITIVE, FALSE_POSITIVE) } else { (FALSE_NEGATIVE, TRUE_NEGATIVE) };
            cells[positive] += probability;
            cells[negative] += 1.0 - probability;
        }
        cells
    }

    /// A metric of decisions; `None` where it has no value, as precision without positive decisions.
    #[must_use]
    pub fn metric(&self, metric: BinaryMetric) -> Option<Estimate> {
        let at = metric.at(self.cells())?;
        let slopes =
            [at.slope[FALSE_NEGATIVE] - at.slope[TRUE_NEGATIVE], at.slope[TRUE_POSITIVE] - at.slope[FALSE_POSITIVE]];
        let of_decision = |decision: bool| slopes[usize::from(decision)];
        self.estimate(at.value, self.decisions.iter().map(|decision| of_decision(*decision)), |row| {
            of_decision(row.decision)
        })
    }

    /// What the decisions are worth together; `None` for values that are not finite.
    #[must_use]
    pub fn business_value(&self, value: &BusinessValue) -> Option<Estimate> {
        let worth = [value.true_positive, value.false_positive, value.true_negative, value.false_negative];
        let total = self.cells().iter().zip(worth).map(|(count, worth)| count * worth).sum();
        let slopes = [value.false_negative - value.true_negative, value.true_positive - value.false_positive];
        let of_decision = |decision: bool| slopes[usize::from(decision)];
        self.estimate(total, self.decisions.iter().map(|decision| of_decision(*decision)), |row| {
            of_decision(row.decision)
        })
    }

    /// The area under the ROC curve; `None` if one class has no weight. `O(n log n)`.
    #[must_use]
    pub fn area_under_roc(&self) -> Option<Estimate> {
        let rest: Vec<f64> = self.probabilities.iter().map(|p| 1.0 - p).collect();
        let (area, slopes) = area_and_slopes(&self.scores, &self.probabilities, &rest)?;
        self.by_score(area, slopes.into_iter().map(|slope| slope[0] - slope[1]).collect())
    }

    /// The average precision. `O(n log n)`.
    #[must_use]
    pub fn average_precision(&self) -> Option<Estimate> {
        let (value, slopes) = precision_and_slopes(&self.scores, &self.probabilities)?;
        self.by_score(value, slopes.into_iter().map(|slope| slope.of_label).collect())
    }

    /// A number that changes by these slopes with the label of each row; a reference row's slope is that
    /// of the window's row of the next score.
    fn by_score(&self, value: f64, slopes: Vec<f64>) -> Option<Estimate> {
        let order = rising(&self.scores);
        let slope_at = |row: &ReferenceRow| {
            let next = order.partition_point(|at| self.scores[*at as usize] < row.score);
            order.get(next).or(order.last()).map_or(0.0, |at| slopes[*at as usize])
        };
        self.estimate(value, slopes.iter().copied(), slope_at)
    }

    fn estimate(
        &self,
        value: f64,
        slopes: impl Iterator<Item = f64>,
        slope_at: impl Fn(&ReferenceRow) -> f64,
    ) -> Option<Estimate> {
        let of_window: f64 = slopes.zip(&self.probabilities).map(|(slope, p)| p * (1.0 - p) * slope * slope).sum();
        // What the labels of the weighted reference still say against the probabilities, along the slopes of
        // this very number (one step of Newton's method).
        let (mut step, mut of_reference) = (0.0, 0.0);
        for change in self.reference.iter().map(|row| row.change * slope_at(row)) {
            step += change;
            of_reference += change * change;
        }
        // The reference counts twice: for its labels, and because weights and probabilities were learned from
        // as many rows, whose errors are of the same size.
        Estimate::new(value + step, (of_window + 2.0 * of_reference).sqrt())
    }
}
