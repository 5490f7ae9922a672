//! Counts between cuts that were fixed beforehand, such as the deciles of a reference.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::LogHistogram;

/// Counts over fixed bins: `edges.len() + 1` of them, each `[low, high)`, the outer ones open.
///
/// Bins that follow the quantiles of the *reference* cannot be stretched by one extreme row, which
/// is how pooled-range bins are blinded (PSI 0.98 becomes 0.00007). Edges are shared, not copied.
///
/// Cost: `O(log bins)` a value, no allocation. Merging adds counts, exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FixedBins {
    edges: Arc<[f64]>,
    counts: Vec<u64>,
}

impl FixedBins {
    /// Empty bins between ascending, finite cuts; `None` if they are not.
    #[must_use]
    pub fn new(edges: impl Into<Arc<[f64]>>) -> Option<Self> {
        let edges = edges.into();
        let ascending = edges.windows(2).all(|pair| pair[0] < pair[1]);
        let finite = edges.iter().all(|edge| edge.is_finite());
        (ascending && finite).then(|| Self { counts: vec![0; edges.len() + 1], edges })
    }

    /// Bins of about equal shares of a reference, holding the counts of that reference.
    ///
    /// `None` if the reference is empty. Equal values may leave fewer bins than asked for.
    #[must_use]
    pub fn from_reference(reference: &LogHistogram, bins: usize) -> Option<Self> {
        if reference.is_empty() {
            return None;
        }
        let mut filled = Self::new(reference.quantile_edges(bins))?;
        filled.counts = reference.counts_between(&filled.edges);
        Some(filled)
    }

    /// Empty bins between the same cuts.
    #[must_use]
    pub fn empty_like(&self) -> Self {
        Self { edges: Arc::clone(&self.edges), counts: vec![0; self.counts.len()] }
    }

    /// Counts one value; `false` if it was refused as not finite.
    #[inline]
    pub fn insert(&mut self, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        self.counts[self.edges.partition_point(|edge| *edge <= value)] += 1;
        true
    }

    /// Counts all values; returns how many were refused as not finite.
    pub fn insert_slice(&mut self, values: &[f64]) -> u64 {
        values.iter().map(|&value| u64::from(!self.insert(value))).sum()
    }

    /// Counts everything that a sketch has seen.
    pub fn insert_sketch(&mut self, sketch: &LogHistogram) {
        for (ours, theirs) in self.counts.iter_mut().zip(sketch.counts_between(&self.edges)) {
            *ours += theirs;
        }
    }

    /// Adds the counts of bins with the same cuts; `false`, and no change, if the cuts differ.
    #[must_use = "bins with other cuts are not merged"]
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.edges != other.edges {
            return false;
        }
        for (ours, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *ours += theirs;
        }
        true
    }

    /// The cuts.
    #[must_use]
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The counts, from the lowest bin up.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many values were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Forgets all counts and keeps the cuts.
    pub fn clear(&mut self) {
        self.counts.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bins_are_closed_below() {
        let mut bins = FixedBins::new(vec![0.0, 1.0]).unwrap();
        assert_eq!(bins.insert_slice(&[-1.0, 0.0, 0.5, 1.0, 9.0, f64::NAN]), 1);
        assert_eq!(bins.counts(), [1, 2, 2]);
    }

    #[test]
    fn refuses_cuts_out_of_order() {
        assert_eq!(FixedBins::new(vec![1.0, 1.0]), None);
        assert_eq!(FixedBins::new(vec![0.0, f64::INFINITY]), None);
        assert_eq!(FixedBins::from_reference(&LogHistogram::new(), 10), None);
    }

    proptest! {
        #[test]
        fn a_sketch_and_its_values_count_alike(
            reference in proptest::collection::vec(-1e3..1e3_f64, 1..300),
            current in proptest::collection::vec(-1e3..1e3_f64, 1..300),
        ) {
            let mut sketch = LogHistogram::new();
            sketch.insert_slice(&reference);
            let bins = FixedBins::from_reference(&sketch, 10).unwrap();
            let mut again = bins.empty_like();
            again.insert_slice(&reference);
            prop_assert_eq!(&again, &bins);

            let mut by_value = bins.empty_like();
            by_value.insert_slice(&current);
            let mut sketched = LogHistogram::new();
            sketched.insert_slice(&current);
            let mut by_sketch = bins.empty_like();
            by_sketch.insert_sketch(&sketched);
            prop_assert_eq!(by_value, by_sketch);
        }
    }
}
