//! What is typical, when some values are wild.

mod center;
mod rolling;
mod trend;

pub use center::{MAD_TO_SIGMA, median, median_absolute_deviation, robust_z};
pub use rolling::RollingMedian;
pub use trend::{Line, theil_sen};
