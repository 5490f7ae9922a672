//! Logistic regression for several classes.

use serde::{Deserialize, Serialize};

use super::Features;
use super::features::weights_are_valid;
use super::logistic::{scale, standardised};
use super::minimise::minimise;

/// Classes and coefficients at most.
const MOST_CLASSES: usize = 1_000;
const MOST_COEFFICIENTS: usize = 1_000_000;

/// A multinomial logistic regression (softmax) on standardised features, with a ridge penalty.
///
/// Least `-sum weight * ln probability of the row's class + ridge / 2 * sum coefficient^2`, coefficients
/// on the scale of standard deviations, intercepts not penalised and of sum zero. A missing value counts
/// as the mean. For two classes see [`super::Logistic`], whose penalty weighs half as much per class.
/// Minimum by L-BFGS; cost `O(rows * columns * classes)` a step, some tens of steps.
/// Reference: Hastie, Tibshirani, Friedman, "The Elements of Statistical Learning" (2009), 4.4 and 18.3.2.
///
/// ```
/// use wardline_stats::learn::{Features, Multinomial};
///
/// let latency: Vec<f64> = (0..90).map(f64::from).collect();
/// let tier: Vec<u32> = (0..90).map(|row| row / 30).collect();
/// let rows = Features::new(vec![&latency]).unwrap();
/// let model = Multinomial::fit(&rows, &tier, 3, None, 1.0).unwrap();
/// let found = model.predict(&Features::new(vec![&[10.0]]).unwrap()).unwrap();
/// assert!(found[0][0] > 0.8);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Multinomial {
    /// Mean and one over the standard deviation of each column.
    scales: Vec<[f64; 2]>,
    /// For each class, the intercept and then a coefficient for each column.
    classes: Vec<Vec<f64>>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    scales: Vec<[f64; 2]>,
    classes: Vec<Vec<f64>>,
}

impl Multinomial {
    /// Learns the probabilities of `classes` classes; `labels` holds one of `0..classes` for each row.
    ///
    /// `None` if lengths differ, a label, a weight or the ridge is out of range (it must exceed zero), there
    /// are not `2..=1000` classes, more than a million coefficients, a class without a row of weight,
    /// or no minimum is found.
    #[must_use]
    pub fn fit(
        features: &Features<'_>,
        labels: &[u32],
        classes: usize,
        weights: Option<&[f64]>,
        ridge: f64,
    ) -> Option<Self> {
        let valid = labels.len() == features.rows()
            && (2..=MOST_CLASSES).contains(&classes)
            && (features.width() + 1) * classes <= MOST_COEFFICIENTS
            && labels.iter().all(|label| (*label as usize) < classes)
            && weights_are_valid(weights, features.rows())
            && 0.0 < ridge
            && ridge.is_finite();
        if !valid {
            return None;
        }
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let mut totals = vec![0.0; classes];
        labels.iter().enumerate().for_each(|(row, label)| totals[*label as usize] += weight(row));
        if totals.contains(&0.0) {
            return None;
        }
        let scales: Vec<[f64; 2]> =
            features.columns().iter().map(|column| scale(column)).map(|[m, s, _]| [m, s]).collect();
        let rows = standardised_rows(features, &scales);
        let width = features.width() + 1;
        let mut probabilities = vec![0.0; classes];
        let point = minimise(vec![0.0; classes * width], 1e-10, |point, gradient| {
            let mut loss = 0.0;
            gradient.fill(0.0);
            for (row, values) in rows.chunks_exact(width).enumerate() {
                for (margin, own) in probabilities.iter_mut().zip(point.chunks_exact(width)) {
                    *margin = own.iter().zip(values).map(|(coefficient, value)| coefficient * value).sum();
                }
                let label = labels[row] as usize;
                let margin = probabilities[label];
                loss += weight(row) * (softmax(&mut probabilities) - margin);
                for (class, own) in gradient.chunks_exact_mut(width).enumerate() {
                    let slope = weight(row) * (probabilities[class] - f64::from(u8::from(class == label)));
                    own.iter_mut().zip(values).for_each(|(cell, value)| *cell += slope * value);
                }
            }
            for (slopes, own) in gradient.chunks_exact_mut(width).zip(point.chunks_exact(width)) {
                for (slope, coefficient) in slopes[1..].iter_mut().zip(&own[1..]) {
                    loss += 0.5 * ridge * coefficient * coefficient;
                    *slope += ridge * coefficient;
                }
            }
            loss
        })?;
        Some(Self { scales, classes: point.chunks_exact(width).map(<[f64]>::to_vec).collect() })
    }

