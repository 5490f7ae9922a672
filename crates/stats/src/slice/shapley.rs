//! Which attributes the mix of a changed metric goes back to.

use std::collections::BTreeMap;

use super::change::{Both, ChangePart, MetricRows};

/// Most attributes: each subset of them is one decomposition.
const MOST_ATTRIBUTES: usize = 8;

/// A metric's change, shared among attributes: `parts` and `rate` add up to it.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeMix {
    /// The mix of each attribute: its Shapley value.
    pub parts: Vec<ChangePart>,
    /// The mix of each attribute when it is looked at alone.
    pub alone: Vec<f64>,
    /// The mix of all attributes together.
    pub joint: f64,
    /// What no mix explains: the same kinds of row with other results.
    pub rate: f64,
    /// `joint` less the sum of `alone`: far from zero if attributes move together, or only together.
    pub interaction: f64,
}

/// Shapley values of attributes in the mix of a change.
///
/// The worth of a set of attributes is the mix part of [`decompose_change`](super::decompose_change) with their joint
/// values as groups; an attribute's part is its mean marginal worth over all orders. Parts add up to the joint mix exactly.
/// Attributes that say the same share their part equally. `groups` of the two periods are not read: `columns` hold the
/// codes, reference and current, one pair for each attribute.
///
/// Not to be trusted when joint cells hold few rows: a cell that only one period has counts as mix. Merge rare values.
///
/// Cost: `O(2^m n log n)` for `m` attributes, 1 to 8. `None` as for `decompose_change`, or for uneven columns.
///
/// Source: Shorrocks, "Decomposition Procedures for Distributional Analysis", J. Econ. Inequality 11 (2013).
pub fn attribute_mix(
    columns: &[(&[u32], &[u32])],
    reference: MetricRows<'_>,
    current: MetricRows<'_>,
) -> Option<AttributeMix> {
    let m = columns.len();
    let n = [reference.numerators.len(), current.numerators.len()];
    let is_even = columns.iter().all(|(before, now)| [before.len(), now.len()] == n);
    if !(1..=MOST_ATTRIBUTES).contains(&m) || !is_even {
        return None;
    }
    let mut worth = vec![0.0; 1 << m];
    let mut influences: Vec<[Vec<f64>; 2]> = (0..m).map(|_| n.map(|n| vec![0.0; n])).collect();
    let (mut before, mut now) = (0.0, 0.0);
    for subset in 1..1_usize << m {
        let groups = joint(columns, subset);
        let periods = [MetricRows { groups: &groups[0], ..reference }, MetricRows { groups: &groups[1], ..current }];
        let both = Both::new(&periods[0], &periods[1])?;
        (before, now) = (both.sums[0].metric(), both.sums[1].metric());
        worth[subset] = both.mix_amount();
        let slopes = both.mix_slopes();
        for (period, rows) in periods.iter().enumerate() {
            let by_group: BTreeMap<u32, _> = both.influences(period, &slopes, 0.0).into_iter().collect();
            for (row, group) in rows.groups.iter().enumerate() {
                let Some(influence) = by_group.get(group) else { continue };
                let d = rows.denominators.map_or(1.0, |denominators| denominators[row]);
                let amount = influence.by_d * d + influence.by_y * rows.numerators[row];
                for (attribute, sums) in influences.iter_mut().enumerate() {
                    sums[period][row] += amount * share_of(attribute, subset, m);
                }
            }
        }
    }
    let part = |attribute: usize| {
        let amount = worth.iter().enumerate().map(|(subset, worth)| worth * share_of(attribute, subset, m)).sum();
        let variance: f64 = influences[attribute].iter().flatten().map(|influence| influence * influence).sum();
        ChangePart { amount, standard_error: variance.sqrt() }
    };
    let alone: Vec<f64> = (0..m).map(|attribute| worth[1 << attribute]).collect();
    let joint = worth[(1 << m) - 1];
    let interaction = joint - alone.iter().sum::<f64>();
    let found =
        AttributeMix { parts: (0..m).map(part).collect(), alone, joint, rate: now - before - joint, interaction };
    found.parts.iter().all(|part| part.amount.is_finite() && part.standard_error.is_finite()).then_some(found)
}

