//! One prediction as the judge sees it: small, and without its texts.

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::key::Key;

/// Who answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The version that serves.
    Standing,
    /// The version on trial, to people.
    Canary,
    /// The version on trial, to no one: it answered a copy of a request.
    Shadow,
}

/// Most segments of one event that are kept.
pub const MOST_SEGMENTS: usize = 4;

/// What the judge keeps of one prediction. A [`Key`] of zero and a NaN mean that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgedEvent {
    /// When it counts: its own time, or that of a later event which came before it.
    pub time: Timestamp,
    /// Who answered.
    pub role: Role,
    /// The prediction; an outcome names it.
    pub id: Key,
    /// The request: an answer to the same one counts once.
    pub request: Key,
    /// What a request and its copy to the shadow have in common.
    pub twin: Key,
    /// Who is routed together where routing is sticky.
    pub session: Key,
    /// The replica.
    pub instance: Key,
    /// Whether it failed.
    pub is_error: bool,
    /// Whether the answer refuses; `None` without a text.
    pub is_refusal: Option<bool>,
    /// Latency in ms.
    pub latency_ms: f64,
    /// The score.
    pub score: f64,
    /// The decision.
    pub decision: Key,
    /// Values of the attributes whose fairness is judged, such as `sex=f`.
    pub segments: [Key; MOST_SEGMENTS],
}

impl JudgedEvent {
    /// An answer that is good in all that can be judged.
    pub const fn good(time: Timestamp, role: Role, id: Key) -> Self {
        Self {
            time,
            role,
            id,
            request: id,
            twin: id,
            session: Key::NONE,
            instance: Key::NONE,
            is_error: false,
            is_refusal: None,
            latency_ms: f64::NAN,
            score: f64::NAN,
            decision: Key::NONE,
            segments: [Key::NONE; MOST_SEGMENTS],
        }
    }
}

/// What turned out to be true of a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgedOutcome {
    /// When it counts.
    pub time: Timestamp,
    /// The prediction.
    pub id: Key,
    /// The true class.
    pub label: Key,
    /// What people thought of it: below zero is bad.
    pub feedback: f64,
}
