//! Counts between cuts that were fixed beforehand, such as the deciles of a reference.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

mod reference_cuts;

use super::{Kll, LogHistogram};

/// Counts over fixed bins: `edges.len() + 1` of them, each `[low, high)`, the outer ones open.
///
/// Bins that follow the quantiles of the *reference* cannot be stretched by one extreme row, which
/// is how pooled-range bins are blinded (PSI 0.98 becomes 0.00007). Edges are shared, not copied.
///
/// A value that alone makes up a bin's share of the reference (a point mass, or a constant) gets a
/// bin of its own, cut off on both sides. So there may be up to two cuts more for each of them than
/// were asked for, bins that the reference leaves empty, and small ones between: pool small bins
/// before a test that counts on expected counts.
///
/// Cost: `O(log bins)` a value, no allocation. Merging adds counts, exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
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
    /// Cuts lie between the buckets of the sketch, so values and sketches are counted alike, and
    /// values within 0.8 % of each other may be one point mass. `None` if the reference is empty or
    /// no bin is asked for. Many equal values may leave fewer bins than asked for.
    #[must_use]
    pub fn from_reference(reference: &LogHistogram, bins: usize) -> Option<Self> {
        Self::from_atoms(&reference_cuts::atoms_of_histogram(reference), bins)
    }

    /// Bins of about equal shares of a reference, holding the counts that its sketch tells: each
    /// share within the sketch's [rank error](Kll::rank_error_everywhere).
    ///
    /// `None` and fewer bins as for [`from_reference`](Self::from_reference).
    #[must_use]
    pub fn from_quantiles(reference: &Kll, bins: usize) -> Option<Self> {
        Self::from_atoms(&reference_cuts::atoms_of_ranks(reference), bins)
    }

    /// Bins of about equal shares of these values, holding their counts, exactly. `O(n log n)`.
    ///
    /// `None` also if a value is not finite.
    #[must_use]
    pub fn from_values(reference: &[f64], bins: usize) -> Option<Self> {
        if !reference.iter().all(|value| value.is_finite()) {
            return None;
        }
        let mut sorted = reference.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Self::from_atoms(&reference_cuts::atoms_of_sorted(&sorted), bins)
    }

    fn from_atoms(atoms: &[reference_cuts::Atom], bins: usize) -> Option<Self> {
        if atoms.is_empty() || bins == 0 {
            return None;
        }
        let mut filled = Self::new(reference_cuts::cuts(atoms, bins))?;
        for atom in atoms {
            // The first bucket of a histogram has no low end of its own.
            let bin = filled.edges.partition_point(|edge| *edge <= atom.low);
            filled.counts[bin] = filled.counts[bin].saturating_add(atom.count);
        }
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
            *ours = ours.saturating_add(theirs);
        }
    }

    /// Adds the counts of bins with the same cuts; `false`, and no change, if the cuts differ.
    #[must_use = "bins with other cuts are not merged"]
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.edges != other.edges {
            return false;
        }
        for (ours, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *ours = ours.saturating_add(*theirs);
        }
        true
    }

    /// The cuts.
    #[must_use]
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    pub(super) fn shared_edges(&self) -> Arc<[f64]> {
        Arc::clone(&self.edges)
    }

    /// The counts, from the lowest bin up.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many values were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |total, count| total.saturating_add(*count))
    }

    /// Forgets all counts and keeps the cuts.
    pub fn clear(&mut self) {
        self.counts.fill(0);
    }
}

#[derive(Deserialize)]
struct Stored {
    edges: Arc<[f64]>,
    counts: Vec<u64>,
}

impl TryFrom<Stored> for FixedBins {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let empty = Self::new(stored.edges).ok_or("cuts that do not ascend")?;
        let shaped = stored.counts.len() == empty.counts.len();
        shaped.then_some(Self { counts: stored.counts, ..empty }).ok_or("bins without a cut between them")
    }
}

#[cfg(test)]
mod tests;
