//! The most frequent values of a column with any number of them.

use std::borrow::Borrow;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

mod stored;

use stored::Stored;

use super::count_table::{self, Table};
use super::{Merge, MergeError};

/// A frequent value, and between which counts its true count lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hitter<K> {
    /// The value.
    pub value: K,
    /// At least this often.
    pub at_least: u64,
    /// At most this often.
    pub at_most: u64,
}

/// The most frequent values in bounded memory: at most `capacity` values are kept with a count.
///
/// For every value, kept or not, `count(value) <= true count <= count(value) + error()`, and
/// `error() <= total() / (capacity + 1)`, always: there is no probability in it. So every value with
/// a share above `1 / (capacity + 1)` is kept. On columns with few frequent values the error is far
/// smaller: without merges at most the counts beyond the `j` most frequent over `capacity + 1 - j`,
/// for any `j`. Merging in any order keeps the first bound; while at most `capacity` different
/// values came in, counts and merging are exact.
///
/// When a new value finds no room, every count falls by the smallest one (or by the new value's)
/// and the values at zero are let go. What was taken off altogether is the error.
///
/// Cost: one hash a value; a fall costs `capacity` steps and takes at least `capacity` off the sum
/// of counts when values come singly, so `O(1)` a value on average. Numbers and known texts
/// allocate nothing, and a new text takes the memory of one let go. The result does not depend on
/// the hash; a sender who makes hashes collide can make it slow, at most `capacity` steps a value.
///
/// Not to be trusted to tell apart values whose counts differ by less than the error.
/// Reference: Misra, Gries (1982); Agarwal et al., "Mergeable Summaries", PODS (2012), section 2.
///
/// ```
/// use wardline_stats::sketch::HeavyHitters;
/// let mut callers = HeavyHitters::<String>::new(16).unwrap_or_default();
/// for i in 0..10_000_u32 {
///     if i % 3 == 0 { callers.insert("batch-job") } else { callers.insert(i.to_string().as_str()) }
/// }
/// let top = callers.top(1);
/// assert_eq!(top[0].value, "batch-job");
/// assert!(top[0].at_least <= 3_334 && 3_334 <= top[0].at_most);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    into = "Stored<K>",
    try_from = "Stored<K>",
    bound(serialize = "K: Clone + Ord + Hash + Serialize", deserialize = "K: Ord + Hash + Deserialize<'de>")
)]
pub struct HeavyHitters<K: Ord + Hash> {
    capacity: usize,
    table: Table<K>,
    error: u64,
    total: u64,
}

impl<K: Ord + Hash> Default for HeavyHitters<K> {
    fn default() -> Self {
        Self::empty(256)
    }
}

impl<K: Ord + Hash> HeavyHitters<K> {
    /// The greatest capacity.
    pub const MOST: usize = 1 << 24;

    /// Keeps at most `capacity` values; `None` for none or more than 16 million.
    #[must_use]
    pub fn new(capacity: usize) -> Option<Self> {
        (1 <= capacity && capacity <= Self::MOST).then(|| Self::empty(capacity))
    }

    fn empty(capacity: usize) -> Self {
        Self { capacity, table: Table::new(), error: 0, total: 0 }
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

    /// Counts one value `n` times.
    pub fn insert_n<Q>(&mut self, value: &Q, n: u64)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        // What no longer fits 64 bits is not counted at all, so that the bound stays true.
        let n = n.min(u64::MAX - self.total);
        if n == 0 {
            return;
        }
        self.total += n;
        let hash = count_table::hash(value);
        if let Some(count) = self.table.count_mut(hash, value) {
            *count += n;
            return;
        }
        let mut rest = n;
        if self.table.len() >= self.capacity {
            let fall = self.table.least().min(n);
            self.table.fall(fall);
            self.error += fall;
            rest -= fall;
        }
        if rest > 0 {
            self.table.insert_new(hash, value, rest);
        }
    }

    /// Adds everything that `other` has seen. The smaller capacity holds from then on.
    ///
    /// # Errors
    /// [`MergeError::TooMany`] if the totals do not fit 64 bits together.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError>
    where
        K: Clone,
    {
        let total = self.total.checked_add(other.total).ok_or(MergeError::TooMany)?;
        self.total = total;
        self.capacity = self.capacity.min(other.capacity);
        for (value, count) in other.table.iter() {
            let hash = count_table::hash(value);
            match self.table.count_mut(hash, value) {
                Some(ours) => *ours += count,
                None => self.table.insert_owned(hash, value.clone(), count),
            }
        }
        self.error += other.error;
        if self.table.len() > self.capacity {
            let fall = self.table.ranked(self.capacity);
            self.table.fall(fall);
            self.error += fall;
        }
        Ok(())
    }

    /// Forgets all values and keeps the memory.
    pub fn clear(&mut self) {
        self.table.clear();
        self.error = 0;
        self.total = 0;
    }

    /// All counts together, exact.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// By how much a count may be too low: at most `total / (capacity + 1)`.
    #[must_use]
    pub fn error(&self) -> u64 {
        self.error
    }

    /// How many values are kept at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many values are kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.table.len()
    }

    /// How often the value came at least; add [`error`](Self::error) for how often at most.
    pub fn count<Q>(&self, value: &Q) -> u64
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.table.count(count_table::hash(value), value)
    }

    /// The `n` values with the greatest counts, the greatest first, ties by value.
    #[must_use]
    pub fn top(&self, n: usize) -> Vec<Hitter<K>>
    where
        K: Clone,
    {
        let mut kept: Vec<(&K, u64)> = self.table.iter().collect();
        kept.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let hitter =
            |(value, count): (&K, u64)| Hitter { value: value.clone(), at_least: count, at_most: count + self.error };
        kept.into_iter().take(n).map(hitter).collect()
    }

    /// The values that may have more than this share of all: none that has is missing. Those with
    /// `at_least > share * total` surely have.
    ///
    /// `None` for a share below `1 / (capacity + 1)`, about which nothing is known, or above one.
    #[must_use]
    pub fn above(&self, share: f64) -> Option<Vec<Hitter<K>>>
    where
        K: Clone,
    {
        if !(1.0 / (self.capacity as f64 + 1.0)..=1.0).contains(&share) {
            return None;
        }
        let least = share * self.total as f64;
        let mut top = self.top(self.kept());
        top.retain(|hitter| hitter.at_most as f64 > least);
        Some(top)
    }
}

impl<K: Ord + Hash + Clone> Merge for HeavyHitters<K> {
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError> {
        self.merge(other)
    }

    fn clear(&mut self) {
        self.clear();
    }
}

impl<K: Ord + Hash> PartialEq for HeavyHitters<K> {
    /// Equal when they answer alike, whatever memory they keep and in whatever order.
    fn eq(&self, other: &Self) -> bool {
        (self.capacity, self.error, self.total) == (other.capacity, other.error, other.total)
            && self.table.in_order() == other.table.in_order()
    }
}

#[cfg(test)]
mod tests;
