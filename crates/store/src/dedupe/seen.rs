//! The fingerprints that were met lately.

/// How many fingerprints one generation holds, unless settings say otherwise.
pub const DEFAULT_GENERATION: usize = 4_000_000;

/// A sliding window over fingerprints: two generations, of which the older goes when the newer is full.
///
/// Takes 9.4 bytes for each fingerprint that fits, so at most 76 MB for two generations of 4 million;
/// the older generation's half is taken only once the first is full.
#[derive(Debug)]
pub struct Seen {
    current: Table,
    previous: Option<Table>,
    generation: usize,
}

impl Seen {
    /// An empty window of two generations.
    ///
    /// # Panics
    /// Where a generation holds nothing.
    pub fn new(generation: usize) -> Self {
        assert!(generation > 0, "a generation holds at least one fingerprint");
        Self { current: Table::new(generation), previous: None, generation }
    }

    /// Remembers fingerprints, and tells of each whether it is new. 0 is always new and never remembered.
    pub fn reserve(&mut self, fingerprints: &[u64]) -> Vec<bool> {
        fingerprints.iter().map(|&fingerprint| self.reserve_one(fingerprint)).collect()
    }

    fn reserve_one(&mut self, fingerprint: u64) -> bool {
        if fingerprint == 0 {
            return true;
        }
        if self.previous.as_ref().is_some_and(|previous| previous.contains(fingerprint)) {
            return false;
        }
        if !self.current.insert(fingerprint) {
            return false;
        }
        if self.current.len == self.generation {
            // The oldest table serves again: a new one beside it would be a third for a while.
            let mut empty = self.previous.take().unwrap_or_else(|| Table::new(self.generation));
            empty.clear();
            self.previous = Some(std::mem::replace(&mut self.current, empty));
        }
        true
    }

    /// Forgets fingerprints that were new, because their events could not be written after all.
    pub fn withdraw(&mut self, fingerprints: impl IntoIterator<Item = u64>) {
        for fingerprint in fingerprints.into_iter().filter(|&fingerprint| fingerprint != 0) {
            if !self.current.remove(fingerprint)
                && let Some(previous) = &mut self.previous
            {
                previous.remove(fingerprint);
            }
        }
    }

    /// How many fingerprints are remembered.
    pub fn len(&self) -> usize {
        self.current.len + self.previous.as_ref().map_or(0, |previous| previous.len)
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
    }

    #[test]
    fn the_window_holds_one_to_two_generations() {
        let mut seen = Seen::new(1_000);
        // Spread over all 64 bits, as hashes are.
        let spread = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let numbers: Vec<u64> = (1..=1_500).map(spread).collect();
        assert!(seen.reserve(&numbers).iter().all(|&is_new| is_new));
        assert!(seen.reserve(&numbers).iter().all(|&is_new| !is_new));
        let more: Vec<u64> = (1_501..=2_000).map(spread).collect();
        seen.reserve(&more);
        assert!(seen.reserve(&numbers[1_000..]).iter().all(|&is_new| !is_new), "the last 1,000 are told");
        assert!(seen.reserve(&numbers[..1_000]).iter().all(|&is_new| is_new), "the first 1,000 are not");
        assert!(seen.len() <= 2_000);
    }

    #[test]
    fn the_default_stays_below_100_megabytes() {
        let table = Table::new(DEFAULT_GENERATION);
        assert!(2 * table.slots.len() * size_of::<u64>() < 80_000_000);
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
