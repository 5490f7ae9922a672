//! What the main directions of most rows leave over.

use serde::{Deserialize, Serialize};

use super::reference_rows::ReferenceRows;
use crate::learn::Features;
use crate::two_sample::symmetric::Symmetric;

/// Columns beyond this cost too much.
const MOST_COLUMNS: usize = 500;

/// The squared part of a row that its principal components do not explain.
///
/// Rows are centred; components are eigenvectors of the covariance, largest first. `score = |x - mean|^2 - sum of squared
/// coordinates`, that is scikit-learn's `((x - inverse_transform(transform(x)))^2).sum()`. Scale columns first: units
/// decide otherwise. Finds rows that break how columns usually go together; a row that is only far along a main
/// direction scores low. Outliers among the reference rows bend the components. Cost: fitting `O(n p^2 + p^3)`,
/// `O(p components)` a row. Without a false-alarm rate: put [`super::Calibration`] behind it.
/// Reference: Shyu, Chen, Sarinnapakorn, Chang, ICDM workshop (2003).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct PrincipalResidual {
    mean: Vec<f64>,
    components: Vec<Vec<f64>>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    mean: Vec<f64>,
    components: Vec<Vec<f64>>,
}

impl PrincipalResidual {
    /// The components that together explain at least `share` of the variance, in `(0, 1)`, and not all of them.
    ///
    /// `None` for a missing value, fewer than two rows or columns, more than 500 columns, or no variance.
    #[must_use]
    pub fn fit(features: &Features<'_>, share: f64) -> Option<Self> {
        let width = features.width();
        if !(0.0 < share && share < 1.0) || features.rows() < 2 || !(2..=MOST_COLUMNS).contains(&width) {
            return None;
        }
        let rows = ReferenceRows::of(features)?;
        let count = rows.len() as f64;
        let mean: Vec<f64> =
            features.columns().iter().map(|column| column.iter().map(|value| value / count).sum()).collect();
        let mut covariance = Symmetric::zeros(width);
        for left in 0..width {
            for right in 0..=left {
                let (x, y) = (features.columns()[left], features.columns()[right]);
                let sum: f64 = x.iter().zip(y).map(|(a, b)| (a - mean[left]) * (b - mean[right])).sum();
                covariance.set(left, right, sum / (count - 1.0));
            }
        }
        let (values, vectors) = covariance.eigen();
        let mut order: Vec<usize> = (0..width).collect();
        order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
        let total: f64 = values.iter().map(|value| value.max(0.0)).sum();
        // What rounding leaves of a constant is no variance.
        let rounding = 1e-28 * mean.iter().map(|mean| mean * mean).sum::<f64>();
        if total <= rounding || !total.is_finite() {
            return None;
        }
        let mut explained = 0.0;
        let mut components = Vec::new();
        for at in order {
            if explained >= share * total || components.len() + 1 == width {
                break;
            }
            explained += values[at].max(0.0);
            components.push(vectors[at].clone());
        }
        Some(Self { mean, components })
    }

    /// How many components there are.
    #[must_use]
    pub fn components(&self) -> usize {
        self.components.len()
    }

    /// The squared rest of each row; `None` if the number of columns differs or a value is missing.
    #[must_use]
    pub fn score(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        if features.width() != self.mean.len() {
            return None;
        }
        let rest = |row: &[f64]| {
            let mut rest: Vec<f64> = row.iter().zip(&self.mean).map(|(value, mean)| value - mean).collect();
            for component in &self.components {
                let along: f64 = rest.iter().zip(component).map(|(x, c)| x * c).sum();
                rest.iter_mut().zip(component).for_each(|(x, c)| *x -= along * c);
            }
            rest.iter().map(|x| x * x).sum()
        };
        Some(ReferenceRows::of(features)?.iter().map(rest).collect())
    }
}

impl TryFrom<Stored> for PrincipalResidual {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { mean, components } = stored;
        let width = mean.len();
        let sized = (2..=MOST_COLUMNS).contains(&width)
            && !components.is_empty()
            && components.len() < width
            && components.iter().all(|component| component.len() == width);
        let finite = components.iter().flatten().chain(&mean).all(|value| value.is_finite());
        if sized && finite { Ok(Self { mean, components }) } else { Err("not principal components") }
    }
}

impl From<PrincipalResidual> for Stored {
    fn from(model: PrincipalResidual) -> Self {
        Self { mean: model.mean, components: model.components }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_the_pattern_stands_out() {
        let x: Vec<f64> = (0..200).map(|i| f64::from(i * 37 % 101)).collect();
        let y: Vec<f64> = x.iter().enumerate().map(|(i, x)| 100.0 - x + f64::from(i as u32 % 3)).collect();
        let model = PrincipalResidual::fit(&Features::new(vec![&x, &y]).unwrap(), 0.9).unwrap();
        assert_eq!(model.components(), 1);
        let scores = model.score(&Features::new(vec![&[50.0, 300.0, 50.0], &[51.0, -199.0, 90.0]]).unwrap()).unwrap();
        assert!(scores[0] < 2.0 && scores[1] < 2.0 && scores[2] > 500.0, "{scores:?}");
        assert!(PrincipalResidual::fit(&Features::new(vec![&[1.0; 9], &[2.0; 9]]).unwrap(), 0.9).is_none());
        assert!(PrincipalResidual::fit(&Features::new(vec![&x, &y]).unwrap(), 1.0).is_none());
    }
}
