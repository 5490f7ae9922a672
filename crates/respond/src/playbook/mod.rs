//! Playbooks in CACAO 2.0, and the machine that goes through them.
//!
//! A [`Playbook`] is read and checked as a whole before anything is done. A [`Run`] goes through it: a pure state
//! machine whose inputs are approvals, answers of people, outcomes of actions, and the time. Its log is a hash chain of
//! those inputs and of what followed from them; the intention of an action is in the log before anybody is asked to
//! carry it out. After a crash the same log gives the same state, and an action whose outcome is not known is asked for
//! again under the same id, so that nothing is done twice.
//!
//! A step of the command type `manual` is for people. One of the type `http-api` whose content is an
//! [`wardline_domain::Action`] as JSON is for an actuator; variables in its texts are filled in. How many people must
//! approve it stands in the step's extension; where nothing stands, one must.
//!
//! Reference: OASIS, "CACAO Security Playbooks Version 2.0", Committee Specification 01 (2023).

mod condition;
mod error;
mod filled;
mod model;
mod read;
mod record;
mod run;
mod shipped;
mod state;

#[cfg(test)]
mod tests;

pub use condition::Condition;
pub use error::{PlaybookError, RunError};
pub use filled::Filled;
pub use model::{Command, Flow, Playbook, Step, StepKind, Variable};
pub use record::{Outcome, Record, RunEvent};
pub use run::{Need, Run};
pub use shipped::{SHIPPED, Shipped};

/// The extension of steps that says how many people must approve them.
pub const APPROVAL_EXTENSION: &str = "extension-definition--6f0c6bd9-5a35-4d3c-9a52-4c1d8a1f7c11";
