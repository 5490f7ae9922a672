//! The fingerprints that were met lately.

use std::collections::VecDeque;

/// How many fingerprints are remembered at least, unless settings say otherwise.
pub const DEFAULT_WINDOW: usize = 4_000_000;

/// Full generations that are kept beside the one that fills. With more of them less is kept beyond the window, and
/// each event is looked for in more tables.
const FULL_GENERATIONS: usize = 3;

/// A sliding window over fingerprints: generations, of which the oldest goes when the newest is full.
///
/// Remembers the last `window` fingerprints, and at most a third more. Takes 9.4 bytes for each that fits, so at most
/// 50 MB for a window of 4 million; a generation is taken only once the one before is full.
#[derive(Debug)]
pub struct Seen {
    current: Table,
    /// The newest first.
    full: VecDeque<Table>,
    generation: usize,
}

impl Seen {
    /// A window of at least so many fingerprints, with nothing in it.
    ///
    /// # Panics
    /// Where it holds nothing.
    pub fn new(window: usize) -> Self {
        assert!(window > 0, "a window holds at least one fingerprint");
        let generation = window.div_ceil(FULL_GENERATIONS);
        Self { current: Table::new(generation), full: VecDeque::with_capacity(FULL_GENERATIONS), generation }
    }

    /// Remembers fingerprints, and tells of each whether it is new. 0 is always new and never remembered.
    pub fn reserve(&mut self, fingerprints: &[u64]) -> Vec<bool> {
        let mut is_new = vec![true; fingerprints.len()];
        // Table by table, so that the look-ups of many fingerprints wait for memory at the same time.
        for table in &self.full {
            for (is_new, &fingerprint) in is_new.iter_mut().zip(fingerprints) {
                *is_new &= !table.contains(fingerprint);
            }
        }
        // Generations that this call fills, which were not looked at.
        let mut filled = 0;
        for (is_new, &fingerprint) in is_new.iter_mut().zip(fingerprints).filter(|(_, fingerprint)| **fingerprint != 0)
        {
            *is_new = *is_new
                && !self.full.iter().take(filled).any(|table| table.contains(fingerprint))
                && self.current.insert(fingerprint);
            filled += usize::from(self.turn_over());
        }
        is_new
    }

    /// Begins a generation where one is full.
    fn turn_over(&mut self) -> bool {
        let is_full = self.current.len == self.generation;
        if is_full {
            // The oldest table serves again: a new one beside it would be one too many for a while.
            let oldest = if self.full.len() == FULL_GENERATIONS { self.full.pop_back() } else { None };
            let mut empty = oldest.unwrap_or_else(|| Table::new(self.generation));
            empty.clear();
            self.full.push_front(std::mem::replace(&mut self.current, empty));
        }
        is_full
    }

    /// Forgets fingerprints that were new, because their events could not be written after all.
    pub fn withdraw(&mut self, fingerprints: impl IntoIterator<Item = u64>) {
        for fingerprint in fingerprints.into_iter().filter(|&fingerprint| fingerprint != 0) {
            let mut tables = std::iter::once(&mut self.current).chain(&mut self.full);
            tables.any(|table| table.remove(fingerprint));
        }
    }

