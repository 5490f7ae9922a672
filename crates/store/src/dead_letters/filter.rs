//! Which dead letters are meant.

use wardline_domain::{DeadLetter, Timestamp};

use super::sealed::Summary;

/// Picks dead letters; each part that is `None` lets all through.
#[derive(Clone, Debug, Default)]
pub struct DeadLetterFilter {
    /// Who sent it, or the file it was read from.
    pub source: Option<String>,
    /// The reason's stable name, such as `bad_time`.
    pub reason: Option<String>,
    /// Refused at this time or later.
    pub from: Option<Timestamp>,
    /// Refused before this time.
    pub until: Option<Timestamp>,
}

impl DeadLetterFilter {
    /// Whether a letter is meant.
    pub fn matches(&self, letter: &DeadLetter) -> bool {
        self.source.as_ref().is_none_or(|source| *source == letter.source)
            && self.reason.as_ref().is_none_or(|reason| reason == letter.reason_name())
            && self.from.is_none_or(|from| from <= letter.time)
            && self.until.is_none_or(|until| letter.time < until)
    }

    /// Whether any letter of a record can be meant, as far as can be told without the key.
    pub(super) fn may_match(&self, summary: &Summary) -> bool {
        self.reason.as_ref().is_none_or(|reason| summary.by_reason.contains_key(reason))
            && self.from.is_none_or(|from| from <= summary.latest)
            && self.until.is_none_or(|until| summary.earliest < until)
    }
}
