//! Estimated errors of a regression before the true numbers arrive.

use super::rows::{picked, sample, table, with_column};
use super::weights::Weights;
use super::{FOLDS, LEAST_ROWS, ShiftError};
use crate::interval::Estimate;
use crate::learn::{BoostSettings, CrossFit, Features, Loss};
use crate::performance::RegressionMetric;
use crate::performance::regression::root;

/// A labelled reference that knows how large the errors of a regression are, by its inputs.
///
/// For each loss (absolute error, squared error, ...) a model learns it from features and prediction
/// (boosted trees, out of fold). In a window, the mean of learned losses is moved by the weighted mean of
/// what the models left over on the reference: `mean m(x) + mean w (loss - m(x))`, with `w` the density
/// ratio. Either model may be somewhat wrong, as the error is a product of both.
///
/// Blind to a change of what inputs mean, and to causes that are no feature. Not to be trusted for the
/// squared error of heavy tails, where few rows carry the mean. Cost as for [`super::ShiftReference`], once
/// for each loss.
/// Reference: NannyML, "Direct loss estimation" (2022) for learning the loss; Robins, Rotnitzky, Zhao,
/// JASA 89 (1994) for the weighted rest.
///
/// ```
/// use wardline_stats::{learn::Features, performance::{DirectLoss, RegressionMetric}};
///
/// // Errors are as large as the feature.
/// let x: Vec<f64> = (0..1_000).map(|row| f64::from(row * 37 % 1_000) / 1_000.0).collect();
/// let actual: Vec<f64> = (0..1_000).map(|row| if row % 2 == 0 { 5.0 + x[row] } else { 5.0 - x[row] }).collect();
/// let features = Features::new(vec![&x]).unwrap();
/// let metrics = [RegressionMetric::MeanAbsoluteError];
/// let reference = DirectLoss::fit(&features, &[5.0; 1_000], &actual, &metrics, 1).unwrap();
///
/// let high: Vec<f64> = x.iter().map(|x| 0.3 + 0.7 * x).collect();
/// let window = reference.window(&Features::new(vec![&high]).unwrap(), &[5.0; 1_000]).unwrap();
/// let error = window.metric(RegressionMetric::MeanAbsoluteError).unwrap();
/// assert!((error.value - 0.65).abs() < 0.03);
/// ```
#[derive(Clone, Debug)]
pub struct DirectLoss {
    /// Features of the kept rows, then the prediction.
    columns: Vec<Vec<f64>>,
    losses: Vec<LearnedLoss>,
    seed: u64,
}

#[derive(Clone, Debug)]
struct LearnedLoss {
    loss: RowLoss,
    model: CrossFit,
    /// What the model left over, for each kept row; `None` where the loss has no value.
    left_over: Vec<Option<f64>>,
}

/// The loss of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowLoss {
    Absolute,
    Squared,
    Signed,
    Percentage,
    Symmetric,
    SquaredLog,
}

impl RowLoss {
    /// The loss whose mean a metric is, and whether the metric is the root of it.
    fn of(metric: RegressionMetric) -> (Self, bool) {
        match metric {
            RegressionMetric::MeanAbsoluteError => (Self::Absolute, false),
            RegressionMetric::MeanSquaredError => (Self::Squared, false),
            RegressionMetric::RootMeanSquaredError => (Self::Squared, true),
            RegressionMetric::Bias => (Self::Signed, false),
            RegressionMetric::MeanAbsolutePercentageError => (Self::Percentage, false),
            RegressionMetric::SymmetricPercentageError => (Self::Symmetric, false),
            RegressionMetric::MeanSquaredLogError => (Self::SquaredLog, false),
            RegressionMetric::RootMeanSquaredLogError => (Self::SquaredLog, true),
        }
    }

    /// As in [`crate::performance::RegressionErrors`]; `None` where the loss has no value.
    fn at(self, actual: f64, predicted: f64) -> Option<f64> {
        let error = predicted - actual;
        match self {
            Self::Absolute => Some(error.abs()),
            Self::Squared => Some(error * error),
            Self::Signed => Some(error),
            Self::Percentage => (actual != 0.0).then(|| error.abs() / actual.abs()).filter(|loss| *loss < 1e15),
            Self::Symmetric => {
                let size = actual.abs() + predicted.abs();
                Some(if size > 0.0 { 2.0 * (error.abs() / size) } else { 0.0 })
            }
            Self::SquaredLog => {
                (actual > -1.0 && predicted > -1.0).then(|| (predicted.ln_1p() - actual.ln_1p()).powi(2))
            }
        }
    }
}

impl DirectLoss {
    /// Learns the losses of the wanted metrics from labelled rows; of more than 50,000 a seeded sample
    /// is kept.
    ///
    /// # Errors
    /// [`ShiftError::Invalid`] for lengths that differ, no metric, or numbers that are not finite or beyond
    /// `1e15`; [`ShiftError::TooFewRows`] below 200 rows where a loss has a value.
    pub fn fit(
        features: &Features<'_>,
        predicted: &[f64],
        actual: &[f64],
        metrics: &[RegressionMetric],
        seed: u64,
    ) -> Result<Self, ShiftError> {
        let rows = features.rows();
        // Squares of such numbers are held by the learner's single precision.
        let in_range = |values: &[f64]| values.len() == rows && values.iter().all(|value| value.abs() < 1e15);
        if !in_range(predicted) || !in_range(actual) || metrics.is_empty() {
            return Err(ShiftError::Invalid);
        }
        let kept = sample(rows, seed);
        let (predicted, actual) = (picked(predicted, &kept), picked(actual, &kept));
        let columns = with_column(features, &kept, predicted.clone());
        let mut losses: Vec<LearnedLoss> = Vec::new();
        for metric in metrics {
            let (loss, _) = RowLoss::of(*metric);
            if losses.iter().all(|known| known.loss != loss) {
                losses.push(LearnedLoss::fit(loss, &columns, &predicted, &actual, seed)?);
            }
        }
        Ok(Self { columns, losses, seed })
    }

