//! Every group's selection rate against one reference group's.

use serde::{Deserialize, Serialize};

use super::{GroupCounts, Impact, ImpactRules, Selection, impact};
use crate::multiple::holm;

/// Which group the others are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReferenceGroup {
    /// Chosen before the data were seen.
    Group(usize),
    /// The group with the greatest selection rate of those with the least count.
    ///
    /// A rate that is greatest is in part so by chance, so ratios lie too low and their intervals
    /// and verdicts are too sure; the adjusted p-values account for it.
    MostFavoured,
}

/// A group in the table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImpactRow {
    /// The group.
    pub group: usize,
    /// Against the reference.
    pub impact: Impact,
    /// A finding where at most alpha: the chance of any false finding among the groups is then at
    /// most alpha. `None` for a group with too few.
    pub adjusted_p_value: Option<f64>,
}

/// All groups against one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImpactTable {
    /// The group that the others are compared with.
    pub reference: usize,
    /// The other groups that are not empty, in order.
    pub rows: Vec<ImpactRow>,
}

impl GroupCounts {
    /// Compares each group's selection rate with the reference group's; see [`impact`].
    ///
    /// p-values are adjusted over the groups with at least the least count: Holm for a chosen
    /// reference, Bonferroni over all pairs of them for the most favoured one.
    /// `None` if there is no such reference, nobody of it was selected, or a rule is out of range.
    #[must_use]
    pub fn impacts(&self, reference: ReferenceGroup, rules: &ImpactRules) -> Option<ImpactTable> {
        let selection = |at: usize| {
            let table = self.groups().get(at)?;
            Some(Selection { selected: table.true_positive.saturating_add(table.false_positive), count: table.count() })
        };
        let all: Vec<Selection> = (0..self.groups().len()).filter_map(selection).collect();
        let large = |s: &Selection| s.count >= rules.least_count.max(1);
        let rate = |s: &Selection| s.selected as f64 / s.count as f64;
        let favoured = || {
            let sized = all.iter().enumerate().filter(|(_, s)| large(s));
            // The first of equals, so that the answer does not depend on how they are listed later.
            sized.rev().max_by(|(_, a), (_, b)| rate(a).total_cmp(&rate(b))).map(|(at, _)| at)
        };
        let at = match reference {
            ReferenceGroup::Group(group) => group,
            ReferenceGroup::MostFavoured => favoured()?,
        };
        let base = *all.get(at)?;
        impact(base, base, rules)?;
        let mut rows = Vec::new();
        for (group, current) in all.iter().enumerate().filter(|(group, s)| *group != at && s.count > 0) {
            rows.push(ImpactRow { group, impact: impact(base, *current, rules)?, adjusted_p_value: None });
        }
        let tested: Vec<usize> = (0..rows.len()).filter(|row| large(&base) && large(&all[rows[*row].group])).collect();
        let p_values: Vec<f64> = tested.iter().map(|row| rows[*row].impact.p_value).collect();
        let pairs = 0.5 * (tested.len() * (tested.len() + 1)) as f64;
        let adjusted = match reference {
            ReferenceGroup::Group(_) => holm(&p_values)?,
            ReferenceGroup::MostFavoured => p_values.iter().map(|p| (pairs * p).min(1.0)).collect(),
        };
        tested.iter().zip(adjusted).for_each(|(row, p)| rows[*row].adjusted_p_value = Some(p));
        Some(ImpactTable { reference: at, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn counts(groups: &[(usize, usize)]) -> GroupCounts {
        let mut counts = GroupCounts::new(groups.len()).unwrap();
        for (group, (selected, count)) in groups.iter().enumerate() {
            (0..*count).for_each(|row| assert!(counts.observe(group, row < *selected, true)));
        }
        counts
    }

    #[test]
    fn the_most_favoured_of_sufficient_size_is_the_reference() {
        let counts = counts(&[(50, 100), (5, 5), (100, 400), (0, 0)]);
        let rules = ImpactRules::default();
        let table = counts.impacts(ReferenceGroup::MostFavoured, &rules).unwrap();
        assert_eq!(table.reference, 0);
        assert_eq!(table.rows.iter().map(|row| row.group).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(table.rows[0].adjusted_p_value, None);
        assert_eq!(table.rows[0].impact.verdict, Verdict::TooFew);
        assert_eq!(table.rows[1].impact.verdict, Verdict::AdverseImpact);
        assert!((table.rows[1].impact.shortfall - 100.0).abs() < 1e-9);
        assert_eq!(counts.impacts(ReferenceGroup::Group(3), &rules), None);
        assert_eq!(counts.impacts(ReferenceGroup::Group(9), &rules), None);
    }

    /// Goal: the choice of the reference is paid for. Method: three groups, so 3 pairs against 2 tests.
    #[test]
    fn a_reference_chosen_by_the_data_costs_more() {
        let counts = counts(&[(60, 100), (40, 100), (40, 100)]);
        let p = |reference| {
            let table = counts.impacts(reference, &ImpactRules::default()).unwrap();
            table.rows[0].adjusted_p_value.unwrap()
        };
        assert!((p(ReferenceGroup::MostFavoured) / p(ReferenceGroup::Group(0)) - 1.5).abs() < 1e-9);
    }
}
