//! The labelled reference of a classifier whose inputs may shift.

use super::estimate::{ReferenceRow, ShiftEstimate};
use super::recalibration::{Recalibration, Row};
use super::rows::{picked, sample, table, with_column};
use super::weights::Weights;
use super::{FOLDS, LEAST_ROWS, ShiftError};
use crate::learn::{BoostSettings, CrossFit, Features, Loss, sigmoid};
use crate::performance::Platt;

/// A labelled reference that knows how the outcome depends on inputs, for windows whose inputs shift.
///
/// [`super::Cbpe`] asks what a score meant in the reference; where the inputs shift, the same score may
/// mean something else. Here a model of the outcome is learned from score and features (boosted trees
/// from the calibrated score on, each reference row judged by a model that has not seen it), and for each
/// window the reference is weighted to look like the window (density ratio by another model). Weighted
/// labels then move the learned probabilities, for positive and for negative decisions apart. The error
/// is a product of both models' errors: either may be somewhat wrong.
///
/// Blind to a change of what inputs mean (concept drift), and to causes that are no feature. Not to be trusted
/// where the window lies outside the reference: [`ShiftEstimate::outside`] says how much of it does. In
/// simulated shifts of six kinds (20,000 reference rows, windows of 5,000) its error was 0.12 to 0.14 of that of
/// CBPE, of which most is the chance of the window's own labels, and 95 % intervals covered 97 to 99 %.
/// Cost: 5 models on at most 50,000 rows for the reference, 4 on at most 100,000 for each window: together
/// 0.3 s of one core for those sizes and 8 features; and some 300 steps in trees for each row of a window.
/// Reference: Białek et al., "Estimating Model Performance Under Covariate Shift Without Labels" (2024),
/// arXiv 2401.08348, for weighted calibration (PAPE); Chernozhukov et al., Econometrics Journal 21 (2018),
/// for cross-fitting and the product of errors.
///
/// For the accuracy of a model of several classes, take its greatest score, "decided positive" for every
/// row, and "the decision was right" as the label.
///
/// ```
/// use wardline_stats::{learn::Features, performance::{BinaryMetric, ShiftReference}};
///
/// // The score does not know that nothing is true where the second feature is above 0.8.
/// let x: Vec<f64> = (0..2_000).map(|row| f64::from(row * 37 % 1_000) / 1_000.0).collect();
/// let y: Vec<f64> = (0..2_000).map(|row| f64::from(row * 71 % 1_009) / 1_009.0).collect();
/// let labels: Vec<bool> = (0..2_000).map(|row| x[row] > 0.5 && y[row] < 0.8).collect();
/// let decisions: Vec<bool> = x.iter().map(|score| *score > 0.5).collect();
/// let features = Features::new(vec![&x, &y]).unwrap();
/// let reference = ShiftReference::fit(&features, &x, &decisions, &labels, 1).unwrap();
///
/// // In this window the second feature is higher.
/// let high: Vec<f64> = y.iter().map(|y| y.sqrt()).collect();
/// let features = Features::new(vec![&x, &high]).unwrap();
/// let window = reference.window(&features, &x, &decisions).unwrap();
/// let precision = window.metric(BinaryMetric::Precision).unwrap();
/// assert!(precision.interval(0.95).unwrap().contains(0.64));
/// ```
#[derive(Clone, Debug)]
pub struct ShiftReference {
    /// Features of the kept rows, then the log-odds of the score.
    columns: Vec<Vec<f64>>,
    scores: Vec<f64>,
    decisions: Vec<bool>,
    labels: Vec<bool>,
    /// From the log-odds of a score to those of its probability.
    calibration: Platt,
    outcomes: CrossFit,
    seed: u64,
}

