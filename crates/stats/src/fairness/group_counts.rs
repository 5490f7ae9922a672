//! Decisions against labels, counted by group.

use std::error::Error;
use std::fmt::{Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::performance::Confusion;

pub(super) const MOST_GROUPS: usize = 1 << 20;
/// Of so many groups, four sets of cells stay in the fast cache.
const MOST_GROUPS_IN_LANES: usize = 256;
const MOST_COUNT: u64 = 1 << 60;

/// The two-by-two tables of up to a million groups: `O(1)` a row, and tables add up exactly.
///
/// ```
/// use wardline_stats::fairness::{GroupCounts, GroupMetric};
///
/// let mut counts = GroupCounts::new(2).unwrap();
/// for row in 0..100 {
///     counts.observe(row % 2, row % 4 == 0, row % 3 == 0);
/// }
/// let gap = counts.gap(GroupMetric::SelectionRate, 0.95).unwrap();
/// assert_eq!(gap.difference, 0.5);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Confusion>", into = "Vec<Confusion>")]
pub struct GroupCounts {
    groups: Vec<Confusion>,
}

/// Why stored counts are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupCountsError {
    /// No group, or more than 1,048,576.
    Groups,
    /// A count above `2^60`.
    Count,
}

impl Display for GroupCountsError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Groups => "the number of groups must lie between 1 and 1048576",
            Self::Count => "a count by group is above 2^60",
        })
    }
}

impl Error for GroupCountsError {}

impl GroupCounts {
    /// Empty counts; `None` unless `1 <= n_groups <= 1_048_576`.
    #[must_use]
    pub fn new(n_groups: usize) -> Option<Self> {
        (1..=MOST_GROUPS).contains(&n_groups).then(|| Self { groups: vec![Confusion::default(); n_groups] })
    }

    /// Counts rows in one pass, some nanoseconds each: the group, the decision and the label of row `i` are
    /// at place `i`.
    ///
    /// `None` if the lengths differ, a group is not below `n_groups`, or unless `1 <= n_groups <= 1_048_576`.
    #[must_use]
    pub fn from_rows(groups: &[u32], decisions: &[bool], labels: &[bool], n_groups: usize) -> Option<Self> {
        let n_rows = groups.len();
        let known = groups.iter().max().is_none_or(|most| (*most as usize) < n_groups);
        if !(1..=MOST_GROUPS).contains(&n_groups) || decisions.len() != n_rows || labels.len() != n_rows || !known {
            return None;
        }
        // Neighbouring rows of one cell would wait for each other: each of four lanes has its own cells.
        let n_lanes = if n_groups <= MOST_GROUPS_IN_LANES { 4 } else { 1 };
        let n_cells = 4 * n_groups;
        let mut cells = vec![0_u64; n_lanes * n_cells];
        for (row, ((group, decision), label)) in groups.iter().zip(decisions).zip(labels).enumerate() {
            let cell = 4 * *group as usize + 2 * usize::from(*decision) + usize::from(*label);
            cells[(row & (n_lanes - 1)) * n_cells + cell] += 1;
        }
        let table = |group: usize| {
            let sum = |cell: usize| (0..n_lanes).map(|lane| cells[lane * n_cells + 4 * group + cell]).sum();
            Confusion { true_negative: sum(0), false_negative: sum(1), false_positive: sum(2), true_positive: sum(3) }
        };
        Some(Self { groups: (0..n_groups).map(table).collect() })
    }

    /// Takes in one decision with its label; `false`, and nothing counted, if there is no such group.
    pub fn observe(&mut self, group: usize, decision: bool, label: bool) -> bool {
        let Some(table) = self.groups.get_mut(group) else { return false };
        table.observe(decision, label);
        true
    }

    /// Adds the counts of another stretch; `false`, and nothing added, if the groups differ in number.
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.groups.len() != other.groups.len() {
            return false;
        }
        self.groups.iter_mut().zip(&other.groups).for_each(|(mine, theirs)| mine.merge(theirs));
        true
    }

    /// The table of each group, in order.
    #[must_use]
    pub fn groups(&self) -> &[Confusion] {
        &self.groups
    }
}

