//! Estimated performance when the inputs shift.

mod recalibration;
mod weights;

use std::fmt;

use self::recalibration::{Recalibration, Row};
use self::weights::Weights;
use super::classification::{
    FALSE_NEGATIVE, FALSE_POSITIVE, TRUE_NEGATIVE, TRUE_POSITIVE, area_and_slopes, precision_and_slopes, rising,
};
use super::{BinaryMetric, BusinessValue, Platt};
use crate::interval::Estimate;
use crate::learn::{BoostSettings, CrossFit, Features, Loss, sigmoid};
use crate::random::SplitMix;

/// Reference rows that are kept, and window rows that the weights are learned from.
const MOST_ROWS: usize = 50_000;

/// Rows below which nothing is learned.
const LEAST_ROWS: usize = 200;

/// Reference rows that must remain, counted by how much their weights vary.
const LEAST_EFFECTIVE_ROWS: f64 = 50.0;

/// Folds of the model of outcomes.
const FOLDS: u32 = 5;

/// Why there is no estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ShiftError {
    /// Lengths differ, a score is not in `0..=1`, or a window has other columns than the reference.
    Invalid,
    /// Fewer than 200 rows, or fewer than 20 labels of a class.
    TooFewRows,
    /// The window has moved so far that the reference says too little about it.
    TooFarApart {
        /// Reference rows of equal weight that would say as much as all do; 50 are needed.
        effective_rows: f64,
    },
}

impl fmt::Display for ShiftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => f.write_str("lengths or columns differ, or a score is not between 0 and 1"),
            Self::TooFewRows => f.write_str("fewer than 200 rows, or fewer than 20 labels of a class"),
            Self::TooFarApart { effective_rows } => {
                write!(f, "the reference counts as {effective_rows:.0} rows for this window, and 50 are needed")
            }
        }
    }
}

impl std::error::Error for ShiftError {}

/// A labelled reference that knows how the outcome depends on inputs, for windows whose inputs shift.
///
/// [`super::Cbpe`] asks what a score meant in the reference; where the inputs shift, the same score may
/// mean something else. Here a model of the outcome is learned from score and features (boosted trees
/// from the calibrated score on, each reference row judged by a model that has not seen it), and for each
/// window the reference is weighted to look like the window (density ratio by another model). Weighted
/// labels then move the learned probabilities, for positive and for negative decisions apart. The error
/// is a product of both models' errors: either may be somewhat wrong.
///
/// Blind to a change of what inputs mean (concept drift), and to causes that are no feature. Cost: 5
/// models on at most 50,000 rows for the reference, 4 on at most 100,000 for each window (some 1 s of one
/// core for 20 features, 10,000 rows), `O(rows * 300)` steps in trees for a window.
/// Reference: Białek et al., "Estimating Model Performance Under Covariate Shift Without Labels" (2024),
/// arXiv 2401.08348, for weighted calibration (PAPE); Chernozhukov et al., Econometrics Journal 21 (2018),
/// for cross-fitting and the product of errors.
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
        let columns = with_score(features, &kept, &scores);
        let log_odds = columns.last().map_or(&[][..], Vec::as_slice);
        let calibration = Platt::fit(log_odds, &labels).ok_or(ShiftError::Invalid)?;
        let offsets: Vec<f64> = log_odds.iter().map(|score| margin(&calibration, *score)).collect();
        let targets: Vec<f64> = labels.iter().map(|label| f64::from(u8::from(*label))).collect();
        let settings =
            BoostSettings { trees: 80, depth: 3, learning_rate: 0.1, ridge: 5.0, seed, ..BoostSettings::new(Loss::Logistic) };
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
        let columns = with_score(features, &everything, scores);
        let learned = self.learned(&columns).ok_or(ShiftError::Invalid)?;
        let weights = self.weights(&columns).ok_or(ShiftError::Invalid)?;
        let effective_rows = weights.effective_rows();
        if effective_rows < LEAST_EFFECTIVE_ROWS {
            return Err(ShiftError::TooFarApart { effective_rows });
        }
        let own: Vec<f64> = self.outcomes.out_of_fold().iter().map(|p| log_odds(*p)).collect();
        let mut estimate = ShiftEstimate {
            scores: scores.to_vec(),
            decisions: decisions.to_vec(),
            probabilities: vec![0.0; rows],
            reference: Vec::with_capacity(self.scores.len()),
            effective_rows,
            outside: weights.outside,
        };
        let scale = rows as f64 / self.scores.len() as f64;
        for side in [true, false] {
            let of_side: Vec<usize> = (0..self.scores.len()).filter(|row| self.decisions[*row] == side).collect();
            let labelled = |row: &usize| Row {
                log_odds: own[*row],
                label: self.labels[*row],
                weight: weights.of_reference[*row],
            };
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

    fn weights(&self, columns: &[Vec<f64>]) -> Option<Weights> {
        let kept = sample(columns.first()?.len(), self.seed.wrapping_add(1));
        let current: Vec<Vec<f64>> = columns.iter().map(|column| picked(column, &kept)).collect();
        Weights::learn(&table(&self.columns)?, &table(&current)?, self.seed)
    }
}

/// What a labelled reference row adds to the uncertainty of sums over the window.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ReferenceRow {
    score: f64,
    decision: bool,
    /// Its label less its probability, weighted, in rows of the window.
    change: f64,
}

/// A window whose labels are missing, and what weighted labels of the reference say about it.
///
/// Standard errors cover that labels of the window are drawn, and that those of the reference were.
#[derive(Clone, Debug, PartialEq)]
pub struct ShiftEstimate {
    scores: Vec<f64>,
    decisions: Vec<bool>,
    probabilities: Vec<f64>,
    reference: Vec<ReferenceRow>,
    effective_rows: f64,
    outside: f64,
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
        let slopes = [
            at.slope[FALSE_NEGATIVE] - at.slope[TRUE_NEGATIVE],
            at.slope[TRUE_POSITIVE] - at.slope[FALSE_POSITIVE],
        ];
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
        let of_reference: f64 = self.reference.iter().map(|row| (row.change * slope_at(row)).powi(2)).sum();
        Estimate::new(value, (of_window + of_reference).sqrt())
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

/// All rows in order, or a seeded sample of 50,000, in order.
fn sample(rows: usize, seed: u64) -> Vec<u32> {
    let mut chosen: Vec<u32> = (0..rows as u32).collect();
    if rows > MOST_ROWS {
        SplitMix::new(seed).shuffle(&mut chosen);
        chosen.truncate(MOST_ROWS);
        chosen.sort_unstable();
    }
    chosen
}

fn picked<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|row| values[*row as usize]).collect()
}

/// The features of rows, and the log-odds of their scores as one more.
fn with_score(features: &Features<'_>, rows: &[u32], scores: &[f64]) -> Vec<Vec<f64>> {
    let mut columns: Vec<Vec<f64>> = features.columns().iter().map(|column| picked(column, rows)).collect();
    columns.push(scores.iter().map(|score| log_odds(*score)).collect());
    columns
}

fn table(columns: &[Vec<f64>]) -> Option<Features<'_>> {
    Features::new(columns.iter().map(Vec::as_slice).collect())
}
