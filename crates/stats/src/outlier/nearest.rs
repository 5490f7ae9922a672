//! Far from its neighbours: the distance to the k-th nearest row.

use serde::{Deserialize, Serialize};

use super::neighbours::Neighbours;
use super::reference_rows::ReferenceRows;
use crate::learn::Features;

/// Scores a row by its distance to the `k`-th nearest reference row.
///
/// Columns count by their unit: bring them to one scale first. Cost: `O(ln(n))` a row for few columns, near `O(n)` for
/// many. Not to be trusted in many dimensions, where all distances are alike, nor where usual rows lie in places of
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
/// Scale columns first; cost as [`NearestDistance`], and `k` look-ups more.
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
#[serde(try_from = "StoredNeighbours", into = "StoredNeighbours")]
pub struct LocalOutlierFactor {
    neighbours: Neighbours,
    k: usize,
    /// Of each reference row, without itself: the distance to its `k`-th, and its density.
    reach: Vec<f64>,
    density: Vec<f64>,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredNeighbours {
    neighbours: Neighbours,
    k: usize,
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
        let rows = judged(features, &self.neighbours)?;
        Some(rows.iter().map(|row| last(&self.neighbours.nearest(row, self.k, None))).collect())
    }

    /// The same of the reference rows, each without itself.
    #[must_use]
    pub fn reference_scores(&self) -> Vec<f64> {
        let rows = self.neighbours.rows();
        (0..rows.len()).map(|at| last(&self.neighbours.nearest(rows.row(at), self.k, Some(at)))).collect()
    }
}

impl LocalOutlierFactor {
    /// Keeps reference rows and their densities; `None` as for [`NearestDistance::fit`].
    #[must_use]
    pub fn fit(features: &Features<'_>, k: usize) -> Option<Self> {
        Some(Self::of(fitted(features, k)?, k))
    }

    fn of(neighbours: Neighbours, k: usize) -> Self {
        let rows = neighbours.rows();
        let near: Vec<Vec<(usize, f64)>> =
            (0..rows.len()).map(|at| neighbours.nearest(rows.row(at), k, Some(at))).collect();
        let reach: Vec<f64> = near.iter().map(|near| last(near)).collect();
        let density = near.iter().map(|near| density_of(near, &reach)).collect();
        Self { neighbours, k, reach, density }
    }

    /// The factor of each row that is not one of the reference; `None` if the number of columns differs or a value is
    /// missing.
    #[must_use]
    pub fn score(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        let rows = judged(features, &self.neighbours)?;
        Some(rows.iter().map(|row| self.factor(row, None)).collect())
    }

    /// The same of the reference rows, each without itself.
    #[must_use]
    pub fn reference_scores(&self) -> Vec<f64> {
        let rows = self.neighbours.rows();
        (0..rows.len()).map(|at| self.factor(rows.row(at), Some(at))).collect()
    }

    fn factor(&self, row: &[f64], except: Option<usize>) -> f64 {
        let near = self.neighbours.nearest(row, self.k, except);
        let own = density_of(&near, &self.reach);
        near.iter().map(|(at, _)| self.density[*at] / own).sum::<f64>() / near.len() as f64
    }
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

impl TryFrom<StoredNeighbours> for LocalOutlierFactor {
    type Error = &'static str;

    fn try_from(stored: StoredNeighbours) -> Result<Self, Self::Error> {
        stored.checked().map(|(neighbours, k)| Self::of(neighbours, k))
    }
}

impl From<LocalOutlierFactor> for StoredNeighbours {
    fn from(model: LocalOutlierFactor) -> Self {
        Self { neighbours: model.neighbours, k: model.k }
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
        let equal = [5.0; 30];
        let scores = LocalOutlierFactor::fit(&Features::new(vec![&equal]).unwrap(), 5).unwrap().reference_scores();
        assert!(scores.iter().all(|score| (score - 1.0).abs() < 1e-9));
    }
}
