//! Rollouts: what a new version goes through, and how it is sent back or promoted without a person.
//!
//! A rollback freezes the evidence, sets the version's share to nothing, watches the stream until it shows that the
//! version has answered nothing for two seconds, moves the registry's alias back, labels the version and tells people.
//! Where the stream does not show it, another actuator is asked to cut the version off; where that does not show
//! either, or nobody answers, a person is paged within ten seconds of the decision.
//!
//! [`Rollout`] is one of them: inputs in, log entries out, and what is due after they were written down. [`Rollouts`]
//! is all of them, at most one a model.

mod log;
mod machine;
mod plan;
mod rollouts;
mod script;
#[cfg(test)]
mod tests;

pub use log::{Course, Ending, Entry, LogEntry, Outcome};
pub use machine::{Due, Input, Rollout};
pub use plan::{PlanError, Promotion, Registry, RolloutPlan, Step};
pub use rollouts::{Refused, Rollouts};
pub use script::TELL;
