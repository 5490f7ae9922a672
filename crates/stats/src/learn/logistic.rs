//! Logistic regression by Newton's method.

use serde::{Deserialize, Serialize};

use super::Features;
use super::boosted::sigmoid;
use super::features::weights_are_valid;
use super::solve::solve_positive_definite;
use crate::sketch::Moments;

/// Newton steps at most; some eight are usual.
const MOST_STEPS: u32 = 100;

/// More columns would make steps of more than `10^9` operations for 1,000 rows.
const MOST_COLUMNS: usize = 1_000;

/// A logistic regression on standardised features, with a ridge penalty.
///
/// Least `sum weight * log loss + ridge / 2 * sum coefficient^2`, coefficients on the scale of
/// standard deviations, the intercept not penalised. A missing value counts as the mean.
/// Cost: `O(rows * columns^2)` a step. With a ridge of zero and classes that a plane parts, steps
/// would never end: give a ridge.
/// Reference: Hastie, Tibshirani, Friedman, "The Elements of Statistical Learning" (2009), 4.4.1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Logistic {
    intercept: f64,
    /// Mean, one over the standard deviation, and coefficient of each column.
    columns: Vec<[f64; 3]>,
}

impl Logistic {
    /// Learns the probability of a target of one; targets lie in `0..=1`.
    ///
    /// `None` if lengths differ, a target, a weight or the ridge is out of range, there are more than
    /// 1,000 columns, all targets are the same and nothing holds the intercept, or no minimum is
    /// found in 100 steps.
    #[must_use]
    pub fn fit(features: &Features<'_>, targets: &[f64], weights: Option<&[f64]>, ridge: f64) -> Option<Self> {
        let valid = targets.len() == features.rows()
            && features.width() <= MOST_COLUMNS
            && targets.iter().all(|target| (0.0..=1.0).contains(target))
            && weights_are_valid(weights, features.rows())
            && 0.0 <= ridge
            && ridge.is_finite();
        if !valid {
            return None;
        }
        let mut model = Self { intercept: 0.0, columns: features.columns().iter().map(|c| scale(c)).collect() };
        let mut point = vec![0.0; features.width() + 1];
        let mut loss = f64::INFINITY;
        for _ in 0..MOST_STEPS {
            let mut system = Newton::at(&model, features, targets, weights, ridge);
            if !system.loss.is_finite() {
                return None;
            }
            if !solve_positive_definite(&mut system.matrix, &mut system.gradient) {
                return None;
            }
            let length: f64 = system.gradient.iter().map(|step| step * step).sum();
            // Newton's step halves until it does not make things worse.
            let settled = length < 1e-20 * (1.0 + point.iter().map(|x| x * x).sum::<f64>());
            if settled || (loss - system.loss).abs() < 1e-15 * system.loss {
                return Some(model);
            }
            loss = system.loss;
            let mut part = 1.0;
            loop {
                let next: Vec<f64> = point.iter().zip(&system.gradient).map(|(at, step)| at - part * step).collect();
                model.set(&next);
                if model.loss(features, targets, weights, ridge) <= loss * (1.0 + 1e-14) || part < 1e-6 {
                    point = next;
                    break;
                }
                part *= 0.5;
            }
        }
        None
    }

    fn set(&mut self, point: &[f64]) {
        self.intercept = point[0];
        for (column, value) in self.columns.iter_mut().zip(&point[1..]) {
            column[2] = *value;
        }
    }

    /// The probability at each row; `None` if the number of columns differs.
    #[must_use]
    pub fn predict(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        (features.width() == self.columns.len()).then(|| self.margins(features).into_iter().map(sigmoid).collect())
    }

    /// The change of the log-odds for one standard deviation of each feature.
    #[must_use]
    pub fn coefficients(&self) -> Vec<f64> {
        self.columns.iter().map(|column| column[2]).collect()
    }

    /// The log-odds where every feature is at its mean.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    fn margins(&self, features: &Features<'_>) -> Vec<f64> {
        let mut margins = vec![self.intercept; features.rows()];
        for (values, column) in features.columns().iter().zip(&self.columns) {
            for (margin, value) in margins.iter_mut().zip(*values) {
                *margin += column[2] * standardised(*value, column);
            }
        }
        margins
    }

    fn loss(&self, features: &Features<'_>, targets: &[f64], weights: Option<&[f64]>, ridge: f64) -> f64 {
        let margins = self.margins(features);
        let rows = margins.iter().zip(targets).enumerate();
        let losses = rows.map(|(row, (margin, target))| weight(weights, row) * log_loss(*margin, *target));
        let penalty: f64 = self.columns.iter().map(|column| column[2] * column[2]).sum();
        losses.sum::<f64>() + 0.5 * ridge * penalty
    }
}

/// Loss, its slope and its curvature at a point.
struct Newton {
    loss: f64,
    gradient: Vec<f64>,
    matrix: Vec<f64>,
}

impl Newton {
    fn at(model: &Logistic, features: &Features<'_>, targets: &[f64], weights: Option<&[f64]>, ridge: f64) -> Self {
        let n = features.width() + 1;
        let mut newton = Self { loss: 0.0, gradient: vec![0.0; n], matrix: vec![0.0; n * n] };
        let mut row_values = vec![1.0; n];
        for (row, margin) in model.margins(features).into_iter().enumerate() {
            for ((value, column), scale) in row_values[1..].iter_mut().zip(features.columns()).zip(&model.columns) {
                *value = standardised(column[row], scale);
            }
            let weight = weight(weights, row);
            let probability = sigmoid(margin);
            newton.loss += weight * log_loss(margin, targets[row]);
            let slope = weight * (probability - targets[row]);
            let curvature = weight * probability * (1.0 - probability);
            for (at, value) in row_values.iter().enumerate() {
                newton.gradient[at] += slope * value;
                let scaled = curvature * value;
                let lower = &mut newton.matrix[at * n..=at * n + at];
                lower.iter_mut().zip(&row_values).for_each(|(cell, other)| *cell += scaled * other);
            }
        }
        for (at, column) in model.columns.iter().enumerate() {
            newton.loss += 0.5 * ridge * column[2] * column[2];
            newton.gradient[at + 1] += ridge * column[2];
            // A constant column has no curvature of its own; its coefficient stays at zero.
            let own = &mut newton.matrix[(at + 1) * n + at + 1];
            *own += ridge;
            *own = own.max(1e-12);
        }
        newton
    }
}

