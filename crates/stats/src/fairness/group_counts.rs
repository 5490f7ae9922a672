//! Decisions against labels, counted by group.

use std::error::Error;
use std::fmt::{Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::performance::Confusion;

const MOST_GROUPS: usize = 1 << 20;
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
