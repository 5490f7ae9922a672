//! Estimated performance of scores of two classes: calibrate once, then any window.

use serde::{Deserialize, Serialize};

use super::confusion::{BusinessValue, ExpectedConfusion};
use crate::interval::Estimate;
use crate::performance::Isotonic;
use crate::performance::classification::BinaryMetric;

/// Confidence-based performance estimation for two classes.
///
/// Scores are calibrated on a labelled reference; in a window without labels, a prediction of
/// calibrated probability `p` is positive with `p`. Estimates are right as long as a score means what
/// it meant: under a shift of inputs that scores do not know of, they are not; then see
/// [`super::super::ShiftReference`].
/// Cost: sorting, `O(n log n)`, about 60 ns a row, for the reference once and for each window.
/// Reference: Kivimäki et al., "Confidence-based Estimators for Predictive Performance in Model
/// Monitoring", JAIR 82 (2025).
///
/// ```
/// use wardline_stats::performance::{BinaryMetric, Cbpe};
///
/// let scores: Vec<f64> = (0..1_000).map(|row| f64::from(row % 10) / 10.0).collect();
/// let labels: Vec<bool> = (0..1_000).map(|row| row % 10 > row / 10 % 10).collect();
/// let estimator = Cbpe::fit(&scores, &labels).unwrap();
/// let window = estimator.window(&[0.1, 0.9, 0.8, 0.3], &[false, true, true, false]).unwrap();
/// let accuracy = window.metric(BinaryMetric::Accuracy).unwrap();
/// assert!((accuracy.value - (0.9 + 0.9 + 0.8 + 0.7) / 4.0).abs() < 1e-9);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cbpe {
    calibration: Option<Isotonic>,
    reference_rows: u64,
}

impl Cbpe {
    /// Calibrates scores by isotonic regression on their labels; `None` if the lengths differ, there
    /// are no rows, or a score is not in `0..=1`.
    #[must_use]
    pub fn fit(scores: &[f64], labels: &[bool]) -> Option<Self> {
        let calibration = Isotonic::fit(scores, labels)?;
        Some(Self { calibration: Some(calibration), reference_rows: scores.len() as u64 })
    }

    /// Takes scores as they are, as probabilities.
    #[must_use]
    pub fn uncalibrated() -> Self {
        Self { calibration: None, reference_rows: 0 }
    }

    /// Calibrates and sorts the scores of a window; `None` if the lengths differ, there are no rows,
    /// or a score is not in `0..=1`.
    #[must_use]
    pub fn window(&self, scores: &[f64], decided_positive: &[bool]) -> Option<CalibratedScores> {
        let keys = sorted_keys(scores, decided_positive)?;
        let mut walk = self.calibration.as_ref().map(Isotonic::walk);
        let mut window = CalibratedScores {
            probabilities: Vec::with_capacity(keys.len()),
            ends: Vec::new(),
            confusion: ExpectedConfusion::new(),
            widening: widening(keys.len(), self.reference_rows),
        };
        for equal in keys.chunk_by(|a, b| a >> 1 == b >> 1) {
            let score = f64::from_bits(equal[0] >> 1);
            let probability = walk.as_mut().map_or(score, |walk| walk.probability(score));
            for key in equal {
                window.probabilities.push(probability);
                window.confusion.observe(probability, key & 1 == 1);
            }
            if equal.len() > 1 {
                window.ends.push((window.probabilities.len() - equal.len(), window.probabilities.len()));
            }
        }
        Some(window)
    }
}

/// A window of calibrated scores, and what they make one expect.
///
/// Standard errors cover that labels of the window are drawn, and that those of the reference were,
/// as if both had the same inputs: a row of the reference counts as one of the window. They do not
/// cover a change of what scores mean.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibratedScores {
    /// By rising score.
    probabilities: Vec<f64>,
    /// Where stretches of equal scores begin and end, those of one row left out.
    ends: Vec<(usize, usize)>,
    confusion: ExpectedConfusion,
    widening: f64,
}

impl CalibratedScores {
    /// The expected confusion table; its own standard errors leave the reference out.
    #[must_use]
    pub fn confusion(&self) -> &ExpectedConfusion {
        &self.confusion
    }

    /// A metric of decisions. `None` where it has no value, as precision without positive decisions.
    #[must_use]
    pub fn metric(&self, metric: BinaryMetric) -> Option<Estimate> {
        self.widened(self.confusion.metric(metric)?)
    }

