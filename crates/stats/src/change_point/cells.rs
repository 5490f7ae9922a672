//! What a series is made of: sums that can be added up.

use serde::{Deserialize, Serialize};

/// Events and those among them that succeeded (or failed, or exceeded a limit).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareCell {
    /// All events of the cell.
    pub n: u64,
    /// Those that count, at most `n`.
    pub successes: u64,
}

/// Events in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CountCell {
    /// What the count was expected to be before any change (or seconds, or 1): not negative.
    pub exposure: f64,
    /// The count.
    pub events: u64,
}

/// Values by their sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeanCell {
    /// How many values.
    pub n: u64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub sum_of_squares: f64,
}
