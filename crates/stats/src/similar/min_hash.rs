//! Signatures of sets, whose agreement estimates the Jaccard similarity.

use serde::{Deserialize, Serialize};

use super::mix;
use crate::interval::{Interval, clopper_pearson};
use crate::random::SplitMix;

/// Makes signatures of `k` positions; only signatures of the same maker may be compared.
///
/// Kept as number of positions and seed, from which it is made again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct MinHash {
    seed: u64,
    keys: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    n_positions: usize,
    seed: u64,
}

/// The signature of one set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u64>")]
pub struct Signature(pub(super) Vec<u64>);

impl MinHash {
    /// `None` unless `1 <= n_positions && n_positions <= 4096`.
    #[must_use]
    pub fn new(n_positions: usize, seed: u64) -> Option<Self> {
        let mut random = SplitMix::new(seed);
        (1..=4096)
            .contains(&n_positions)
            .then(|| Self { seed, keys: (0..n_positions).map(|_| random.next()).collect() })
    }

    /// The least hash of the set's tokens under each of `k` hash functions, in `O(k n)`; `None` for an empty set.
    ///
    /// Reference: Broder, "On the resemblance and containment of documents", SEQUENCES (1997).
    #[must_use]
    pub fn signature(&self, tokens: &[u64]) -> Option<Signature> {
        if tokens.is_empty() {
            return None;
        }
        let mut least = vec![u64::MAX; self.keys.len()];
        for &token in tokens {
            let hash = mix(token);
            least.iter_mut().zip(&self.keys).for_each(|(least, key)| *least = (*least).min(mix(hash ^ key)));
        }
        Some(Signature(least))
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

impl From<MinHash> for Stored {
    fn from(maker: MinHash) -> Self {
        Self { n_positions: maker.keys.len(), seed: maker.seed }
    }
}

impl TryFrom<Stored> for MinHash {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        Self::new(stored.n_positions, stored.seed).ok_or("number of positions out of range")
    }
}

impl TryFrom<Vec<u64>> for Signature {
    type Error = &'static str;

    fn try_from(positions: Vec<u64>) -> Result<Self, Self::Error> {
        let fits = (1..=4096).contains(&positions.len());
        if fits { Ok(Self(positions)) } else { Err("number of positions out of range") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_back_and_bad_state_is_refused() {
        let maker = MinHash::new(16, 5).unwrap();
        let read: MinHash = serde_json::from_str(&serde_json::to_string(&maker).unwrap()).unwrap();
        assert_eq!(read, maker);
        let signature = maker.signature(&[1, 2, 3]).unwrap();
        let same: Signature = serde_json::from_str(&serde_json::to_string(&signature).unwrap()).unwrap();
        assert_eq!(same, read.signature(&[3, 2, 1]).unwrap());
        assert!(serde_json::from_str::<Signature>("[]").is_err());
        assert!(serde_json::from_str::<MinHash>(r#"{"n_positions":5000,"seed":1}"#).is_err());
    }

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
