//! The classic detectors of change in a stream, for comparison and for those who know them.
//!
//! Prefer [`crate::sequential::RateWatch`] for errors and [`crate::sequential::ConformalWatch`] for
//! numbers: they state their run to a false alarm without assuming a scale. On an unchanged stream
//! of a million numbers Page-Hinkley with its usual setting alarms 633 times where the numbers are
//! standard normal and 14 times where they are 5 % ones. Of those here only [`Cusum`] and
//! [`BernoulliCusum`] promise a run to a false alarm.

mod adwin;
mod bernoulli_cusum;
mod cusum;
mod ddm;
mod eddm;
mod ewma;
mod hddm_a;
mod hddm_w;
mod kswin;
mod measurable;
mod page_hinkley;
mod run_length;
mod stage;

pub use adwin::Adwin;
pub use bernoulli_cusum::BernoulliCusum;
pub use cusum::{Cusum, cusum_run_length, cusum_threshold};
pub use ddm::Ddm;
pub use eddm::Eddm;
pub use ewma::Ewma;
pub use hddm_a::HddmA;
pub use hddm_w::HddmW;
pub use kswin::Kswin;
pub use page_hinkley::PageHinkley;
pub use stage::Stage;

#[cfg(test)]
pub(crate) mod tests_river;
