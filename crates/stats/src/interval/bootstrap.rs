//! Intervals for statistics that have no formula of their own.

use super::{Estimate, Interval, tail_of};
use crate::random::SplitMix;

/// The standard error and the percentile interval of a statistic over resamples of `rows` rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// The statistic of the sample itself, and its standard deviation over resamples.
    pub estimate: Estimate,
    /// The quantiles of the resamples.
    pub interval: Interval,
}

/// Recomputes a statistic on seeded resamples with replacement.
///
/// `statistic` takes how often each of the `rows` rows was drawn, as weights; resamples where it has
/// no value are left out. Cost: `resamples` times the statistic, and `rows` random numbers each. Not
/// to be trusted for fewer than some 30 rows, for extremes, nor for rows that depend on each other.
/// `None` for fewer than two rows, fewer than 40 resamples, a confidence that is not between zero and
/// one, no value on the sample itself, or on more than a tenth of the resamples.
/// Reference: Efron, Tibshirani, "An Introduction to the Bootstrap" (1993), 13.3.
pub fn bootstrap(
    rows: usize,
    resamples: u32,
    confidence: f64,
    seed: u64,
    mut statistic: impl FnMut(&[f64]) -> Option<f64>,
) -> Option<Bootstrap> {
    let tail = tail_of(confidence)?;
    if rows < 2 || resamples < 40 {
        return None;
    }
    let mut weights = vec![1.0; rows];
    let value = statistic(&weights)?;
    let mut random = SplitMix::new(seed);
    let mut values = Vec::with_capacity(resamples as usize);
    for _ in 0..resamples {
        weights.fill(0.0);
        for _ in 0..rows {
            weights[random.below(rows)] += 1.0;
        }
        values.extend(statistic(&weights).filter(|value| value.is_finite()));
    }
    if values.len() * 10 < resamples as usize * 9 {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let estimate = Estimate::new(value, (squares / (values.len() - 1) as f64).sqrt())?;
    let last = (values.len() - 1) as f64;
    let at = |p: f64| values[(p * last).round() as usize];
    Some(Bootstrap { estimate, interval: Interval { low: at(tail), high: at(1.0 - tail) } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::tests_stream::Lcg;

    /// Goal: for a mean, the standard error is the known one.
    #[test]
    fn the_mean_has_its_standard_error() {
        let mut stream = Lcg::new(4);
        let values: Vec<f64> = (0..400).map(|_| stream.next()).collect();
        let mean = |weights: &[f64]| Some(weights.iter().zip(&values).map(|(w, x)| w * x).sum::<f64>() / 400.0);
        let found = bootstrap(400, 1_000, 0.95, 7, mean).unwrap();
        let expected = (1.0 / 12.0 / 400.0_f64).sqrt();
        assert!((found.estimate.standard_error / expected - 1.0).abs() < 0.1, "{found:?}");
        assert!(found.interval.contains(found.estimate.value));
        let width = (found.interval.high - found.interval.low) / expected;
        assert!((3.5..4.4).contains(&width), "{width}");
        assert_eq!(found, bootstrap(400, 1_000, 0.95, 7, mean).unwrap());
    }

    #[test]
    fn bad_input_gives_nothing() {
        assert_eq!(bootstrap(1, 100, 0.95, 1, |_| Some(1.0)), None);
        assert_eq!(bootstrap(9, 10, 0.95, 1, |_| Some(1.0)), None);
        assert_eq!(bootstrap(9, 100, 0.0, 1, |_| Some(1.0)), None);
        assert_eq!(bootstrap(9, 100, 0.95, 1, |_| None), None);
        assert_eq!(bootstrap(9, 100, 0.95, 1, |weights| (weights[0] == 1.0).then_some(1.0)), None);
    }
}
