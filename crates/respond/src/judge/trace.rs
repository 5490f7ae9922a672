//! The evidence over time, in few points.

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

/// Most points; they thin out as the trial gets longer.
const MOST_POINTS: usize = 400;

/// The evidence at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracePoint {
    /// When.
    pub time: Timestamp,
    /// Requests that the canary had answered.
    pub canary_requests: u64,
    /// Evidence that it is worse.
    pub e: f64,
}

/// Points at each 4 % more requests, so their number is bounded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trace {
    points: Vec<TracePoint>,
    next: u64,
}

impl Trace {
    pub(crate) const fn is_due(&self, canary_requests: u64) -> bool {
        canary_requests >= self.next
    }

    pub(crate) fn sample(&mut self, time: Timestamp, canary_requests: u64, e: f64) {
        if self.points.len() < MOST_POINTS {
            self.points.push(TracePoint { time, canary_requests, e });
        } else if let Some(last) = self.points.last_mut() {
            *last = TracePoint { time, canary_requests, e };
        }
        self.next = canary_requests + (canary_requests / 25).max(16);
    }

    pub(crate) fn points(&self) -> &[TracePoint] {
        &self.points
    }
}
