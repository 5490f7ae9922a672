//! Weights by value for a column with few values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::{Merge, MergeError};
use super::{Mass, Weighted};

/// Weights by value; at most `cap` values are kept, the rest is weighed together as `other`.
///
/// What holds of [`crate::sketch::CategoryCounts`] holds of it, up to rounding: the values seen
/// first are kept (a merge keeps the heaviest, ties by value), and
/// `weight_of(value) <= true weight <= weight_of(value) + other()`. Whenever the weights are
/// scaled, values that have faded to under `1e-9` of all make room for new ones.
///
/// Cost: `O(log cap)` a value; a value that is known allocates nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<K>", bound(deserialize = "K: Ord + Deserialize<'de>"))]
pub struct WeightedCounts<K: Ord> {
    weights: BTreeMap<K, f64>,
    cap: usize,
    other: f64,
    mass: Mass,
}

/// A value with less than this share of all weight is forgotten when the weights are scaled.
const FADED: f64 = 1e-9;

impl<K: Ord> Default for WeightedCounts<K> {
    fn default() -> Self {
        Self::with_cap(256)
    }
}

impl<K: Ord> WeightedCounts<K> {
    /// Keeps at most `cap` values.
    #[must_use]
    pub fn with_cap(cap: usize) -> Self {
        Self { weights: BTreeMap::new(), cap, other: 0.0, mass: Mass::default() }
    }

    /// The weight of a value, which is a lower bound once `other` is not zero.
    pub fn weight_of<Q>(&self, value: &Q) -> f64
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.weights.get(value).copied().unwrap_or(0.0)
    }

    /// The share of a value in all weight; `None` without values.
    pub fn share_of<Q>(&self, value: &Q) -> Option<f64>
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        (self.mass.weight > 0.0).then(|| (self.weight_of(value) / self.mass.weight).min(1.0))
    }

    /// The weight beyond the kept values.
    #[must_use]
    pub fn other(&self) -> f64 {
        self.other
    }

    /// How many values are kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.weights.len()
    }

    /// The kept values and their weights, by value.
    pub fn iter(&self) -> impl Iterator<Item = (&K, f64)> {
        self.weights.iter().map(|(value, weight)| (value, *weight))
    }

    /// Puts the faded values with `other`.
    fn drop_faded(&mut self) {
        let least = FADED * self.mass.weight;
        let other = &mut self.other;
        self.weights.retain(|_, weight| {
            let stays = *weight >= least;
            *other += if stays { 0.0 } else { *weight };
            stays
        });
    }

    fn drop_lightest(&mut self)
    where
        K: Clone,
    {
        let mut by_weight: Vec<(f64, &K)> = self.weights.iter().map(|(value, weight)| (*weight, value)).collect();
        by_weight.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let dropped: Vec<K> = by_weight.into_iter().skip(self.cap).map(|(_, value)| value.clone()).collect();
        for value in dropped {
            self.other += self.weights.remove(&value).unwrap_or(0.0);
        }
    }
}

impl<K: Ord + Clone> Weighted for WeightedCounts<K> {
    type Value = K;

    fn accepts(&self, _value: &K) -> bool {
        true
    }

    #[inline]
    fn insert_weighted(&mut self, value: &K, weight: f64) -> bool {
        if !self.mass.add(weight) {
            return false;
        }
        if let Some(held) = self.weights.get_mut(value) {
            *held += weight;
        } else if self.weights.len() < self.cap {
            self.weights.insert(value.clone(), weight);
        } else {
            self.other += weight;
        }
        true
    }

    fn scale(&mut self, factor: f64) {
        self.mass.scale(factor);
        self.other *= factor;
        self.weights.values_mut().for_each(|weight| *weight *= factor);
        self.drop_faded();
    }

    fn weight(&self) -> f64 {
        self.mass.weight
    }

    fn effective_count(&self) -> f64 {
        self.mass.effective_count()
    }
}

impl<K: Ord + Clone> Merge for WeightedCounts<K> {
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError> {
        for (value, weight) in &other.weights {
            *self.weights.entry(value.clone()).or_insert(0.0) += weight;
        }
        self.mass.merge(&other.mass);
        self.other += other.other;
        if self.weights.len() > self.cap {
            self.drop_lightest();
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.weights.clear();
        self.other = 0.0;
        self.mass = Mass::default();
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "K: Ord + Deserialize<'de>"))]
struct Stored<K> {
    weights: BTreeMap<K, f64>,
    cap: usize,
    other: f64,
    mass: Mass,
}

impl<K: Ord> TryFrom<Stored<K>> for WeightedCounts<K> {
    type Error = &'static str;

    fn try_from(stored: Stored<K>) -> Result<Self, Self::Error> {
        let Stored { weights, cap, other, mass } = stored;
        let positive = weights.values().chain([&other]).all(|weight| (0.0..=f64::MAX).contains(weight));
        let held: f64 = weights.values().sum::<f64>() + other;
        let adds_up = (held - mass.weight).abs() <= 1e-6 * mass.weight;
        if !(mass.is_sound() && positive && adds_up && weights.len() <= cap) {
            return Err("weights by value that do not add up");
        }
        Ok(Self { weights, cap, other, mass })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn weigh(values: &[(u32, f64)], cap: usize) -> WeightedCounts<u32> {
        let mut counts = WeightedCounts::with_cap(cap);
        values.iter().for_each(|(value, weight)| assert!(counts.insert_weighted(value, *weight)));
        counts
    }

    #[test]
    fn faded_values_make_room() {
        let mut counts = weigh(&[(1, 1e-12), (2, 1.0)], 2);
        counts.scale(0.5);
        assert!(counts.insert_weighted(&3, 0.5));
        assert_eq!((counts.kept(), counts.weight_of(&1), counts.weight_of(&3)), (2, 0.0, 0.5));
        assert!((counts.share_of(&3).unwrap() - 0.5).abs() < 1e-9 && counts.other() == 5e-13);
        assert_eq!(WeightedCounts::<u32>::default().share_of(&1), None);
        assert!(!counts.insert_weighted(&3, f64::NAN));
    }

    proptest! {
        #[test]
        fn merging_is_as_one_pass_below_the_cap(
            left in proptest::collection::vec((0..20_u32, 1e-3..1e3_f64), 0..100),
            right in proptest::collection::vec((0..20_u32, 1e-3..1e3_f64), 0..100),
        ) {
            let mut merged = weigh(&left, 32);
            merged.merge_from(&weigh(&right, 32)).unwrap();
            let whole = weigh(&[left, right].concat(), 32);
            for value in 0..20 {
                prop_assert!((merged.weight_of(&value) - whole.weight_of(&value)).abs() <= 1e-9);
            }
            prop_assert!((merged.effective_count() - whole.effective_count()).abs() <= 1e-9);
        }

        #[test]
        fn weights_bound_the_truth_above_the_cap(
            left in proptest::collection::vec((0..50_u32, 1e-3..1e3_f64), 0..200),
            right in proptest::collection::vec((0..50_u32, 1e-3..1e3_f64), 0..200),
            value in 0..50_u32,
        ) {
            let mut merged = weigh(&left, 8);
            merged.merge_from(&weigh(&right, 8)).unwrap();
            let truth: f64 = left.iter().chain(&right).filter(|seen| seen.0 == value).map(|seen| seen.1).sum();
            prop_assert!(merged.weight_of(&value) <= truth + 1e-6);
            prop_assert!(truth <= merged.weight_of(&value) + merged.other() + 1e-6);
            prop_assert!(merged.kept() <= 8);
        }
    }
}
