//! Summaries of a stream that cost what they hold, not what they have seen, and that merge.

mod category_counts;
mod distinct;
mod fixed_bins;
mod log_histogram;
mod moments;

pub use category_counts::CategoryCounts;
pub use distinct::Distinct;
pub use fixed_bins::FixedBins;
pub use log_histogram::{Bucket, LogHistogram};
pub use moments::Moments;