fn weight(weights: Option<&[f64]>, row: usize) -> f64 {
    weights.map_or(1.0, |weights| weights[row])
}

/// `-target ln p - (1 - target) ln (1 - p)` of the log-odds of `p`.
fn log_loss(margin: f64, target: f64) -> f64 {
    let softplus = margin.max(0.0) + (-margin.abs()).exp().ln_1p();
    softplus - target * margin
}

/// Mean, one over the standard deviation (zero for a constant column), and no coefficient yet.
pub(super) fn scale(column: &[f64]) -> [f64; 3] {
    let mut moments = Moments::new();
    moments.insert_slice(column);
    let count = moments.count() as f64;
    let deviation = (moments.m2() / count.max(1.0)).sqrt();
    let varies = deviation.is_finite() && deviation > 1e-12 * moments.mean().unwrap_or(0.0).abs();
    [moments.mean().unwrap_or(0.0), if varies { 1.0 / deviation } else { 0.0 }, 0.0]
}

pub(super) fn standardised(value: f64, column: &[f64; 3]) -> f64 {
    if value.is_nan() { 0.0 } else { (value - column[0]) * column[1] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::close;
    use crate::sequential::tests_stream::Lcg;

    fn planted() -> (Vec<Vec<f64>>, Vec<f64>) {
        let mut stream = Lcg::exactly(3);
        let rows: Vec<[f64; 3]> = (0..500).map(|_| std::array::from_fn(|_| stream.next())).collect();
        let columns = (0..2).map(|at| rows.iter().map(|row| row[at]).collect()).collect();
        let label = |row: &[f64; 3]| f64::from(u8::from(row[2] < sigmoid(3.0 * row[0] - 2.0 * row[1])));
        (columns, rows.iter().map(label).collect())
    }

    fn features(columns: &[Vec<f64>]) -> Features<'_> {
        Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap()
    }

    /// scikit-learn 1.9.1: `LogisticRegression(C=1/ridge, solver="newton-cholesky", tol=1e-14)` on
    /// columns scaled by `StandardScaler`.
    #[test]
    fn agrees_with_scikit_learn() {
        let (columns, labels) = planted();
        for (ridge, expected) in [
            (1.0, [0.605_258_941_138_001_7, 0.974_574_646_638_704_2, -0.582_045_630_652_364_1]),
            (50.0, [0.531_639_709_879_294_4, 0.605_467_032_573_320_6, -0.341_863_081_667_226_34]),
        ] {
            let fitted = Logistic::fit(&features(&columns), &labels, None, ridge).unwrap();
            close(Some(fitted.intercept()), expected[0], 1e-9);
            close(Some(fitted.coefficients()[0]), expected[1], 1e-9);
            close(Some(fitted.coefficients()[1]), expected[2], 1e-9);
        }
    }

    /// Goal: weights stand for repeated rows, and a constant or missing column changes nothing.
    #[test]
    fn weights_repeat_rows() {
        let (mut columns, mut labels) = planted();
        let weights: Vec<f64> = (0..500).map(|row| if row < 250 { 2.0 } else { 1.0 }).collect();
        columns.push(vec![4.0; 500]);
        columns.push(vec![f64::NAN; 500]);
        let weighted = Logistic::fit(&features(&columns), &labels, Some(&weights), 1.0).unwrap();
        for column in &mut columns {
            column.extend_from_within(..250);
        }
        labels.extend_from_within(..250);
        let repeated = Logistic::fit(&features(&columns), &labels, None, 1.0).unwrap();
        let row = [vec![0.3], vec![0.9], vec![4.0], vec![f64::NAN]];
        // The scale of a penalised coefficient differs a little, as standard deviations take no weights.
        let (a, b) = (weighted.predict(&features(&row)).unwrap(), repeated.predict(&features(&row)).unwrap());
        assert!((a[0] - b[0]).abs() < 1e-3, "{a:?} {b:?}");
        assert_eq!(&weighted.coefficients()[2..], &[0.0, 0.0]);
    }

    #[test]
    fn bad_input_gives_nothing() {
        let (columns, labels) = planted();
        assert!(Logistic::fit(&features(&columns), &labels[1..], None, 1.0).is_none());
        assert!(Logistic::fit(&features(&columns), &labels, None, f64::NAN).is_none());
        assert!(Logistic::fit(&features(&columns), &vec![2.0; 500], None, 1.0).is_none());
        let fitted = Logistic::fit(&features(&columns), &vec![1.0; 500], None, 1.0);
        assert!(fitted.is_none_or(|fitted| fitted.predict(&features(&columns)).unwrap().iter().all(|p| *p > 0.99)));
        // A plane parts the classes: the ridge holds the coefficient.
        let x = [(0..100).map(f64::from).collect::<Vec<f64>>()];
        let y: Vec<f64> = (0..100).map(|i| f64::from(u8::from(i >= 50))).collect();
        assert!(Logistic::fit(&features(&x), &y, None, 1.0).unwrap().coefficients()[0].is_finite());
    }
}
