//! Linear regression with a ridge penalty.

use serde::{Deserialize, Serialize};

use super::Features;
use super::features::weights_are_valid;
use super::logistic::{scale, standardised};
use super::multinomial::standardised_rows;
use super::solve::solve_positive_definite;

/// More columns would make matrices of more than `10^6` cells.
const MOST_COLUMNS: usize = 1_000;

/// A linear regression on standardised features, with a ridge penalty.
///
/// Least `sum weight * (target - prediction)^2 + ridge * sum coefficient^2`, coefficients on the scale of
/// standard deviations, the intercept not penalised. A missing value counts as the mean.
/// Exact, by Cholesky factors: `O(rows * columns^2 + columns^3)`. Columns that are sums of others need a
/// ridge above zero; a constant column has no coefficient.
/// Reference: Hastie, Tibshirani, Friedman, "The Elements of Statistical Learning" (2009), 3.4.1.
///
/// ```
/// use wardline_stats::learn::{Features, Ridge};
///
/// let tokens = [100.0, 200.0, 300.0, 400.0];
/// let rows = Features::new(vec![&tokens]).unwrap();
/// let model = Ridge::fit(&rows, &[2.0, 3.0, 4.0, 5.0], None, 0.0).unwrap();
/// assert!((model.predict(&rows).unwrap()[3] - 5.0).abs() < 1e-9);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ridge {
    intercept: f64,
    /// Mean, one over the standard deviation, and coefficient of each column.
    columns: Vec<[f64; 3]>,
}

impl Ridge {
    /// Learns the mean of the targets.
    ///
    /// `None` if lengths differ, a target is not finite or beyond `1e100`, a weight or the ridge is out of
    /// range, there are more than 1,000 columns, or columns depend on each other and nothing holds them.
    #[must_use]
    pub fn fit(features: &Features<'_>, targets: &[f64], weights: Option<&[f64]>, ridge: f64) -> Option<Self> {
        let valid = targets.len() == features.rows()
            && features.width() <= MOST_COLUMNS
            && targets.iter().all(|target| target.abs() < 1e100)
            && weights_are_valid(weights, features.rows())
            && 0.0 <= ridge
            && ridge.is_finite();
        if !valid {
            return None;
        }
        let mut columns: Vec<[f64; 3]> = features.columns().iter().map(|column| scale(column)).collect();
        let scales: Vec<[f64; 2]> = columns.iter().map(|[mean, inverse, _]| [*mean, *inverse]).collect();
        let n = columns.len() + 1;
        let rows = standardised_rows(features, &scales);
        let (mut matrix, mut right) = (vec![0.0; n * n], vec![0.0; n]);
        for (row, values) in rows.chunks_exact(n).enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            for (at, value) in values.iter().enumerate() {
                let scaled = weight * value;
                right[at] += scaled * targets[row];
                let lower = &mut matrix[at * n..=at * n + at];
                lower.iter_mut().zip(values).for_each(|(cell, other)| *cell += scaled * other);
            }
        }
        for at in 1..n {
            matrix[at * n + at] += ridge;
            if columns[at - 1][1] == 0.0 {
                matrix[at * n + at] = 1.0;
            }
        }
        let solved = solve_positive_definite(&mut matrix, &mut right) && right.iter().all(|value| value.is_finite());
        columns.iter_mut().zip(&right[1..]).for_each(|(column, coefficient)| column[2] = *coefficient);
        solved.then_some(Self { intercept: right[0], columns })
    }

    /// The mean at each row; `None` if the number of columns differs.
    #[must_use]
    pub fn predict(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        if features.width() != self.columns.len() {
            return None;
        }
        let mut means = vec![self.intercept; features.rows()];
        for (values, column) in features.columns().iter().zip(&self.columns) {
            for (mean, value) in means.iter_mut().zip(*values) {
                *mean += column[2] * standardised(*value, column);
            }
        }
        Some(means)
    }

    /// The change of the target for one standard deviation of each feature.
    #[must_use]
    pub fn coefficients(&self) -> Vec<f64> {
        self.columns.iter().map(|column| column[2]).collect()
    }

    /// The target where every feature is at its mean.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_missing_and_dependent_columns() {
        let a: Vec<f64> = (0..50).map(f64::from).collect();
        let double: Vec<f64> = a.iter().map(|value| 2.0 * value).collect();
        let (constant, missing) = (vec![3.0; 50], vec![f64::NAN; 50]);
        let target: Vec<f64> = a.iter().map(|value| 1.0 - 0.5 * value).collect();
        let rows = Features::new(vec![&a, &constant, &missing]).unwrap();
        let model = Ridge::fit(&rows, &target, None, 0.0).unwrap();
        assert_eq!(&model.coefficients()[1..], &[0.0, 0.0]);
        assert!((model.predict(&rows).unwrap()[10] + 4.0).abs() < 1e-9);
        let rows = Features::new(vec![&a, &double]).unwrap();
        let held = Ridge::fit(&rows, &target, None, 1e-3).unwrap();
        assert!((held.coefficients()[0] - held.coefficients()[1]).abs() < 1e-6);
        assert!(Ridge::fit(&rows, &target[1..], None, 1.0).is_none());
        assert!(Ridge::fit(&rows, &[f64::NAN; 50], None, 1.0).is_none());
        assert!(Ridge::fit(&rows, &target, None, -1.0).is_none());
    }
}
