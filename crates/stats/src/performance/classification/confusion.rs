//! Decisions of two classes against labels, as four counts.

use serde::{Deserialize, Serialize};

use super::metric::BinaryMetric;
use crate::interval::{Estimate, Interval, wilson};

/// The two-by-two table of decisions and labels; tables add up.
///
/// ```
/// use wardline_stats::performance::{BinaryMetric, Confusion};
///
/// let table = Confusion { true_positive: 80, false_positive: 20, true_negative: 890, false_negative: 10 };
/// assert_eq!(table.metric(BinaryMetric::Precision), Some(0.8));
/// let interval = table.interval(BinaryMetric::Precision, 0.95).unwrap();
/// assert!(0.71 < interval.low && interval.high < 0.87);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Decided positive, and it is.
    pub true_positive: u64,
    /// Decided positive, but it is not.
    pub false_positive: u64,
    /// Decided negative, and it is.
    pub true_negative: u64,
    /// Decided negative, but it is positive.
    pub false_negative: u64,
}

impl Confusion {
    /// The table of decisions and labels; `None` if the lengths differ.
    #[must_use]
    pub fn of(decisions: &[bool], labels: &[bool]) -> Option<Self> {
        if decisions.len() != labels.len() {
            return None;
        }
        let mut confusion = Self::default();
        decisions.iter().zip(labels).for_each(|(decision, label)| confusion.observe(*decision, *label));
        Some(confusion)
    }

    /// Takes in one decision with its label, in `O(1)`.
    pub fn observe(&mut self, decision: bool, label: bool) {
        match (decision, label) {
            (true, true) => self.true_positive += 1,
            (true, false) => self.false_positive += 1,
            (false, false) => self.true_negative += 1,
            (false, true) => self.false_negative += 1,
        }
    }

    /// Adds the counts of another table; counts that would overflow stay at the greatest number.
    pub fn merge(&mut self, other: &Self) {
        self.true_positive = self.true_positive.saturating_add(other.true_positive);
        self.false_positive = self.false_positive.saturating_add(other.false_positive);
        self.true_negative = self.true_negative.saturating_add(other.true_negative);
        self.false_negative = self.false_negative.saturating_add(other.false_negative);
    }

    /// How many decisions there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        let cells = [self.true_positive, self.false_positive, self.true_negative, self.false_negative];
        cells.into_iter().fold(0, u64::saturating_add)
    }

    /// A metric of the table; `None` where it has no value, as precision without positive decisions.
    #[must_use]
    pub fn metric(&self, metric: BinaryMetric) -> Option<f64> {
        Some(metric.at(self.counts())?.value)
    }

    /// A metric with its standard error by the delta method, decisions drawn independently.
    ///
    /// `variance = sum count * slope^2 - (sum count * slope)^2 / n`. Not to be trusted where a count
    /// that the metric rests on is below some ten; zero where all decisions agree with each other,
    /// which is no certainty: [`Self::interval`] takes care of it for shares of counts.
    /// Reference: Agresti, "Categorical Data Analysis" (2013), 16.1.
    #[must_use]
    pub fn estimate(&self, metric: BinaryMetric) -> Option<Estimate> {
        let counts = self.counts();
        let at = metric.at(counts)?;
        let total: f64 = counts.iter().sum();
        let terms = || counts.iter().zip(at.slope).map(|(count, slope)| (count * slope, slope));
        let mean: f64 = terms().map(|(term, _)| term).sum();
        let squares: f64 = terms().map(|(term, slope)| term * slope).sum();
        Estimate::new(at.value, (squares - mean * mean / total).max(0.0).sqrt())
    }

    /// The interval of a metric: Wilson's for shares of counts (accuracy, precision, recall,
    /// specificity, negative predictive value), the delta method on the scale of log-odds for F and
    /// balanced accuracy, on that of Fisher's z for the correlations.
    ///
    /// Wilson's takes the number below as given. `None` where the metric has no value, or unless
    /// `0 < confidence < 1`. For few counts and a guarantee take [`crate::interval::clopper_pearson`].
    #[must_use]
    pub fn interval(&self, metric: BinaryMetric, confidence: f64) -> Option<Interval> {
        let Self { true_positive: tp, false_positive: fp, true_negative: tn, false_negative: fn_ } = *self;
        match metric {
            BinaryMetric::Accuracy => wilson(tp.saturating_add(tn), self.count(), confidence),
            BinaryMetric::Precision => wilson(tp, tp.saturating_add(fp), confidence),
            BinaryMetric::Recall => wilson(tp, tp.saturating_add(fn_), confidence),
            BinaryMetric::Specificity => wilson(tn, tn.saturating_add(fp), confidence),
            BinaryMetric::NegativePredictiveValue => wilson(tn, tn.saturating_add(fn_), confidence),
            _ if metric.is_share() => self.estimate(metric)?.share_interval(confidence),
            _ => correlation_interval(self.estimate(metric)?, confidence),
        }
    }

    fn counts(&self) -> [f64; 4] {
        [self.true_positive, self.false_positive, self.true_negative, self.false_negative].map(|count| count as f64)
    }
}

/// The interval of a number in `-1..=1`: that of its place between both, as a share.
pub(super) fn correlation_interval(estimate: Estimate, confidence: f64) -> Option<Interval> {
    let value = (0.5 + 0.5 * estimate.value).clamp(0.0, 1.0);
    let share = Estimate::new(value, 0.5 * estimate.standard_error)?.share_interval(confidence)?;
    Some(Interval { low: 2.0 * share.low - 1.0, high: 2.0 * share.high - 1.0 })
}
