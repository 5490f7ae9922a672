//! What the performance must be if the probabilities are right: no labels needed.

use serde::{Deserialize, Serialize};

/// The expected confusion counts of decisions with calibrated probabilities (CBPE).
///
/// A positive decision of probability `p` is right with `p` and wrong with `1 - p`; sums of these
/// are the expected counts, so every metric of a confusion table follows. Sums merge. Only as good
/// as the calibration: it sees a shift of the inputs, and is blind to a change of what they mean.
/// Cost `O(1)` a prediction, no allocation.
/// Reference: NannyML, "Confidence-based performance estimation" (2022).
use crate::interval::Estimate;
use crate::performance::classification::{BinaryMetric, FALSE_NEGATIVE, FALSE_POSITIVE, TRUE_NEGATIVE, TRUE_POSITIVE};

/// The expected confusion counts of decisions with calibrated probabilities (CBPE).
///
/// A positive decision of probability `p` is right with `p` and wrong with `1 - p`; sums of these
/// are the expected counts, so every metric of a confusion table follows. Sums merge. Only as good
/// as the calibration: it sees a shift of the inputs, and is blind to a change of what they mean.
/// Cost `O(1)` a prediction, no allocation.
/// Reference: NannyML, "Confidence-based performance estimation" (2022).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExpectedConfusion {
    true_positive: f64,
    false_positive: f64,
    true_negative: f64,
    false_negative: f64,
    /// `sum p (1 - p)` of positive decisions: how much the number of true positives varies.
    positive_variance: f64,
    /// The same of negative decisions.
    negative_variance: f64,
    count: u64,
}

/// What one decision of each kind is worth, in any unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BusinessValue {
    /// Decided positive, and it is.
    pub true_positive: f64,
    /// Decided positive, but it is not.
    pub false_positive: f64,
    /// Decided negative, and it is.
    pub true_negative: f64,
    /// Decided negative, but it is positive.
    pub false_negative: f64,
}

impl ExpectedConfusion {
    /// No prediction seen.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the calibrated probability of the positive class and the decision; `false` unless
    /// the probability is in `0..=1`.
    pub fn observe(&mut self, probability: f64, decided_positive: bool) -> bool {
        if !(0.0..=1.0).contains(&probability) {
            return false;
        }
        let variance = probability * (1.0 - probability);
        if decided_positive {
            self.true_positive += probability;
            self.false_positive += 1.0 - probability;
            self.positive_variance += variance;
        } else {
            self.false_negative += probability;
            self.true_negative += 1.0 - probability;
            self.negative_variance += variance;
        }
        self.count += 1;
        true
    }

    /// Adds the predictions of another.
    pub fn merge(&mut self, other: &Self) {
        self.true_positive += other.true_positive;
        self.false_positive += other.false_positive;
        self.true_negative += other.true_negative;
        self.false_negative += other.false_negative;
        self.positive_variance += other.positive_variance;
        self.negative_variance += other.negative_variance;
        self.count += other.count;
    }

    /// How many predictions were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The expected counts of true positives, false positives, true negatives, false negatives.
    #[must_use]
    pub fn cells(&self) -> [f64; 4] {
        let mut cells = [0.0; 4];
        cells[TRUE_POSITIVE] = self.true_positive;
        cells[FALSE_POSITIVE] = self.false_positive;
        cells[TRUE_NEGATIVE] = self.true_negative;
        cells[FALSE_NEGATIVE] = self.false_negative;
        cells
    }

    /// The standard deviations of the same counts, if labels are drawn by the probabilities.
    #[must_use]
    pub fn cell_standard_deviations(&self) -> [f64; 4] {
        let (positive, negative) = (self.positive_variance.sqrt(), self.negative_variance.sqrt());
        let mut cells = [positive; 4];
        cells[TRUE_NEGATIVE] = negative;
        cells[FALSE_NEGATIVE] = negative;
        cells
    }

    /// A metric of the expected counts, with the standard deviation of the one that labels will show,
    /// if the probabilities are right.
    ///
    /// By the delta method: the numbers of true positives and of false negatives vary by
    /// `sum p (1 - p)` of positive and of negative decisions. The metric of expected counts is the
    /// expected metric up to terms of `1 / n`. `None` where the metric has no value.
    #[must_use]
    pub fn metric(&self, metric: BinaryMetric) -> Option<Estimate> {
        let at = metric.at(self.cells())?;
        let positive = at.slope[TRUE_POSITIVE] - at.slope[FALSE_POSITIVE];
        let negative = at.slope[FALSE_NEGATIVE] - at.slope[TRUE_NEGATIVE];
        let variance = self.positive_variance * positive * positive + self.negative_variance * negative * negative;
        Estimate::new(at.value, variance.sqrt())
    }

