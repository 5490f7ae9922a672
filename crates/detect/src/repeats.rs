//! When something that goes on is told again.

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

/// Tells at once, and again after five minutes, then ever more rarely, at least every half hour,
/// so that its alert stays open.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Repeats {
    pub(crate) since: Timestamp,
    pub(crate) onset: Timestamp,
    pub(crate) onset_interval: (Timestamp, Timestamp),
    next: Timestamp,
    seen: Timestamp,
}

impl Repeats {
    const FIRST: Span = 5 * Timestamp::MINUTE;
    const LAST: Span = 30 * Timestamp::MINUTE;

    /// It is told now.
    pub(crate) fn begin(now: Timestamp, onset: Timestamp, onset_interval: (Timestamp, Timestamp)) -> Self {
        Self { since: now, onset, onset_interval, next: now.plus(Self::FIRST), seen: now }
    }

    /// It goes on; answers whether it is to be told again.
    pub(crate) fn again(&mut self, now: Timestamp) -> bool {
        self.seen = now;
        if now < self.next {
            return false;
        }
        let waited = now.since(self.since).clamp(Self::FIRST, Self::LAST);
        self.next = now.plus(waited);
        true
    }

    /// It is seen: whether it is told now, at the start and now and then; after so long a quiet it starts anew.
    pub(crate) fn tell(repeats: &mut Option<Self>, now: Timestamp, onset: Timestamp, quiet: Span) -> bool {
        match repeats {
            Some(going) if going.quiet_for(now) <= quiet => going.again(now),
            _ => {
                *repeats = Some(Self::begin(now, onset, (onset, now)));
                true
            }
        }
    }

    /// How long it has not been seen.
    pub(crate) fn quiet_for(&self, now: Timestamp) -> Span {
        now.since(self.seen)
    }
}
