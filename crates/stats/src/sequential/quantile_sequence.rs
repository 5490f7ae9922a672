//! Quantiles and whole distributions between bounds that hold at every look.

use serde::{Deserialize, Serialize};

use crate::interval::Interval;
use crate::sketch::LogHistogram;

/// The ranks (counted from 1) between which the quantile `p` lies, at *every* `n` together with
/// probability at least `1 - alpha`.
///
/// With `f = 1.5 sqrt(p (1 - p) l) + 0.8 l`, `l = (1.4 ln ln(2.1 n) + ln(10/alpha)) / n`, the ranks are
/// `floor(n (p - f)) + 1` and `ceil(n (p + f))`. No shape is assumed; values must be independent.
/// About twice as wide as [`crate::interval::quantile_ranks`], which is for one look.
/// `None` while there are too few values on either side, and for bad arguments. `O(1)`.
/// Source: Howard, Ramdas, "Sequential estimation of quantiles with applications to A/B testing and
/// best-arm identification", Bernoulli 28 (2022), theorem 1.
#[must_use]
pub fn quantile_sequence_ranks(n: u64, p: f64, alpha: f64) -> Option<(u64, u64)> {
    if n == 0 || !(0.0 < p && p < 1.0) || !(0.0 < alpha && alpha < 1.0) {
        return None;
    }
    let values = n as f64;
    let share = (1.4 * (2.1 * values).ln().ln() + (10.0 / alpha).ln()) / values;
    let reach = 1.5 * (p * (1.0 - p) * share).sqrt() + 0.8 * share;
    let (low, high) = (values * (p - reach), values * (p + reach));
    (low >= 0.0 && high <= values).then(|| (low.floor() as u64 + 1, high.ceil() as u64))
}

/// The interval of a quantile of a sketch that holds at every look; as wide as
/// [`quantile_sequence_ranks`] says, and the sketch's own 0.8 % through its buckets.
#[must_use]
pub fn quantile_sequence(sketch: &LogHistogram, p: f64, alpha: f64) -> Option<Interval> {
    let (low, high) = quantile_sequence_ranks(sketch.count(), p, alpha)?;
    Some(Interval { low: sketch.value_at_rank(low)?, high: sketch.value_at_rank(high)? })
}

const FACTOR: f64 = 0.85;

/// A band around the whole empirical distribution: `|F_n(x) - F(x)| <= radius(n)` for every `x` and
/// every `n` together, with probability at least `1 - alpha`.
///
/// `radius = 0.85 sqrt((ln(1 + ln n) + C) / n)`, where `C` solves
/// `alpha = inf over e of 4 exp(-g C) (1 + 1 / ((g - 1) ln e))`, `g = (2/e) (0.85 - sqrt(2 (e - 1) / C))^2`:
/// 8.12 at 5 %, 10.94 at 0.1 %. Two independent samples differ by at most the sum of their radii at
/// `alpha/2` each while they have one law; so a window may be compared with a reference after every
/// value. Values must be independent. Solving for `C` takes a millisecond, once.
/// Source: as [`quantile_sequence_ranks`], theorem 2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DistributionBand {
    constant: f64,
}

