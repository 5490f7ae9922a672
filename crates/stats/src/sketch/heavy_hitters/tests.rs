use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::random::SplitMix;

fn count(values: &[u32], capacity: usize) -> HeavyHitters<u32> {
    let mut counts = HeavyHitters::new(capacity).unwrap();
    values.iter().for_each(|value| counts.insert(value));
    counts
}

fn truth(values: &[u32]) -> BTreeMap<u32, u64> {
    let mut counts = BTreeMap::new();
    values.iter().for_each(|value| *counts.entry(*value).or_insert(0) += 1);
    counts
}

#[test]
fn no_possible_capacity_is_refused() {
    assert_eq!(HeavyHitters::<u32>::new(0), None);
    assert_eq!(HeavyHitters::<u32>::new(usize::MAX), None);
    let empty = HeavyHitters::<u32>::default();
    assert_eq!((empty.total(), empty.top(3), empty.count(&1)), (0, vec![], 0));
}

#[test]
fn a_million_different_values_do_not_hide_the_frequent_ones() {
    let mut hitters = HeavyHitters::<u64>::new(100).unwrap();
    let mut random = SplitMix::new(3);
    for i in 0..1_000_000_u64 {
        let value = if i % 50 == 0 { i / 50 % 4 } else { random.next() | 1 << 63 };
        hitters.insert(&value);
    }
    let found: Vec<u64> = hitters.above(0.01).unwrap().iter().map(|hitter| hitter.value).collect();
    // Each of the four has half of one per cent, which is less than the capacity can tell.
    assert!(hitters.above(0.005).is_none() && found.len() <= 100);
    assert!(hitters.error() <= 1_000_000 / 101);

    let mut wide = HeavyHitters::<u64>::new(999).unwrap();
    for i in 0..1_000_000_u64 {
        let value = if i % 50 == 0 { i / 50 % 4 } else { random.next() | 1 << 63 };
        wide.insert(&value);
    }
    let mut found: Vec<u64> = wide.top(4).iter().map(|hitter| hitter.value).collect();
    found.sort_unstable();
    assert_eq!(found, [0, 1, 2, 3]);
    assert!(wide.top(4).iter().all(|hitter| hitter.at_least <= 5_000 && 5_000 <= hitter.at_most));
    assert_eq!(wide.above(0.004).unwrap().iter().filter(|hitter| hitter.value < 4).count(), 4);
}

#[test]
fn a_skewed_column_is_told_far_better_than_the_bound() {
    let mut hitters = HeavyHitters::<u32>::new(64).unwrap();
    let mut random = SplitMix::new(8);
    // Half of all values are 0, a quarter 1, an eighth 2, and so on.
    (0..100_000).for_each(|_| hitters.insert(&random.next().leading_zeros()));
    assert_eq!(hitters.error(), 0);
    assert_eq!(hitters.top(3).iter().map(|hitter| hitter.value).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn text_takes_the_memory_of_what_was_let_go() {
    let mut hitters = HeavyHitters::<String>::new(2).unwrap();
    for value in ["one", "two", "three", "four", "five", "five"] {
        hitters.insert(value);
    }
    assert_eq!(hitters.total(), 6);
    assert!(hitters.count("five") <= 2 && hitters.count("five") + hitters.error() >= 2);
    hitters.clear();
    assert_eq!(hitters, HeavyHitters::new(2).unwrap());
}

#[test]
fn counts_that_do_not_fit_are_refused() {
    let mut hitters = HeavyHitters::<u32>::new(1).unwrap();
    hitters.insert_n(&1, u64::MAX);
    hitters.insert_n(&2, 5);
    assert_eq!((hitters.total(), hitters.count(&1)), (u64::MAX, u64::MAX));
    assert_eq!(hitters.merge(&count(&[3], 4)), Err(MergeError::TooMany));
    assert_eq!(hitters.capacity(), 1);
}

proptest! {
    #[test]
    fn merging_is_exact_below_the_capacity(
        left in proptest::collection::vec(0..20_u32, 0..200),
        right in proptest::collection::vec(0..20_u32, 0..200),
    ) {
        let mut merged = count(&left, 20);
        merged.merge(&count(&right, 20)).unwrap();
        prop_assert_eq!(&merged, &count(&[left, right].concat(), 20));
        prop_assert_eq!(merged.error(), 0);
    }

    #[test]
    fn the_bound_holds_for_every_value(
        parts in proptest::collection::vec(proptest::collection::vec((0..60_u32).prop_map(|v| v * v / 60), 0..150), 1..6),
        capacity in 1..20_usize,
        times in 1..4_u64,
    ) {
        let mut merged = HeavyHitters::new(capacity).unwrap();
        for part in &parts {
            let mut counts = HeavyHitters::new(capacity).unwrap();
            part.iter().for_each(|value| counts.insert_n(value, times));
            merged.merge(&counts).unwrap();
        }
        let all = parts.concat();
        let total = all.len() as u64 * times;
        prop_assert_eq!(merged.total(), total);
        prop_assert!(merged.kept() <= capacity);
        prop_assert!(merged.error() <= total / (capacity as u64 + 1));
        for (value, counted) in truth(&all) {
            let (low, high) = (merged.count(&value), merged.count(&value) + merged.error());
            prop_assert!(low <= counted * times && counted * times <= high);
        }
    }

    #[test]
    fn survives_being_written_down(all in proptest::collection::vec(0..60_u32, 0..300), capacity in 1..20_usize) {
        let sketch = count(&all, capacity);
        prop_assert_eq!(HeavyHitters::try_from(Stored::from(sketch.clone())).unwrap(), sketch);
    }
}
