//! What the log of a run records.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::{ActionReceipt, ActionRequest, Timestamp};

use crate::incident::Actor;

/// One record of a run's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// When.
    pub time: Timestamp,
    /// Who or what made it happen.
    pub by: Actor,
    /// What happened.
    pub event: RunEvent,
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was done, or was so already.
    Done {
        /// What the target answered.
        receipt: ActionReceipt,
    },
    /// It was not.
    Failed {
        /// Why.
        reason: String,
    },
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The run began. *An input.*
    Started {
        /// The run's id.
        run: String,
        /// The playbook.
        playbook: String,
        /// SHA-256 of its file.
        playbook_sha256: String,
        /// Values of its variables.
        values: BTreeMap<String, String>,
        /// Whether nothing is done in earnest.
        dry_run: bool,
    },
    /// Somebody approved a step. *An input.*
    Approved {
        /// The step.
        step: String,
    },
    /// Somebody refused a step. *An input.*
    Rejected {
        /// The step.
        step: String,
        /// Why.
        reason: String,
    },
    /// Somebody did what a step asked for, or did not. *An input.*
    Answered {
        /// The step.
        step: String,
        /// Whether it is done.
        done: bool,
        /// What they say.
        text: String,
    },
    /// An actuator said what came of an action. *An input.*
    Reported {
        /// The request's id.
        request: String,
        /// What came of it.
        outcome: Outcome,
    },
    /// Time passed, and something was due. *An input.*
    Passed,
    /// Somebody stopped the run. *An input.*
    Stopped {
        /// Why.
        reason: String,
    },
    /// A step began.
    Entered {
        /// The step.
        step: String,
    },
    /// A step waits for approval.
    ApprovalAsked {
        /// The step.
        step: String,
        /// Of how many people.
        approvals: u32,
    },
    /// People are asked to do something.
    ManualAsked {
        /// The step.
        step: String,
        /// Which of its commands.
        command: u32,
        /// What they are told.
        text: String,
    },
    /// An action is about to be asked for.
    Intended {
        /// The step.
        step: String,
        /// Which of its commands.
        command: u32,
        /// The request.
        request: ActionRequest,
    },
    /// What would be done, in a dry run.
    WouldDo {
        /// The step.
        step: String,
        /// Which of its commands.
        command: u32,
        /// What.
        what: String,
    },
    /// A condition was looked at.
    Decided {
        /// The step.
        step: String,
        /// Where it leads; nothing where no branch fits.
        to: Option<String>,
    },
    /// A step is over.
    Left {
        /// The step.
        step: String,
        /// Whether it went well.
        went_well: bool,
        /// Why not.
        reason: Option<String>,
    },
    /// An outcome that came after its step was over.
    CameLate {
        /// The request's id.
        request: String,
    },
    /// The run is over.
    Finished {
        /// Whether it came to its end.
        went_well: bool,
    },
}

impl RunEvent {
    /// Whether it came from outside; everything else follows from the playbook.
    pub const fn is_input(&self) -> bool {
        matches!(
            self,
            Self::Started { .. }
                | Self::Approved { .. }
                | Self::Rejected { .. }
                | Self::Answered { .. }
                | Self::Reported { .. }
                | Self::Passed
                | Self::Stopped { .. }
        )
    }
}
