//! Finds every fingerprint within a Hamming distance.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::buckets::Buckets;

/// The newest fingerprints of 64 bits, where all within a distance are found: recall is exactly one.
///
/// The bits are cut into `distance + 1` bands. Two fingerprints that differ in at most `distance` bits agree in a
/// band wholly (pigeonhole), so only those that share a band are compared. Memory is `O(capacity * distance)`; the
/// oldest is forgotten when it is full. A search takes `O(capacity)` when all share a band, and far less otherwise.
/// Reference: Norouzi, Punjani, Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", CVPR (2012).
///
/// ```
/// use wardline_stats::similar::HammingIndex;
/// let mut index = HammingIndex::new(3, 1000).unwrap();
/// let first = index.insert(0b1111);
/// let found = index.near(0b1000);
/// assert_eq!((found[0].entry, found[0].distance), (first, 3));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct HammingIndex {
    distance: u32,
    capacity: usize,
    first: u64,
    kept: VecDeque<u64>,
    buckets: Buckets,
}

/// A fingerprint that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near {
    /// Its number, as [`HammingIndex::insert`] gave it.
    pub entry: u64,
    /// In how many bits it differs.
    pub distance: u32,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    distance: u32,
    capacity: usize,
    first: u64,
    kept: VecDeque<u64>,
}

/// The bits of a band, in place.
fn key(fingerprint: u64, band: u32, n_bands: u32) -> u64 {
    let (low, high) = (band * 64 / n_bands, (band + 1) * 64 / n_bands);
    fingerprint >> low & (u64::MAX >> (64 - (high - low)))
}

impl HammingIndex {
    /// `None` unless `distance <= 15` and `1 <= capacity && capacity <= 2^24`.
    #[must_use]
    pub fn new(distance: u32, capacity: usize) -> Option<Self> {
        let fits = distance <= 15 && (1..=1 << 24).contains(&capacity);
        fits.then(|| Self { distance, capacity, first: 0, kept: VecDeque::new(), buckets: Buckets::default() })
    }

    /// Keeps a fingerprint and answers its number; forgets the oldest if there is no room.
    pub fn insert(&mut self, fingerprint: u64) -> u64 {
        let n_bands = self.distance + 1;
        if self.kept.len() == self.capacity
            && let Some(oldest) = self.kept.pop_front()
        {
            (0..n_bands).for_each(|band| self.buckets.forget(band as usize, key(oldest, band, n_bands)));
            self.first += 1;
        }
        let entry = self.first + self.kept.len() as u64;
        self.kept.push_back(fingerprint);
        (0..n_bands).for_each(|band| self.buckets.insert(band as usize, key(fingerprint, band, n_bands), entry));
        entry
    }

    /// All that are kept and within the distance, by their number.
    #[must_use]
    pub fn near(&self, fingerprint: u64) -> Vec<Near> {
        let n_bands = self.distance + 1;
        let mut found: Vec<Near> = (0..n_bands)
            .flat_map(|band| self.buckets.entries(band as usize, key(fingerprint, band, n_bands)))
            .filter_map(|entry| {
                let kept = self.kept.get((entry - self.first) as usize)?;
                Some(Near { entry, distance: (kept ^ fingerprint).count_ones() })
            })
            .filter(|near| near.distance <= self.distance)
            .collect();
        found.sort_unstable_by_key(|near| near.entry);
        found.dedup();
        found
    }
}

impl From<HammingIndex> for Stored {
    fn from(index: HammingIndex) -> Self {
        Self { distance: index.distance, capacity: index.capacity, first: index.first, kept: index.kept }
    }
}

impl TryFrom<Stored> for HammingIndex {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let mut index = Self::new(stored.distance, stored.capacity).ok_or("distance or capacity out of range")?;
        if stored.kept.len() > stored.capacity || stored.first > u64::MAX / 2 {
            return Err("more fingerprints than the capacity, or too many before them");
        }
        index.first = stored.first;
        stored.kept.into_iter().for_each(|fingerprint| {
            index.insert(fingerprint);
        });
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    /// Goal: what brute force finds among those kept, and nothing else, for each distance, also when read back.
    #[test]
    fn finds_what_brute_force_finds() {
        for distance in 0..=15 {
            let mut random = SplitMix::new(u64::from(distance));
            let centres: Vec<u64> = (0..8).map(|_| random.next()).collect();
            let near_one = |random: &mut SplitMix| {
                let flips = random.below(20);
                (0..flips).fold(centres[random.below(8)], |bits, _| bits ^ 1 << random.below(64))
            };
            let all: Vec<u64> = (0..300).map(|_| near_one(&mut random)).collect();
            let mut index = HammingIndex::new(distance, 200).unwrap();
            for &bits in &all {
                index.insert(bits);
            }
            let text = serde_json::to_string(&index).unwrap();
            let read: HammingIndex = serde_json::from_str(&text).unwrap();
            for _ in 0..50 {
                let sought = near_one(&mut random);
                let expected: Vec<Near> = (100..300)
                    .map(|i| Near { entry: i as u64, distance: (all[i] ^ sought).count_ones() })
                    .filter(|near| near.distance <= distance)
                    .collect();
                assert_eq!(index.near(sought), expected);
                assert_eq!(read.near(sought), expected);
            }
        }
    }

    #[test]
    fn bad_state_is_an_error() {
        for text in [
            r#"{"distance":16,"capacity":2,"first":0,"kept":[]}"#,
            r#"{"distance":1,"capacity":1,"first":0,"kept":[1,2]}"#,
            r#"{"distance":1,"capacity":1,"first":18446744073709551615,"kept":[1]}"#,
        ] {
            assert!(serde_json::from_str::<HammingIndex>(text).is_err());
        }
    }
}
