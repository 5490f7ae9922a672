//! Shapley values of linear models.

use super::game::shapley;
use crate::learn::solve_positive_definite;

/// Features that correlation is taken into account for, at most: all coalitions are visited.
const MOST_CORRELATED: usize = 14;

/// Explains `intercept + sum coefficient * x`.
///
/// Independent features: `coefficient * (x - mean)`. Correlated ones, with a covariance matrix: a
/// coalition is worth the output at the conditional mean of all features given the coalition's, as for
/// normal data, `mean + C_rest,S C_SS^-1 (x_S - mean_S)`; then a feature with coefficient zero can have
/// a value, since it tells of others. Values are linear in `x`, so that all coalitions are visited once.
/// Cost: `O(features)` a row, with correlation `O(features^2)`, and `O(2^features features^3)` once.
/// Not to be trusted with correlation where the features are far from jointly normal.
/// Reference: Lundberg, Lee, NIPS (2017), corollary 1; Aas, Jullum, Løland, Artificial Intelligence 298
/// (2021), section 3.1.
///
/// ```
/// use wardline_stats::explain::LinearShap;
///
/// let independent = LinearShap::new(&[2.0, -1.0], &[1.0, 1.0], None).unwrap();
/// assert_eq!(independent.values(&[3.0, 2.0]).unwrap(), [4.0, -1.0]);
/// let correlated = LinearShap::new(&[2.0, 0.0], &[1.0, 1.0], Some(&[1.0, 0.5, 0.5, 1.0])).unwrap();
/// assert_eq!(correlated.values(&[3.0, 3.0]).unwrap(), [3.0, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LinearShap {
    means: Vec<f64>,
    /// Row by row: what each feature's distance from its mean adds to each feature's value; only the
    /// diagonal where features are independent.
    shares: Vec<f64>,
    correlated: bool,
}

impl LinearShap {
    /// `covariance` is `features * features`, row by row; `None` for it says independent features.
    ///
    /// `None` if there is no feature, lengths differ, a number is not finite, or the covariance is not
    /// symmetric and positive definite or is of more than 14 features.
    #[must_use]
    pub fn new(coefficients: &[f64], means: &[f64], covariance: Option<&[f64]>) -> Option<Self> {
        let n = coefficients.len();
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        if n == 0 || means.len() != n || !finite(coefficients) || !finite(means) {
            return None;
        }
        let shares = match covariance {
            None => coefficients.to_vec(),
            Some(covariance) => {
                let sized = n <= MOST_CORRELATED && covariance.len() == n * n && finite(covariance);
                let symmetric = |at: usize| covariance[at] == covariance[at % n * n + at / n];
                if !sized || !(0..n * n).all(symmetric) {
                    return None;
                }
                conditional_shares(coefficients, covariance)?
            }
        };
        Some(Self { means: means.to_vec(), shares, correlated: covariance.is_some() })
    }

    /// The value of each feature; with the output at the means they sum to the output. `None` if the
    /// number of features differs or one is not finite.
    #[must_use]
    pub fn values(&self, row: &[f64]) -> Option<Vec<f64>> {
        let n = self.means.len();
        if row.len() != n || row.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let distances: Vec<f64> = row.iter().zip(&self.means).map(|(value, mean)| value - mean).collect();
        let product = |(share, distance): (&f64, &f64)| share * distance;
        let values: Vec<f64> = if self.correlated {
            self.shares.chunks_exact(n).map(|shares| shares.iter().zip(&distances).map(product).sum()).collect()
        } else {
            self.shares.iter().zip(&distances).map(product).collect()
        };
        values.iter().all(|value| value.is_finite()).then_some(values)
    }
}

/// For each feature and each distance from a mean: its share of the feature's value.
fn conditional_shares(coefficients: &[f64], covariance: &[f64]) -> Option<Vec<f64>> {
    let n = coefficients.len();
    // By distance, what each coalition makes of it.
    let mut weights = vec![0.0; n << n];
    for coalition in 0..1_usize << n {
        let members: Vec<usize> = (0..n).filter(|at| coalition >> at & 1 == 1).collect();
        let mut matrix: Vec<f64> =
            members.iter().flat_map(|i| members.iter().map(move |j| covariance[i * n + j])).collect();
        let outside = |i: usize| {
            (0..n).filter(|j| coalition >> j & 1 == 0).map(|j| covariance[i * n + j] * coefficients[j]).sum::<f64>()
        };
        let mut told: Vec<f64> = members.iter().map(|i| outside(*i)).collect();
        if !solve_positive_definite(&mut matrix, &mut told) {
            return None;
        }
        for (member, told) in members.iter().zip(told) {
            weights[(*member << n) + coalition] = coefficients[*member] + told;
        }
    }
    let by_distance: Vec<Vec<f64>> = weights.chunks_exact(1 << n).map(|worth| shapley(n, worth)).collect();
    Some((0..n * n).map(|at| by_distance[at % n][at / n]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: values sum to the output's distance from the mean, and with no correlation both kinds agree.
    #[test]
    fn values_are_additive_and_both_kinds_meet() {
        let (coefficients, means) = ([2.0, -1.0, 0.5, 0.0], [0.1, 0.2, -0.3, 1.0]);
        let mut covariance = vec![0.0; 16];
        for i in 0..4 {
            for j in 0..4 {
                covariance[i * 4 + j] = 0.6_f64.powi((i as i32 - j as i32).abs());
            }
        }
        let row = [1.0, 2.0, 3.0, -4.0];
        let told = LinearShap::new(&coefficients, &means, Some(&covariance)).unwrap().values(&row).unwrap();
        let expected: f64 = coefficients.iter().zip(row).zip(means).map(|((c, x), mean)| c * (x - mean)).sum();
        assert!((told.iter().sum::<f64>() - expected).abs() < 1e-12);
        assert!(told[3].abs() > 0.01);
        let diagonal: Vec<f64> = (0..16).map(|at| f64::from(u8::from(at % 5 == 0)) * 2.0).collect();
        let free = LinearShap::new(&coefficients, &means, None).unwrap().values(&row).unwrap();
        let same = LinearShap::new(&coefficients, &means, Some(&diagonal)).unwrap().values(&row).unwrap();
        assert!(free.iter().zip(same).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn bad_input_gives_nothing() {
        assert_eq!(LinearShap::new(&[], &[], None), None);
        assert_eq!(LinearShap::new(&[1.0], &[f64::NAN], None), None);
        assert_eq!(LinearShap::new(&[1.0, 1.0], &[0.0, 0.0], Some(&[1.0, 2.0, 2.0, 1.0])), None);
        assert_eq!(LinearShap::new(&[1.0, 1.0], &[0.0, 0.0], Some(&[1.0, 0.5, 0.4, 1.0])), None);
        assert_eq!(LinearShap::new(&[1.0; 30], &[0.0; 30], Some(&[0.0; 900])), None);
        assert_eq!(LinearShap::new(&[1.0], &[0.0], None).unwrap().values(&[f64::INFINITY]), None);
    }
}
