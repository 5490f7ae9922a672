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
    use crate::golden::{close, rows};

    /// scipy 1.17.1: `binomtest(k, n).proportion_ci(confidence, "wilson")`, and `beta.ppf` for the exact.
    #[test]
    fn agrees_with_scipy() {
        for row in rows("/interval/share") {
            let (successes, n, confidence) = (row[0] as u64, row[1] as u64, row[2]);
            let found = wilson(successes, n, confidence);
            close(found.map(|interval| interval.low), row[3], 1e-9);
            close(found.map(|interval| interval.high), row[4], 1e-9);
            let found = clopper_pearson(successes, n, confidence);
            close(found.map(|interval| interval.low), row[5], 1e-9);
            close(found.map(|interval| interval.high), row[6], 1e-9);
        }
    }

    #[test]
    fn too_little_gives_nothing() {
        assert_eq!(wilson(0, 0, 0.95), None);
        assert_eq!(wilson(2, 1, 0.95), None);
        assert_eq!(clopper_pearson(1, 2, 1.0), None);
    }
}
