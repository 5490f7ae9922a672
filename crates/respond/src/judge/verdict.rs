//! Where a trial stands, and why.

use std::fmt;

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::settings::Measure;

/// What to do with the version on trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Go on.
    Observe,
    /// Give it no more traffic until this is settled.
    Hold,
    /// Send its traffic back.
    RollBack,
    /// Give it all.
    Promote,
}

impl State {
    /// Whether nothing that comes later changes it. A version that was promoted may still be sent back.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::RollBack)
    }

    /// Whether it says what to do.
    pub const fn is_decision(self) -> bool {
        matches!(self, Self::RollBack | Self::Promote)
    }

    /// Its name in records, settings and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Hold => "hold",
            Self::RollBack => "roll_back",
            Self::Promote => "promote",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Why a trial holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Evidence of 20 to one that it is worse.
    Evidence,
    /// It breaks the objective for success; the standing version may do so too.
    Success,
    /// It breaks the objective for latency; the standing version may do so too.
    Latency,
    /// A segment is refused more often.
    Fairness,
    /// It gets another share of the traffic than was asked for.
    Split,
}

impl fmt::Display for Hold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Evidence => "there is evidence that it is worse, and not yet enough to send it back",
            Self::Success => "it breaks the objective for success, which may be no fault of its own",
            Self::Latency => "it breaks the objective for latency, which may be no fault of its own",
            Self::Fairness => "a segment gets unfavourable decisions more often than from the standing version",
            Self::Split => "it gets another share of the traffic than was asked for",
        })
    }
}

/// A trial stands elsewhere than before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// By the event that changed it.
    pub time: Timestamp,
    /// Where it stands now.
    pub state: State,
    /// Why it holds, where it does.
    pub hold: Option<Hold>,
    /// Evidence that it is worse.
    pub e: f64,
    /// The measure with most of it.
    pub cause: Measure,
    /// Requests that it had answered.
    pub canary_requests: u64,
}
