//! What counts once: a request that is sent again, a session whose requests stay together, a replica that warms up.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

use super::{event::Role, key::Key};

/// Most requests that are remembered.
const MOST_REQUESTS: usize = 65_536;
/// Most sessions of one window.
const MOST_SESSIONS: usize = 65_536;
/// Most replicas that are told apart.
const MOST_REPLICAS: usize = 4_096;
/// How long a session has one vote.
const WINDOW: Span = 10 * Timestamp::MINUTE;
/// Requests of known sessions that should have changed sides before routing is believed not to be sticky.
const LEAST_CHANGES: f64 = 5.0;

/// Requests that were answered: a retry is the same request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Requests {
    known: FxHashSet<Key>,
    order: VecDeque<Key>,
}

impl Requests {
    /// Whether this request is new; it is remembered.
    pub(crate) fn is_new(&mut self, request: Key) -> bool {
        if request.is_none() {
            return true;
        }
        if !self.known.insert(request) {
            return false;
        }
        self.order.push_back(request);
        if self.order.len() > MOST_REQUESTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Session {
    role: Role,
    /// A bit for each measure in which it had its vote.
    voted: u16,
}

/// Sessions of the current window, and whether routing keeps them together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sessions {
    said: Option<bool>,
    window: Timestamp,
    sessions: FxHashMap<Key, Session>,
    /// Requests of known sessions that changed sides, and how many would by chance.
    changed: f64,
    expected: f64,
}

/// A session's first request in the window, or a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The request has no session, or too many are known.
    Unknown,
    /// The first.
    First,
    /// A later one.
    Again,
}

impl Sessions {
    pub(crate) fn new(said: Option<bool>) -> Self {
        Self { said, window: Timestamp::from_micros(0), sessions: FxHashMap::default(), changed: 0.0, expected: 0.0 }
    }

    /// Whether a session has one vote a window. Where no one says: until requests of one session are seen to
    /// go to both versions about as often as chance has it.
    pub(crate) fn is_sticky(&self) -> bool {
        self.said.unwrap_or(self.expected < LEAST_CHANGES || self.changed < 0.5 * self.expected)
    }

    /// Sees a request of a session.
    pub(crate) fn see(&mut self, session: Key, role: Role, time: Timestamp, share: f64) -> Seen {
        if session.is_none() {
            return Seen::Unknown;
        }
        let window = time.floor(WINDOW);
        if window != self.window {
            self.window = window;
            self.sessions.clear();
        }
        if let Some(known) = self.sessions.get_mut(&session) {
            self.expected += 2.0 * share * (1.0 - share);
            self.changed += f64::from(u8::from(known.role != role));
            known.role = role;
            return Seen::Again;
        }
        if self.sessions.len() >= MOST_SESSIONS {
            return Seen::Unknown;
        }
        self.sessions.insert(session, Session { role, voted: 0 });
        Seen::First
    }

    /// Whether a session may still vote on a measure; it has voted then.
    pub(crate) fn vote(&mut self, session: Key, measure: u32) -> bool {
        let Some(known) = self.sessions.get_mut(&session) else { return session.is_none() };
        let bit = 1_u16 << measure.min(15);
        let is_first = known.voted & bit == 0;
        known.voted |= bit;
        is_first
    }
}

/// Replicas that are new: their first requests wait for caches to fill.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Replicas {
    left: FxHashMap<Key, u32>,
}

impl Replicas {
    /// Replicas that have served before.
    pub(crate) fn warm(known: impl IntoIterator<Item = Key>) -> Self {
        Self { left: known.into_iter().map(|replica| (replica, 0)).collect() }
    }

    /// Whether a request came while its replica still warmed up.
    pub(crate) fn is_warming(&mut self, replica: Key, requests: u32) -> bool {
        if replica.is_none() || (self.left.len() >= MOST_REPLICAS && !self.left.contains_key(&replica)) {
            return false;
        }
        let left = self.left.entry(replica).or_insert(requests);
        let warming = *left > 0;
        *left = left.saturating_sub(1);
        warming
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_is_known_and_the_memory_is_bounded() {
        let mut requests = Requests::default();
        assert!(requests.is_new(Key::numbered(1)) && !requests.is_new(Key::numbered(1)));
        assert!(requests.is_new(Key::NONE) && requests.is_new(Key::NONE));
        (2..200_000).for_each(|id| assert!(requests.is_new(Key::numbered(id))));
        assert!(requests.known.len() <= MOST_REQUESTS && requests.is_new(Key::numbered(1)));
    }

    #[test]
    fn sticky_routing_is_found_out() {
        let roles = [Role::Standing, Role::Canary];
        let mut kept = Sessions::new(None);
        let mut random = Sessions::new(None);
        for at in 0..2_000_u64 {
            let time = Timestamp::from_micros(1_000_000_000_000_000 + at as i64);
            let session = at % 50;
            kept.see(Key::numbered(session), roles[usize::from(session % 10 == 0)], time, 0.1);
            random.see(Key::numbered(session), roles[usize::from((at / 50 + session) % 10 == 0)], time, 0.1);
        }
        assert!(kept.is_sticky() && !random.is_sticky());
        assert!(kept.vote(Key::numbered(3), 0) && !kept.vote(Key::numbered(3), 0) && kept.vote(Key::numbered(3), 1));
        assert!(!Sessions::new(Some(false)).is_sticky());
    }

    #[test]
    fn a_new_replica_warms_up_once() {
        let mut replicas = Replicas::warm([Key::numbered(1)]);
        assert!(!replicas.is_warming(Key::numbered(1), 2));
        let warming: Vec<bool> = (0..3).map(|_| replicas.is_warming(Key::numbered(2), 2)).collect();
        assert_eq!(warming, [true, true, false]);
    }
}
