//! The kernel mean by random Fourier features: one pass, mergeable, some kilobytes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::random::SplitMix;

/// Random frequencies that stand for the kernel `exp(-d^2 / width)`.
///
/// `cos(w x)` and `sin(w x)` with `w` normal of variance `2 / width` have inner products whose mean
/// is the kernel; the error of a kernel value is about `1 / sqrt(frequencies)`. The same seed gives
/// the same frequencies everywhere. Reference: Rahimi, Recht, NIPS (2007).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FourierFeatures {
    weights: Arc<[f64]>,
    dimensions: usize,
}

/// The mean of the features of many rows: what a window of rows looked like.
///
/// Merging adds sums. Two embeddings compare in microseconds, however many rows they hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanEmbedding {
    features: FourierFeatures,
    sums: Vec<f64>,
    count: u64,
}

impl FourierFeatures {
    /// `frequencies` frequencies for rows of `dimensions` numbers; `None` if one is zero or the
    /// width is not positive.
    #[must_use]
    pub fn new(dimensions: usize, frequencies: usize, width: f64, seed: u64) -> Option<Self> {
        if dimensions == 0 || frequencies == 0 || !(width > 0.0 && width.is_finite()) {
            return None;
        }
        let mut random = SplitMix::new(seed);
        let scale = (2.0 / width).sqrt();
        let weights = (0..dimensions * frequencies).map(|_| scale * random.normal()).collect();
        Some(Self { weights, dimensions })
    }

    /// An embedding without rows.
    #[must_use]
    pub fn empty(&self) -> MeanEmbedding {
        let frequencies = self.weights.len() / self.dimensions;
        MeanEmbedding { features: self.clone(), sums: vec![0.0; 2 * frequencies], count: 0 }
    }
}

impl MeanEmbedding {
    /// Takes in one row; `false` if its length is another or a number is not finite.
    ///
    /// Cost: `frequencies x dimensions` multiply-adds and as many sines; allocates nothing.
    pub fn insert(&mut self, row: &[f64]) -> bool {
        let fits = row.len() == self.features.dimensions;
        if !fits || row.iter().any(|value| !value.is_finite()) {
            return false;
        }
        let weights = self.features.weights.chunks_exact(row.len());
        for (sums, weights) in self.sums.chunks_exact_mut(2).zip(weights) {
            let angle: f64 = weights.iter().zip(row).map(|(weight, value)| weight * value).sum();
            let (sine, cosine) = angle.sin_cos();
            sums[0] += cosine;
            sums[1] += sine;
        }
        self.count += 1;
        true
    }

    /// Adds the rows of another embedding; `false`, and no change, if its frequencies differ.
    #[must_use = "embeddings with other frequencies are not merged"]
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.features != other.features {
            return false;
        }
        for (ours, theirs) in self.sums.iter_mut().zip(&other.sums) {
            *ours += theirs;
        }
        self.count += other.count;
        true
    }

    /// How many rows were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The unbiased squared discrepancy: about zero, and often negative, under no change.
    ///
    /// `None` for fewer than two rows a side or other frequencies.
    #[must_use]
    pub fn squared_discrepancy(&self, other: &Self) -> Option<f64> {
        if self.features != other.features || self.count < 2 || other.count < 2 {
            return None;
        }
        let frequencies = (self.sums.len() / 2) as f64;
        let (n, m) = (self.count as f64, other.count as f64);
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() / frequencies };
        // A row's kernel with itself is exactly one.
        let own = |sums: &[f64], n: f64| (dot(sums, sums) - n) / (n * (n - 1.0));
        Some(own(&self.sums, n) + own(&other.sums, m) - 2.0 * dot(&self.sums, &other.sums) / (n * m))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::golden_rows;
    use super::*;

    fn embed(rows: &[f64], frequencies: usize) -> MeanEmbedding {
        let features = FourierFeatures::new(2, frequencies, 0.255_506_018_536_327_4, 11).unwrap();
        let mut embedding = features.empty();
        rows.chunks(2).for_each(|row| {
            assert!(embedding.insert(row));
        });
        embedding
    }

    /// Goal: with many frequencies the discrepancy is that of the kernel.
    /// golden-stats.json, numpy 2.4.6: 0.0036338915; the error shrinks as `1 / sqrt(frequencies)`.
    #[test]
    fn approaches_the_exact_discrepancy() {
        let (a, b) = golden_rows();
        let found = embed(&a, 20_000).squared_discrepancy(&embed(&b, 20_000)).unwrap();
        assert!((found - 0.003_633_891).abs() < 0.004, "{found}");
    }

    #[test]
    fn halves_merge_into_the_whole() {
        let (a, _) = golden_rows();
        let (left, right) = a.split_at(14);
        let mut merged = embed(left, 64);
        assert!(merged.merge(&embed(right, 64)));
        let whole = embed(&a, 64);
        assert_eq!(merged.count(), whole.count());
        assert!(merged.sums.iter().zip(&whole.sums).all(|(x, y)| (x - y).abs() < 1e-9));
        assert!(!merged.merge(&embed(&a, 32)));
    }

    #[test]
    fn bad_rows_are_refused() {
        let mut embedding = FourierFeatures::new(2, 8, 1.0, 0).unwrap().empty();
        assert!(!embedding.insert(&[1.0]));
        assert!(!embedding.insert(&[1.0, f64::NAN]));
        assert_eq!(embedding.squared_discrepancy(&embedding), None);
        assert_eq!(FourierFeatures::new(2, 8, 0.0, 0), None);
    }
}
