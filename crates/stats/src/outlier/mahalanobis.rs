//! The robust Mahalanobis distance: how far from the middle, in the shape that most rows have.

use serde::{Deserialize, Serialize};

use super::reference_rows::ReferenceRows;
use crate::distribution::gamma;
use crate::learn::Features;
use crate::random::SplitMix;
use crate::two_sample::symmetric::{Factor, Symmetric};

/// Columns beyond this cost too much.
const MOST_COLUMNS: usize = 500;
/// Rows that starts are tried on; the best go on with all rows.
const TRIED_ROWS: usize = 1_500;
const STARTS: usize = 100;
const KEPT: usize = 10;
/// How many of those go on where all rows are more than were tried.
const KEPT_OF_MANY: usize = 2;
/// Steps from each start, and at most from those that are kept.
const FIRST_STEPS: usize = 2;
const MOST_STEPS: usize = 100;
/// A row whose distance is usual by this tail of the chi-square law takes part in the final shape.
const REWEIGHT_TAIL: f64 = 0.025;

/// Squared distances from the middle of the half of the rows that lie closest together.
///
/// The minimum covariance determinant: of all subsets of `(n + p + 1) / 2` rows, mean and covariance of the one whose
/// covariance has the least determinant, found by concentration steps from seeded random starts, scaled so that it is
/// right for normal rows, and computed again from all rows within its 97.5 % ellipse. Up to a half of wild rows do not
/// move it, where a plain mean and covariance follow them.
///
/// Scores are squared distances, near chi-square with as many degrees as columns for many normal rows
/// ([`RobustDistance::p_value`] says so, and is only as good as that); for a false-alarm rate that holds whatever the
/// law, put [`super::Calibration`] behind them. `None` where columns are collinear or nearly constant: drop some.
/// Cost: fitting `O(n p^2)` times some tens of steps, few of its 100 starts with more than 1,500 rows; `O(p^2)` a row. Reference: Rousseeuw, Van Driessen, "A fast algorithm
/// for the minimum covariance determinant estimator", Technometrics 41 (1999).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct RobustDistance {
    shape: Shape,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    mean: Vec<f64>,
    covariance: Vec<Vec<f64>>,
}

/// A middle and a spread.
#[derive(Clone, Debug, PartialEq)]
struct Shape {
    mean: Vec<f64>,
    covariance: Symmetric,
    factor: Factor,
    log_determinant: f64,
}

impl RobustDistance {
    /// Finds the shape of most rows; `None` for a missing value, fewer than twice as many rows as columns plus two,
    /// more than 500 columns, or columns that depend on each other.
    #[must_use]
    pub fn fit(features: &Features<'_>, seed: u64) -> Option<Self> {
        let (n, p) = (features.rows(), features.width());
        if p > MOST_COLUMNS || n < 2 * (p + 1) {
            return None;
        }
        let rows = ReferenceRows::of(features)?;
        let mut random = SplitMix::new(seed);
        let mut order: Vec<u32> = (0..n as u32).collect();
        random.shuffle(&mut order);
        let tried = &order[..n.min(TRIED_ROWS)];
        let mut starts: Vec<(f64, Vec<u32>)> = (0..STARTS)
            .filter_map(|_| {
                let mut chosen = start(&rows, tried, &mut random)?;
                let determinant = concentrate(&rows, tried, &mut chosen, FIRST_STEPS)?;
                Some((determinant, chosen))
            })
            .collect();
        starts.sort_by(|a, b| a.0.total_cmp(&b.0));
        starts.truncate(KEPT);
        if tried.len() < n {
            for (determinant, chosen) in &mut starts {
                *determinant = concentrate(&rows, tried, chosen, MOST_STEPS)?;
            }
            starts.sort_by(|a, b| a.0.total_cmp(&b.0));
            starts.truncate(KEPT_OF_MANY);
        }
        let best = starts.into_iter().filter_map(|(_, mut chosen)| {
            let determinant = concentrate(&rows, &order, &mut chosen, MOST_STEPS)?;
            Some((determinant, chosen))
        });
        let (_, chosen) = best.min_by(|a, b| a.0.total_cmp(&b.0))?;
        Some(Self { shape: reweighted(&rows, &Shape::of(&rows, &chosen)?)? })
    }