impl TryFrom<Vec<Confusion>> for GroupCounts {
    type Error = GroupCountsError;

    fn try_from(groups: Vec<Confusion>) -> Result<Self, Self::Error> {
        if !(1..=MOST_GROUPS).contains(&groups.len()) {
            return Err(GroupCountsError::Groups);
        }
        let small = |table: &Confusion| {
            let cells = [table.true_positive, table.false_positive, table.true_negative, table.false_negative];
            cells.iter().all(|count| *count <= MOST_COUNT)
        };
        if groups.iter().all(small) { Ok(Self { groups }) } else { Err(GroupCountsError::Count) }
    }
}

impl From<GroupCounts> for Vec<Confusion> {
    fn from(counts: GroupCounts) -> Self {
        counts.groups
    }
}

/// The number of a crossed group: `levels` are pairs of a level and how many there are, the last
/// varying fastest.
///
/// `None` if a level is not below its number of levels, or the product overflows.
#[must_use]
pub fn crossed(levels: &[(usize, usize)]) -> Option<usize> {
    levels.iter().try_fold(0_usize, |index, (level, n_levels)| {
        (level < n_levels).then(|| index.checked_mul(*n_levels)?.checked_add(*level))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_merge_to_the_whole() {
        let (mut whole, mut half, mut other) =
            (GroupCounts::new(3).unwrap(), GroupCounts::new(3).unwrap(), GroupCounts::new(3).unwrap());
        for row in 0..90_usize {
            assert!(whole.observe(row % 3, row % 5 < 2, row % 7 < 3));
            (if row < 40 { &mut half } else { &mut other }).observe(row % 3, row % 5 < 2, row % 7 < 3);
        }
        assert!(half.merge(&other));
        assert_eq!(half, whole);
        assert!(!half.observe(3, true, true));
        assert!(!half.merge(&GroupCounts::new(2).unwrap()));
    }

    #[test]
    fn rows_at_once_count_as_one_by_one() {
        for n_groups in [1_usize, 5, 300] {
            let mut expected = GroupCounts::new(n_groups).unwrap();
            let (mut groups, mut decisions, mut labels) = (vec![], vec![], vec![]);
            for row in 0..1_003_usize {
                let (group, decision, label) = (row * row % n_groups, row % 5 < 2, row % 7 < 3);
                expected.observe(group, decision, label);
                groups.push(group as u32);
                decisions.push(decision);
                labels.push(label);
            }
            let found = GroupCounts::from_rows(&groups, &decisions, &labels, n_groups);
            assert_eq!(found, Some(expected));
            let most = groups.iter().max().map_or(0, |most| *most as usize);
            assert_eq!(GroupCounts::from_rows(&groups, &decisions, &labels, most), None);
            assert_eq!(GroupCounts::from_rows(&groups, &decisions, &labels[1..], n_groups), None);
        }
        assert_eq!(GroupCounts::from_rows(&[], &[], &[], 2), GroupCounts::new(2));
        assert_eq!(GroupCounts::from_rows(&[], &[], &[], usize::MAX), None);
    }

    #[test]
    fn stored_counts_are_checked() {
        let mut counts = GroupCounts::new(2).unwrap();
        counts.observe(1, true, false);
        let text = serde_json::to_string(&counts).unwrap();
        assert_eq!(serde_json::from_str::<GroupCounts>(&text).unwrap(), counts);
        assert!(serde_json::from_str::<GroupCounts>("[]").is_err());
        assert!(serde_json::from_str::<GroupCounts>(&text.replacen(":1", ":18446744073709551615", 1)).is_err());
        assert_eq!(GroupCounts::new(0), None);
    }

    #[test]
    fn crossed_groups_are_numbered() {
        assert_eq!(crossed(&[(1, 2), (2, 3)]), Some(5));
        assert_eq!(crossed(&[(2, 2)]), None);
        assert_eq!(crossed(&[(0, usize::MAX), (1, 2)]), Some(1));
    }
}
