//! How several columns vary together.

use serde::{Deserialize, Serialize};

use super::moments::LARGEST;
use super::{Merge, MergeError};

/// Running means, covariances and correlations of `columns` numbers a row, in one pass.
///
/// `C_ij = sum (x_i - mean_i)(x_j - mean_j)`, updated by `C_ij += (x_i - mean_i before)(x_j - mean_j
/// after)`, without the cancellation of sums of products. Merging gives the same numbers as one
/// pass up to rounding: `C += C' + (mean' - mean)(mean' - mean)^T n n' / (n + n')`.
///
/// A row with a number that is not finite, or of a magnitude above 1e120, is refused whole: a
/// covariance of what other rows left out would be none. Not to be trusted beyond some tens of
/// rows for each column, nor against wild values: it is not robust.
///
/// Cost: `columns^2 / 2` multiplications a row, no allocation; `4 columns^2` bytes.
/// Reference: Welford (1962); Chan, Golub, LeVeque (1979); Pébay, SAND2008-6212, section 3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Covariance {
    count: u64,
    means: Vec<f64>,
    /// The lower triangle, row by row: `(0,0), (1,0), (1,1), (2,0), ...`.
    comoments: Vec<f64>,
}

impl Covariance {
    /// The most columns: 64 MiB.
    pub const MOST_COLUMNS: usize = 4_096;

    /// Nothing seen yet; `None` for no columns or more than 4,096.
    #[must_use]
    pub fn new(columns: usize) -> Option<Self> {
        let possible = 1 <= columns && columns <= Self::MOST_COLUMNS;
        possible.then(|| Self {
            count: 0,
            means: vec![0.0; columns],
            comoments: vec![0.0; columns * (columns + 1) / 2],
        })
    }

    /// Takes in a row; `false` if it was refused: another length, or a number out of range.
    pub fn insert(&mut self, row: &[f64]) -> bool {
        if row.len() != self.means.len() || !row.iter().all(|value| value.abs() <= LARGEST) {
            return false;
        }
        self.count += 1;
        let share = 1.0 / self.count as f64;
        let mut rest = self.comoments.as_mut_slice();
        for i in 0..row.len() {
            let delta = row[i] - self.means[i];
            self.means[i] += delta * share;
            // The means up to this one are those after the row, as the update wants them.
            let (of_row, below) = rest.split_at_mut(i + 1);
            add_products(of_row, delta, row, &self.means);
            rest = below;
        }
        true
    }

    /// Adds everything that `other` has seen.
    ///
    /// # Errors
    /// [`MergeError::DifferentShape`] if it has another number of columns.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.means.len() != other.means.len() {
            return Err(MergeError::DifferentShape);
        }
        let count = self.count.checked_add(other.count).ok_or(MergeError::TooMany)?;
        if other.count == 0 {
            return Ok(());
        }
        let share = other.count as f64 / count as f64;
        let weight = self.count as f64 * share;
        let mut at = 0;
        for i in 0..self.means.len() {
            let delta = other.means[i] - self.means[i];
            for j in 0..=i {
                self.comoments[at] += other.comoments[at] + delta * (other.means[j] - self.means[j]) * weight;
                at += 1;
            }
        }
        for (mean, theirs) in self.means.iter_mut().zip(&other.means) {
            *mean += (theirs - *mean) * share;
        }
        self.count = count;
        Ok(())
    }

    /// Forgets all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.count = 0;
        self.means.fill(0.0);
        self.comoments.fill(0.0);
    }

    /// How many numbers a row has.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.means.len()
    }

    /// How many rows were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean of a column; `None` before the first row or for no such column.
    #[must_use]
    pub fn mean(&self, column: usize) -> Option<f64> {
        self.means.get(column).copied().filter(|_| self.count > 0)
    }

    fn comoment(&self, i: usize, j: usize) -> Option<f64> {
        let (high, low) = (i.max(j), i.min(j));
        (high < self.means.len()).then(|| self.comoments[high * (high + 1) / 2 + low])
    }

    /// The covariance of two columns, or the variance of one, with `n - 1` below; `None` before the
    /// second row or for no such column.
    #[must_use]
    pub fn covariance(&self, i: usize, j: usize) -> Option<f64> {
        let comoment = self.comoment(i, j)?;
        (self.count > 1).then(|| comoment / (self.count - 1) as f64)
    }

    /// Pearson's correlation of two columns, from -1 to 1; `None` before the second row, for no such
    /// column, or if one of them is constant.
    #[must_use]
    pub fn correlation(&self, i: usize, j: usize) -> Option<f64> {
        let (own, other) = (self.covariance(i, i)?, self.covariance(j, j)?);
        let scale = own.sqrt() * other.sqrt();
        (scale > 0.0).then(|| self.covariance(i, j).map(|both| (both / scale).clamp(-1.0, 1.0)))?
    }

    /// The covariance matrix, row by row: `columns` times `columns` numbers.
    #[must_use]
    pub fn matrix(&self) -> Option<Vec<f64>> {
        let columns = 0..self.columns();
        columns.clone().flat_map(|i| columns.clone().map(move |j| (i, j))).map(|(i, j)| self.covariance(i, j)).collect()
    }
}

