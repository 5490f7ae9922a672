//! The classic detectors of change in a stream, for comparison and for those who know them.
//!
//! Prefer [`crate::sequential::EDetector`]: it states its run to a false alarm without assuming
//! a scale. On an unchanged stream of a million numbers Page-Hinkley with its usual setting alarms
//! 633 times where the numbers are standard normal and 14 times where they are 5 % ones.

mod adwin;
mod cusum;
mod ewma;
mod page_hinkley;

pub use adwin::Adwin;
pub use cusum::{Cusum, cusum_run_length, cusum_threshold};
pub use ewma::Ewma;
pub use page_hinkley::PageHinkley;
