//! An exponentially weighted mean with control limits.

use serde::{Deserialize, Serialize};

use super::measurable::is_measurable;
use crate::sequential::{Monitor, Promise};

/// The EWMA chart of values with a known mean and standard deviation.
///
/// `z <- (1 - weight) z + weight x`; alarms when `z` leaves the mean by more than `width` times its
/// exact standard deviation `sigma sqrt(weight / (2 - weight) (1 - (1 - weight)^(2 t)))`.
/// A weight of 0.1 with a width of 2.814 runs some 450 independent normal values to a false alarm
/// (the published 500 is for limits that are wide from the start).
/// Cost `O(1)`. Reference: Roberts, Technometrics 1 (1959); Lucas, Saccucci (1990).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ewma {
    mean: f64,
    standard_deviation: f64,
    weight: f64,
    width: f64,
    value: f64,
    /// `(1 - weight)^(2 t)`, which tells how far the start still shows.
    start: f64,
}

impl Ewma {
    /// Watches values around `mean`; `None` unless the deviation and the width are positive and
    /// `0 < weight <= 1`.
    #[must_use]
    pub fn new(mean: f64, standard_deviation: f64, weight: f64, width: f64) -> Option<Self> {
        let positive = |x: f64| 0.0 < x && x.is_finite();
        let valid =
            mean.is_finite() && positive(standard_deviation) && positive(width) && 0.0 < weight && weight <= 1.0;
        let start = 1.0;
        valid.then_some(Self { mean, standard_deviation, weight, width, value: mean, start })
    }

    /// Takes in one value; whether the weighted mean is outside. A value that is not finite, or
    /// beyond 1e100, is ignored.
    pub fn observe(&mut self, value: f64) -> bool {
        if !is_measurable(value) {
            return false;
        }
        let kept = 1.0 - self.weight;
        self.value = kept * self.value + self.weight * value;
        self.start *= kept * kept;
        let variance = self.weight / (2.0 - self.weight) * (1.0 - self.start);
        let limit = self.width * self.standard_deviation * variance.sqrt();
        (self.value - self.mean).abs() > limit
    }

    /// The weighted mean.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }
}

impl Monitor for Ewma {
    fn watch(&mut self, value: f64) -> bool {
        self.observe(value)
    }

    fn promise(&self) -> Promise {
        Promise::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    /// Goal: the run to a false alarm of the published pair (0.1, 2.814), within 20 % of 450 values.
    #[test]
    fn keeps_the_published_run_length() {
        let fresh = Ewma::new(0.0, 1.0, 0.1, 2.814).unwrap();
        let (mut chart, mut alarms) = (fresh, 0);
        let mut random = SplitMix::new(9);
        for _ in 0..500_000 {
            if chart.observe(random.normal()) {
                alarms += 1;
                chart = fresh;
            }
        }
        assert!((925..=1_390).contains(&alarms), "{alarms} alarms where about 1,111 are stated");
    }

    #[test]
    fn finds_a_shift() {
        let mut chart = Ewma::new(0.0, 1.0, 0.2, 3.0).unwrap();
        assert!((0..10).any(|_| chart.observe(2.0)));
        assert_eq!(Ewma::new(0.0, 0.0, 0.2, 3.0), None);
    }
}
