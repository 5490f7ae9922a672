//! Far from its neighbours: the distance to the k-th nearest row.

use serde::{Deserialize, Serialize};

use super::neighbours::Neighbours;
use super::reference_rows::ReferenceRows;
use crate::learn::Features;

/// Neighbours that are kept while a model is fitted.
const MOST_PAIRS: usize = 1 << 26;

/// Scores a row by its distance to the `k`-th nearest reference row.
///
/// Columns count by their unit: bring them to one scale first. Cost: `O(ln(n))` a row for few columns, `O(n)` beyond
/// twelve. Not to be trusted in many dimensions, where all distances are alike, nor where usual rows lie in places of
/// different density: see [`LocalOutlierFactor`]. Without a false-alarm rate: put [`super::Calibration`] behind it.
/// Reference: Ramaswamy, Rastogi, Shim, SIGMOD (2000).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredNeighbours", into = "StoredNeighbours")]
pub struct NearestDistance {
    neighbours: Neighbours,
    k: usize,
}

/// Compares how dense a row's place is with how dense its neighbours' places are.
///
/// `LOF(x) = mean over the k nearest rows o of density(o) / density(x)`, where `density(x)` is one over the mean of
/// `max(distance(x, o), distance of o to its own k-th)`. About one for a usual row, whatever the density of its place.
/// As scikit-learn's, with `1e-10` added to mean distances: among more than `k` equal rows the score is not to be trusted.
/// Scale columns first; fitting costs a search for each reference row, scoring as [`NearestDistance`] and `k` look-ups more.
/// Reference: Breunig, Kriegel, Ng, Sander, "LOF", SIGMOD (2000).
///
/// ```
/// use wardline_stats::learn::Features;
/// use wardline_stats::outlier::LocalOutlierFactor;
///
/// let x: Vec<f64> = (0..100).map(f64::from).collect();
/// let model = LocalOutlierFactor::fit(&Features::new(vec![&x]).unwrap(), 10).unwrap();
/// let scores = model.score(&Features::new(vec![&[50.5, 140.0]]).unwrap()).unwrap();
/// assert!(scores[0] < 1.1 && scores[1] > 5.0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredFactors", into = "StoredFactors")]
pub struct LocalOutlierFactor {
    neighbours: Neighbours,
    k: usize,
    /// Of each reference row, without itself: the distance to its `k`-th, its density, and its factor.
    reach: Vec<f64>,
    density: Vec<f64>,
    factors: Vec<f64>,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredNeighbours {
    neighbours: Neighbours,
    k: usize,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredFactors {
    neighbours: StoredNeighbours,
    reach: Vec<f64>,
    density: Vec<f64>,
    factors: Vec<f64>,
}

fn fitted(features: &Features<'_>, k: usize) -> Option<Neighbours> {
    if k == 0 || k >= features.rows() {
        return None;
    }
    Some(Neighbours::new(ReferenceRows::of(features)?))
}

impl NearestDistance {
    /// Keeps reference rows; `None` where a value is missing, `k` is zero, or there are not more than `k` rows.
    #[must_use]
    pub fn fit(features: &Features<'_>, k: usize) -> Option<Self> {
        Some(Self { neighbours: fitted(features, k)?, k })
    }

    /// The distance of each row to its `k`-th nearest reference row; `None` if the number of columns differs or a value
    /// is missing.
    #[must_use]
    pub fn score(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        Some(self.distances(&judged(features, &self.neighbours)?, false))
    }

    /// The same of the reference rows, each without itself.
    #[must_use]
    pub fn reference_scores(&self) -> Vec<f64> {
        self.distances(self.neighbours.rows(), true)
    }

    fn distances(&self, rows: &ReferenceRows, are_own: bool) -> Vec<f64> {
        let mut distances = Vec::with_capacity(rows.len());
        self.neighbours.for_each_nearest(rows, self.k, are_own, |near| distances.push(last(&near)));
        distances
    }
}

impl LocalOutlierFactor {
    /// Keeps reference rows, their densities and their factors; `None` as for [`NearestDistance::fit`], and where `k`
    /// times the rows is above `2^26`, which would take a gigabyte.
    #[must_use]
    pub fn fit(features: &Features<'_>, k: usize) -> Option<Self> {
        if features.rows().checked_mul(k)? > MOST_PAIRS {
            return None;
        }
        let neighbours = fitted(features, k)?;
        let rows = neighbours.rows().len();
        let (mut near, mut reach) = (Vec::with_capacity(rows * k), Vec::with_capacity(rows));
        neighbours.for_each_nearest(neighbours.rows(), k, true, |found| {
            reach.push(last(&found));
            near.extend(found);
        });
        let density: Vec<f64> = near.chunks_exact(k).map(|near| density_of(near, &reach)).collect();
        let factors = near.chunks_exact(k).zip(&density).map(|(near, own)| factor_of(near, &density, *own)).collect();
        Some(Self { neighbours, k, reach, density, factors })
    }

    /// The factor of each row that is not one of the reference; `None` if the number of columns differs or a value is
    /// missing.
    #[must_use]
    pub fn score(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        let rows = judged(features, &self.neighbours)?;
        let mut factors = Vec::with_capacity(rows.len());
        self.neighbours.for_each_nearest(&rows, self.k, false, |near| {
            factors.push(factor_of(&near, &self.density, density_of(&near, &self.reach)));
        });
        Some(factors)
    }

    /// The same of the reference rows, each without itself, in their order.
    #[must_use]
    pub fn reference_scores(&self) -> &[f64] {
        &self.factors
    }
}

fn factor_of(near: &[(usize, f64)], density: &[f64], own: f64) -> f64 {
    near.iter().map(|(at, _)| density[*at] / own).sum::<f64>() / near.len() as f64
}

fn judged(features: &Features<'_>, neighbours: &Neighbours) -> Option<ReferenceRows> {
    (features.width() == neighbours.rows().width()).then(|| ReferenceRows::of(features)).flatten()
}

fn last(near: &[(usize, f64)]) -> f64 {
    near.last().map_or(0.0, |(_, distance)| *distance)
}

fn density_of(near: &[(usize, f64)], reach: &[f64]) -> f64 {
    let sum: f64 = near.iter().map(|(at, distance)| distance.max(reach[*at])).sum();
    1.0 / (sum / near.len() as f64 + 1e-10)
}

impl StoredNeighbours {
    fn checked(self) -> Result<(Neighbours, usize), &'static str> {
        let sound = self.neighbours.is_sound() && 0 < self.k && self.k < self.neighbours.rows().len();
        if sound { Ok((self.neighbours, self.k)) } else { Err("not rows with neighbours") }
    }
}

impl TryFrom<StoredNeighbours> for NearestDistance {
    type Error = &'static str;

