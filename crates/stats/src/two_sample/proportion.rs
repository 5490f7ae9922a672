//! Do two shares differ?

use serde::{Deserialize, Serialize};

use crate::distribution::normal;

/// The logarithm of a chance, relative to that of the table at hand, that changes no digit.
const NEGLIGIBLE: f64 = -50.0;

/// The comparison of two shares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProportionTest {
    /// `current - reference`, in standard errors of the pooled share.
    pub z: f64,
    /// Two-sided.
    pub p_value: f64,
    /// `current - reference`.
    pub difference: f64,
}

/// The two-proportion z test with the pooled share, in `O(1)`.
///
/// Not to be trusted when a pooled expected count is below 5: use [`fisher_exact`].
/// `None` if a sample is empty, has more successes than events, or if no event, or every event, of
/// both succeeded.
#[must_use]
pub fn two_proportions(reference: (u64, u64), current: (u64, u64)) -> Option<ProportionTest> {
    let ((a, n), (b, m)) = (reference, current);
    n.checked_add(m)?;
    if n == 0 || m == 0 || a > n || b > m || a + b == 0 || a + b == n + m {
        return None;
    }
    let (n_reference, n_current) = (n as f64, m as f64);
    let difference = b as f64 / n_current - a as f64 / n_reference;
    let pooled = (a + b) as f64 / (n_reference + n_current);
    let error = (pooled * (1.0 - pooled) * (1.0 / n_reference + 1.0 / n_current)).sqrt();
    let z = difference / error;
    Some(ProportionTest { z, p_value: normal::two_sided(z), difference })
}

/// Fisher's exact test of a two-by-two table, two-sided: the chance of all tables with these
/// margins that are no likelier than this one.
///
/// Rows are reference and current, columns success and failure. Cost `O(distance to the likeliest table + its
/// standard deviation)`: tables too rare to change a digit are left out.
/// Reference: Fisher (1922); sums as in R and scipy, ties within a relative 1e-7 count as equal.
#[must_use]
pub fn fisher_exact(table: [[u64; 2]; 2]) -> f64 {
    let [[a, b], [c, d]] = table;
    let (row, column, total) = (a + b, a + c, a + b + c + d);
    let low = (row + column).saturating_sub(total);
    let high = row.min(column);
    // Chances relative to this table's, by the ratio of neighbours; they sum without overflow
    // because everything is scaled by the largest at the end.
    let ln_ratio_up = |x: u64| {
        let up = (row - x) as f64 * (column - x) as f64;
        let down = (x + 1) as f64 * (total + x + 1 - row - column) as f64;
        (up / down).ln()
    };
    let mut logs = vec![0.0];
    let mut log = 0.0;
    // Chances have one peak: below `e^-50` of this table's, all further ones are rarer still.
    for x in a..high {
        log += ln_ratio_up(x);
        logs.push(log);
        if log < NEGLIGIBLE {
            break;
        }
    }
    log = 0.0;
    for x in (low..a).rev() {
        log -= ln_ratio_up(x);
        logs.push(log);
        if log < NEGLIGIBLE {
            break;
        }
    }
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let all: f64 = logs.iter().map(|log| (log - most).exp()).sum();
    let as_rare: f64 = logs.iter().filter(|log| **log <= 1e-7).map(|log| (log - most).exp()).sum();
    (as_rare / all).min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::golden::{close, rows};

    /// golden-stats.json, scipy 1.17.1: 45 of 100 against 60 of 100.
    #[test]
    fn agrees_with_scipy() {
        let test = two_proportions((45, 100), (60, 100)).unwrap();
        assert!((test.z - 2.123_976_976_214_365_7).abs() < 1e-9);
        assert!((test.p_value - 0.033_672_068_856_345_855).abs() < 1e-10);
        for row in rows("/two_sample/fisher") {
            let cell = |at: usize| row[at] as u64;
            let p = fisher_exact([[cell(0), cell(1)], [cell(2), cell(3)]]);
            close(Some(p), row[4], 1e-9);
        }
    }

    /// Goal: what is left out changes no digit, near the peak and far from it. scipy 1.17.1: `fisher_exact`.
    #[test]
    fn large_tables_keep_their_digits() {
        for (table, expected) in [
            ([[5_000, 5_000], [5_150, 4_850]], 0.035_078_976_888_839_73),
            ([[600, 400], [400, 600]], 4.299_952_425_047_859_6e-19),
            ([[9_990, 10], [9_950, 50]], 1.553_682_296_670_937e-7),
        ] {
            close(Some(fisher_exact(table)), expected, 1e-9);
        }
        // A billion possible tables of which some hundred thousand matter.
        let half = 1_000_000_000;
        assert!(fisher_exact([[half, half], [half, half]]) > 0.999);
    }

    #[test]
    fn nothing_to_compare() {
        assert_eq!(two_proportions((0, 10), (0, 10)), None);
        assert_eq!(two_proportions((0, 0), (1, 10)), None);
        assert!((fisher_exact([[0, 0], [0, 0]]) - 1.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn fisher_is_a_symmetric_chance(a in 0..60_u64, b in 0..60_u64, c in 0..60_u64, d in 0..60_u64) {
            let p = fisher_exact([[a, b], [c, d]]);
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert!((p - fisher_exact([[c, d], [a, b]])).abs() < 1e-9);
        }
    }
}
