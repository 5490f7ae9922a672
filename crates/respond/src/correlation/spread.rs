//! How long effects take to get from one node to another, as densities in hours.

use serde::{Deserialize, Serialize};
use wardline_stats::distribution::normal;

use crate::lineage::Lag;
use wardline_domain::Timestamp;

/// The least density: a time that nobody expected is unlikely, not impossible (per hour).
const FLOOR_PER_HOUR: f64 = 1e-5;
/// Alerts about the same node, or about parts of one thing, follow each other within half an hour, give or take a
/// factor of 3: nineteen of twenty within four and a half hours.
const TOGETHER: (f64, f64) = (0.5, 3.0);

/// A lag along a path: lognormal, in hours. Nothing on the way means at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Spread {
    mean: f64,
    variance: f64,
}

impl Spread {
    /// The spread of one edge.
    pub(super) fn of(lag: Lag) -> Self {
        let median = (lag.median as f64 / Timestamp::HOUR as f64).max(1e-6);
        let sigma = lag.factor.clamp(1.01, 20.0).ln();
        let mean = (median.ln() + sigma * sigma / 2.0).exp();
        Self { mean, variance: (sigma * sigma).exp_m1() * mean * mean }
    }

    /// One after the other: means and variances add up.
    pub(super) fn then(self, next: Self) -> Self {
        Self { mean: self.mean + next.mean, variance: self.variance + next.variance }
    }

    fn is_at_once(self) -> bool {
        self.mean <= 0.0
    }

    /// Logarithm of the median, and its spread, of the lognormal law with this mean and variance (Fenton and Wilkinson).
    fn lognormal(self) -> (f64, f64) {
        let sigma_squared = (self.variance / (self.mean * self.mean)).ln_1p();
        (self.mean.ln() - sigma_squared / 2.0, sigma_squared.sqrt().max(1e-3))
    }

    /// Half of the effects take no longer, in hours.
    pub(super) fn median(self) -> f64 {
        if self.is_at_once() { 0.0 } else { self.lognormal().0.exp() }
    }

    /// Chance that an effect takes no longer, in hours.
    pub(super) fn below(self, after: f64) -> f64 {
        if after <= 0.0 {
            return 0.0;
        }
        if self.is_at_once() {
            return normal::cdf((after / TOGETHER.0).ln() / TOGETHER.1.ln());
        }
        let (mu, sigma) = self.lognormal();
        normal::cdf((after.ln() - mu) / sigma)
    }

    /// How long an effect takes that is `z` standard deviations off the median, in hours.
    pub(super) fn quantile(self, z: f64) -> f64 {
        if self.is_at_once() {
            return 0.0;
        }
        let (mu, sigma) = self.lognormal();
        (mu + z * sigma).exp()
    }

    /// Density per hour of an effect `after` hours later, where both moments are known to `blur` hours.
    pub(super) fn density(self, after: f64, blur: f64) -> f64 {
        if self.is_at_once() {
            return together(after, blur);
        }
        let (mu, sigma) = self.lognormal();
        let below = |x: f64| if x <= 0.0 { 0.0 } else { normal::cdf((x.ln() - mu) / sigma) };
        ((below(after + blur) - below(after - blur)) / (2.0 * blur)).max(FLOOR_PER_HOUR)
    }

    /// Density per hour that an effect comes `after` hours later here than it came elsewhere, from one cause.
    pub(super) fn density_beside(self, other: Self, after: f64, blur: f64) -> f64 {
        if self.is_at_once() && other.is_at_once() {
            return together(after, blur);
        }
        let centre = self.median() - other.median();
        let width = self.half_width().hypot(other.half_width()).hypot(blur);
        let bell = |width: f64| {
            let z = (after - centre) / width;
            (-0.5 * z * z).exp() / (width * (std::f64::consts::TAU).sqrt())
        };
        // Differences of skewed laws have heavier tails than the bell.
        (0.8 * bell(width) + 0.2 * bell(3.0 * width)).max(FLOOR_PER_HOUR)
    }

    /// Half the width of the middle two thirds.
    fn half_width(self) -> f64 {
        if self.is_at_once() {
            return 0.0;
        }
        let (mu, sigma) = self.lognormal();
        mu.exp() * (sigma.exp() - (-sigma).exp()) / 2.0
    }
}

/// Either may come first.
fn together(after: f64, blur: f64) -> f64 {
    let (median, factor) = TOGETHER;
    let below = |x: f64| if x <= 0.0 { 0.0 } else { normal::cdf((x / median).ln() / factor.ln()) };
    let distance = after.abs();
    let width = if distance < blur { distance + blur } else { 2.0 * blur };
    (0.5 * (below(distance + blur) - below(distance - blur)) / width).max(FLOOR_PER_HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(density: impl Fn(f64) -> f64) -> f64 {
        (-4_000..40_000).map(|step| density(f64::from(step) / 100.0) / 100.0).sum()
    }

    #[test]
    fn densities_add_up_to_one() {
        let known = Spread::of(Lag::about(3 * Timestamp::HOUR));
        let unknown = Spread::of(Lag::UNKNOWN);
        for spread in [known, unknown, known.then(unknown)] {
            let total = sum(|after| spread.density(after, 0.25));
            assert!((total - 1.0).abs() < 0.03, "{total}");
        }
        let total = sum(|after| Spread::default().density(after, 0.25));
        assert!((total - 1.0).abs() < 0.1, "{total}");
        let total = sum(|after| known.density_beside(known, after, 0.25));
        assert!((total - 1.0).abs() < 0.05, "{total}");
    }

    #[test]
    fn a_known_lag_is_likeliest_about_its_median() {
        let spread = Spread::of(Lag::about(3 * Timestamp::HOUR));
        let at = |after: f64| spread.density(after, 0.25);
        assert!(at(2.5) > 5.0 * at(12.0));
        assert!(at(2.5) > 50.0 * at(-1.0));
        assert!((spread.median() - 3.0).abs() < 1e-6);
    }

    #[test]
    fn two_lags_in_a_row_take_about_twice_as_long() {
        let one = Spread::of(Lag::about(3 * Timestamp::HOUR));
        let both = one.then(one).median();
        assert!(6.0 < both && both < 8.0, "{both}");
    }
}
