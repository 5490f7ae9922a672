//! Detection as code: rules in Sigma 2.1, compiled to tests over the columns of record batches.
//!
//! A rule is read once ([`RuleSet::compile`]); what it cannot be used for is said with its place. Its tests
//! are shared with those of all other rules of a kind of record and made once for each value of a dictionary.
//! Correlations join matches over time in bounded state. The same tests have a form in SQL for history.
//!
//! **Invariant:** a missing value passes `null` and `exists: false` only; everything else about it is false,
//! and `not` turns that round, in the stream and in SQL alike.

mod cells;
mod condition;
mod correlated;
mod correlation;
mod encode;
mod error;
mod field;
mod fixture;
mod fixture_batch;
mod item;
mod predicate;
mod program;
mod rule;
mod rule_finding;
mod rule_set;
mod rule_watch;
mod selection;
mod shipped;
mod sql;
mod text_matcher;
mod text_pattern;

pub use error::{RuleError, RuleFault};
pub use fixture::{FixtureError, FixtureReport, run_fixture};
pub use item::Placeholders;
pub use rule::Rule;
pub(crate) use rule_finding::DETECTOR;
pub use rule_set::{RuleSet, RuleSource};
pub use rule_watch::RuleWatch;
pub use shipped::{SHIPPED, SHIPPED_TESTS, shipped};

#[cfg(test)]
mod tests;
