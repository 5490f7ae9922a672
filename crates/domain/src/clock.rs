//! A stream's clock: the latest event time that can be believed.
//!
//! **Invariant:** it depends on the times in their order of arrival alone, so a stream cut into other
//! batches gives the same clock.

use serde::{Deserialize, Serialize};

use crate::{Span, Timestamp};

/// Steps longer than this need a second event as a witness: one sender with a broken clock must not
/// push a model's time into the next century.
const WITNESSED_STEP: Span = Timestamp::HOUR;
/// So many events in a row from long ago mean that the stream itself went back, as when files are read
/// one after the other.
const EVENTS_THAT_TURN_BACK: u32 = 64;

/// The clock of one model's events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamClock {
    now: Option<Timestamp>,
    ahead: bool,
    behind: u32,
}

impl StreamClock {
    /// Latest time.
    pub const fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// Takes an event's time, and says at what time it counts: a late event counts when it arrives.
    #[inline]
    pub fn arrive(&mut self, time: Timestamp) -> Timestamp {
        let Some(now) = self.now else {
            self.now = Some(time);
            return time;
        };
        let step = time.since(now);
        if 0 <= step && step <= WITNESSED_STEP {
            (self.ahead, self.behind) = (false, 0);
            self.now = Some(time);
            return time;
        }
        self.arrive_far(now, time)
    }

    #[cold]
    fn arrive_far(&mut self, now: Timestamp, time: Timestamp) -> Timestamp {
        let step = time.since(now);
        if step > WITNESSED_STEP {
            if !std::mem::replace(&mut self.ahead, true) {
                return now;
            }
        } else {
            self.ahead = false;
            if step >= -WITNESSED_STEP {
                self.behind = 0;
                return now;
            }
            self.behind += 1;
            if self.behind < EVENTS_THAT_TURN_BACK {
                return now;
            }
        }
        (self.ahead, self.behind) = (false, 0);
        self.now = Some(time);
        time
    }

    /// Time that passed without events.
    pub fn advance(&mut self, time: Timestamp) {
        if let Some(now) = self.now {
            self.now = Some(now.max(time));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros((1_700_000_000 + seconds) * Timestamp::SECOND)
    }

    #[test]
    fn a_late_event_counts_when_it_arrives() {
        let mut clock = StreamClock::default();
        clock.arrive(at(10));
        assert_eq!(clock.arrive(at(4)), at(10));
        assert_eq!(clock.arrive(at(11)), at(11));
    }

    #[test]
    fn one_broken_sender_does_not_move_the_clock_and_a_gap_does() {
        let mut clock = StreamClock::default();
        clock.arrive(at(0));
        assert_eq!(clock.arrive(at(9_000_000)), at(0));
        assert_eq!(clock.arrive(at(1)), at(1));
        clock.arrive(at(50_000));
        assert_eq!(clock.arrive(at(50_001)), at(50_001));
    }

    #[test]
    fn a_stream_that_goes_back_for_good_takes_the_clock_with_it() {
        let mut clock = StreamClock::default();
        clock.arrive(at(1_000_000));
        for second in 0..63 {
            assert_eq!(clock.arrive(at(second)), at(1_000_000));
        }
        assert_eq!(clock.arrive(at(63)), at(63));
    }
}