    /// What the decisions are worth together, with the standard deviation of what labels will show;
    /// divide by [`Self::count`] for the worth of one. `None` before the first, or for values that are
    /// not finite.
    ///
    /// NannyML divides each column of decisions by its own count instead for its value
    /// `per_prediction`, which is neither total nor mean.
    #[must_use]
    pub fn business_value(&self, value: &BusinessValue) -> Option<Estimate> {
        let total = self.true_positive * value.true_positive
            + self.false_positive * value.false_positive
            + self.true_negative * value.true_negative
            + self.false_negative * value.false_negative;
        let positive = value.true_positive - value.false_positive;
        let negative = value.false_negative - value.true_negative;
        let variance = self.positive_variance * positive * positive + self.negative_variance * negative * negative;
        if self.count == 0 { None } else { Estimate::new(total, variance.sqrt()) }
    }

    /// The share of decisions that are right.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        Some(self.metric(BinaryMetric::Accuracy)?.value)
    }

    /// The standard deviation of the accuracy that labels will show, if the probabilities are right.
    #[must_use]
    pub fn accuracy_standard_deviation(&self) -> Option<f64> {
        Some(self.metric(BinaryMetric::Accuracy)?.standard_error)
    }

    /// The share of positive decisions that are right.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        Some(self.metric(BinaryMetric::Precision)?.value)
    }

    /// The share of positives that are found.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        Some(self.metric(BinaryMetric::Recall)?.value)
    }

    /// The share of negatives that are left alone.
    #[must_use]
    pub fn specificity(&self) -> Option<f64> {
        Some(self.metric(BinaryMetric::Specificity)?.value)
    }

    /// The harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self) -> Option<f64> {
        Some(self.metric(BinaryMetric::F1)?.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::close;
    use crate::performance::calibration::tests::golden_reference;
    use crate::performance::{Isotonic, estimated_area_under_roc};

    fn analysis() -> Vec<f64> {
        (0..150).map(|j| 0.9 * (f64::from((83 * j) % 150) + 0.5) / 150.0).collect()
    }

    fn check(probabilities: &[f64], expected: [f64; 6]) {
        let scores = analysis();
        let mut confusion = ExpectedConfusion::new();
        for (score, probability) in scores.iter().zip(probabilities) {
            assert!(confusion.observe(*probability, *score >= 0.5));
        }
        let found = [
            confusion.accuracy(),
            confusion.precision(),
            confusion.recall(),
            confusion.specificity(),
            confusion.f1(),
            estimated_area_under_roc(&scores, probabilities),
        ];
        for (at, (found, expected)) in found.into_iter().zip(expected).enumerate() {
            // NannyML rounds the running counts of its ROC curve to five decimals.
            close(found, expected, if at == 5 { 1e-7 } else { 1e-9 });
        }
    }

    /// golden-stats.json, NannyML 0.13.1: scores taken as probabilities.
    #[test]
    fn agrees_with_nannyml_uncalibrated() {
        check(
            &analysis(),
            [
                0.727_773_333_333_333_3,
                0.699,
                0.693_822_222_222_222_1,
                0.755_551_515_151_515_1,
                0.696_401_486_988_847_5,
                0.803_016_835_016_835_2,
            ],
        );
    }

    /// golden-stats.json, NannyML 0.13.1: isotonic calibration on the reference.
    #[test]
    fn agrees_with_nannyml_calibrated() {
        let (scores, labels) = golden_reference();
        let fitted = Isotonic::fit(&scores, &labels).unwrap();
        let calibrated: Vec<f64> = analysis().iter().map(|score| fitted.probability(*score).unwrap()).collect();
        check(
            &calibrated,
            [
                0.750_004_761_904_762_2,
                0.587_174_840_085_287_9,
                0.799_921_572_044_791_1,
                0.725_654_813_775_709_1,
                0.677_233_128_193_147_4,
                0.846_137_829_666_326_7,
            ],
        );
    }

    #[test]
    fn too_little_gives_nothing() {
        let mut confusion = ExpectedConfusion::new();
        assert_eq!(confusion.accuracy(), None);
        assert!(!confusion.observe(f64::NAN, true));
        assert_eq!(confusion.precision(), None);
        assert_eq!(estimated_area_under_roc(&[], &[]), None);
        assert_eq!(estimated_area_under_roc(&[0.5, 0.6], &[1.0, 1.0]), None);
    }
}
