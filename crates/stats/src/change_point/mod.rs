//! Since when: the onsets of changes in a series of cells, each with an interval.
//!
//! [`onset_of_share`] and its like look for one change from the last quiet stretch to now;
//! [`changes_of_share`] and its like for all changes of a finished series.

mod cells;
mod onset;
mod pelt;

pub use cells::{CountCell, MeanCell, ShareCell};
pub use onset::{Onset, onset_of_mean, onset_of_rate, onset_of_share};
pub use pelt::{
    PeltSettings, Penalty, Segment, Segmentation, changes_of_mean, changes_of_mean_and_variance, changes_of_rate,
    changes_of_share,
};
