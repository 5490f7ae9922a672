//! What was put into a scenario: the answers that tests compare with.

use wardline_domain::{FindingKind, Timestamp};

use crate::{Effect, Scope};

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Injection {
    /// What happens, in one sentence.
    pub what: String,
    /// The model it happens to.
    pub model: String,
    /// The part of its traffic.
    pub scope: Scope,
    /// What it does to a prediction.
    pub effect: Effect,
    /// From when on.
    pub from: Timestamp,
    /// Until when; `None` to the end of the stream.
    pub until: Option<Timestamp>,
    /// Kinds of finding that tell it, any one of which will do.
    pub symptoms: Vec<FindingKind>,
}

/// Something unusual that is nobody's fault and must wake nobody.
#[derive(Clone, Debug, PartialEq)]
pub struct Harmless {
    /// What happens, in one sentence.
    pub what: String,
    /// The model it happens to.
    pub model: String,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// Everything that was put into one stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// The scenario's name.
    pub scenario: &'static str,
    /// The seed.
    pub seed: u64,
    /// The stream's first moment.
    pub from: Timestamp,
    /// Until here nothing is wrong, so a baseline may be learned.
    pub learning_until: Timestamp,
    /// The stream's last moment.
    pub until: Timestamp,
    /// What goes wrong, in order of time.
    pub injections: Vec<Injection>,
    /// What is unusual and harmless.
    pub harmless: Vec<Harmless>,
}

impl Injection {
    /// Whether it is under way at a moment.
    pub fn is_on(&self, time: Timestamp) -> bool {
        self.from <= time && self.until.is_none_or(|until| time < until)
    }
}
