//! Turns scores into probabilities by the best rising step curve.

use serde::{Deserialize, Serialize};

use super::calibration::valid;
use super::estimate::sorted_keys;

/// An isotonic calibration: pooled adjacent violators, straight lines between blocks.
///
/// Scores beyond those seen take the value of the nearest. Not to be trusted below some 200 labels,
/// where it overfits, nor after the meaning of scores changed.
/// Reference: Ayer et al. (1955); Zadrozny, Elkan, KDD (2002).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Isotonic {
    /// Rising scores and the probabilities at them: both ends of each block.
    points: Vec<(f64, f64)>,
}

/// Scores of one probability.
struct Block {
    first: f64,
    last: f64,
    weight: f64,
    sum: f64,
}

/// Blocks of rising probability, while scores rise.
#[derive(Default)]
struct Pool {
    blocks: Vec<Block>,
}

impl Pool {
    /// Adds the rows of the next score: their weight, and that of the positives.
    fn add(&mut self, score: f64, weight: f64, sum: f64) {
        let mut block = Block { first: score, last: score, weight, sum };
        while let Some(before) = self.blocks.last() {
            if before.sum * block.weight < block.sum * before.weight {
                break;
            }
            block.first = before.first;
            block.weight += before.weight;
            block.sum += before.sum;
            self.blocks.pop();
        }
        self.blocks.push(block);
    }

    fn finish(self) -> Isotonic {
        let mut points = Vec::with_capacity(2 * self.blocks.len());
        for block in self.blocks {
            let probability = (block.sum / block.weight).clamp(0.0, 1.0);
            points.push((block.first, probability));
            if block.last > block.first {
                points.push((block.last, probability));
            }
        }
        Isotonic { points }
    }
}

impl Isotonic {
    /// Fits labelled scores, in `O(n log n)`; `None` if the lengths differ, there are none, or a
    /// score is not in `0..=1`.
    #[must_use]
    pub fn fit(scores: &[f64], labels: &[bool]) -> Option<Self> {
        let keys = sorted_keys(scores, labels)?;
        let mut pool = Pool::default();
        for equal in keys.chunk_by(|a, b| a >> 1 == b >> 1) {
            // Positives are last, as their flag is the last bit.
            let positives = equal.len() - equal.partition_point(|key| key & 1 == 0);
            pool.add(f64::from_bits(equal[0] >> 1), equal.len() as f64, positives as f64);
        }
        Some(pool.finish())
    }

    /// Fits labelled scores where each row counts by its weight, in `O(n log n)`.
    ///
    /// `None` if lengths differ, a score is not in `0..=1`, a weight is negative or not finite, or all
    /// weights are zero.
    #[must_use]
    pub fn fit_weighted(scores: &[f64], labels: &[bool], weights: &[f64]) -> Option<Self> {
        let weighted = weights.len() == scores.len()
            && weights.iter().all(|weight| 0.0 <= *weight && weight.is_finite())
            && weights.iter().sum::<f64>() > 0.0;
        if !weighted || !valid(scores, labels) || scores.len() > u32::MAX as usize {
            return None;
        }
        let mut order: Vec<u32> = (0..scores.len() as u32).filter(|row| weights[*row as usize] > 0.0).collect();
        order.sort_unstable_by(|a, b| scores[*a as usize].total_cmp(&scores[*b as usize]));
        let mut pool = Pool::default();
        for equal in order.chunk_by(|a, b| scores[*a as usize] == scores[*b as usize]) {
            let rows = || equal.iter().map(|row| *row as usize);
            let positive = rows().filter(|row| labels[*row]).map(|row| weights[row]).sum();
            pool.add(scores[equal[0] as usize], rows().map(|row| weights[row]).sum(), positive);
        }
        Some(pool.finish())
    }

    /// The curve, for scores that rise from call to call.
    pub(super) fn walk(&self) -> Walk<'_> {
        Walk { points: &self.points, above: 0 }
    }

    /// The probability that a score stands for, in `O(log blocks)`; `None` unless it is in `0..=1`.
    #[must_use]
    pub fn probability(&self, score: f64) -> Option<f64> {
        if !(0.0..=1.0).contains(&score) {
            return None;
        }
        let above = self.points.partition_point(|(place, _)| *place <= score);
        at(&self.points, above, score)
    }
}

/// A place on the curve that only moves up: `O(1)` a score, on average.
pub(super) struct Walk<'a> {
    points: &'a [(f64, f64)],
    above: usize,
}

impl Walk<'_> {
    /// The probability of a score in `0..=1` that is no less than the one before.
    pub(super) fn probability(&mut self, score: f64) -> f64 {
        while self.points.get(self.above).is_some_and(|(place, _)| *place <= score) {
            self.above += 1;
        }
        // A fitted curve has a point.
        at(self.points, self.above, score).unwrap_or(score)
    }
}

/// The curve at a score that lies before the point `above` and not before the one before it.
fn at(points: &[(f64, f64)], above: usize, score: f64) -> Option<f64> {
    let Some((low, p_low)) = above.checked_sub(1).and_then(|at| points.get(at)) else {
        return points.first().map(|(_, probability)| *probability);
    };
    let Some((high, p_high)) = points.get(above) else { return Some(*p_low) };
    Some(p_low + (p_high - p_low) * (score - low) / (high - low))
}

#[cfg(test)]
mod tests {
    use super::super::calibration::tests::golden_reference;
    use super::*;
    use crate::golden::rows;

    /// scikit-learn 1.9.1: `IsotonicRegression(out_of_bounds="clip").fit(p, y).predict`.
    #[test]
    fn agrees_with_scikit_learn() {
        let (scores, labels) = golden_reference();
        let fitted = Isotonic::fit(&scores, &labels).unwrap();
        for row in rows("/calibration/isotonic_at") {
            let found = fitted.probability(row[0]).unwrap();
            assert!((found - row[1]).abs() < 1e-9, "{found} at {}", row[0]);
        }
    }

    #[test]
    fn never_falls() {
        let (scores, labels) = golden_reference();
        let fitted = Isotonic::fit(&scores, &labels).unwrap();
        let curve: Vec<f64> = (0..=100).map(|i| fitted.probability(f64::from(i) / 100.0).unwrap()).collect();
        assert!(curve.is_sorted());
        assert_eq!(fitted.probability(1.1), None);
        assert_eq!(Isotonic::fit(&[], &[]), None);
    }
}
