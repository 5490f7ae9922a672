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
///
/// ```
/// use wardline_stats::performance::{RegressionErrors, RegressionMetric};
///
/// let mut monday = RegressionErrors::of(&[3.0, -0.5], &[2.5, 0.0]).unwrap();
/// monday.merge(&RegressionErrors::of(&[2.0, 7.0], &[2.0, 8.0]).unwrap());
/// assert_eq!(monday.metric(RegressionMetric::MeanAbsoluteError).unwrap().value, 0.5);
/// ```
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const METRICS: [RegressionMetric; 8] = [
        RegressionMetric::MeanAbsoluteError,
        RegressionMetric::MeanSquaredError,
        RegressionMetric::RootMeanSquaredError,
        RegressionMetric::Bias,
        RegressionMetric::MeanAbsolutePercentageError,
        RegressionMetric::SymmetricPercentageError,
        RegressionMetric::MeanSquaredLogError,
        RegressionMetric::RootMeanSquaredLogError,
    ];

    #[test]
    fn bad_input_gives_nothing() {
        assert_eq!(RegressionErrors::of(&[1.0], &[]), None);
        assert_eq!(RegressionErrors::of(&[f64::NAN], &[1.0]), None);
        assert_eq!(RegressionErrors::of(&[1.0], &[f64::INFINITY]), None);
        assert_eq!(RegressionErrors::of(&[1e300], &[-1e300]), None);
        for errors in [RegressionErrors::new(), RegressionErrors::of(&[1.0], &[2.0]).unwrap()] {
            assert!(METRICS.iter().all(|metric| errors.metric(*metric).is_none()));
            assert_eq!(errors.r_squared(), None);
        }
        assert_eq!(r_squared(&[3.0; 5], &[2.0; 5]), None);
        assert_eq!(quantile_loss(&[1.0, 2.0], &[1.0, 2.0], 1.0), None);
        assert_eq!(quantile_loss(&[1.0, 2.0], &[1.0], 0.5), None);
        assert_eq!(quantile_loss(&[1.0, f64::NAN], &[1.0, 2.0], 0.5), None);
    }

    /// Goal: an actual zero or a number below -1 leaves its row out of what has no value there, no more.
    #[test]
    fn rows_without_a_value_are_left_out() {
        let errors = RegressionErrors::of(&[0.0, 2.0, 4.0, -3.0], &[1.0, 1.0, 5.0, -3.0]).unwrap();
        let found = errors.metric(RegressionMetric::MeanAbsolutePercentageError).unwrap().value;
        assert!((found - 0.25).abs() < 1e-12);
        assert_eq!(errors.metric(RegressionMetric::MeanAbsoluteError).unwrap().value, 0.75);
        assert!(errors.metric(RegressionMetric::MeanSquaredLogError).is_some());
        let perfect = RegressionErrors::of(&[1.0, 2.0], &[1.0, 2.0]).unwrap();
        let root = perfect.metric(RegressionMetric::RootMeanSquaredError).unwrap();
        assert_eq!((root.value, root.standard_error, perfect.r_squared()), (0.0, 0.0, Some(1.0)));
    }

    proptest! {
        #[test]
        fn halves_make_the_whole(rows in proptest::collection::vec((-50.0..50.0_f64, -50.0..50.0_f64), 4..80), cut in 0..80_usize) {
            let (actual, predicted): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
            let cut = cut % actual.len();
            let whole = RegressionErrors::of(&actual, &predicted).unwrap();
            let mut merged = RegressionErrors::of(&actual[..cut], &predicted[..cut]).unwrap();
            merged.merge(&RegressionErrors::of(&actual[cut..], &predicted[cut..]).unwrap());
            for metric in METRICS {
                if let Some(expected) = whole.metric(metric) {
                    let found = merged.metric(metric).unwrap();
                    prop_assert!((found.value - expected.value).abs() <= 1e-9 * (1.0 + expected.value.abs()));
                    prop_assert!((found.standard_error - expected.standard_error).abs() <= 1e-6 * (1.0 + expected.standard_error));
                }
            }
            prop_assert!(whole.r_squared().is_none_or(|value| value <= 1.0));
        }
    }
}
