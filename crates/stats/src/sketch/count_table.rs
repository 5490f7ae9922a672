//! A hash table of counts whose keys are let go together, and whose memory is used again.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};

/// More values than the slots can number are never kept.
pub(super) const MOST: usize = 1 << 30;

/// A value's count.
#[derive(Clone, Debug)]
struct Entry<K> {
    hash: u64,
    count: u64,
    value: K,
}

/// Counts by value.
///
/// Invariant: `entries[..live]` are the values that count, each found by probing `slots` from its
/// hash on; entries from `live` on were let go, and only lend their memory to new ones. There are
/// always at least twice as many slots as live entries, so that probing ends.
#[derive(Clone, Debug)]
pub(super) struct Table<K> {
    entries: Vec<Entry<K>>,
    live: usize,
    /// One more than the number of an entry; zero for a free slot. A power of two of them, or none.
    slots: Vec<u32>,
}

impl<K: Hash + Ord> Table<K> {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new(), live: 0, slots: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.live
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, u64)> {
        self.entries[..self.live].iter().map(|entry| (&entry.value, entry.count))
    }

    pub(super) fn in_order(&self) -> Vec<(&K, u64)> {
        let mut all: Vec<(&K, u64)> = self.iter().collect();
        all.sort_unstable_by(|a, b| a.0.cmp(b.0));
        all
    }

    fn find<Q>(&self, hash: u64, value: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = hash as usize & mask;
        loop {
            let at = (*self.slots.get(slot)? as usize).checked_sub(1)?;
            let entry = self.entries.get(at)?;
            if entry.hash == hash && entry.value.borrow() == value {
                return Some(at);
            }
            slot = (slot + 1) & mask;
        }
    }

    pub(super) fn contains<Q>(&self, hash: u64, value: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.find(hash, value).is_some()
    }

    pub(super) fn count<Q>(&self, hash: u64, value: &Q) -> u64
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.find(hash, value).map_or(0, |at| self.entries[at].count)
    }

    #[inline]
    pub(super) fn count_mut<Q>(&mut self, hash: u64, value: &Q) -> Option<&mut u64>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let at = self.find(hash, value)?;
        self.entries.get_mut(at).map(|entry| &mut entry.count)
    }

    /// Adds a value that is not there, in the memory of one that was let go.
    pub(super) fn insert_new<Q>(&mut self, hash: u64, value: &Q, count: u64)
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + ?Sized,
    {
        match self.entries.get_mut(self.live) {
            Some(spent) => {
                value.clone_into(&mut spent.value);
                (spent.hash, spent.count) = (hash, count);
            }
            None => self.entries.push(Entry { hash, count, value: value.to_owned() }),
        }
        self.count_in();
    }

    /// Adds a value that is not there.
    pub(super) fn insert_owned(&mut self, hash: u64, value: K, count: u64) {
        self.entries.truncate(self.live);
        self.entries.push(Entry { hash, count, value });
        self.count_in();
    }

    fn count_in(&mut self) {
        self.live += 1;
        if 2 * self.live > self.slots.len() {
            let slots = (4 * self.live).next_power_of_two();
            self.slots.clear();
            self.slots.resize(slots, 0);
            (0..self.live).for_each(|at| self.place(at));
        } else {
            self.place(self.live - 1);
        }
    }

    fn place(&mut self, at: usize) {
        let mask = self.slots.len() - 1;
        let mut slot = self.entries[at].hash as usize & mask;
        while self.slots[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = at as u32 + 1;
    }

    /// The least count; zero if there is none.
    pub(super) fn least(&self) -> u64 {
        self.entries[..self.live].iter().map(|entry| entry.count).min().unwrap_or(0)
    }

    /// The count at a rank from the greatest down, where zero is the greatest.
    pub(super) fn ranked(&self, rank: usize) -> u64 {
        let mut counts: Vec<u64> = self.iter().map(|(_, count)| count).collect();
        if rank >= counts.len() {
            return 0;
        }
        *counts.select_nth_unstable_by(rank, |a, b| b.cmp(a)).1
    }

    /// Takes `fall` off every count, and lets go what is left with nothing.
    pub(super) fn fall(&mut self, fall: u64) {
        self.entries[..self.live].iter_mut().for_each(|entry| entry.count = entry.count.saturating_sub(fall));
        self.keep(|_, count| count > 0);
    }

    /// Lets go the values for which this does not hold.
    pub(super) fn keep(&mut self, mut holds: impl FnMut(&K, u64) -> bool) {
        let mut kept = 0;
        for at in 0..self.live {
            let entry = &self.entries[at];
            if holds(&entry.value, entry.count) {
                self.entries.swap(at, kept);
                kept += 1;
            }
        }
        if kept < self.live {
            self.live = kept;
            self.slots.fill(0);
            (0..kept).for_each(|at| self.place(at));
        }
    }

    pub(super) fn clear(&mut self) {
        self.live = 0;
        self.slots.fill(0);
    }
}

/// The hash that the table goes by: quick, the same on every machine, not for secrets.
pub(super) fn hash<Q: Hash + ?Sized>(value: &Q) -> u64 {
    let mut mixer = Mixer(0);
    value.hash(&mut mixer);
    mixer.finish()
}

/// Multiply and fold, eight bytes at a time.
struct Mixer(u64);

impl Mixer {
    #[inline]
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ 0x2d35_8dcc_aa6c_78a5) * u128::from(0x8bb8_4b93_962e_acc9_u64);
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
}

impl Hasher for Mixer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        let last = rest.iter().rev().fold(0, |last, byte| (last << 8) | u64::from(*byte));
        // The length goes in too, or trailing zeros would be the same as none.
        self.mix(last | ((bytes.len() as u64) << 56));
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.mix(u64::from(value));
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.mix(u64::from(value));
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
