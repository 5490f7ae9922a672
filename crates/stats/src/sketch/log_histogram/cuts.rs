//! Cuts between buckets, and counts between cuts.

use super::{LogHistogram, lower_cut};

impl LogHistogram {
    /// At most `bins - 1` ascending cuts that divide the values into about equal shares.
    ///
    /// The cuts are ends of buckets, so counting values by `cut <= x` and counting buckets give the
    /// same answer. Fewer cuts come back where many values are equal.
    #[must_use]
    pub fn quantile_edges(&self, bins: usize) -> Vec<f64> {
        let mut edges = Vec::with_capacity(bins.saturating_sub(1));
        if self.count == 0 || bins < 2 {
            return edges;
        }
        let (mut seen, mut next) = (0_u64, 1_usize);
        let mut buckets = self.buckets().peekable();
        while let Some(bucket) = buckets.next() {
            seen += bucket.count;
            let target = |k: usize| (self.count as f64 * k as f64 / bins as f64).round() as u64;
            if next < bins && seen >= target(next) {
                while next < bins && seen >= target(next) {
                    next += 1;
                }
                if let Some(following) = buckets.peek() {
                    edges.push(lower_cut(following));
                }
            }
        }
        edges
    }

    /// Counts of the values between ascending cuts: `edges.len() + 1` bins, each `[low, high)`.
    ///
    /// Exact for cuts from `quantile_edges` of any sketch; otherwise a bucket goes where its
    /// midpoint lies.
    #[must_use]
    pub fn counts_between(&self, edges: &[f64]) -> Vec<u64> {
        let mut counts = vec![0; edges.len() + 1];
        for bucket in self.buckets() {
            counts[edges.partition_point(|edge| *edge <= bucket.midpoint)] += bucket.count;
        }
        counts
    }
}
