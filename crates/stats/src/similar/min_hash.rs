//! Signatures of sets, whose agreement estimates the Jaccard similarity.

use super::mix;
use crate::interval::{Interval, clopper_pearson};
use crate::random::SplitMix;

/// Makes signatures of `k` positions; only signatures of the same maker may be compared.
#[derive(Clone, Debug)]
pub struct MinHash {
    keys: Vec<u64>,
}

/// The signature of one set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature(Vec<u64>);

impl MinHash {
    /// `None` unless `1 <= n_positions && n_positions <= 4096`.
    #[must_use]
    pub fn new(n_positions: usize, seed: u64) -> Option<Self> {
        let mut random = SplitMix::new(seed);
        (1..=4096).contains(&n_positions).then(|| Self { keys: (0..n_positions).map(|_| random.next()).collect() })
    }

    /// The least hash of the set's tokens under each of `k` hash functions, in `O(k n)`; `None` for an empty set.
    ///
    /// Reference: Broder, "On the resemblance and containment of documents", SEQUENCES (1997).
    #[must_use]
    pub fn signature(&self, tokens: &[u64]) -> Option<Signature> {
        let least = |key: u64| tokens.iter().map(|&token| mix(mix(token) ^ key)).min();
        self.keys.iter().map(|&key| least(key)).collect::<Option<Vec<u64>>>().map(Signature)
    }
}

impl Signature {
    /// Estimates `J = |A and B| / |A or B|` as the share of equal positions, with an interval that covers `J`
    /// at least as often as stated: equal positions are binomial in `k` and `J`. The standard error is `sqrt(J (1 - J) / k)`.
    ///
    /// `None` if the lengths differ, or `confidence` is not between zero and one.
    #[must_use]
    pub fn jaccard(&self, other: &Self, confidence: f64) -> Option<(f64, Interval)> {
        if self.0.len() != other.0.len() {
            return None;
        }
        let equal = self.0.iter().zip(&other.0).filter(|(mine, theirs)| mine == theirs).count() as u64;
        let n = self.0.len() as u64;
        Some((equal as f64 / n as f64, clopper_pearson(equal, n, confidence)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the interval covers the exact Jaccard similarity, and the estimate has no bias.
    #[test]
    fn intervals_cover_the_exact_similarity() {
        let (mut covered, mut sum, mut n) = (0, 0.0, 0);
        for seed in 0..100 {
            let maker = MinHash::new(64, seed).unwrap();
            let whole = maker.signature(&(0..60).collect::<Vec<_>>()).unwrap();
            // 40 of 80 are shared.
            let (estimate, interval) =
                whole.jaccard(&maker.signature(&(20..80).collect::<Vec<_>>()).unwrap(), 0.95).unwrap();
            covered += u32::from(interval.contains(0.5));
            sum += estimate;
            n += 1;
        }
        assert!(covered >= 90, "{covered}");
        assert!((sum / f64::from(n) - 0.5).abs() < 0.025, "{sum}");
        assert!(MinHash::new(0, 1).is_none() && MinHash::new(8, 1).unwrap().signature(&[]).is_none());
    }
}