/// `comoments += delta (row - means)`, for slices of one length.
///
/// A function of its own, so that the compiler knows that the three do not overlap.
#[inline]
fn add_products(comoments: &mut [f64], delta: f64, row: &[f64], means: &[f64]) {
    let n = comoments.len();
    let (row, means) = (&row[..n], &means[..n]);
    for at in 0..n {
        comoments[at] += delta * (row[at] - means[at]);
    }
}

impl Merge for Covariance {
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError> {
        self.merge(other)
    }

    fn clear(&mut self) {
        self.clear();
    }
}

#[derive(Deserialize)]
struct Stored {
    count: u64,
    means: Vec<f64>,
    comoments: Vec<f64>,
}

impl TryFrom<Stored> for Covariance {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { count, means, comoments } = stored;
        let made = Self { count, means, comoments };
        let columns = made.columns();
        let shaped =
            1 <= columns && columns <= Self::MOST_COLUMNS && made.comoments.len() == columns * (columns + 1) / 2;
        if !shaped {
            return Err("covariances of no possible number of columns");
        }
        let means = made.means.iter().all(|mean| mean.abs() <= LARGEST);
        let most = 4.0 * LARGEST * LARGEST * count as f64;
        let own = |i: usize| made.comoments[i * (i + 1) / 2 + i];
        let squares = (0..columns).all(|i| (0.0..=most).contains(&own(i)));
        let products = squares && made.comoments.iter().all(|comoment| comoment.abs() <= most);
        let empty = count > 0 || made.means.iter().chain(&made.comoments).all(|number| *number == 0.0);
        (means && products && empty).then_some(made).ok_or("covariances that no rows have")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn covariance(rows: &[[f64; 3]]) -> Covariance {
        let mut covariance = Covariance::new(3).unwrap();
        rows.iter().for_each(|row| assert!(covariance.insert(row)));
        covariance
    }

    /// numpy 2.4.6: `cov` and `corrcoef` of these rows.
    #[test]
    fn agrees_with_numpy() {
        let rows = [[1.0, 2.0, 1e9 + 1.0], [2.0, 1.0, 1e9 + 4.0], [4.0, 7.0, 1e9 + 2.0], [8.0, 5.0, 1e9 + 3.0]];
        let found = covariance(&rows);
        let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-6;
        assert!(close(found.covariance(0, 1), 5.25));
        assert!(close(found.covariance(1, 2), -0.833_333_333_333_333_3));
        assert!(close(found.correlation(0, 1), 0.615_844_309_908_618_7));
        assert!(close(found.mean(2), 1e9 + 2.5));
        assert_eq!(found.matrix().unwrap()[1], found.covariance(1, 0).unwrap());
    }

    #[test]
    fn bad_input_is_refused() {
        let mut found = Covariance::new(2).unwrap();
        assert!(!found.insert(&[1.0]) && !found.insert(&[1.0, f64::NAN]) && !found.insert(&[1e300, 1.0]));
        assert!(found.insert(&[1.0, 5.0]));
        assert_eq!((found.covariance(0, 1), found.matrix(), found.mean(2)), (None, None, None));
        assert!(found.insert(&[1e120, 5.0]) && found.insert(&[-1e120, 5.0]));
        assert_eq!((found.correlation(0, 1), found.covariance(0, 1)), (None, Some(0.0)));
        assert!(found.covariance(0, 0).unwrap().is_finite() && found.covariance(0, 2).is_none());
        assert_eq!(found.merge(&Covariance::new(3).unwrap()), Err(MergeError::DifferentShape));
        assert_eq!((Covariance::new(0), Covariance::new(usize::MAX)), (None, None));
    }

    proptest! {
        #[test]
        fn merging_halves_gives_the_whole(
            all in proptest::collection::vec([-1e4..1e4_f64, -1e4..1e4_f64, 0.0..1.0_f64], 2..80),
            cut in 0..80_usize,
        ) {
            let (left, right) = all.split_at(cut % all.len());
            let mut merged = covariance(left);
            merged.merge(&covariance(right)).unwrap();
            let whole = covariance(&all);
            prop_assert_eq!(merged.count(), whole.count());
            for (i, j) in [(0, 0), (1, 0), (0, 1), (2, 2), (1, 2)] {
                let (found, expected) = (merged.covariance(i, j).unwrap(), whole.covariance(i, j).unwrap());
                let scale = (whole.covariance(i, i).unwrap() * whole.covariance(j, j).unwrap()).sqrt();
                prop_assert!((found - expected).abs() <= 1e-9 * scale + 1e-9);
                prop_assert!(whole.correlation(i, j).is_none_or(|r| (-1.0..=1.0).contains(&r)));
            }
        }
    }
}