    /// Estimates for a window without true numbers.
    ///
    /// # Errors
    /// [`ShiftError::Invalid`] for lengths or columns that differ or predictions that are not finite,
    /// [`ShiftError::TooFewRows`] below 200 rows, [`ShiftError::TooFarApart`] where the weighted
    /// reference counts as fewer than 50 rows.
    pub fn window(&self, features: &Features<'_>, predicted: &[f64]) -> Result<DirectLossEstimate, ShiftError> {
        let rows = features.rows();
        let finite = predicted.iter().all(|value| value.is_finite());
        if predicted.len() != rows || !finite || features.width() + 1 != self.columns.len() {
            return Err(ShiftError::Invalid);
        }
        if rows < LEAST_ROWS {
            return Err(ShiftError::TooFewRows);
        }
        let everything: Vec<u32> = (0..rows as u32).collect();
        let columns = with_column(features, &everything, predicted.to_vec());
        let weights = Weights::of_window(&self.columns, &columns, self.seed)?;
        let window = table(&columns).ok_or(ShiftError::Invalid)?;
        let means = self.losses.iter().map(|loss| Some((loss.loss, loss.mean(&window, &weights)?)));
        let means = means.collect::<Option<_>>().ok_or(ShiftError::Invalid)?;
        Ok(DirectLossEstimate { means, effective_rows: weights.effective_rows(), outside: weights.outside })
    }
}

impl LearnedLoss {
    fn fit(
        loss: RowLoss,
        columns: &[Vec<f64>],
        predicted: &[f64],
        actual: &[f64],
        seed: u64,
    ) -> Result<Self, ShiftError> {
        let losses: Vec<Option<f64>> = actual.iter().zip(predicted).map(|(y, p)| loss.at(*y, *p)).collect();
        let valid: Vec<u32> = (0..losses.len() as u32).filter(|row| losses[*row as usize].is_some()).collect();
        if valid.len() < LEAST_ROWS {
            return Err(ShiftError::TooFewRows);
        }
        let targets: Vec<f64> = losses.iter().flatten().copied().collect();
        let own: Vec<Vec<f64>> = columns.iter().map(|column| picked(column, &valid)).collect();
        let settings = BoostSettings { learning_rate: 0.1, ridge: 5.0, seed, ..BoostSettings::new(Loss::Squared) };
        let model = table(&own).and_then(|own| CrossFit::fit(&own, &targets, None, &settings, FOLDS, seed));
        let model = model.ok_or(ShiftError::Invalid)?;
        let mut left_over = vec![None; losses.len()];
        for ((row, target), learned) in valid.iter().zip(&targets).zip(model.out_of_fold()) {
            left_over[*row as usize] = Some(target - learned);
        }
        Ok(Self { loss, model, left_over })
    }

    fn mean(&self, window: &Features<'_>, weights: &Weights) -> Option<Estimate> {
        let learned = self.model.predict(window)?;
        let rows = learned.len() as f64;
        let of_reference =
            || self.left_over.iter().zip(&weights.of_reference).filter_map(|(rest, w)| Some(((*rest)?, w)));
        let total: f64 = of_reference().map(|(_, weight)| weight).sum();
        let rest = of_reference().map(|(rest, weight)| weight * rest).sum::<f64>() / total;
        // The losses of the window vary around the learned ones as those of the weighted reference do,
        // and their mean differs from the reference's by chance as well.
        let of_row = of_reference().map(|(left, weight)| weight * (left - rest).powi(2)).sum::<f64>() / total;
        let of_mean = of_reference().map(|(left, weight)| (weight * (left - rest)).powi(2)).sum::<f64>();
        // The reference counts twice, as weights and losses were learned from as many rows.
        let variance = of_row / rows + 2.0 * of_mean / (total * total);
        Estimate::new(learned.iter().sum::<f64>() / rows + rest, variance.sqrt())
    }
}

/// What the errors of a window must be.
///
/// Standard errors cover that the true numbers of the window vary, and that those of the reference did.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectLossEstimate {
    means: Vec<(RowLoss, Estimate)>,
    effective_rows: f64,
    outside: f64,
}

impl DirectLossEstimate {
    /// An estimated metric; `None` for one whose loss was not learned.
    #[must_use]
    pub fn metric(&self, metric: RegressionMetric) -> Option<Estimate> {
        let (wanted, is_root) = RowLoss::of(metric);
        let (_, mean) = self.means.iter().find(|(loss, _)| *loss == wanted)?;
        if is_root { root(*mean) } else { Some(*mean) }
    }

    /// How many reference rows of equal weight would say as much as all do.
    #[must_use]
    pub fn effective_rows(&self) -> f64 {
        self.effective_rows
    }

    /// The share of window rows where the reference has next to none: above some 5 %, estimates are not to
    /// be trusted.
    #[must_use]
    pub fn outside(&self) -> f64 {
        self.outside
    }
}
