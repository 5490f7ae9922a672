//! Many predictions and few labels together: as sure as the labels, as narrow as the predictions allow.

use serde::{Deserialize, Serialize};

use super::classification::{BinaryMetric, FALSE_NEGATIVE, FALSE_POSITIVE, TRUE_NEGATIVE, TRUE_POSITIVE};
use crate::distribution::normal;
use crate::interval::{Estimate, Interval, t_interval, tail_of};
use crate::sketch::Moments;

/// Labels below which there is no answer.
const LEAST_LABELS: u64 = 20;

/// The mean of an outcome from few labelled rows and many unlabelled ones with a guess each.
///
/// `mean = part * mean guess of the unlabelled + mean (outcome - part * guess) of the labelled`. The mean
/// is right whatever the guesses are worth, as long as the labelled rows are a random sample of all;
/// `part` in `0..=1` is tuned so that bad guesses cost nothing (PPI++). With `part = 0` it is the mean of
/// the labels. Not to be trusted where labels prefer some outcomes: see [`super::MaturityCurve`].
///
/// `O(1)` a row, 120 bytes. Parts add up.
/// Reference: Angelopoulos et al., "Prediction-powered inference", Science 382 (2023); Angelopoulos, Duchi,
/// Zrnic, "PPI++" (2023), arXiv 2311.01453, section 6 for the tuning.
///
/// ```
/// use wardline_stats::performance::PredictionPowered;
///
/// let mut accuracy = PredictionPowered::new();
/// for row in 0..1_000 {
///     let guess = if row % 10 == 0 { 0.2 } else { 0.95 };
///     if row % 20 == 3 || row % 200 == 10 {
///         accuracy.observe_labelled(if row % 10 == 0 { 0.0 } else { 1.0 }, guess);
///     } else {
///         accuracy.observe_unlabelled(guess);
///     }
/// }
/// assert_eq!(accuracy.counts(), (55, 945));
/// assert!(accuracy.share_interval(0.95).unwrap().contains(0.9));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PredictionPowered {
    outcome: Moments,
    guess: Moments,
    /// `sum (outcome - mean) (guess - mean)` of labelled rows.
    together: f64,
    unlabelled: Moments,
}

impl PredictionPowered {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a labelled row; `false` unless both numbers are finite and below `1e100`.
    pub fn observe_labelled(&mut self, outcome: f64, guess: f64) -> bool {
        if !(outcome.abs() < 1e100 && guess.abs() < 1e100) {
            return false;
        }
        let before = outcome - self.outcome.mean().unwrap_or(0.0);
        self.outcome.insert(outcome);
        self.guess.insert(guess);
        self.together += before * (guess - self.guess.mean().unwrap_or(0.0));
        true
    }

    /// Takes in the guess of an unlabelled row; `false` unless it is finite and below `1e100`.
    pub fn observe_unlabelled(&mut self, guess: f64) -> bool {
        guess.abs() < 1e100 && self.unlabelled.insert(guess)
    }

    /// Adds the rows of another.
    pub fn merge(&mut self, other: &Self) {
        let means = |part: &Self| (part.outcome.mean().unwrap_or(0.0), part.guess.mean().unwrap_or(0.0));
        let (own, others) = (self.outcome.count() as f64, other.outcome.count() as f64);
        if own + others > 0.0 {
            let (a, b) = (means(self), means(other));
            let between = (b.0 - a.0) * (b.1 - a.1) * own * (others / (own + others));
            self.together += other.together + if own > 0.0 && others > 0.0 { between } else { 0.0 };
        }
        self.outcome.merge(&other.outcome);
        self.guess.merge(&other.guess);
        self.unlabelled.merge(&other.unlabelled);
    }

