//! The one-class support vector machine: a border around most rows, exactly and in linear time.

mod random_features;
mod rbf;
mod smo;

use serde::{Deserialize, Serialize};

pub use self::random_features::{LinearOneClass, LinearOneClassSettings};
use self::rbf::KernelRows;
use super::reference_rows::ReferenceRows;
use crate::learn::Features;

/// Rows beyond this take a kernel that is too large: use [`LinearOneClass`].
const MOST_ROWS: usize = 100_000;

/// A border around all but a share `nu` of the rows, curved by a Gaussian kernel.
///
/// Minimises `|w|^2 / 2 - rho + sum max(0, rho - w . phi(x)) / (nu n)` with `phi(x) . phi(y) = exp(-gamma |x - y|^2)`. The
/// decision value is `sum a_i exp(-gamma |x - x_i|^2) - rho`, negative outside: libsvm's and scikit-learn's to `1e-6`. At most a
/// share `nu` of the reference rows lies outside, and at least that share supports the border. The score is minus the
/// decision value. `nu` is no false-alarm rate for new rows: put [`super::Calibration`] behind the score.
///
/// Scale columns first. Cost: fitting `O(n^2)` and more, 100 MB of kernel at most; scoring `O(support vectors * columns)`.
/// Not to be trusted where `gamma` is far from the scale of the rows: see [`scale_gamma`].
/// Reference: Schölkopf, Platt, Shawe-Taylor, Smola, Williamson, Neural Computation 13 (2001).
///
/// ```
/// use wardline_stats::learn::Features;
/// use wardline_stats::outlier::OneClassSvm;
///
/// let x: Vec<f64> = (0..200).map(|i| f64::from(i * 37 % 101) / 101.0).collect();
/// let model = OneClassSvm::fit(&Features::new(vec![&x]).unwrap(), 0.1, 10.0, 1e-6).unwrap();
/// let scores = model.score(&Features::new(vec![&[0.5, 3.0]]).unwrap()).unwrap();
/// assert!(scores[0] < 0.0 && scores[1] > 0.0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct OneClassSvm {
    vectors: KernelRows,
    weights: Vec<f64>,
    rho: f64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    columns: Vec<Vec<f64>>,
    weights: Vec<f64>,
    gamma: f64,
    rho: f64,
}

/// One over the number of columns times the variance of all cells: scikit-learn's `gamma="scale"`.
///
/// `None` where a value is missing or all are equal.
#[must_use]
pub fn scale_gamma(features: &Features<'_>) -> Option<f64> {
    let cells = || features.columns().iter().flat_map(|column| column.iter().copied());
    let count = (features.rows() * features.width()) as f64;
    let mean = cells().sum::<f64>() / count;
    let variance = cells().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    let gamma = 1.0 / (features.width() as f64 * variance);
    (gamma > 0.0 && gamma.is_finite()).then_some(gamma)
}

impl OneClassSvm {
    /// Fits the border; `tolerance` is how far from optimal a pair may stay (libsvm: 0.001).
    ///
    /// `None` unless `0 < nu <= 1`, `gamma` and `tolerance` are positive, no value is missing, there are 2 to 100,000
    /// rows, and the optimum was reached within `200 n + 100,000` steps.
    #[must_use]
    pub fn fit(features: &Features<'_>, nu: f64, gamma: f64, tolerance: f64) -> Option<Self> {
        let in_range = 0.0 < nu && nu <= 1.0 && 0.0 < gamma && gamma.is_finite() && 0.0 < tolerance;
        if !in_range || !(2..=MOST_ROWS).contains(&features.rows()) || ReferenceRows::of(features).is_none() {
            return None;
        }
        let rows = KernelRows { columns: features.columns().iter().map(|column| column.to_vec()).collect(), gamma };
        let (alpha, rho) = smo::solve(&rows, nu, tolerance)?;
        let support: Vec<usize> = (0..alpha.len()).filter(|at| alpha[*at] > 0.0).collect();
        let columns = rows.columns.iter().map(|column| support.iter().map(|at| column[*at]).collect()).collect();
        let weights = support.iter().map(|at| alpha[*at]).collect();
        Some(Self { vectors: KernelRows { columns, gamma }, weights, rho })
    }

    /// How far inside of the border each row is, negative outside; `None` if the number of columns differs or a value is
    /// missing.
    #[must_use]
    pub fn decision(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        if features.width() != self.vectors.columns.len() {
            return None;
        }
        let mut kernel = Vec::new();
        let rows = ReferenceRows::of(features)?;
        let decide = |row: &[f64]| {
            self.vectors.against(row, &mut kernel);
            kernel.iter().zip(&self.weights).map(|(kernel, weight)| kernel * weight).sum::<f64>() - self.rho
        };
        Some(rows.iter().map(decide).collect())
    }

