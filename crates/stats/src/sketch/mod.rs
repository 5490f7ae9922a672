//! Summaries of a stream that cost what they hold, not what they have seen, and that merge.

mod category_counts;
mod distinct;
mod fixed_bins;
mod kll;
mod log_histogram;
mod merge;
mod moments;

pub use category_counts::CategoryCounts;
pub use distinct::Distinct;
pub use fixed_bins::FixedBins;
pub use kll::Kll;
pub use log_histogram::{Bucket, LogHistogram};
pub use merge::{Merge, MergeError};
pub use moments::Moments;