    /// The squared distance of each row; `None` if the number of columns differs or a value is missing.
    #[must_use]
    pub fn score(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        if features.width() != self.shape.mean.len() {
            return None;
        }
        Some(ReferenceRows::of(features)?.iter().map(|row| self.shape.squared_distance(row)).collect())
    }

    /// The chi-square tail of a squared distance: right for many rows of a normal law, too small otherwise.
    #[must_use]
    pub fn p_value(&self, squared_distance: f64) -> Option<f64> {
        gamma::sf(0.5 * squared_distance, 0.5 * self.shape.mean.len() as f64)
    }

    /// The middle of most rows.
    #[must_use]
    pub fn location(&self) -> &[f64] {
        &self.shape.mean
    }

    /// Their covariance of two columns; `None` if there is no such column.
    #[must_use]
    pub fn covariance(&self, left: usize, right: usize) -> Option<f64> {
        let width = self.shape.mean.len();
        (left < width && right < width).then(|| self.shape.covariance.get(left, right))
    }
}

/// `p + 1` random rows, more until they span all columns, and then the half that is nearest to them.
fn start(rows: &ReferenceRows, among: &[u32], random: &mut SplitMix) -> Option<Vec<u32>> {
    let mut order = among.to_vec();
    let mut chosen = Vec::new();
    while let Some(last) = order.len().checked_sub(1) {
        let at = random.below(last + 1);
        chosen.push(order.swap_remove(at));
        if chosen.len() > rows.width() {
            match Shape::of(rows, &chosen) {
                Some(shape) => return Some(nearest(rows, among, &shape)),
                None if chosen.len() > 4 * rows.width() + 20 => return None,
                None => {}
            }
        }
    }
    None
}

/// Takes the nearest half again and again until its determinant falls no more; returns its logarithm.
fn concentrate(rows: &ReferenceRows, among: &[u32], chosen: &mut Vec<u32>, steps: usize) -> Option<f64> {
    let mut shape = Shape::of(rows, chosen)?;
    for _ in 0..steps {
        let next = nearest(rows, among, &shape);
        let closer = Shape::of(rows, &next)?;
        let is_done = closer.log_determinant >= shape.log_determinant - 1e-12 && next.len() == chosen.len();
        (*chosen, shape) = (next, closer);
        if is_done {
            break;
        }
    }
    Some(shape.log_determinant)
}