    /// Minus the decision value: larger for more unusual.
    #[must_use]
    pub fn score(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        Some(self.decision(features)?.into_iter().map(|inside| -inside).collect())
    }

    /// How many reference rows support the border.
    #[must_use]
    pub fn support_vectors(&self) -> usize {
        self.weights.len()
    }
}

impl TryFrom<Stored> for OneClassSvm {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { columns, weights, gamma, rho } = stored;
        let sized = !columns.is_empty() && columns.iter().all(|column| column.len() == weights.len());
        let sound = columns.iter().flatten().all(|value| value.abs() <= 1e150)
            && weights.iter().all(|weight| (0.0..=1.0).contains(weight));
        if sized && sound && rho.is_finite() && gamma > 0.0 && gamma.is_finite() {
            Ok(Self { vectors: KernelRows { columns, gamma }, weights, rho })
        } else {
            Err("not a one-class support vector machine")
        }
    }
}

impl From<OneClassSvm> for Stored {
    fn from(model: OneClassSvm) -> Self {
        let KernelRows { columns, gamma } = model.vectors;
        Self { columns, weights: model.weights, gamma, rho: model.rho }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    fn cloud(rows: usize) -> [Vec<f64>; 2] {
        let mut random = SplitMix::new(2);
        std::array::from_fn(|_| (0..rows).map(|_| random.normal()).collect())
    }

    /// Goal: the share outside is at most `nu`, the share that supports at least.
    #[test]
    fn nu_bounds_the_rows_outside() {
        let [x, y] = cloud(400);
        let rows = Features::new(vec![&x, &y]).unwrap();
        for nu in [0.05, 0.2, 0.5] {
            let model = OneClassSvm::fit(&rows, nu, 0.5, 1e-9).unwrap();
            let outside = model.decision(&rows).unwrap().iter().filter(|inside| **inside < -1e-7).count();
            assert!(outside as f64 <= nu * 400.0 && model.support_vectors() as f64 >= nu * 400.0);
        }
    }

    #[test]
    fn the_linear_form_ranks_alike() {
        let [x, y] = cloud(3_000);
        let rows = Features::new(vec![&x, &y]).unwrap();
        let exact = OneClassSvm::fit(&rows, 0.1, 0.5, 1e-4).unwrap().score(&rows).unwrap();
        let settings = LinearOneClassSettings { gamma: 0.5, ..LinearOneClassSettings::new(0.5) };
        let linear = LinearOneClass::fit(&rows, &settings).unwrap();
        let near = linear.score(&rows).unwrap();
        let outside = near.iter().filter(|score| **score > 0.0).count();
        assert!((200..400).contains(&outside), "{outside} of 3,000 outside at nu of 0.1");
        let mut order: Vec<usize> = (0..3_000).collect();
        let top = |scores: &[f64], order: &mut Vec<usize>| {
            order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
            order[..150].iter().copied().collect::<std::collections::HashSet<usize>>()
        };
        let (first, second) = (top(&exact, &mut order), top(&near, &mut order));
        assert!(first.intersection(&second).count() > 105, "{}", first.intersection(&second).count());
        let read: LinearOneClass = postcard::from_bytes(&postcard::to_allocvec(&linear).unwrap()).unwrap();
        assert_eq!(read.score(&rows), linear.score(&rows));
    }

    #[test]
    fn bad_input_gives_nothing() {
        let x = [1.0, 2.0, 3.0];
        let rows = Features::new(vec![&x]).unwrap();
        assert!(OneClassSvm::fit(&rows, 0.0, 1.0, 1e-3).is_none());
        assert!(OneClassSvm::fit(&rows, 0.5, f64::NAN, 1e-3).is_none());
        assert!(OneClassSvm::fit(&Features::new(vec![&[f64::NAN, 1.0]]).unwrap(), 0.5, 1.0, 1e-3).is_none());
        let model = OneClassSvm::fit(&rows, 1.0, 1.0, 1e-3).unwrap();
        assert!(model.score(&Features::new(vec![&x, &x]).unwrap()).is_none());
        assert!(model.decision(&Features::new(vec![&[f64::NAN]]).unwrap()).is_none());
        assert_eq!(scale_gamma(&Features::new(vec![&[2.0; 5]]).unwrap()), None);
        let read: OneClassSvm = serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
        assert_eq!(read.support_vectors(), 3);
        let mut stored: Stored = model.into();
        stored.weights[0] = 1e308;
        assert!(OneClassSvm::try_from(stored).is_err());
    }
}
