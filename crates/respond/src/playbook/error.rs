//! Why a playbook is refused, and why a run does not go on.

use crate::chain::{AppendError, ChainBreak};

/// Why a playbook is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaybookError {
    /// No JSON, or JSON of another shape.
    #[error("the playbook could not be read: {0}; check it against the CACAO 2.0 schema")]
    NotRead(String),
    /// Something about it is wrong.
    #[error("`{place}` {problem}")]
    Wrong {
        /// Where.
        place: String,
        /// What is wrong, and what to do.
        problem: String,
    },
}

/// Why a run does not start, or does not take an input.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A variable has no value.
    #[error("variable `{0}` has no value: give one when you start the playbook")]
    NoValue(String),
    /// A variable cannot be set.
    #[error("variable `{0}` is not one that is given from outside: leave it out")]
    NotExternal(String),
    /// The step waits for nothing of the sort.
    #[error("step `{step}` does not wait for {input}: it waits for {waits}")]
    NotAwaited {
        /// The step.
        step: String,
        /// What came.
        input: &'static str,
        /// What it waits for.
        waits: String,
    },
    /// The same person approved before.
    #[error("{person} approved `{step}` already: another person must")]
    SamePerson {
        /// The step.
        step: String,
        /// Who.
        person: String,
    },
    /// The run is over.
    #[error("the run is over: start the playbook again")]
    Over,
    /// The log is damaged.
    #[error("the log of the run is damaged: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Damaged(Vec<ChainBreak>),
    /// The log is of another playbook, or of another version of it.
    #[error(
        "record {0} of the log does not follow from the playbook: resume with the version that it was started with"
    )]
    OtherPlaybook(u64),
    /// The log has no beginning.
    #[error("the log does not begin with the start of a run")]
    NotStarted,
    /// An action of the playbook cannot be made with the values given.
    #[error("step `{step}` gives no action: {reason}")]
    NoAction {
        /// The step.
        step: String,
        /// Why.
        reason: String,
    },
    /// A record could not be written.
    #[error(transparent)]
    NotRecorded(#[from] AppendError),
}
