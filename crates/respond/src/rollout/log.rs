//! What is written down of a rollout, in order, and never changed: each thing is intended before it is done.

use serde::{Deserialize, Serialize};
use wardline_domain::{ActionReceipt, ActionRequest, Timestamp};

use super::plan::RolloutPlan;
use crate::judge::{DecisionRecord, State};

/// Where a rollout goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Course {
    /// Through its steps.
    Forward,
    /// Back to the standing version.
    Back,
    /// To all traffic.
    Through,
}

impl Course {
    /// Its name in ids and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Back => "back",
            Self::Through => "through",
        }
    }
}

/// How a rollout ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The standing version has all traffic, as the stream shows.
    RolledBack,
    /// The new version has all traffic.
    Promoted,
    /// It was not possible, or is not known, and a person was paged.
    NeedsPerson,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// It was done, and read back.
    Done {
        /// What the target answered.
        receipt: ActionReceipt,
    },
    /// It was not.
    Failed {
        /// Why.
        reason: String,
        /// Whether another attempt may do better.
        is_temporary: bool,
    },
    /// It would have been done.
    DryRun,
}

/// One entry's content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The rollout begins.
    Started {
        /// What is to be done.
        plan: Box<RolloutPlan>,
        /// Who or what started it.
        by: String,
    },
    /// The trial stands elsewhere.
    Judged {
        /// Where.
        state: State,
        /// Why, in a sentence.
        reason: String,
        /// The evidence, where there is any.
        #[serde(default)]
        record: Option<Box<DecisionRecord>>,
    },
    /// Which way it goes is decided. The evidence is frozen with it, before anything is done.
    Decided {
        /// Which way.
        course: Course,
        /// Who or what decided.
        by: String,
        /// Why, in a sentence.
        reason: String,
        /// The evidence.
        record: Option<Box<DecisionRecord>>,
    },
    /// A step of the plan begins.
    Stepped {
        /// Which, from 0.
        step: usize,
        /// Requests that the version had answered by then.
        canary_requests: u64,
    },
    /// Something is to be done.
    Intended {
        /// By which actuator.
        actuator: String,
        /// What.
        request: ActionRequest,
        /// Which attempt, from 1.
        attempt: u32,
    },
    /// Something was done, or not.
    Came {
        /// The request's id.
        id: String,
        /// Which attempt.
        attempt: u32,
        /// What came of it.
        outcome: Outcome,
    },
    /// What the stream shows of a change.
    Verified {
        /// Whether it shows that the version is cut off.
        is_so: bool,
        /// In a sentence.
        what: String,
    },
    /// It is over.
    Ended {
        /// How.
        ending: Ending,
        /// In a sentence.
        reason: String,
    },
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The rollout.
    pub rollout: String,
    /// From 0, without gaps.
    pub sequence: u64,
    /// When, on the stream's clock or later.
    pub time: Timestamp,
    /// What.
    #[serde(flatten)]
    pub entry: Entry,
}