/// The factor of a subset's worth in an attribute's Shapley value; negative for subsets without it.
fn share_of(attribute: usize, subset: usize, m: usize) -> f64 {
    let others = (subset & !(1 << attribute)).count_ones() as usize;
    // (m - 1 - others)! others! / m!, as one over m times the number of such sets.
    let sets = (0..others).fold(1.0, |sets, chosen| sets * (m - 1 - chosen) as f64 / (chosen + 1) as f64);
    let factor = 1.0 / (m as f64 * sets);
    if subset & (1 << attribute) != 0 { factor } else { -factor }
}

/// A code for each row's values of the attributes in `subset`.
fn joint(columns: &[(&[u32], &[u32])], subset: usize) -> [Vec<u32>; 2] {
    let mut codes = BTreeMap::<Vec<u32>, u32>::new();
    let chosen: Vec<_> = (0..columns.len()).filter(|attribute| subset & (1 << attribute) != 0).collect();
    let n = columns.first().map_or([0, 0], |(before, now)| [before.len(), now.len()]);
    let mut code = |period: usize, row: usize| {
        let values =
            chosen.iter().map(|attribute| [columns[*attribute].0, columns[*attribute].1][period][row]).collect();
        let next = codes.len() as u32;
        *codes.entry(values).or_insert(next)
    };
    [0, 1].map(|period| (0..n[period]).map(|row| code(period, row)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Drawn = (Vec<Vec<u32>>, Vec<f64>);

    fn drawn(seed: u64, n: usize, more: u64) -> Drawn {
        let mut random = crate::random::SplitMix::new(seed);
        let first: Vec<u32> = (0..n).map(|_| u32::from(random.next() % 10 < more)).collect();
        let second: Vec<u32> = (0..n).map(|_| (random.next() % 3) as u32).collect();
        let y = first.iter().map(|code| f64::from(*code) + random.unit()).collect();
        (vec![first.clone(), second, first], y)
    }

    fn mix(reference: &Drawn, current: &Drawn, chosen: &[usize]) -> AttributeMix {
        let columns: Vec<(&[u32], &[u32])> =
            chosen.iter().map(|place| (&reference.0[*place][..], &current.0[*place][..])).collect();
        let rows = |y| MetricRows { groups: &[], numerators: y, denominators: None };
        attribute_mix(&columns, rows(&reference.1), rows(&current.1)).unwrap()
    }

    #[test]
    fn parts_add_up_and_the_attribute_that_moved_has_them() {
        let (reference, current) = (drawn(1, 3_000, 3), drawn(2, 3_000, 5));
        let found = mix(&reference, &current, &[0, 1]);
        let mean = |y: &[f64]| y.iter().sum::<f64>() / y.len() as f64;
        let sum: f64 = found.parts.iter().map(|part| part.amount).sum();
        assert!((sum - found.joint).abs() < 1e-12);
        assert!((sum + found.rate - (mean(&current.1) - mean(&reference.1))).abs() < 1e-12);
        assert!((found.parts[0].amount - 0.2).abs() < 4.0 * found.parts[0].standard_error);
        assert!(found.parts[1].amount.abs() < 0.01 && found.parts[0].standard_error < 0.02);
    }

    /// Goal: an attribute and its alias share the part, and the interaction tells that they are one.
    #[test]
    fn aliases_share_their_part() {
        let found = mix(&drawn(1, 3_000, 3), &drawn(2, 3_000, 5), &[0, 2]);
        assert!((found.parts[0].amount - found.parts[1].amount).abs() < 1e-12);
        assert!((found.interaction + found.joint).abs() < 1e-9);
    }

    #[test]
    fn uneven_columns_are_refused() {
        let rows = MetricRows { groups: &[], numerators: &[1.0, 2.0], denominators: None };
        assert_eq!(attribute_mix(&[(&[0], &[0, 1])], rows, rows), None);
        assert_eq!(attribute_mix(&[], rows, rows), None);
    }
}
