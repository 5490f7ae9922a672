//! What every sketch can do: take in another one, and start again.

use std::fmt;
use std::hash::Hash;

use super::{CategoryCounts, Distinct, FixedBins, LogHistogram, Moments};

/// Why two sketches could not be made one. Neither of them was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeError {
    /// They count different things: other cuts, other columns, another half-life.
    DifferentShape,
    /// Together they have seen more than can be counted.
    TooMany,
}

impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DifferentShape => "the sketches differ in what they count",
            Self::TooMany => "the sketches hold more together than can be counted",
        })
    }
}

impl std::error::Error for MergeError {}

/// A summary of a stream that can be made in parts.
///
/// Merging the sketches of two parts gives the sketch of the whole, in any order: exactly where a
/// sketch says so, otherwise with the same error bound. [`super::SlidingWindow`] and
/// [`super::Decayed`] work with whatever implements this.
pub trait Merge {
    /// Adds everything that `other` has seen.
    ///
    /// # Errors
    /// If the two cannot be made one; then nothing is changed.
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError>;

    /// Forgets everything that was seen; settings and memory stay.
    fn clear(&mut self);
}

impl Merge for Moments {
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError> {
        self.merge(other);
        Ok(())
    }

    fn clear(&mut self) {
        *self = Self::new();
    }
}

impl Merge for LogHistogram {
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError> {
        self.merge(other);
        Ok(())
    }

    fn clear(&mut self) {
        self.clear();
    }
}

impl Merge for Distinct {
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError> {
        self.merge(other);
        Ok(())
    }

    fn clear(&mut self) {
        self.clear();
    }
}

impl<K: Ord + Hash + Clone> Merge for CategoryCounts<K> {
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError> {
        self.merge(other);
        Ok(())
    }

    fn clear(&mut self) {
        self.clear();
    }
}

impl Merge for FixedBins {
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.merge(other) { Ok(()) } else { Err(MergeError::DifferentShape) }
    }

    fn clear(&mut self) {
        self.clear();
    }
}