impl DistributionBand {
    /// A band that fails with probability at most `alpha`; `None` unless `1e-12 <= alpha < 1`.
    #[must_use]
    pub fn new(alpha: f64) -> Option<Self> {
        if !(1e-12 <= alpha && alpha < 1.0) {
            return None;
        }
        let (mut low, mut high) = (1.0, 100.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if failure(middle) > alpha {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(Self { constant: high })
    }

    /// The radius after `n` values, at most 1; `None` for none.
    #[must_use]
    pub fn radius(&self, n: u64) -> Option<f64> {
        let values = n as f64;
        (n > 0).then(|| (FACTOR * ((values.ln().ln_1p() + self.constant) / values).sqrt()).min(1.0))
    }
}

/// The probability that a band with this constant fails, at the best of the free `e` in a grid.
///
/// Any `e` gives a bound, so a grid is safe; it is dense near 1, where the best one lies.
fn failure(constant: f64) -> f64 {
    let most = 2.0 * FACTOR * FACTOR;
    let bound = |step: u32| {
        let e = 1.0 + (most - 1.0) * (f64::from(step) / 2_000.0).powi(3);
        let rest = FACTOR - (2.0 * (e - 1.0) / constant).sqrt();
        let g = 2.0 / e * rest * rest;
        if rest > 0.0 && g > 1.0 { 4.0 * (-g * constant).exp() * (1.0 + 1.0 / ((g - 1.0) * e.ln())) } else { 1.0 }
    };
    (1..2_000).map(bound).fold(1.0, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    /// numpy 2.4.6 solves the root of the paper: 8.1227, 9.2835, 9.7834, 10.9431.
    #[test]
    fn the_constant_solves_the_root() {
        for (alpha, expected) in [
            (0.05, 8.122_719_4),
            (0.01, 9.283_543_4),
            (0.005, 9.783_365_2),
            (0.001, 10.943_071_4),
            (1e-6, 15.900_662_4),
        ] {
            let found = DistributionBand::new(alpha).unwrap().constant;
            assert!((found - expected).abs() < 1e-4 && found >= expected - 1e-7, "{alpha}: {found}");
        }
        assert_eq!(DistributionBand::new(0.0), None);
        assert_eq!(DistributionBand::new(0.05).unwrap().radius(0), None);
        assert_eq!(DistributionBand::new(0.05).unwrap().radius(1), Some(1.0));
    }

    /// Goal: the median and p95 stay within their ranks, and the distribution within its band, at
    /// all of 2,000 looks, but for alpha of the runs. Method: 200 runs at 10 %; 33 is three deviations.
    #[test]
    fn hold_at_every_look() {
        let band = DistributionBand::new(0.1).unwrap();
        let (mut median, mut tail, mut whole) = (0, 0, 0);
        for seed in 0..200 {
            let mut stream = SplitMix::new(seed);
            let mut cells = [0_u64; 20];
            let mut left = [false; 3];
            for n in 1..=2_000 {
                cells[stream.below(20)] += 1;
                // Even values: the share at or below a cell's end is known.
                let at_most = |end: usize| cells[..end].iter().sum::<u64>();
                for (at, (p, end)) in [(0.5, 10), (0.95, 19)].into_iter().enumerate() {
                    let within = quantile_sequence_ranks(n, p, 0.1)
                        .is_none_or(|(low, high)| low <= at_most(end) + 1 && at_most(end) <= high);
                    left[at] |= !within;
                }
                let radius = band.radius(n).unwrap();
                left[2] |= (1..20).any(|end| (at_most(end) as f64 / n as f64 - end as f64 / 20.0).abs() > radius);
            }
            median += usize::from(left[0]);
            tail += usize::from(left[1]);
            whole += usize::from(left[2]);
        }
        assert!(median <= 33 && tail <= 33 && whole <= 33, "{median}, {tail}, {whole} of 200");
    }

    #[test]
    fn ranks_lie_around_the_quantile() {
        let (low, high) = quantile_sequence_ranks(10_000, 0.5, 0.05).unwrap();
        assert!(4_600 < low && low < 5_000 && 5_000 < high && high < 5_400, "{low}..{high}");
        assert_eq!(quantile_sequence_ranks(10, 0.5, 0.05), None);
        assert_eq!(quantile_sequence_ranks(10_000, f64::NAN, 0.05), None);
        let mut sketch = LogHistogram::new();
        (1..=10_000).for_each(|value| {
            sketch.insert(f64::from(value));
        });
        let held = quantile_sequence(&sketch, 0.5, 0.05).unwrap();
        assert!(held.contains(5_000.0) && held.high < 5_500.0);
    }
}
