//! Which entities carry an effect: single values, or pairs where no single one does.
//!
//! Each entity's bad predictions are compared with what is normal for them and with how bad those outside it are, by a
//! binomial tail; the level is shared by all entities and pairs that were looked at (Bonferroni). What is named is a
//! place where a pattern shows, and says nothing of who caused it.

use std::collections::BTreeMap;

use wardline_domain::{Carrier, Slice};

use crate::{
    entities::{Entities, EntityIds, SLOTS},
    tails::binomial_at_least,
};

/// Chance of naming any entity that does not carry the effect.
const LEVEL: f64 = 0.01;
/// A named entity has so many bad predictions at least.
const LEAST_BAD: f64 = 4.0;
/// And this part of all that is bad beyond what is normal.
const LEAST_SHARE: f64 = 0.1;
/// Most entities that are named.
const MOST_NAMED: usize = 6;
/// An entity whose predictions are nearly all there are carries nothing by itself.
const MOST_OF_ALL: f64 = 0.9;

/// One prediction: whether it was bad, and how likely that was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Blamed {
    pub(crate) entities: EntityIds,
    pub(crate) bad: bool,
    pub(crate) expected: f64,
}

/// An entity or a pair that carries the effect.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Culprit {
    /// By dimension's slot.
    pub(crate) members: Vec<(usize, u16)>,
    pub(crate) n: u64,
    pub(crate) bad: u64,
    pub(crate) expected: f64,
    /// Its part of what is bad beyond what is normal.
    pub(crate) share: f64,
    /// Adjusted for all that were looked at.
    pub(crate) p_value: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    n: f64,
    bad: f64,
    expected: f64,
}

impl Counts {
    fn add(&mut self, row: &Blamed) {
        self.n += 1.0;
        self.bad += f64::from(u8::from(row.bad));
        self.expected += row.expected;
    }
}

/// Entities that carry the effect in these predictions, the surest first.
pub(crate) fn culprits(rows: &[Blamed]) -> Vec<Culprit> {
    let mut all = Counts::default();
    let mut single: BTreeMap<[(usize, u16); 1], Counts> = BTreeMap::new();
    for row in rows {
        all.add(row);
        for (slot, &id) in row.entities.iter().enumerate().filter(|&(_, &id)| id != 0) {
            single.entry([(slot, id)]).or_default().add(row);
        }
    }
    let found = named(&single, all);
    if !found.is_empty() {
        return found;
    }
    let mut pairs: BTreeMap<[(usize, u16); 2], Counts> = BTreeMap::new();
    // Only what is bad can be part of a pair that carries it.
    let bad: Vec<&Blamed> = rows.iter().filter(|row| row.bad).collect();
    for row in bad {
        each_pair(&row.entities, |pair| {
            pairs.entry(pair).or_default();
        });
    }
    for row in rows {
        each_pair(&row.entities, |pair| {
            if let Some(counts) = pairs.get_mut(&pair) {
                counts.add(row);
            }
        });
    }
    named(&pairs, all)
}

fn each_pair(entities: &EntityIds, mut each: impl FnMut([(usize, u16); 2])) {
    for left in 0..SLOTS {
        for right in left + 1..SLOTS {
            if entities[left] != 0 && entities[right] != 0 {
                each([(left, entities[left]), (right, entities[right])]);
            }
        }
    }
}

fn named<const N: usize>(counted: &BTreeMap<[(usize, u16); N], Counts>, all: Counts) -> Vec<Culprit> {
    let excess = all.bad - all.expected;
    if excess <= 0.0 {
        return Vec::new();
    }
    let mut found: Vec<Culprit> = counted
        .iter()
        .filter_map(|(members, counts)| {
            let share = (counts.bad - counts.expected) / excess;
            if counts.bad < LEAST_BAD || share < LEAST_SHARE || counts.n > MOST_OF_ALL * all.n {
                return None;
            }
            let rest = (all.bad - counts.bad + 0.5) / (all.n - counts.n + 1.0);
            let normal = (counts.expected / counts.n).max(rest).clamp(1e-6, 0.999);
            let tail = binomial_at_least(counts.bad as u64, counts.n as u64, normal);
            let p_value = (tail * counted.len() as f64).min(1.0);
            (p_value <= LEVEL).then(|| Culprit {
                members: members.to_vec(),
                n: counts.n as u64,
                bad: counts.bad as u64,
                expected: counts.expected,
                share: share.min(1.0),
                p_value,
            })
        })
        .collect();
    found.sort_by(|left, right| left.p_value.total_cmp(&right.p_value).then_with(|| left.members.cmp(&right.members)));
    found.truncate(MOST_NAMED);
    found
}

/// Entities as a finding names them.
pub(crate) fn carriers(culprits: &[Culprit], entities: &Entities) -> Vec<Carrier> {
    culprits
        .iter()
        .map(|culprit| {
            let n = culprit.n as f64;
            // Of its own bad predictions: what chance adds to them or leaves out.
            let error = 1.96 * (culprit.bad as f64 * (1.0 - culprit.bad as f64 / n).max(0.05)).sqrt();
            let relative = error / (culprit.bad as f64 - culprit.expected).max(1e-9);
            let (low, high) = (culprit.share * (1.0 - relative), culprit.share * (1.0 + relative));
            Carrier {
                name: slice_of(&culprit.members, entities).to_string(),
                share: culprit.share,
                interval: Some((low.clamp(0.0, 1.0), high.clamp(0.0, 1.0))),
            }
        })
        .collect()
}

/// An entity or a pair as a part of the traffic.
pub(crate) fn slice_of(members: &[(usize, u16)], entities: &Entities) -> Slice {
    members
        .iter()
        .fold(Slice::whole(), |slice, &(slot, id)| slice.and(entities.dimension(slot), entities.value(slot, id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Dice;

    /// Predictions of four stores and forty people; `is_bad` says with which chance one is bad.
    fn rows(seed: u64, chance: impl Fn(u16, u16) -> f64) -> Vec<Blamed> {
        let mut dice = Dice(seed);
        (0..2_000)
            .map(|_| {
                let (store, person) = ((dice.next() * 4.0) as u16 + 1, (dice.next() * 40.0) as u16 + 1);
                let bad = dice.next() < chance(store, person);
                Blamed { entities: [1, store, person, 0, 0, 0, 0, 0], bad, expected: 0.03 }
            })
            .collect()
    }

    #[test]
    fn one_person_among_forty_is_found_and_an_even_rise_names_nobody() {
        let found = culprits(&rows(1, |_, person| if person == 7 { 0.35 } else { 0.03 }));
        assert_eq!(found.first().map(|culprit| culprit.members.clone()), Some(vec![(2, 7)]));
        assert_eq!(found.len(), 1, "{found:?}");
        let named = (0..200).filter(|&seed| !culprits(&rows(seed, |_, _| 0.06)).is_empty()).count();
        assert!(named <= 6, "{named} of 200");
    }

    /// Goal: a person who is bad in one store only is named with it.
    #[test]
    fn a_pair_is_named_where_no_single_one_carries_it() {
        let chance = |store: u16, person: u16| {
            if (store + person).is_multiple_of(2) && person <= 4 && store <= 2 { 0.9 } else { 0.03 }
        };
        let one = |store: u16, person: u16| if store == 2 && person == 9 { 0.5 } else { 0.03 };
        assert!(!culprits(&rows(3, chance)).is_empty());
        let found = culprits(&rows(5, one));
        assert!(found.iter().any(|culprit| culprit.members.contains(&(2, 9))), "{found:?}");
    }
}
