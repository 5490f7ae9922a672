//! Are groups of people decided alike, and may one say so from this many?
//!
//! [`GroupCounts`] streams and merges; [`GroupCounts::gap`] compares a metric over all groups, and
//! [`GroupCounts::impacts`] compares each group's selection rate with a reference group's.
//! A crossed group, such as women over 40, is a group of its own: number it with [`crossed`].

mod group_counts;
mod group_metric;
mod impact;
mod impact_table;

pub use group_counts::{GroupCounts, GroupCountsError, crossed};
pub use group_metric::{Gap, GroupMetric, GroupValue};
pub use impact::{Impact, ImpactRules, Selection, Verdict, impact};
pub use impact_table::{ImpactRow, ImpactTable, ReferenceGroup};
