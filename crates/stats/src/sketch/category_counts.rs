//! Counts by value for a column with few values, bounded when it has many.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use super::count_table::{self, Table};

/// Counts by value; at most `cap` values are kept, the rest is counted together as `other`.
///
/// The total is always exact. While no more than `cap` different values were seen, every count is
/// exact and merging is exact in any order. Beyond that the values seen first are kept (a merge
/// keeps the most frequent, ties by value), and for every value, kept or not,
/// `count(value) <= true count <= count(value) + other()`.
///
/// Cost: one hash and on average one comparison a value. A value that is known allocates nothing,
/// and after [`clear`](Self::clear) a new one takes the memory of an old one. Nothing depends on the
/// hash but time; a sender who makes hashes collide costs at most `cap` steps a value.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    into = "Stored<K>",
    try_from = "Stored<K>",
    bound(serialize = "K: Clone + Ord + Hash + Serialize", deserialize = "K: Ord + Hash + Deserialize<'de>")
)]
pub struct CategoryCounts<K: Ord + Hash> {
    table: Table<K>,
    cap: usize,
    other: u64,
    total: u64,
}

impl<K: Ord + Hash> Default for CategoryCounts<K> {
    fn default() -> Self {
        Self::with_cap(256)
    }
}

impl<K: Ord + Hash> CategoryCounts<K> {
    /// Keeps at most `cap` values, and never more than a thousand million.
    #[must_use]
    pub fn with_cap(cap: usize) -> Self {
        Self { table: Table::new(), cap: cap.min(count_table::MOST), other: 0, total: 0 }
    }

    /// Counts one value.
    #[inline]
    pub fn insert<Q>(&mut self, value: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        self.insert_n(value, 1);
    }

    /// Counts one value `n` times; a value that is not kept goes to `other`.
    #[inline]
    pub fn insert_n<Q>(&mut self, value: &Q, n: u64)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        // What no longer fits 64 bits is not counted at all, so that the bounds stay true.
        let n = n.min(u64::MAX - self.total);
        if n == 0 {
            return;
        }
        self.total += n;
        let hash = count_table::hash(value);
        if let Some(count) = self.table.count_mut(hash, value) {
            *count += n;
        } else if self.table.len() < self.cap {
            self.table.insert_new(hash, value, n);
        } else {
            self.other += n;
        }
    }

    /// Adds everything that `other` has seen, and keeps the most frequent `cap` values.
    pub fn merge(&mut self, other: &Self)
    where
        K: Clone,
    {
        for (value, count) in other.table.iter() {
            let hash = count_table::hash(value);
            match self.table.count_mut(hash, value) {
                Some(ours) => *ours = ours.saturating_add(count),
                None => self.table.insert_owned(hash, value.clone(), count),
            }
        }
        self.total = self.total.saturating_add(other.total);
        self.other = self.other.saturating_add(other.other);
        if self.table.len() > self.cap {
            self.drop_rarest();
        }
    }

    fn drop_rarest(&mut self)
    where
        K: Clone,
    {
        let mut by_count: Vec<(u64, &K)> = self.table.iter().map(|(value, count)| (count, value)).collect();
        by_count.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        // The first one that goes: whatever comes later in this order goes with it.
        let first = by_count.get(self.cap).map(|(count, value)| (*count, (*value).clone()));
        let Some((least, first)) = first else { return };
        let other = &mut self.other;
        self.table.keep(|value, count| {
            let stays = count > least || (count == least && *value < first);
            *other = other.saturating_add(if stays { 0 } else { count });
            stays
        });
    }

    /// How often the value was counted, which is a lower bound once `other` is not zero.
    pub fn count<Q>(&self, value: &Q) -> u64
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.table.count(count_table::hash(value), value)
    }

    /// Whether the value is among the kept ones.
    pub fn contains<Q>(&self, value: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.table.contains(count_table::hash(value), value)
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
        self.table.len()
    }

    /// The kept values and their counts, by value; sorts them, `O(cap log cap)`.
    pub fn iter(&self) -> impl Iterator<Item = (&K, u64)> {
        self.table.in_order().into_iter()
    }

    /// The counts of two columns side by side: every value that either keeps, then `other`.
    #[must_use]
    pub fn aligned(reference: &Self, current: &Self) -> (Vec<u64>, Vec<u64>) {
        let values: std::collections::BTreeSet<&K> =
            reference.table.iter().chain(current.table.iter()).map(|(value, _)| value).collect();
        let side = |counts: &Self| values.iter().map(|value| counts.count(*value)).chain([counts.other]).collect();
        (side(reference), side(current))
    }

    /// Forgets all values and keeps the memory.
    pub fn clear(&mut self) {
        self.table.clear();
        self.other = 0;
        self.total = 0;
    }
}

impl<K: Ord + Hash> PartialEq for CategoryCounts<K> {
    /// Equal when they have counted alike, whatever memory they keep and in whatever order.
    fn eq(&self, other: &Self) -> bool {
        (self.cap, self.other, self.total) == (other.cap, other.other, other.total)
            && self.table.in_order() == other.table.in_order()
    }
}

impl<K: Ord + Hash> Eq for CategoryCounts<K> {}

/// How they are written down: by value, so that equal counts are written alike.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "K: Ord + Serialize", deserialize = "K: Ord + Deserialize<'de>"))]
struct Stored<K> {
    counts: BTreeMap<K, u64>,
    cap: usize,
    other: u64,
    total: u64,
}

impl<K: Ord + Hash + Clone> From<CategoryCounts<K>> for Stored<K> {
    fn from(sketch: CategoryCounts<K>) -> Self {
        let counts = sketch.table.iter().map(|(value, count)| (value.clone(), count)).collect();
        Self { counts, cap: sketch.cap, other: sketch.other, total: sketch.total }
    }
}

impl<K: Ord + Hash> TryFrom<Stored<K>> for CategoryCounts<K> {
    type Error = &'static str;

    fn try_from(stored: Stored<K>) -> Result<Self, Self::Error> {
        let Stored { counts, cap, other, total } = stored;
        let held: u128 = counts.values().map(|count| u128::from(*count)).sum::<u128>() + u128::from(other);
        let adds_up = held == u128::from(total) || (total == u64::MAX && held > u128::from(total));
        if counts.len() > cap || cap > count_table::MOST || !adds_up || counts.values().any(|count| *count == 0) {
            return Err("counts by value that do not add up");
        }
        let mut table = Table::new();
        for (value, count) in counts {
            table.insert_owned(count_table::hash(&value), value, count);
        }
        Ok(Self { table, cap, other, total })
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
