//! How `HeavyHitters` are written down, and what is refused when they are read back.

use std::hash::Hash;

use serde::{Deserialize, Serialize};

use super::super::count_table::{self, Table};
use super::HeavyHitters;

#[derive(Serialize, Deserialize)]
pub(super) struct Stored<K> {
    capacity: u64,
    error: u64,
    total: u64,
    /// By value, so that equal sketches are written alike.
    counts: Vec<(K, u64)>,
}

impl<K: Ord + Hash + Clone> From<HeavyHitters<K>> for Stored<K> {
    fn from(sketch: HeavyHitters<K>) -> Self {
        let counts = sketch.table.in_order().into_iter().map(|(value, count)| (value.clone(), count)).collect();
        Self { capacity: sketch.capacity as u64, error: sketch.error, total: sketch.total, counts }
    }
}

impl<K: Ord + Hash> TryFrom<Stored<K>> for HeavyHitters<K> {
    type Error = &'static str;

    fn try_from(stored: Stored<K>) -> Result<Self, Self::Error> {
        let capacity = usize::try_from(stored.capacity).unwrap_or(usize::MAX);
        let mut sketch = Self::new(capacity).ok_or("frequent values with no possible capacity")?;
        if stored.counts.len() > capacity {
            return Err("more frequent values than the capacity");
        }
        if !stored.counts.is_sorted_by(|a, b| a.0 < b.0) {
            return Err("frequent values out of order");
        }
        let held: u128 = stored.counts.iter().map(|(_, count)| u128::from(*count)).sum();
        // Each fall took its height off at least one value more than are kept, the new one included.
        let taken = u128::from(stored.error) * (u128::from(stored.capacity) + 1);
        if held + taken > u128::from(stored.total) || stored.counts.iter().any(|(_, count)| *count == 0) {
            return Err("frequent values that do not add up to their total");
        }
        let mut table = Table::new();
        for (value, count) in stored.counts {
            table.insert_owned(count_table::hash(&value), value, count);
        }
        (sketch.table, sketch.error, sketch.total) = (table, stored.error, stored.total);
        Ok(sketch)
    }
}
