//! Estimated performance when the inputs shift.

mod direct_loss;
mod estimate;
mod recalibration;
mod reference;
mod rows;
mod weights;

pub use direct_loss::{DirectLoss, DirectLossEstimate};
pub use estimate::ShiftEstimate;
pub use reference::ShiftReference;

use std::fmt;

/// Reference rows that are kept, and window rows that weights are learned from.
const MOST_ROWS: usize = 50_000;

/// Rows below which nothing is learned.
const LEAST_ROWS: usize = 200;

/// Reference rows that must remain, counted by how much their weights vary.
const LEAST_EFFECTIVE_ROWS: f64 = 50.0;

/// Folds of models of outcomes.
const FOLDS: u32 = 5;

/// Why there is no estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ShiftError {
    /// Lengths differ, a score is not in `0..=1`, or a window has other columns than the reference.
    Invalid,
    /// Fewer than 200 rows, or fewer than 20 labels of a class.
    TooFewRows,
    /// The window has moved so far that the reference says too little about it.
    TooFarApart {
        /// Reference rows of equal weight that would say as much as all do; 50 are needed.
        effective_rows: f64,
    },
}

impl fmt::Display for ShiftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => f.write_str("lengths or columns differ, or a score is not between 0 and 1"),
            Self::TooFewRows => f.write_str("fewer than 200 rows, or fewer than 20 labels of a class"),
            Self::TooFarApart { effective_rows } => {
                write!(f, "the reference counts as {effective_rows:.0} rows for this window, and 50 are needed")
            }
        }
    }
}

impl std::error::Error for ShiftError {}

#[cfg(test)]
mod tests;
