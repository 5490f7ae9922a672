//! The mixture sequential probability ratio test of normal means.

use serde::{Deserialize, Serialize};

use super::monitor::EProcess;
use crate::interval::Interval;

/// The mixture SPRT for a mean with a known variance, with a normal mixture over effects.
///
/// Null hypothesis: the values are normal around `null_mean` with the variance `variance` (or
/// sub-Gaussian with at most that). With `S` the sum of deviations,
/// `E = sqrt(V / (V + n T)) exp(T S^2 / (2 V (V + n T)))`, `T` the variance of the mixture: the square
/// of the effect that shall be found soonest. `E >= 1/alpha` happens ever with probability at most
/// `alpha`. For a comparison of two arms give differences of pairs and the sum of the variances.
/// Not to be trusted with a variance estimated from the same few values, or for shares of 0.01 %
/// with few events: take [`super::BernoulliE`] or [`super::BoundedMeanE`].
/// Cost: one addition a value; no allocation.
/// Source: Robbins, Annals of Mathematical Statistics 41 (1970); Johari, Koomen, Pekelis, Walsh,
/// "Always valid inference", Operations Research 70 (2022), equation 8.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormalMixture {
    null_mean: f64,
    variance: f64,
    mixture_variance: f64,
    count: u64,
    deviations: f64,
}

impl NormalMixture {
    /// Tests against `null_mean`; `None` unless it is finite and both variances are positive and
    /// finite.
    #[must_use]
    pub fn new(null_mean: f64, variance: f64, mixture_variance: f64) -> Option<Self> {
        let positive = |x: f64| 0.0 < x && x.is_finite();
        let valid = null_mean.is_finite() && positive(variance) && positive(mixture_variance);
        valid.then_some(Self { null_mean, variance, mixture_variance, count: 0, deviations: 0.0 })
    }

    /// Takes in one value; `false`, and no change, if it is not finite or would overflow the sum.
    pub fn observe(&mut self, value: f64) -> bool {
        let deviations = self.deviations + (value - self.null_mean);
        // The square of the sum is needed too.
        let valid = deviations.abs() < 1e150;
        if valid {
            self.deviations = deviations;
            self.count += 1;
        }
        valid
    }

    /// The evidence against the null mean: `ln E`; stop at `ln(1/alpha)`.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        let spread = self.variance + self.count as f64 * self.mixture_variance;
        let weight = self.mixture_variance / spread;
        let evidence = 0.5 * (weight * self.deviations) * (self.deviations / self.variance);
        (0.5 * (self.variance / spread).ln() + evidence).min(f64::MAX)
    }

    /// The means that are not excluded: holds at every look together with probability `1 - alpha`.
    ///
    /// `mean -+ sqrt(2 V (V + n T) / T (ln(1/alpha) + ln((V + n T) / V) / 2)) / n`. `None` before the
    /// first value and unless `0 < alpha < 1`.
    #[must_use]
    pub fn confidence_sequence(&self, alpha: f64) -> Option<Interval> {
        if self.count == 0 || !(0.0 < alpha && alpha < 1.0) {
            return None;
        }
        let n = self.count as f64;
        let spread = self.variance + n * self.mixture_variance;
        let evidence = -alpha.ln() + 0.5 * (spread / self.variance).ln();
        let radius = (2.0 * self.variance * (spread / self.mixture_variance) * evidence).sqrt() / n;
        let mean = self.null_mean + self.deviations / n;
        (radius.is_finite()).then_some(Interval { low: mean - radius, high: mean + radius })
    }

    /// How many values were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}

impl EProcess for NormalMixture {
    fn take(&mut self, value: f64) {
        self.observe(value);
    }

    fn log_e(&self) -> f64 {
        NormalMixture::log_e(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;
    use crate::sequential::{Monitor, Stop};

    /// Goal: the formula, at n = 100, mean 0.3, V = 2, T = 0.5: `sqrt(2/52) exp(0.5 900 / 208)`.
    #[test]
    fn agrees_with_the_formula() {
        let mut test = NormalMixture::new(1.0, 2.0, 0.5).unwrap();
        (0..100).for_each(|_| assert!(test.observe(1.3)));
        let expected = 0.5 * (2.0_f64 / 52.0).ln() + 0.5 * 900.0 / 208.0;
        assert!((test.log_e() - expected).abs() < 1e-9);
        // The ends of the interval are the means at which E is exactly 1/alpha.
        let held = test.confidence_sequence(0.05).unwrap();
        let mut at_end = NormalMixture::new(held.high, 2.0, 0.5).unwrap();
        (0..100).for_each(|_| assert!(at_end.observe(1.3)));
        assert!((at_end.log_e() - 20.0_f64.ln()).abs() < 1e-9);
    }

    /// Goal: over 3,000 looks at most alpha of the runs alarm, and a shift is found. Method: 300
    /// runs at 10 %; 46 is three deviations above 30.
    #[test]
    fn alarms_at_most_at_alpha_and_finds_a_shift() {
        let stops = |shift: f64, runs: u64| {
            let alarms = |seed: &u64| {
                let mut stream = SplitMix::new(*seed);
                let mut stop = Stop::new(NormalMixture::new(0.0, 1.0, 0.1).unwrap(), 0.1).unwrap();
                (0..3_000).any(|_| stop.watch(shift + stream.normal()))
            };
            (0..runs).filter(alarms).count()
        };
        assert!(stops(0.0, 300) <= 46);
        assert_eq!(stops(0.15, 50), 50);
    }

    #[test]
    fn bad_input_and_settings_are_refused() {
        let mut test = NormalMixture::new(0.0, 1.0, 1.0).unwrap();
        assert!(!test.observe(f64::NAN) && !test.observe(f64::INFINITY) && !test.observe(1e300));
        assert_eq!((test.count(), test.log_e()), (0, 0.0));
        assert_eq!(test.confidence_sequence(0.05), None);
        assert_eq!(NormalMixture::new(0.0, 0.0, 1.0), None);
        let mut tiny = NormalMixture::new(0.0, 1e-300, 1e300).unwrap();
        assert!(tiny.observe(1e149) && tiny.log_e().is_finite());
    }
}
