//! Counts by value for a column with few values, bounded when it has many.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts by value; at most `cap` values are kept, the rest is counted together as `other`.
///
/// The total is always exact. While no more than `cap` different values were seen, every count is
/// exact and merging is exact in any order. Beyond that the values seen first are kept (a merge
/// keeps the most frequent, ties by value), and for every value, kept or not,
/// `count(value) <= true count <= count(value) + other()`.
///
/// Cost: `O(log cap)` a value; a value that is known allocates nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored<K>", bound(deserialize = "K: Ord + Deserialize<'de>"))]
pub struct CategoryCounts<K: Ord> {
    counts: BTreeMap<K, u64>,
    cap: usize,
    other: u64,
    total: u64,
}

impl<K: Ord> Default for CategoryCounts<K> {
    fn default() -> Self {
        Self::with_cap(256)
    }
}

impl<K: Ord> CategoryCounts<K> {
    /// Keeps at most `cap` values.
    #[must_use]
    pub fn with_cap(cap: usize) -> Self {
        Self { counts: BTreeMap::new(), cap, other: 0, total: 0 }
    }

    /// Counts one value.
    pub fn insert<Q>(&mut self, value: &Q)
    where
        K: Borrow<Q>,
        Q: Ord + ToOwned<Owned = K> + ?Sized,
    {
        self.insert_n(value, 1);
    }

    /// Counts one value `n` times; a value that is not kept goes to `other`.
    pub fn insert_n<Q>(&mut self, value: &Q, n: u64)
    where
        K: Borrow<Q>,
        Q: Ord + ToOwned<Owned = K> + ?Sized,
    {
        // What no longer fits 64 bits is not counted at all, so that the bounds stay true.
        let n = n.min(u64::MAX - self.total);
        if n == 0 {
            return;
        }
        self.total += n;
        if let Some(count) = self.counts.get_mut(value) {
            *count += n;
        } else if self.counts.len() < self.cap {
            self.counts.insert(value.to_owned(), n);
        } else {
            self.other += n;
        }
    }

    /// Adds everything that `other` has seen, and keeps the most frequent `cap` values.
    pub fn merge(&mut self, other: &Self)
    where
        K: Clone,
    {
        for (value, count) in &other.counts {
            let ours = self.counts.entry(value.clone()).or_insert(0);
            *ours = ours.saturating_add(*count);
        }
        self.total = self.total.saturating_add(other.total);
        self.other = self.other.saturating_add(other.other);
        if self.counts.len() > self.cap {
            self.drop_rarest();
        }
    }

    fn drop_rarest(&mut self)
    where
        K: Clone,
    {
        let mut by_count: Vec<(u64, &K)> = self.counts.iter().map(|(value, count)| (*count, value)).collect();
        by_count.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let dropped: Vec<K> = by_count.into_iter().skip(self.cap).map(|(_, value)| value.clone()).collect();
        for value in dropped {
            self.other = self.other.saturating_add(self.counts.remove(&value).unwrap_or(0));
        }
    }

    /// How often the value was counted, which is a lower bound once `other` is not zero.
    pub fn count<Q>(&self, value: &Q) -> u64
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.counts.get(value).copied().unwrap_or(0)
    }

    /// Whether the value is among the kept ones.
    pub fn contains<Q>(&self, value: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.counts.contains_key(value)
    }

    /// All counts together, exact.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// What was counted beyond the kept values.
    #[must_use]
    pub fn other(&self) -> u64 {
        self.other
    }

    /// How many values are kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.counts.len()
    }

    /// The kept values and their counts, by value.
    pub fn iter(&self) -> impl Iterator<Item = (&K, u64)> {
        self.counts.iter().map(|(value, count)| (value, *count))
    }

    /// The counts of two columns side by side: every value that either keeps, then `other`.
    #[must_use]
    pub fn aligned(reference: &Self, current: &Self) -> (Vec<u64>, Vec<u64>) {
        let values: std::collections::BTreeSet<&K> = reference.counts.keys().chain(current.counts.keys()).collect();
        let side = |counts: &Self| {
            let kept = values.iter().map(|value| counts.counts.get(*value).copied().unwrap_or(0));
            kept.chain([counts.other]).collect()
        };
        (side(reference), side(current))
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.counts.clear();
        self.other = 0;
        self.total = 0;
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "K: Ord + Deserialize<'de>"))]
struct Stored<K> {
    counts: BTreeMap<K, u64>,
    cap: usize,
    other: u64,
    total: u64,
}

impl<K: Ord> TryFrom<Stored<K>> for CategoryCounts<K> {
    type Error = &'static str;

    fn try_from(stored: Stored<K>) -> Result<Self, Self::Error> {
        let Stored { counts, cap, other, total } = stored;
        let held: u128 = counts.values().map(|count| u128::from(*count)).sum::<u128>() + u128::from(other);
        let adds_up = held == u128::from(total) || (total == u64::MAX && held > u128::from(total));
        if counts.len() > cap || !adds_up || counts.values().any(|count| *count == 0) {
            return Err("counts by value that do not add up");
        }
        Ok(Self { counts, cap, other, total })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(values: &[u32], cap: usize) -> CategoryCounts<u32> {
        let mut counts = CategoryCounts::with_cap(cap);
        values.iter().for_each(|value| counts.insert(value));
        counts
    }

    #[test]
    fn text_is_counted_without_an_owned_key() {
        let mut counts = CategoryCounts::<String>::default();
        counts.insert("approve");
        counts.insert_n("decline", 3);
        assert_eq!(counts.count("decline"), 3);
        assert_eq!(counts.total(), 4);
    }

    proptest! {
        #[test]
        fn merging_is_exact_below_the_cap(
            left in proptest::collection::vec(0..20_u32, 0..100),
            right in proptest::collection::vec(0..20_u32, 0..100),
        ) {
            let mut merged = count(&left, 32);
            merged.merge(&count(&right, 32));
            prop_assert_eq!(merged, count(&[left, right].concat(), 32));
        }

        #[test]
        fn counts_bound_the_truth_above_the_cap(
            left in proptest::collection::vec(0..50_u32, 0..200),
            right in proptest::collection::vec(0..50_u32, 0..200),
            value in 0..50_u32,
        ) {
            let mut merged = count(&left, 8);
            merged.merge(&count(&right, 8));
            let truth = left.iter().chain(&right).filter(|seen| **seen == value).count() as u64;
            prop_assert!(merged.count(&value) <= truth);
            prop_assert!(truth <= merged.count(&value) + merged.other());
            prop_assert_eq!(merged.total(), (left.len() + right.len()) as u64);
            prop_assert!(merged.kept() <= 8);
        }
    }
}
