//! Which rows carry an effect: the smallest slices, how much of it each explains, and how sure that is.
//!
//! A slice is a conjunction of up to three conditions `attribute = value` ([`Attributes`]). An effect is a number for
//! each row, larger where it is worse: a loss, an error, a latency, or what [`shift_effect`] and [`change_effect`] make of
//! two periods.
//!
//! [`top_slices`] is the exact search; [`responsible_slices`] adds parsimony, honest p-values (search on one half of the
//! rows, test on the other) and the share explained; [`decompose_change`] splits the change of a metric into mix and
//! rate, and [`attribute_mix`] shares the mix among several attributes.

mod attributes;
mod change;
mod cuts;
mod effect;
mod enumerate;
mod responsible;
mod shapley;
mod share;

pub use attributes::{Attributes, Condition, NO_VALUE};
pub use change::{ChangePart, Decomposition, GroupChange, MetricRows, decompose_change};
pub use cuts::{merge_rare, quantile_codes};
pub use effect::{change_effect, shift_effect};
pub use enumerate::{FoundSlice, Search, top_slices};
pub use responsible::{Alias, Responsible, ResponsibleSlice, Settings, SliceError, responsible_slices};
pub use shapley::{AttributeMix, attribute_mix};
pub use share::{Baseline, Share};
