//! Intervals for a share from counts.

use super::{Interval, tail_of};
use crate::distribution::{beta, normal};

/// Wilson's score interval for a share, in `O(1)`.
///
/// Close to the stated confidence on average, and never outside `0..=1`; for a few successes it may
/// cover less than stated: then use [`clopper_pearson`].
/// `None` if `n` is zero, `successes > n` or `confidence` is not between zero and one.
/// Reference: Wilson, JASA 22 (1927).
#[must_use]
pub fn wilson(successes: u64, n: u64, confidence: f64) -> Option<Interval> {
    let tail = tail_of(confidence)?;
    if n == 0 || successes > n {
        return None;
    }
    let z = normal::quantile(1.0 - tail)?;
    let n_events = n as f64;
    let share = successes as f64 / n_events;
    let z2 = z * z / n_events;
    let middle = (share + 0.5 * z2) / (1.0 + z2);
    let half = z / (1.0 + z2) * (share * (1.0 - share) / n_events + 0.25 * z2 / n_events).sqrt();
    let low = if successes == 0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if successes == n { 1.0 } else { (middle + half).min(1.0) };
    Some(Interval { low, high })
}

/// The exact interval for a share: covers at least as often as stated, at every share.
///
/// `None` if `n` is zero, `successes > n` or `confidence` is not between zero and one.
/// Reference: Clopper, Pearson, Biometrika 26 (1934).
#[must_use]
pub fn clopper_pearson(successes: u64, n: u64, confidence: f64) -> Option<Interval> {
    let tail = tail_of(confidence)?;
    if n == 0 || successes > n {
        return None;
    }
    let (k, failures) = (successes as f64, (n - successes) as f64);
    let low = if successes == 0 { 0.0 } else { beta::quantile(tail, k, failures + 1.0)? };
    let high = if successes == n { 1.0 } else { beta::quantile(1.0 - tail, k + 1.0, failures)? };
    Some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Option<Interval>, low: f64, high: f64) {
        let found = found.unwrap();
        assert!((found.low - low).abs() <= 1e-9 * low.max(1e-3), "{} for {low}", found.low);
        assert!((found.high - high).abs() <= 1e-9 * high, "{} for {high}", found.high);
    }

    /// scipy 1.17.1: `binomtest(k, n).proportion_ci(0.95, method)`.
    #[test]
    fn agrees_with_scipy() {
        check(wilson(3, 50, 0.95), 0.020_616_092_506_653_07, 0.162_162_157_892_213_8);
        check(clopper_pearson(3, 50, 0.95), 0.012_548_597_707_090_76, 0.165_481_921_234_480_8);
        check(clopper_pearson(0, 10, 0.95), 0.0, 0.308_497_106_860_810_4);
    }

    #[test]
    fn too_little_gives_nothing() {
        assert_eq!(wilson(0, 0, 0.95), None);
        assert_eq!(wilson(2, 1, 0.95), None);
        assert_eq!(clopper_pearson(1, 2, 1.0), None);
    }
}
