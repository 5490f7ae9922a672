//! Intervals for shares, rates, quantiles, and whatever else has a standard error.

mod bootstrap;
mod estimate;
mod quantile;
mod rate;
mod share;

pub use bootstrap::{Bootstrap, bootstrap};
pub use estimate::{Estimate, t_interval};
pub use quantile::{quantile_interval, quantile_ranks};
pub use rate::poisson_rate;
pub use share::{clopper_pearson, wilson};

use serde::{Deserialize, Serialize};

/// A range of numbers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `low <= x && x <= high`.
    #[must_use]
    pub fn contains(&self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }
}

/// The error of each side: `(1 - confidence) / 2`; `None` unless `0 < confidence < 1`.
pub(crate) fn tail_of(confidence: f64) -> Option<f64> {
    (0.0 < confidence && confidence < 1.0).then_some(0.5 * (1.0 - confidence))
}
