//! Weights between cuts that were fixed beforehand.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::{FixedBins, Merge, MergeError};
use super::{Mass, Weighted};

/// Weights over fixed bins, each `[low, high)`, the outer ones open, as in [`FixedBins`].
///
/// Cost: `O(log bins)` a value, no allocation. Merging adds weights, up to rounding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct WeightedBins {
    edges: Arc<[f64]>,
    weights: Vec<f64>,
    mass: Mass,
}

impl WeightedBins {
    /// Empty bins between ascending, finite cuts; `None` if they are not.
    #[must_use]
    pub fn new(edges: impl Into<Arc<[f64]>>) -> Option<Self> {
        FixedBins::new(edges).map(|bins| Self::like(&bins))
    }

    /// Empty bins between the cuts of a histogram.
    #[must_use]
    pub fn like(bins: &FixedBins) -> Self {
        Self { edges: bins.shared_edges(), weights: vec![0.0; bins.counts().len()], mass: Mass::default() }
    }

    /// The cuts.
    #[must_use]
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The weights, from the lowest bin up.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The share of each bin in all weight; `None` without values.
    #[must_use]
    pub fn shares(&self) -> Option<Vec<f64>> {
        let all: f64 = self.weights.iter().sum();
        (all > 0.0).then(|| self.weights.iter().map(|weight| weight / all).collect())
    }
}

impl Weighted for WeightedBins {
    type Value = f64;

    fn accepts(&self, value: &f64) -> bool {
        value.is_finite()
    }

    #[inline]
    fn insert_weighted(&mut self, value: &f64, weight: f64) -> bool {
        if !(self.accepts(value) && self.mass.add(weight)) {
            return false;
        }
        self.weights[self.edges.partition_point(|edge| edge <= value)] += weight;
        true
    }

    fn scale(&mut self, factor: f64) {
        self.mass.scale(factor);
        self.weights.iter_mut().for_each(|weight| *weight *= factor);
    }

    fn weight(&self) -> f64 {
        self.mass.weight
    }

    fn effective_count(&self) -> f64 {
        self.mass.effective_count()
    }
}

impl Merge for WeightedBins {
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.edges != other.edges {
            return Err(MergeError::DifferentShape);
        }
        self.weights.iter_mut().zip(&other.weights).for_each(|(ours, theirs)| *ours += theirs);
        self.mass.merge(&other.mass);
        Ok(())
    }

    fn clear(&mut self) {
        self.weights.fill(0.0);
        self.mass = Mass::default();
    }
}

#[derive(Deserialize)]
struct Stored {
    edges: Arc<[f64]>,
    weights: Vec<f64>,
    mass: Mass,
}

impl TryFrom<Stored> for WeightedBins {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let empty = Self::new(stored.edges).ok_or("cuts that do not ascend")?;
        let positive = stored.weights.iter().all(|weight| (0.0..=f64::MAX).contains(weight));
        let held: f64 = stored.weights.iter().sum();
        let adds_up = (held - stored.mass.weight).abs() <= 1e-6 * stored.mass.weight;
        if !(stored.mass.is_sound() && positive && adds_up && stored.weights.len() == empty.weights.len()) {
            return Err("weights of bins that do not add up");
        }
        Ok(Self { weights: stored.weights, mass: stored.mass, ..empty })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_fall_where_counts_would() {
        let mut bins = WeightedBins::new(vec![0.0, 1.0]).unwrap();
        assert!(bins.insert_weighted(&0.0, 2.0) && bins.insert_weighted(&9.0, 6.0));
        assert!(!bins.insert_weighted(&f64::NAN, 1.0) && !bins.insert_weighted(&1.0, 0.0));
        assert_eq!(bins.weights(), [0.0, 2.0, 6.0]);
        assert_eq!(bins.shares(), Some(vec![0.0, 0.25, 0.75]));
        assert!((bins.effective_count() - 64.0 / 40.0).abs() < 1e-15);
        let mut twice = bins.clone();
        twice.merge_from(&bins).unwrap();
        assert_eq!((twice.weight(), twice.weights()), (16.0, &[0.0, 4.0, 12.0][..]));
        let other = WeightedBins::new(vec![0.0]).unwrap();
        assert_eq!(twice.merge_from(&other), Err(MergeError::DifferentShape));
        twice.clear();
        assert_eq!((twice.shares(), WeightedBins::new(vec![1.0, 0.0])), (None, None));
    }
}
