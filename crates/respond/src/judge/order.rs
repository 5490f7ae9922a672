//! Records of all kinds, put back into the order in which they happened.
//!
//! A decoder groups what arrives by kind, as far as one body or one piece of a file reaches. Where such a piece
//! ends must not matter, so a record is shown once the predictions' clock has passed it: records of one moment are
//! always shown together, deployments first, and within a kind in their order of arrival.

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, StreamClock, Timestamp};

use super::{
    event::{JudgedEvent, JudgedOutcome},
    reading::Deployed,
};

/// An outcome counts so much after its time: it is never ahead of its prediction by the width of a batch.
const SETTLE: Span = Timestamp::SECOND;
/// Most records that wait; beyond, the oldest are shown.
const MOST_WAITING: usize = 65_536;

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Record {
    Deployment(Deployed),
    Prediction(JudgedEvent, Box<str>),
    Outcome(JudgedOutcome, Box<str>),
}

impl Record {
    const fn rank(&self) -> u8 {
        match self {
            Self::Deployment(_) => 0,
            Self::Prediction(..) => 1,
            Self::Outcome(..) => 2,
        }
    }

    pub(crate) const fn time(&self) -> Timestamp {
        match self {
            Self::Deployment(deployed) => deployed.time,
            Self::Prediction(event, _) => event.time,
            Self::Outcome(outcome, _) => outcome.time,
        }
    }
}

/// Records that wait for their moment to pass.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    clock: StreamClock,
    waiting: Vec<Record>,
}

impl Order {
    /// Takes a record. A prediction counts at its own time, or where it is late, at that of the latest one; the others,
    /// which are days apart, at their own.
    pub(crate) fn push(&mut self, mut record: Record) {
        match &mut record {
            Record::Deployment(_) => {}
            Record::Prediction(event, _) => event.time = self.clock.arrive(event.time),
            Record::Outcome(outcome, _) => outcome.time = outcome.time.plus(SETTLE),
        }
        self.waiting.push(record);
    }

    /// The predictions' clock.
    pub(crate) const fn now(&self) -> Option<Timestamp> {
        self.clock.now()
    }

    /// Time passed without predictions.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.clock.advance(now);
    }

    /// Records whose moment has passed, in order.
    pub(crate) fn passed(&mut self) -> Vec<Record> {
        let Some(now) = self.now() else { return Vec::new() };
        self.waiting.sort_by_key(|record| (record.time(), record.rank()));
        let mut end = self.waiting.partition_point(|record| record.time() < now);
        if self.waiting.len() - end > MOST_WAITING {
            end = self.waiting.len() - MOST_WAITING;
        }
        let rest = self.waiting.split_off(end);
        std::mem::replace(&mut self.waiting, rest)
    }

    /// All that still waits: the stream has ended.
    pub(crate) fn rest(&mut self) -> Vec<Record> {
        self.waiting.sort_by_key(|record| (record.time(), record.rank()));
        std::mem::take(&mut self.waiting)
    }
}
