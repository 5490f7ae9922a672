//! Finds sets of high Jaccard similarity.

use std::collections::VecDeque;

use super::Signature;
use super::buckets::Buckets;
use super::mix;

/// The newest signatures, where those of high similarity are found with a stated chance.
///
/// A signature is cut into `b` bands of `r` positions; two are compared if a band agrees wholly. A pair of Jaccard
/// similarity `J` is found with the chance [`MinHashIndex::recall`] `1 - (1 - J^r)^b`: near 0 below and near 1 above
/// `J = (1 / b)^(1 / r)`. The oldest is forgotten when it is full.
/// Cost: `O(b r)` an insertion; a search `O(b r)` and what shares a band; some `8 b (r + 4)` bytes an entry.
/// Reference: Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets" (2014), section 3.4.
///
/// ```
/// use wardline_stats::similar::{MinHash, MinHashIndex};
/// let maker = MinHash::new(128, 1).unwrap();
/// let mut index = MinHashIndex::new(32, 4, 1000).unwrap();
/// let whole = maker.signature(&(0..100).collect::<Vec<_>>()).unwrap();
/// let first = index.insert(&whole).unwrap();
/// let most = maker.signature(&(5..100).collect::<Vec<_>>()).unwrap();
/// assert_eq!(index.candidates(&most), Some(vec![first]));
/// assert!(index.recall(0.8) > 0.9999 && index.recall(0.1) < 0.01);
/// ```
#[derive(Clone, Debug)]
pub struct MinHashIndex {
    bands: usize,
    rows: usize,
    capacity: usize,
    first: u64,
    kept: VecDeque<Signature>,
    buckets: Buckets,
}

impl MinHashIndex {
    /// `None` unless bands and positions a band are at least one, `bands * rows <= 4096`, and
    /// `1 <= capacity && capacity <= 2^24`.
    #[must_use]
    pub fn new(bands: usize, rows: usize, capacity: usize) -> Option<Self> {
        let positions = bands.checked_mul(rows)?;
        let fits = (1..=4096).contains(&positions) && (1..=1 << 24).contains(&capacity);
        let empty = || Self { bands, rows, capacity, first: 0, kept: VecDeque::new(), buckets: Buckets::default() };
        fits.then(empty)
    }

    /// The chance that a pair of this Jaccard similarity is found, over draws of the maker's seed.
    #[must_use]
    pub fn recall(&self, jaccard: f64) -> f64 {
        let band = jaccard.clamp(0.0, 1.0).powi(self.rows as i32);
        1.0 - (1.0 - band).powi(self.bands as i32)
    }

    /// Keeps a signature and answers its number; `None` if it has fewer positions than `bands * rows`.
    pub fn insert(&mut self, signature: &Signature) -> Option<u64> {
        let keys = self.keys(signature)?;
        if self.kept.len() == self.capacity
            && let Some(oldest) = self.kept.pop_front()
        {
            let old_keys = self.keys(&oldest)?;
            old_keys.iter().enumerate().for_each(|(band, key)| self.buckets.forget(band, *key));
            self.first += 1;
        }
        let entry = self.first + self.kept.len() as u64;
        self.kept.push_back(signature.clone());
        keys.iter().enumerate().for_each(|(band, key)| self.buckets.insert(band, *key, entry));
        Some(entry)
    }

    /// The numbers of those that share a band, rising; `None` as for [`MinHashIndex::insert`].
    #[must_use]
    pub fn candidates(&self, signature: &Signature) -> Option<Vec<u64>> {
        let keys = self.keys(signature)?;
        let mut found: Vec<u64> =
            keys.iter().enumerate().flat_map(|(band, key)| self.buckets.entries(band, *key)).collect();
        found.sort_unstable();
        found.dedup();
        Some(found)
    }

    /// A kept signature, to be compared.
    #[must_use]
    pub fn signature(&self, entry: u64) -> Option<&Signature> {
        self.kept.get(entry.checked_sub(self.first)? as usize)
    }

    fn keys(&self, signature: &Signature) -> Option<Vec<u64>> {
        let positions = signature.0.get(..self.bands * self.rows)?;
        Some(positions.chunks_exact(self.rows).map(|band| band.iter().fold(0, |key, part| mix(key ^ part))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::similar::MinHash;

    /// Goal: pairs of J = 1/2 and 1/3 are found as often as the curve says, within four standard errors.
    #[test]
    fn recall_is_as_stated() {
        for (overlap, jaccard) in [(40_u64, 0.5), (30, 1.0 / 3.0)] {
            let mut found = 0;
            let mut index = MinHashIndex::new(8, 3, 4).unwrap();
            for seed in 0..1_000 {
                let maker = MinHash::new(24, seed).unwrap();
                let set = |first: u64| maker.signature(&(first..first + 60).collect::<Vec<_>>()).unwrap();
                let entry = index.insert(&set(0)).unwrap();
                found += u32::from(index.candidates(&set(60 - overlap)).unwrap().contains(&entry));
            }
            let expected = index.recall(jaccard);
            let error = (expected * (1.0 - expected) / 1e3).sqrt();
            assert!((f64::from(found) / 1e3 - expected).abs() < 4.0 * error, "{found} of 1000, {expected}");
            assert_eq!(index.kept.len(), 4);
        }
    }

    #[test]
    fn forgets_the_oldest_and_refuses_short_signatures() {
        let maker = MinHash::new(8, 1).unwrap();
        let mut index = MinHashIndex::new(4, 2, 2).unwrap();
        let signatures: Vec<Signature> = (0..3).map(|token| maker.signature(&[token]).unwrap()).collect();
        let entries: Vec<u64> = signatures.iter().map(|one| index.insert(one).unwrap()).collect();
        assert_eq!(entries, [0, 1, 2]);
        assert_eq!(index.candidates(&signatures[0]), Some(vec![]));
        assert_eq!(index.candidates(&signatures[2]), Some(vec![2]));
        assert!(index.signature(0).is_none() && index.signature(2) == Some(&signatures[2]));
        let short = MinHash::new(7, 1).unwrap().signature(&[1]).unwrap();
        assert!(index.insert(&short).is_none() && index.candidates(&short).is_none());
        assert!(MinHashIndex::new(0, 2, 2).is_none() && MinHashIndex::new(usize::MAX, 2, 2).is_none());
    }
}