    /// How many labelled and unlabelled rows were taken in.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.outcome.count(), self.unlabelled.count())
    }

    /// The part of the guesses that is used, in `0..=1`; zero without unlabelled rows, or where guesses do
    /// not vary. `None` for fewer than 20 labels.
    #[must_use]
    pub fn part(&self) -> Option<f64> {
        let (labelled, unlabelled) = self.counts();
        if labelled < LEAST_LABELS {
            return None;
        }
        let mut pooled = self.guess;
        pooled.merge(&self.unlabelled);
        let ratio = labelled as f64 / unlabelled as f64;
        let spread = (1.0 + ratio) * pooled.variance()?;
        if unlabelled < 2 || spread <= 0.0 {
            return Some(0.0);
        }
        Some((self.together / labelled as f64 / spread).clamp(0.0, 1.0))
    }

    /// The mean outcome with its standard error; `None` for fewer than 20 labels.
    #[must_use]
    pub fn estimate(&self) -> Option<Estimate> {
        let part = self.part()?;
        let labelled = self.outcome.count() as f64;
        let spread = self.outcome.m2() - 2.0 * part * self.together + part * part * self.guess.m2();
        // One more is taken off as the part is tuned on the same labels.
        let of_labelled = spread.max(0.0) / (labelled - 2.0) / labelled;
        let unlabelled = self.unlabelled.count() as f64;
        let of_unlabelled = if part > 0.0 { part * part * self.unlabelled.variance()? / unlabelled } else { 0.0 };
        let rest = self.outcome.mean()? - part * self.guess.mean()?;
        let value = rest + if part > 0.0 { part * self.unlabelled.mean()? } else { 0.0 };
        Estimate::new(value, (of_labelled + of_unlabelled).sqrt())
    }

    /// The interval of the mean, by Student's law for the labelled rows.
    ///
    /// `None` for fewer than 20 labels, or labels that leave no spread, which is too little data and not
    /// certainty. For outcomes that are right or wrong take [`Self::share_interval`].
    #[must_use]
    pub fn interval(&self, confidence: f64) -> Option<Interval> {
        let estimate = self.estimate().filter(|estimate| estimate.standard_error > 0.0)?;
        t_interval(estimate, self.outcome.count() as f64 - 2.0, confidence)
    }

    /// The interval of the mean of outcomes in `0..=1`, as right and wrong: as if `z^2` more labels, half of
    /// them right, had been seen, so that few labels that agree are no certainty.
    ///
    /// `None` for fewer than 20 labels, outcomes outside `0..=1`, or unless `0 < confidence < 1`.
    /// Reference: Agresti, Coull, American Statistician 52 (1998), carried over to the labelled part.
    #[must_use]
    pub fn share_interval(&self, confidence: f64) -> Option<Interval> {
        let z = normal::quantile(1.0 - tail_of(confidence)?)?;
        let in_range = self.outcome.min()? >= 0.0 && self.outcome.max()? <= 1.0;
        let estimate = self.estimate().filter(|_| in_range)?;
        let labelled = self.outcome.count() as f64;
        let (more, total) = (z * z, labelled + z * z);
        let middle = (labelled * estimate.value + 0.5 * more) / total;
        let toward = estimate.value - 0.5;
        // The spread within the labelled rows, of the rows added, and between both.
        let own = estimate.standard_error.powi(2) * labelled * labelled;
        let added = 0.25 * more + toward * toward * labelled * more / total;
        let half = z * (own + added).sqrt() / total;
        Some(Interval { low: (middle - half).max(0.0), high: (middle + half).min(1.0) })
    }
}

/// Metrics of decisions from few labels and calibrated probabilities of all rows.
///
/// Decisions are known for every row, so the labels are mixed in for positive and for negative decisions
/// apart: labelled rows need to be a random sample of either only, and may prefer positive decisions, as
/// reviews do. Parts add up.
/// Reference: as [`PredictionPowered`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PredictionPoweredConfusion {
    positive: PredictionPowered,
    negative: PredictionPowered,
}

impl PredictionPoweredConfusion {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a row: the probability of a positive label, the decision, and the label if there is one;
    /// `false` unless the probability is in `0..=1`.
    pub fn observe(&mut self, probability: f64, decided_positive: bool, label: Option<bool>) -> bool {
        let side = if decided_positive { &mut self.positive } else { &mut self.negative };
        let valid = (0.0..=1.0).contains(&probability);
        valid
            && match label {
                Some(label) => side.observe_labelled(f64::from(u8::from(label)), probability),
                None => side.observe_unlabelled(probability),
            }
    }

    /// Adds the rows of another.
    pub fn merge(&mut self, other: &Self) {
        self.positive.merge(&other.positive);
        self.negative.merge(&other.negative);
    }

    /// A metric with its standard error by the delta method.
    ///
    /// `None` for fewer than 20 labels of positive or of negative decisions, or where the metric has no
    /// value. Not to be trusted where labels of one kind of decision all agree.
    #[must_use]
    pub fn metric(&self, metric: BinaryMetric) -> Option<Estimate> {
        let share = |side: &PredictionPowered| {
            let (labelled, unlabelled) = side.counts();
            let estimate = side.estimate()?;
            Some((estimate.value.clamp(0.0, 1.0), estimate.standard_error, (labelled + unlabelled) as f64))
        };
        let (positive, positive_error, decided) = share(&self.positive)?;
        let (negative, negative_error, refused) = share(&self.negative)?;
        let mut cells = [0.0; 4];
        cells[TRUE_POSITIVE] = decided * positive;
        cells[FALSE_POSITIVE] = decided * (1.0 - positive);
        cells[FALSE_NEGATIVE] = refused * negative;
        cells[TRUE_NEGATIVE] = refused * (1.0 - negative);
        let at = metric.at(cells)?;
        let by_positive = decided * (at.slope[TRUE_POSITIVE] - at.slope[FALSE_POSITIVE]) * positive_error;
        let by_negative = refused * (at.slope[FALSE_NEGATIVE] - at.slope[TRUE_NEGATIVE]) * negative_error;
        Estimate::new(at.value, by_positive.hypot(by_negative))
    }
}

#[cfg(test)]
mod tests;
