//! Turns scores into probabilities by the best rising step curve.

use serde::{Deserialize, Serialize};

use super::calibration::valid;

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

impl Isotonic {
    /// Fits labelled scores, in `O(n log n)`; `None` if the lengths differ, there are none, or a
    /// score is not in `0..=1`.
    #[must_use]
    pub fn fit(scores: &[f64], labels: &[bool]) -> Option<Self> {
        if !valid(scores, labels) {
            return None;
        }
        let mut pairs: Vec<(f64, bool)> = scores.iter().copied().zip(labels.iter().copied()).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut blocks: Vec<Block> = Vec::new();
        for equal in pairs.chunk_by(|a, b| a.0 == b.0) {
            let sum = equal.iter().filter(|(_, label)| *label).count() as f64;
            let score = equal[0].0;
            let mut block = Block { first: score, last: score, weight: equal.len() as f64, sum };
            while let Some(before) = blocks.last() {
                if before.sum * block.weight < block.sum * before.weight {
                    break;
                }
                block.first = before.first;
                block.weight += before.weight;
                block.sum += before.sum;
                blocks.pop();
            }
            blocks.push(block);
        }
        let mut points = Vec::with_capacity(2 * blocks.len());
        for block in blocks {
            let probability = block.sum / block.weight;
            points.push((block.first, probability));
            if block.last > block.first {
                points.push((block.last, probability));
            }
        }
        Some(Self { points })
    }

    /// The probability that a score stands for, in `O(log blocks)`; `None` unless it is in `0..=1`.
    #[must_use]
    pub fn probability(&self, score: f64) -> Option<f64> {
        if !(0.0..=1.0).contains(&score) {
            return None;
        }
        let above = self.points.partition_point(|(place, _)| *place <= score);
        let Some((low, p_low)) = above.checked_sub(1).and_then(|at| self.points.get(at)) else {
            return self.points.first().map(|(_, probability)| *probability);
        };
        let Some((high, p_high)) = self.points.get(above) else { return Some(*p_low) };
        Some(p_low + (p_high - p_low) * (score - low) / (high - low))
    }
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
