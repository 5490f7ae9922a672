//! Summaries of a stream that cost what they hold, not what they have seen, and that merge.
//!
//! | sketch | answers | merging |
//! | --- | --- | --- |
//! | [`LogHistogram`] | quantiles within 0.8 % of the value | exact |
//! | [`Kll`] | quantiles within a share of the ranks | keeps the bound |
//! | [`FixedBins`] | counts between cuts, such as quantiles of a reference | exact |
//! | [`Distinct`] | how many different values | exact |
//! | [`CategoryCounts`] | counts by value, few values | exact up to its cap, then bounded |
//! | [`HeavyHitters`] | the most frequent of any number of values | keeps the bound |
//! | [`Moments`], [`Covariance`] | mean, variance, how columns vary together | up to rounding |
//! | [`Decayed`] | any of the weighted ones, old values fading | up to rounding |
//! | [`SlidingWindow`] | any sketch of the last while | as its sketch |
//!
//! What is written down with serde is checked when it is read: numbers that no stream of values can
//! have led to are refused. The format must give numbers back to the last digit, as binary ones do.

mod category_counts;
mod count_table;
mod covariance;
mod decayed;
mod distinct;
mod fixed_bins;
mod heavy_hitters;
mod kll;
mod log_histogram;
mod merge;
mod moments;
mod sliding;
mod weighted;

pub use category_counts::CategoryCounts;
pub use covariance::Covariance;
pub use decayed::Decayed;
pub use distinct::Distinct;
pub use fixed_bins::FixedBins;
pub use heavy_hitters::{HeavyHitters, Hitter};
pub use kll::Kll;
pub use log_histogram::{Bucket, LogHistogram};
pub use merge::{Merge, MergeError};
pub use moments::Moments;
pub use sliding::SlidingWindow;
pub use weighted::{Weighted, WeightedBins, WeightedCounts, WeightedMoments};