    /// For each row the probability of each class, of sum one; `None` if the number of columns differs.
    #[must_use]
    pub fn predict(&self, features: &Features<'_>) -> Option<Vec<Vec<f64>>> {
        if features.width() != self.scales.len() {
            return None;
        }
        let rows = standardised_rows(features, &self.scales);
        let of_row = |values: &[f64]| {
            let margin = |own: &Vec<f64>| own.iter().zip(values).map(|(coefficient, value)| coefficient * value).sum();
            let mut margins: Vec<f64> = self.classes.iter().map(margin).collect();
            softmax(&mut margins);
            margins
        };
        Some(rows.chunks_exact(self.scales.len() + 1).map(of_row).collect())
    }

    /// The change of a class's margin for one standard deviation of each feature; `None` for no such class.
    #[must_use]
    pub fn coefficients(&self, class: usize) -> Option<&[f64]> {
        self.classes.get(class).map(|own| &own[1..])
    }

    /// A class's margin where every feature is at its mean; `None` for no such class.
    #[must_use]
    pub fn intercept(&self, class: usize) -> Option<f64> {
        self.classes.get(class).map(|own| own[0])
    }
}

impl TryFrom<Stored> for Multinomial {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { scales, classes } = stored;
        let tame = |value: &f64| value.abs() < 1e100;
        let sound = !scales.is_empty()
            && (2..=MOST_CLASSES).contains(&classes.len())
            && scales.iter().flatten().all(|value| value.is_finite())
            && classes.iter().all(|own| own.len() == scales.len() + 1 && own.iter().all(tame));
        if sound { Ok(Self { scales, classes }) } else { Err("not a multinomial regression") }
    }
}

impl From<Multinomial> for Stored {
    fn from(model: Multinomial) -> Self {
        Self { scales: model.scales, classes: model.classes }
    }
}

/// Row by row: a one for the intercept, then the standardised values.
pub(super) fn standardised_rows(features: &Features<'_>, scales: &[[f64; 2]]) -> Vec<f64> {
    let width = scales.len() + 1;
    let mut rows = vec![1.0; features.rows() * width];
    for (at, (column, [mean, inverse])) in features.columns().iter().zip(scales).enumerate() {
        for (row, value) in column.iter().enumerate() {
            rows[row * width + at + 1] = standardised(*value, &[*mean, *inverse, 0.0]);
        }
    }
    rows
}

/// Margins become probabilities; returns the logarithm of the sum of their exponentials.
pub(super) fn softmax(margins: &mut [f64]) -> f64 {
    let most = margins.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for margin in margins.iter_mut() {
        *margin = (*margin - most).exp();
        sum += *margin;
    }
    margins.iter_mut().for_each(|margin| *margin /= sum);
    most + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_input_gives_nothing() {
        let values = [1.0, 2.0, 3.0, 4.0];
        let rows = Features::new(vec![&values]).unwrap();
        assert!(Multinomial::fit(&rows, &[0, 1, 0], 2, None, 1.0).is_none());
        assert!(Multinomial::fit(&rows, &[0, 1, 0, 2], 2, None, 1.0).is_none());
        assert!(Multinomial::fit(&rows, &[0, 1, 0, 1], 3, None, 1.0).is_none());
        assert!(Multinomial::fit(&rows, &[0, 1, 0, 1], 2, None, 0.0).is_none());
        assert!(Multinomial::fit(&rows, &[0, 1, 0, 1], 2, Some(&[f64::NAN; 4]), 1.0).is_none());
    }

    #[test]
    fn what_is_kept_predicts_the_same_and_damage_is_an_error() {
        let values: Vec<f64> = (0..60).map(|row| f64::from(row % 17)).collect();
        let rows = Features::new(vec![&values]).unwrap();
        let labels: Vec<u32> = (0..60).map(|row| (row % 17) / 6).collect();
        let model = Multinomial::fit(&rows, &labels, 3, None, 0.5).unwrap();
        let kept = postcard::to_stdvec(&model).unwrap();
        assert_eq!(postcard::from_bytes::<Multinomial>(&kept).unwrap().predict(&rows), model.predict(&rows));
        for probabilities in model.predict(&rows).unwrap() {
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        assert!(serde_json::from_str::<Multinomial>(r#"{"scales":[[0,1]],"classes":[[0,1],[0]]}"#).is_err());
    }
}