    /// What the decisions are worth together; `None` for values that are not finite.
    #[must_use]
    pub fn business_value(&self, value: &BusinessValue) -> Option<Estimate> {
        self.widened(self.confusion.business_value(value)?)
    }

    /// The area under the ROC curve; `None` if one class has no weight. `O(n)`.
    #[must_use]
    pub fn area_under_roc(&self) -> Option<Estimate> {
        let rows = self.probabilities.len() as f64;
        let positives: f64 = self.probabilities.iter().sum();
        let negatives = rows - positives;
        if !(positives > 0.0 && negatives > 0.0) {
            return None;
        }
        let mut area = 0.0;
        self.placed(|wins, _, probability| area += probability * wins);
        let area = area / (positives * negatives);
        let mut variance = 0.0;
        self.placed(|wins, positives_below, probability| {
            let slope =
                (wins / negatives - area) / positives - ((positives - positives_below) / positives - area) / negatives;
            variance += probability * (1.0 - probability) * slope * slope;
        });
        self.widened(Estimate::new(area, variance.sqrt())?)
    }

    /// Calls with the negatives and the positives below each row (own stretch of equal scores half)
    /// and its probability.
    fn placed(&self, mut each: impl FnMut(f64, f64, f64)) {
        let (mut at, mut positives_below) = (0, 0.0);
        let total = self.probabilities.len();
        let mut ends = self.ends.iter();
        while at < total {
            let (first, last) = ends.next().copied().unwrap_or((total, total));
            for probability in &self.probabilities[at..first] {
                let middle = positives_below + 0.5 * probability;
                each(at as f64 + 0.5 - middle, middle, *probability);
                positives_below += probability;
                at += 1;
            }
            let own: f64 = self.probabilities[first..last].iter().sum();
            let middle = positives_below + 0.5 * own;
            let rows = 0.5 * (first + last) as f64;
            self.probabilities[first..last].iter().for_each(|probability| each(rows - middle, middle, *probability));
            positives_below += own;
            at = last;
        }
    }

    /// The average precision; `None` if no row can be positive. `O(n)`.
    #[must_use]
    pub fn average_precision(&self) -> Option<Estimate> {
        let positives: f64 = self.probabilities.iter().sum();
        if positives <= 0.0 {
            return None;
        }
        let total = self.probabilities.len();
        // Stretches of equal scores from the highest down: their sum, and hits at their end.
        let mut ends = self.ends.iter().rev().peekable();
        let mut stretches = Vec::new();
        let (mut at, mut hits, mut value) = (total, 0.0, 0.0);
        while at > 0 {
            let first = ends.next_if(|end| end.1 == at).map_or(at - 1, |end| end.0);
            let own: f64 = self.probabilities[first..at].iter().sum();
            hits += own;
            let rows = (total - first) as f64;
            value += own * hits / rows;
            stretches.push((first, at, own, hits));
            at = first;
        }
        value /= positives;
        let (mut gains, mut variance) = (0.0, 0.0);
        for (first, last, own, hits) in stretches.into_iter().rev() {
            let rows = (total - first) as f64;
            gains += own / rows;
            let slope = (hits / rows + gains - value) / positives;
            variance += slope * slope * self.probabilities[first..last].iter().map(|p| p * (1.0 - p)).sum::<f64>();
        }
        self.widened(Estimate::new(value, variance.sqrt())?)
    }

    fn widened(&self, estimate: Estimate) -> Option<Estimate> {
        Estimate::new(estimate.value, estimate.standard_error * self.widening)
    }
}

/// How much further an estimate may be off as labels of the reference vary too, row by row as much as
/// those of the window; one where nothing was calibrated.
pub(super) fn widening(rows: usize, reference_rows: u64) -> f64 {
    if reference_rows == 0 { 1.0 } else { (1.0 + rows as f64 / reference_rows as f64).sqrt() }
}

/// Scores in `0..=1` with a flag in the last bit, sorted. Bits of such numbers rise with the numbers.
pub(in crate::performance) fn sorted_keys(scores: &[f64], flags: &[bool]) -> Option<Vec<u64>> {
    if scores.is_empty() || scores.len() != flags.len() || !scores.iter().all(|s| (0.0..=1.0).contains(s)) {
        return None;
    }
    // Adding zero makes a zero of a negative zero.
    let keys = scores.iter().zip(flags).map(|(score, flag)| (score + 0.0).to_bits() << 1 | u64::from(*flag));
    let mut keys: Vec<u64> = keys.collect();
    keys.sort_unstable();
    Some(keys)
}