    /// How many fingerprints are remembered.
    pub fn len(&self) -> usize {
        self.current.len + self.full.iter().map(|table| table.len).sum::<usize>()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A set of numbers other than 0: open addressing, linear probing, at most 85 in 100 slots taken.
#[derive(Debug)]
struct Table {
    slots: Vec<u64>,
    len: usize,
}

impl Table {
    fn new(capacity: usize) -> Self {
        Self { slots: vec![0; (capacity as f64 / 0.85).ceil() as usize + 1], len: 0 }
    }

    fn clear(&mut self) {
        self.slots.fill(0);
        self.len = 0;
    }

    /// Spreads fingerprints, which are hashes already, evenly over the slots without a division.
    fn home(&self, fingerprint: u64) -> usize {
        ((u128::from(fingerprint) * self.slots.len() as u128) >> 64) as usize
    }

    fn next(&self, slot: usize) -> usize {
        if slot + 1 == self.slots.len() { 0 } else { slot + 1 }
    }

    /// Where a fingerprint is, or else the free slot where it would go. There always is a free one.
    fn find(&self, fingerprint: u64) -> usize {
        let mut slot = self.home(fingerprint);
        while self.slots[slot] != 0 && self.slots[slot] != fingerprint {
            slot = self.next(slot);
        }
        slot
    }

    fn contains(&self, fingerprint: u64) -> bool {
        self.slots[self.find(fingerprint)] == fingerprint
    }

    fn insert(&mut self, fingerprint: u64) -> bool {
        let slot = self.find(fingerprint);
        let is_new = self.slots[slot] == 0;
        if is_new {
            self.slots[slot] = fingerprint;
            self.len += 1;
        }
        is_new
    }

    /// Takes a fingerprint out and moves what probed past it back, so that no tombstone stays.
    fn remove(&mut self, fingerprint: u64) -> bool {
        let mut hole = self.find(fingerprint);
        if self.slots[hole] != fingerprint {
            return false;
        }
        self.slots[hole] = 0;
        self.len -= 1;
        let mut slot = self.next(hole);
        while self.slots[slot] != 0 {
            let moved = self.slots[slot];
            // A fingerprint may fill the hole unless its home lies behind the hole on the way to its slot.
            if self.distance(self.home(moved), slot) >= self.distance(hole, slot) {
                self.slots[hole] = moved;
                self.slots[slot] = 0;
                hole = slot;
            }
            slot = self.next(slot);
        }
        true
    }

    /// How many steps of probing lead from one slot to another.
    fn distance(&self, from: usize, to: usize) -> usize {
        if from <= to { to - from } else { to + self.slots.len() - from }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_identity_is_always_new() {
        let mut seen = Seen::new(2);
        assert_eq!(seen.reserve(&[0, 0, 5, 5]), [true, true, true, false]);
        assert_eq!(seen.len(), 1);
        assert_eq!(seen.reserve(&[6, 7, 6, 5, 8, 7]), [true, true, false, false, true, false], "across generations");
    }

    #[test]
    fn the_window_is_held_and_at_most_a_third_more() {
        let mut seen = Seen::new(1_000);
        // Spread over all 64 bits, as hashes are.
        let spread = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let numbers: Vec<u64> = (1..=1_500).map(spread).collect();
        assert!(seen.reserve(&numbers).iter().all(|&is_new| is_new));
        assert!(seen.reserve(&numbers[500..]).iter().all(|&is_new| !is_new));
        let more: Vec<u64> = (1_501..=2_000).map(spread).collect();
        seen.reserve(&more);
        assert!(seen.reserve(&numbers[1_000..]).iter().all(|&is_new| !is_new), "the last 1,000 are told");
        assert!(seen.reserve(&numbers[..500]).iter().all(|&is_new| is_new), "the first 500 are not");
        assert!(seen.len() <= 1_336);
    }

    #[test]
    fn the_default_stays_within_50_megabytes() {
        let table = Table::new(DEFAULT_WINDOW.div_ceil(FULL_GENERATIONS));
        assert!((1 + FULL_GENERATIONS) * table.slots.len() * size_of::<u64>() < 51_000_000);
    }

    proptest! {
        /// Method: few distinct numbers, some of one home, so that runs form, wrap and are broken.
        #[test]
        fn behaves_as_a_set(steps in prop::collection::vec((any::<bool>(), 0u64..40), 0..400)) {
            let mut seen = Seen::new(64);
            let mut model = HashSet::new();
            for (reserves, number) in steps {
                let fingerprint = if number % 2 == 0 { u64::MAX - number } else { number.wrapping_mul(0x9e37_79b9_7f4a_7c15) };
                if reserves {
                    prop_assert_eq!(seen.reserve(&[fingerprint]), [model.insert(fingerprint)]);
                } else {
                    seen.withdraw([fingerprint]);
                    model.remove(&fingerprint);
                }
                prop_assert_eq!(seen.len(), model.len());
            }
            for fingerprint in model {
                prop_assert_eq!(seen.reserve(&[fingerprint]), [false]);
            }
        }
    }
}