    fn try_from(stored: StoredNeighbours) -> Result<Self, Self::Error> {
        stored.checked().map(|(neighbours, k)| Self { neighbours, k })
    }
}

impl From<NearestDistance> for StoredNeighbours {
    fn from(model: NearestDistance) -> Self {
        Self { neighbours: model.neighbours, k: model.k }
    }
}

impl TryFrom<StoredFactors> for LocalOutlierFactor {
    type Error = &'static str;

    fn try_from(stored: StoredFactors) -> Result<Self, Self::Error> {
        let StoredFactors { neighbours, reach, density, factors } = stored;
        let (neighbours, k) = neighbours.checked()?;
        let sized = [&reach, &density, &factors].iter().all(|values| values.len() == neighbours.rows().len());
        // What rows of at most 1e150 can give.
        let are_distances = reach.iter().all(|value| (0.0..=1e160).contains(value));
        let are_densities = density.iter().all(|value| (1e-160..=1e11).contains(value));
        if sized && are_distances && are_densities && factors.iter().all(|value| value.is_finite()) {
            Ok(Self { neighbours, k, reach, density, factors })
        } else {
            Err("not rows with the densities of their places")
        }
    }
}

impl From<LocalOutlierFactor> for StoredFactors {
    fn from(model: LocalOutlierFactor) -> Self {
        let LocalOutlierFactor { neighbours, k, reach, density, factors } = model;
        Self { neighbours: StoredNeighbours { neighbours, k }, reach, density, factors }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_or_missing_rows_give_nothing() {
        let x = [1.0, 2.0, 3.0];
        let rows = Features::new(vec![&x]).unwrap();
        assert!(NearestDistance::fit(&rows, 3).is_none() && NearestDistance::fit(&rows, 0).is_none());
        let model = LocalOutlierFactor::fit(&rows, 2).unwrap();
        assert!(model.score(&Features::new(vec![&[f64::NAN]]).unwrap()).is_none());
        assert!(model.score(&Features::new(vec![&x, &x]).unwrap()).is_none());
        let read: LocalOutlierFactor = postcard::from_bytes(&postcard::to_allocvec(&model).unwrap()).unwrap();
        assert_eq!(read, model);
        let short = StoredFactors { reach: vec![0.0], ..model.clone().into() };
        assert!(LocalOutlierFactor::try_from(short).is_err());
        let without_density = StoredFactors { density: vec![0.0; 3], ..model.into() };
        assert!(LocalOutlierFactor::try_from(without_density).is_err());
        let equal = [5.0; 30];
        let model = LocalOutlierFactor::fit(&Features::new(vec![&equal]).unwrap(), 5).unwrap();
        assert!(model.reference_scores().iter().all(|score| (score - 1.0).abs() < 1e-9));
    }
}
