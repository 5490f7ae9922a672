//! What the performance must be if the probabilities are right: no labels needed.

use serde::{Deserialize, Serialize};

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
    /// `sum p (1 - p)`: how much the true number of right decisions varies.
    variance: f64,
    count: u64,
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
        if decided_positive {
            self.true_positive += probability;
            self.false_positive += 1.0 - probability;
        } else {
            self.false_negative += probability;
            self.true_negative += 1.0 - probability;
        }
        self.variance += probability * (1.0 - probability);
        self.count += 1;
        true
    }

    /// Adds the predictions of another.
    pub fn merge(&mut self, other: &Self) {
        self.true_positive += other.true_positive;
        self.false_positive += other.false_positive;
        self.true_negative += other.true_negative;
        self.false_negative += other.false_negative;
        self.variance += other.variance;
        self.count += other.count;
    }

    /// How many predictions were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The share of decisions that are right.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.true_positive + self.true_negative, self.count as f64)
    }

    /// The standard deviation of the accuracy that labels will show, if the probabilities are right.
    #[must_use]
    pub fn accuracy_standard_deviation(&self) -> Option<f64> {
        ratio(self.variance.sqrt(), self.count as f64)
    }

    /// The share of positive decisions that are right.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        ratio(self.true_positive, self.true_positive + self.false_positive)
    }

    /// The share of positives that are found.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        ratio(self.true_positive, self.true_positive + self.false_negative)
    }

    /// The share of negatives that are left alone.
    #[must_use]
    pub fn specificity(&self) -> Option<f64> {
        ratio(self.true_negative, self.true_negative + self.false_positive)
    }

    /// The harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self) -> Option<f64> {
        let twice = 2.0 * self.true_positive;
        ratio(twice, twice + self.false_positive + self.false_negative)
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// The expected area under the ROC curve: scores rank, calibrated probabilities weigh; ties count
/// half. `O(n log n)`.
///
/// `None` if the lengths differ, a value is not in `0..=1`, or one class has no weight.
/// Reference: as [`ExpectedConfusion`].
#[must_use]
pub fn estimated_area_under_roc(scores: &[f64], probabilities: &[f64]) -> Option<f64> {
    let valid = |values: &[f64]| values.iter().all(|value| (0.0..=1.0).contains(value));
    if scores.len() != probabilities.len() || !valid(scores) || !valid(probabilities) {
        return None;
    }
    let mut pairs: Vec<(f64, f64)> = scores.iter().copied().zip(probabilities.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut negatives, mut positives, mut area) = (0.0, 0.0, 0.0);
    for equal in pairs.chunk_by(|a, b| a.0 == b.0) {
        let positive: f64 = equal.iter().map(|(_, probability)| probability).sum();
        let negative = equal.len() as f64 - positive;
        area += positive * (negatives + 0.5 * negative);
        negatives += negative;
        positives += positive;
    }
    ratio(area, negatives * positives)
}

#[cfg(test)]
mod tests {
    use super::super::Isotonic;
    use super::super::calibration::tests::golden_reference;
    use super::*;
    use crate::golden::close;

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