impl ShiftReference {
    /// Learns from labelled rows; of more than 50,000 a seeded sample is kept.
    ///
    /// # Errors
    /// [`ShiftError::Invalid`] for lengths that differ or scores that are not in `0..=1`,
    /// [`ShiftError::TooFewRows`] below 200 rows, or 20 labels of a class.
    pub fn fit(
        features: &Features<'_>,
        scores: &[f64],
        decisions: &[bool],
        labels: &[bool],
        seed: u64,
    ) -> Result<Self, ShiftError> {
        let rows = features.rows();
        if !fits(rows, scores, decisions) || labels.len() != rows {
            return Err(ShiftError::Invalid);
        }
        let kept = sample(rows, seed);
        let labels = picked(labels, &kept);
        let positives = labels.iter().filter(|label| **label).count();
        if kept.len() < LEAST_ROWS || positives < 20 || labels.len() - positives < 20 {
            return Err(ShiftError::TooFewRows);
        }
        let scores = picked(scores, &kept);
        let columns = with_column(features, &kept, scores.iter().map(|score| log_odds(*score)).collect());
        let log_odds = columns.last().map_or(&[][..], Vec::as_slice);
        let calibration = Platt::fit(log_odds, &labels).ok_or(ShiftError::Invalid)?;
        let offsets: Vec<f64> = log_odds.iter().map(|score| margin(&calibration, *score)).collect();
        let targets: Vec<f64> = labels.iter().map(|label| f64::from(u8::from(*label))).collect();
        let settings = BoostSettings {
            trees: 80,
            depth: 3,
            learning_rate: 0.1,
            ridge: 5.0,
            seed,
            ..BoostSettings::new(Loss::Logistic)
        };
        let table = table(&columns).ok_or(ShiftError::Invalid)?;
        let outcomes = CrossFit::fit_from_offsets(&table, &targets, &offsets, &settings, FOLDS, seed)
            .ok_or(ShiftError::Invalid)?;
        let decisions = picked(decisions, &kept);
        Ok(Self { columns, scores, decisions, labels, calibration, outcomes, seed })
    }

    /// Estimates for a window without labels.
    ///
    /// # Errors
    /// [`ShiftError::Invalid`] for lengths or columns that differ or scores that are not in `0..=1`,
    /// [`ShiftError::TooFewRows`] below 200 rows, [`ShiftError::TooFarApart`] where the weighted
    /// reference counts as fewer than 50 rows.
    pub fn window(
        &self,
        features: &Features<'_>,
        scores: &[f64],
        decisions: &[bool],
    ) -> Result<ShiftEstimate, ShiftError> {
        let rows = features.rows();
        if !fits(rows, scores, decisions) || features.width() + 1 != self.columns.len() {
            return Err(ShiftError::Invalid);
        }
        if rows < LEAST_ROWS {
            return Err(ShiftError::TooFewRows);
        }
        let everything: Vec<u32> = (0..rows as u32).collect();
        let columns = with_column(features, &everything, scores.iter().map(|score| log_odds(*score)).collect());
        let learned = self.learned(&columns).ok_or(ShiftError::Invalid)?;
        let weights = Weights::of_window(&self.columns, &columns, self.seed)?;
        let own: Vec<f64> = self.outcomes.out_of_fold().iter().map(|p| log_odds(*p)).collect();
        let mut estimate = ShiftEstimate {
            scores: scores.to_vec(),
            decisions: decisions.to_vec(),
            probabilities: vec![0.0; rows],
            reference: Vec::with_capacity(self.scores.len()),
            effective_rows: weights.effective_rows(),
            outside: weights.outside,
        };
        let scale = rows as f64 / self.scores.len() as f64;
        for side in [true, false] {
            let of_side: Vec<usize> = (0..self.scores.len()).filter(|row| self.decisions[*row] == side).collect();
            let labelled =
                |row: &usize| Row { log_odds: own[*row], label: self.labels[*row], weight: weights.of_reference[*row] };
            let line = Recalibration::fit(&of_side.iter().map(labelled).collect::<Vec<_>>());
            for row in of_side {
                let left_over = f64::from(u8::from(self.labels[row])) - sigmoid(line.moved(own[row]));
                let change = scale * weights.of_reference[row] * left_over;
                estimate.reference.push(ReferenceRow { score: self.scores[row], decision: side, change });
            }
            for row in (0..rows).filter(|row| decisions[*row] == side) {
                estimate.probabilities[row] = sigmoid(line.moved(log_odds(learned[row])));
            }
        }
        Ok(estimate)
    }

    /// The learned probability of each row of a window.
    fn learned(&self, columns: &[Vec<f64>]) -> Option<Vec<f64>> {
        let offsets: Vec<f64> = columns.last()?.iter().map(|score| margin(&self.calibration, *score)).collect();
        self.outcomes.predict_from(&table(columns)?, &offsets)
    }
}

fn fits(rows: usize, scores: &[f64], decisions: &[bool]) -> bool {
    let in_range = scores.iter().all(|score| (0.0..=1.0).contains(score));
    scores.len() == rows && decisions.len() == rows && in_range
}

/// The log-odds of a probability, within bounds that boosted trees and lines can work with.
fn log_odds(probability: f64) -> f64 {
    let inside = probability.clamp(1e-6, 1.0 - 1e-6);
    (inside / (1.0 - inside)).ln()
}

fn margin(calibration: &Platt, score: f64) -> f64 {
    -(calibration.slope() * score + calibration.intercept())
}