/// The `(n + p + 1) / 2` rows nearest to a shape.
fn nearest(rows: &ReferenceRows, among: &[u32], shape: &Shape) -> Vec<u32> {
    let half = (among.len() + rows.width() + 1).div_ceil(2).min(among.len());
    let mut distances: Vec<(f64, u32)> =
        among.iter().map(|row| (shape.squared_distance(rows.row(*row as usize)), *row)).collect();
    distances.select_nth_unstable_by(half - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    distances[..half].iter().map(|(_, row)| *row).collect()
}

/// Scales the shape so that its median distance is the normal law's, and computes it again from the rows within.
fn reweighted(rows: &ReferenceRows, shape: &Shape) -> Option<Shape> {
    let half = 0.5 * rows.width() as f64;
    let mut distances: Vec<f64> = rows.iter().map(|row| shape.squared_distance(row)).collect();
    let all = distances.clone();
    distances.sort_unstable_by(f64::total_cmp);
    let middle = distances.len() / 2;
    let median = if distances.len().is_multiple_of(2) {
        distances[middle - 1].midpoint(distances[middle])
    } else {
        distances[middle]
    };
    let correction = median / (2.0 * gamma::upper_quantile(0.5, half)?);
    let limit = 2.0 * gamma::upper_quantile(REWEIGHT_TAIL, half)? * correction;
    let within: Vec<u32> = (0..all.len()).filter(|row| all[*row] < limit).map(|row| row as u32).collect();
    Shape::of(rows, &within)
}

impl Shape {
    /// Mean and covariance (by `n`) of some rows; `None` where they span less than all columns.
    fn of(rows: &ReferenceRows, chosen: &[u32]) -> Option<Self> {
        let (count, width) = (chosen.len() as f64, rows.width());
        let mut mean = vec![0.0; width];
        for row in chosen {
            mean.iter_mut().zip(rows.row(*row as usize)).for_each(|(sum, value)| *sum += value / count);
        }
        let mut sums = vec![0.0; width * width];
        let mut centred = vec![0.0; width];
        for row in chosen {
            for ((centred, value), mean) in centred.iter_mut().zip(rows.row(*row as usize)).zip(&mean) {
                *centred = value - mean;
            }
            for (at, left) in centred.iter().enumerate() {
                for (sum, right) in sums[at * width..at * width + at + 1].iter_mut().zip(&centred) {
                    *sum += left * right;
                }
            }
        }
        let mut covariance = Symmetric::zeros(width);
        for left in 0..width {
            for right in 0..=left {
                covariance.set(left, right, sums[left * width + right] / count);
            }
        }
        Self::new(mean, covariance)
    }

    fn new(mean: Vec<f64>, covariance: Symmetric) -> Option<Self> {
        let scales: Vec<f64> = (0..mean.len()).map(|at| covariance.get(at, at)).collect();
        let factor = covariance.clone().cholesky()?;
        let pivots = factor.pivots();
        // What is left of a column beside the others, as a share of its own spread.
        let is_flat = pivots
            .iter()
            .zip(&scales)
            .zip(&mean)
            .any(|((pivot, scale), mean)| pivot * pivot <= 1e-12 * scale || *pivot <= 1e-14 * mean.abs());
        let log_determinant = 2.0 * pivots.iter().map(|pivot| pivot.ln()).sum::<f64>();
        (!is_flat && log_determinant.is_finite()).then_some(Self { mean, covariance, factor, log_determinant })
    }

    fn squared_distance(&self, row: &[f64]) -> f64 {
        let mut centred: Vec<f64> = row.iter().zip(&self.mean).map(|(value, mean)| value - mean).collect();
        self.factor.forward_in_place(&mut centred);
        centred.iter().map(|value| value * value).sum()
    }
}

impl TryFrom<Stored> for RobustDistance {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let width = stored.mean.len();
        let rows = &stored.covariance;
        let sized =
            0 < width && width <= MOST_COLUMNS && rows.len() == width && rows.iter().all(|row| row.len() == width);
        let finite = || rows.iter().flatten().chain(&stored.mean).all(|value| value.is_finite());
        if !sized || !finite() {
            return Err("not a middle and a covariance");
        }
        let mut covariance = Symmetric::zeros(width);
        for (left, row) in rows.iter().enumerate() {
            row[..=left].iter().enumerate().for_each(|(right, value)| covariance.set(left, right, *value));
        }
        Shape::new(stored.mean, covariance).map(|shape| Self { shape }).ok_or("a covariance that is not positive")
    }
}

impl From<RobustDistance> for Stored {
    fn from(model: RobustDistance) -> Self {
        let Shape { mean, covariance, .. } = model.shape;
        let covariance = (0..mean.len()).map(|row| covariance.row(row).to_vec()).collect();
        Self { mean, covariance }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: 30 % of wild rows do not move the middle.
    #[test]
    fn wild_rows_do_not_move_the_middle() {
        let mut random = SplitMix::new(3);
        let x: Vec<f64> = (0..500).map(|row| random.normal() + if row < 150 { 50.0 } else { 0.0 }).collect();
        let y: Vec<f64> = x.iter().map(|x| 0.5 * x + random.normal()).collect();
        let rows = Features::new(vec![&x, &y]).unwrap();
        let model = RobustDistance::fit(&rows, 1).unwrap();
        assert!(model.location()[0].abs() < 0.3, "{:?}", model.location());
        let scores = model.score(&rows).unwrap();
        assert!(scores[..150].iter().all(|score| model.p_value(*score).unwrap() < 1e-9));
        let usual = scores[150..].iter().filter(|score| model.p_value(**score).unwrap() > 0.05).count();
        assert!((300..350).contains(&usual), "{usual} of 350");
        let read: RobustDistance = postcard::from_bytes(&postcard::to_allocvec(&model).unwrap()).unwrap();
        assert_eq!(read.score(&rows), model.score(&rows));
    }

    #[test]
    fn columns_that_depend_on_each_other_are_refused() {
        let x: Vec<f64> = (0..100).map(|i| f64::from(i * 17 % 101)).collect();
        let twice: Vec<f64> = x.iter().map(|x| 2.0 * x + 1.0).collect();
        assert!(RobustDistance::fit(&Features::new(vec![&x, &twice]).unwrap(), 1).is_none());
        assert!(RobustDistance::fit(&Features::new(vec![&[1.0; 50]]).unwrap(), 1).is_none());
        assert!(RobustDistance::fit(&Features::new(vec![&x[..3]]).unwrap(), 1).is_none());
    }
}
