//! The share of right predictions while labels are late, and some outcomes are labelled sooner.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::interval::Estimate;

/// Labels of each outcome that a curve needs.
const LEAST_MATURE: usize = 30;

/// Labels of each outcome that must have arrived by an age for it to count.
const LEAST_ARRIVED: usize = 10;

/// Labels of recent predictions below which there is no answer.
const LEAST_LABELS: usize = 20;

/// Newton steps at most; some five are usual.
const MOST_STEPS: u32 = 100;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DelayError {
    /// Lengths differ, or a delay or an age is negative or not finite.
    Invalid,
    /// Fewer than 30 labels of an outcome among mature predictions.
    TooFewMatureLabels {
        /// Labels that say "right".
        right: usize,
        /// Labels that say "wrong".
        wrong: usize,
    },
    /// Fewer than 20 labels of recent predictions that are old enough to count.
    TooFewLabels {
        /// How many there are.
        usable: usize,
    },
}

impl fmt::Display for DelayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => f.write_str("lengths differ, or a delay or an age is negative or not finite"),
            Self::TooFewMatureLabels { right, wrong } => {
                write!(f, "{right} right and {wrong} wrong labels of mature predictions, and 30 of each are needed")
            }
            Self::TooFewLabels { usable } => {
                write!(f, "{usable} labels of predictions that are old enough, and 20 are needed")
            }
        }
    }
}

impl std::error::Error for DelayError {}

/// How soon labels arrive, for right and for wrong predictions.
///
/// Learned from mature predictions: made so long ago that whatever label they get has arrived. Fraud that
/// is charged back within days while good payments are confirmed after a month makes recent labels look
/// far worse than the model is; the curve undoes that.
/// Reference: Lagakos, Barraj, De Gruttola, Biometrika 75 (1988) for delays of reports.
///
/// ```
/// use wardline_stats::performance::{MaturityCurve, RecentPrediction};
///
/// // Wrong predictions are found out within 10 days, right ones are confirmed within 40.
/// let delays: Vec<f64> = (0..800).map(|row| f64::from(row % if row % 4 == 0 { 10 } else { 40 })).collect();
/// let right: Vec<bool> = (0..800).map(|row| row % 4 != 0).collect();
/// let curve = MaturityCurve::fit(&delays, &right, 800).unwrap();
/// let (right, wrong) = curve.arrived(9.5);
/// assert!(right < 0.3 && wrong == 1.0);
///
/// // Ten days old: as many wrong labels as right ones, but most right ones are still to come.
/// let recent = (0..200).map(|row| RecentPrediction { age: 9.5, right: (row % 4 == 0).then_some(row % 8 == 0) });
/// let found = curve.share(&recent.collect::<Vec<_>>()).unwrap();
/// assert!(found.as_labelled == 0.5 && found.share.value > 0.75);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaturityCurve {
    /// Delays of labels that say "right", rising.
    right: Vec<f64>,
    /// Delays of labels that say "wrong", rising.
    wrong: Vec<f64>,
    mature_predictions: u64,
}

/// A recent prediction: its age now, and whether it was right, if that is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecentPrediction {
    /// The time since the prediction, in the unit of the delays.
    pub age: f64,
    /// Whether it was right; `None` while there is no label.
    pub right: Option<bool>,
}

/// The share of right predictions among recent ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DelayedShare {
    /// The share; take [`Estimate::share_interval`] for its interval.
    pub share: Estimate,
    /// Labels that count.
    pub labels: u64,
    /// The share that these labels show as they are.
    pub as_labelled: f64,
    /// Labels that should have arrived for the predictions that are old enough, if as many are labelled as
    /// of the mature ones: far fewer than [`Self::labels`] or far more tells that delays have changed, and
    /// then the share is not to be trusted.
    pub expected_labels: f64,
}

impl MaturityCurve {
    /// Learns from the labels of mature predictions: the delay of each and whether it says "right"; and how
    /// many mature predictions there are with those that never got a label. `O(n log n)`.
    ///
    /// # Errors
    /// [`DelayError::Invalid`] for lengths that differ, a delay that is negative or not finite, or fewer
    /// predictions than labels; [`DelayError::TooFewMatureLabels`] below 30 of an outcome.
    pub fn fit(delays: &[f64], right: &[bool], mature_predictions: u64) -> Result<Self, DelayError> {
        let valid = delays.iter().all(|delay| 0.0 <= *delay && delay.is_finite());
        if delays.len() != right.len() || !valid || mature_predictions < delays.len() as u64 {
            return Err(DelayError::Invalid);
        }
        let of = |wanted: bool| -> Vec<f64> {
            let own = delays.iter().zip(right).filter(|(_, right)| **right == wanted);
            let mut own: Vec<f64> = own.map(|(delay, _)| *delay).collect();
            own.sort_unstable_by(f64::total_cmp);
            own
        };
        let (right, wrong) = (of(true), of(false));
        if right.len() < LEAST_MATURE || wrong.len() < LEAST_MATURE {
            return Err(DelayError::TooFewMatureLabels { right: right.len(), wrong: wrong.len() });
        }
        Ok(Self { right, wrong, mature_predictions })
    }

