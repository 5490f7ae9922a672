//! Since when: the onset of a change in a series of cells, with an interval.

mod cells;
mod onset;

pub use cells::{CountCell, MeanCell, ShareCell};
pub use onset::{Onset, onset_of_mean, onset_of_rate, onset_of_share};
