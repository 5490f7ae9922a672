//! Numbers of entries by band and key, forgotten in the order they came.

use std::collections::{HashMap, VecDeque};

#[derive(Clone, Debug, Default)]
pub(super) struct Buckets(HashMap<(usize, u64), VecDeque<u64>>);

impl Buckets {
    pub(super) fn insert(&mut self, band: usize, key: u64, entry: u64) {
        self.0.entry((band, key)).or_default().push_back(entry);
    }

    /// Forgets the oldest entry of a bucket.
    pub(super) fn forget(&mut self, band: usize, key: u64) {
        if let Some(entries) = self.0.get_mut(&(band, key)) {
            entries.pop_front();
            if entries.is_empty() {
                self.0.remove(&(band, key));
            }
        }
    }

    pub(super) fn entries(&self, band: usize, key: u64) -> impl Iterator<Item = u64> + '_ {
        self.0.get(&(band, key)).into_iter().flatten().copied()
    }
}