    /// The share of labels that have arrived by an age, of right and of wrong predictions.
    #[must_use]
    pub fn arrived(&self, age: f64) -> (f64, f64) {
        let share = |delays: &[f64]| arrived(delays, age) as f64 / delays.len().max(1) as f64;
        (share(&self.right), share(&self.wrong))
    }

    /// The share of mature predictions that have a label.
    #[must_use]
    pub fn labelled_share(&self) -> f64 {
        (self.right.len() + self.wrong.len()) as f64 / self.mature_predictions.max(1) as f64
    }

    /// The share of right predictions among recent ones, as if all labels had arrived.
    ///
    /// A label of age `a` says "right" with odds `share / (1 - share) * right(a) / wrong(a)`, with `right`
    /// and `wrong` the shares of labels that have arrived by `a`: a logistic regression of a constant, where
    /// each label has a known offset (Firth's correction keeps it finite when all labels agree). The standard
    /// error counts the labels and that the curve was learned. Which predictions are labelled at all may not
    /// depend on being right; [`DelayedShare::expected_labels`] tells of delays that changed. Ages by which
    /// fewer than ten labels of an outcome have arrived do not count. `O(n log n)`.
    ///
    /// # Errors
    /// [`DelayError::Invalid`] for an age that is negative or not finite; [`DelayError::TooFewLabels`] below
    /// 20 labels that count.
    pub fn share(&self, recent: &[RecentPrediction]) -> Result<DelayedShare, DelayError> {
        if !recent.iter().all(|prediction| 0.0 <= prediction.age && prediction.age.is_finite()) {
            return Err(DelayError::Invalid);
        }
        let mut labels = Vec::new();
        let mut arrived_by = Vec::new();
        for prediction in recent {
            let by = [arrived(&self.right, prediction.age), arrived(&self.wrong, prediction.age)];
            if by[0] < LEAST_ARRIVED || by[1] < LEAST_ARRIVED {
                continue;
            }
            let shares = self.arrived(prediction.age);
            arrived_by.push(shares);
            if let Some(right) = prediction.right {
                labels.push(Label { age: prediction.age, right, shares });
            }
        }
        if labels.len() < LEAST_LABELS {
            return Err(DelayError::TooFewLabels { usable: labels.len() });
        }
        labels.sort_unstable_by(|a, b| a.age.total_cmp(&b.age));
        let log_odds = solve(&labels);
        let share = 1.0 / (1.0 + (-log_odds).exp());
        let spread = share * (1.0 - share);
        let estimate =
            Estimate::new(share, spread * self.variance(&labels, log_odds).sqrt()).ok_or(DelayError::Invalid)?;
        let right = labels.iter().filter(|label| label.right).count() as f64;
        let expected = arrived_by.iter().map(|(right, wrong)| share * right + (1.0 - share) * wrong).sum::<f64>();
        Ok(DelayedShare {
            share: estimate,
            labels: labels.len() as u64,
            as_labelled: right / labels.len() as f64,
            expected_labels: self.labelled_share() * expected,
        })
    }

    /// The variance of the log-odds: by the labels, and by the curve, whose errors at two ages go together.
    fn variance(&self, labels: &[Label], log_odds: f64) -> f64 {
        let spread = |label: &Label| {
            let p = label.probability(log_odds);
            p * (1.0 - p)
        };
        let information: f64 = labels.iter().map(spread).sum();
        // Cov(ln F(a), ln F(b)) = (1 - F(b)) / (n F(b)) for a <= b, for both outcomes.
        let curve = |label: &Label| {
            let of = |share: f64, count: usize| (1.0 - share) / (share * count as f64);
            of(label.shares.0, self.right.len()) + of(label.shares.1, self.wrong.len())
        };
        let (mut younger, mut of_curve) = (0.0, 0.0);
        for label in labels {
            let own = spread(label);
            of_curve += own * curve(label) * (own + 2.0 * younger);
            younger += own;
        }
        1.0 / information + of_curve / (information * information)
    }
}

/// A label that counts.
struct Label {
    age: f64,
    right: bool,
    /// Shares of right and of wrong labels that have arrived by the age.
    shares: (f64, f64),
}

impl Label {
    /// The probability that a label of this age says "right".
    fn probability(&self, log_odds: f64) -> f64 {
        1.0 / (1.0 + (-log_odds).exp() * self.shares.1 / self.shares.0)
    }
}

/// How many of rising delays are no longer than an age.
fn arrived(delays: &[f64], age: f64) -> usize {
    delays.partition_point(|delay| *delay <= age)
}

/// The log-odds with `sum (right - p) + sum h (1/2 - p) = 0`, `h` the part of each label in the information.
fn solve(labels: &[Label]) -> f64 {
    let mut log_odds = 0.0_f64;
    for _ in 0..MOST_STEPS {
        let (mut score, mut information, mut correction) = (0.0, 0.0, 0.0);
        for label in labels {
            let p = label.probability(log_odds);
            let spread = p * (1.0 - p);
            score += f64::from(u8::from(label.right)) - p;
            information += spread;
            correction += spread * (0.5 - p);
        }
        let step = ((score + correction / information.max(1e-300)) / information.max(1e-300)).clamp(-1.0, 1.0);
        log_odds += step;
        if step.abs() < 1e-12 {
            break;
        }
    }
    log_odds
}

#[cfg(test)]
mod tests;
