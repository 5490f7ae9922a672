//! Numbers that a model predicts against the numbers that came true.

use serde::{Deserialize, Serialize};

use crate::interval::Estimate;
use crate::sketch::Moments;

/// A metric of predictions of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegressionMetric {
    /// `mean |predicted - actual|`.
    MeanAbsoluteError,
    /// `mean (predicted - actual)^2`.
    MeanSquaredError,
    /// The root of the mean squared error.
    RootMeanSquaredError,
    /// `mean (predicted - actual)`: above zero, predictions are too high.
    Bias,
    /// `mean |predicted - actual| / |actual|`, rows with an actual of zero left out.
    ///
    /// scikit-learn divides by `2^-52` there instead, which one zero makes useless.
    MeanAbsolutePercentageError,
    /// `mean 2 |predicted - actual| / (|predicted| + |actual|)`, in `0..=2`; zero where both are zero.
    SymmetricPercentageError,
    /// `mean (ln(1 + predicted) - ln(1 + actual))^2`, rows with a number of -1 or less left out.
    MeanSquaredLogError,
    /// The root of the mean squared log error.
    RootMeanSquaredLogError,
}

/// Errors of predictions, taken in one after the other. Parts add up.
///
/// `O(1)` a row, some 300 bytes. Merged parts give the same numbers as one pass, up to rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RegressionErrors {
    absolute: Moments,
    squared: Moments,
    signed: Moments,
    percentage: Moments,
    symmetric: Moments,
    squared_log: Moments,
    actual: Moments,
}

impl RegressionErrors {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The errors of predictions of rows; `None` if the lengths differ or a number is refused.
    #[must_use]
    pub fn of(actual: &[f64], predicted: &[f64]) -> Option<Self> {
        let mut errors = Self::new();
        let taken = actual.iter().zip(predicted).all(|(actual, predicted)| errors.observe(*actual, *predicted));
        (taken && actual.len() == predicted.len()).then_some(errors)
    }

    /// Takes in a row; `false` if a number is not finite, or so large that its square is not.
    pub fn observe(&mut self, actual: f64, predicted: f64) -> bool {
        // Squares of squares stay finite.
        if !(actual.abs() < 1e70 && predicted.abs() < 1e70) {
            return false;
        }
        let error = predicted - actual;
        self.absolute.insert(error.abs());
        self.squared.insert(error * error);
        self.signed.insert(error);
        self.actual.insert(actual);
        if actual != 0.0 {
            self.percentage.insert(error.abs() / actual.abs());
        }
        let size = actual.abs() + predicted.abs();
        self.symmetric.insert(if size > 0.0 { 2.0 * (error.abs() / size) } else { 0.0 });
        if actual > -1.0 && predicted > -1.0 {
            self.squared_log.insert((predicted.ln_1p() - actual.ln_1p()).powi(2));
        }
        true
    }

    /// Adds the rows of another.
    pub fn merge(&mut self, other: &Self) {
        self.absolute.merge(&other.absolute);
        self.squared.merge(&other.squared);
        self.signed.merge(&other.signed);
        self.percentage.merge(&other.percentage);
        self.symmetric.merge(&other.symmetric);
        self.squared_log.merge(&other.squared_log);
        self.actual.merge(&other.actual);
    }

    /// How many rows were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.absolute.count()
    }

    /// A metric with its standard error: that of a mean, for roots by the delta method.
    ///
    /// Not to be trusted for fewer than some thirty rows, nor where few rows carry most of the error.
    /// `None` for fewer than two rows that the metric takes, or a percentage beyond all numbers.
    #[must_use]
    pub fn metric(&self, metric: RegressionMetric) -> Option<Estimate> {
        match metric {
            RegressionMetric::MeanAbsoluteError => mean(&self.absolute),
            RegressionMetric::MeanSquaredError => mean(&self.squared),
            RegressionMetric::RootMeanSquaredError => root(mean(&self.squared)?),
            RegressionMetric::Bias => mean(&self.signed),
            RegressionMetric::MeanAbsolutePercentageError => mean(&self.percentage),
            RegressionMetric::SymmetricPercentageError => mean(&self.symmetric),
            RegressionMetric::MeanSquaredLogError => mean(&self.squared_log),
            RegressionMetric::RootMeanSquaredLogError => root(mean(&self.squared_log)?),
        }
    }

    /// `1 - sum (predicted - actual)^2 / sum (actual - mean)^2`: one is perfect, zero is no better than
    /// the mean, and there is no lower end.
    ///
    /// `None` for fewer than two rows or equal actual numbers. For its interval see
    /// [`r_squared`].
    #[must_use]
    pub fn r_squared(&self) -> Option<f64> {
        let around = self.actual.m2();
        let errors = self.squared.mean()? * self.squared.count() as f64;
        (self.count() >= 2 && around > 0.0).then(|| 1.0 - errors / around)
    }
}

/// The coefficient of determination with its standard error by the delta method, in `O(n)`.
///
/// Not to be trusted for fewer than some fifty rows, or heavy tails. `None` if the lengths differ, a
/// number is not finite, or as for [`RegressionErrors::r_squared`].
#[must_use]
pub fn r_squared(actual: &[f64], predicted: &[f64]) -> Option<Estimate> {
    let errors = RegressionErrors::of(actual, predicted)?;
    let value = errors.r_squared()?;
    let (mean, count) = (errors.actual.mean()?, errors.count() as f64);
    let spread = errors.actual.m2() / count;
    let change = |(actual, predicted): (&f64, &f64)| {
        let around = (actual - mean) * (actual - mean);
        ((1.0 - value) * around - (predicted - actual) * (predicted - actual)) / spread
    };
    let squares: f64 = actual.iter().zip(predicted).map(change).map(|change| change * change).sum();
    Estimate::new(value, squares.sqrt() / count)
}

/// The mean loss of a predicted quantile: `max(quantile * e, (quantile - 1) * e)` with `e` the actual
/// number less the predicted one; with its standard error. `O(n)`.
///
/// Least in the mean for the true quantile. `None` if the lengths differ, there are fewer than two
/// rows, a number is not finite, or unless `0 < quantile < 1`.
/// Reference: Koenker, Bassett, Econometrica 46 (1978).
#[must_use]
pub fn quantile_loss(actual: &[f64], predicted: &[f64], quantile: f64) -> Option<Estimate> {
    if actual.len() != predicted.len() || !(0.0 < quantile && quantile < 1.0) {
        return None;
    }
    let mut losses = Moments::new();
    for (actual, predicted) in actual.iter().zip(predicted) {
        let error = actual - predicted;
        if !losses.insert((quantile * error).max((quantile - 1.0) * error)) {
            return None;
        }
    }
    mean(&losses)
}

/// The mean with its standard error.
pub(super) fn mean(moments: &Moments) -> Option<Estimate> {
    let standard_error = (moments.variance()? / moments.count() as f64).sqrt();
    Estimate::new(moments.mean()?, standard_error)
}

/// The root of a mean: the error is halved and divided by the root.
pub(super) fn root(square: Estimate) -> Option<Estimate> {
    let value = square.value.max(0.0).sqrt();
    let standard_error = if value > 0.0 { 0.5 * square.standard_error / value } else { square.standard_error.sqrt() };
    Estimate::new(value, standard_error)
}
