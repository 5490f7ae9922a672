//! Alibi Detect 0.13: Kolmogorov-Smirnov and chi-square, each column at 5 % over their number.

use super::{PeerTest, PeerVerdict, one_sample};
use crate::distribution::chi_square as law;
use crate::two_sample::{chi_square, kolmogorov_smirnov};

/// The accepted chance of a false alarm over all columns.
const P_VALUE: f64 = 0.05;

/// The p-value that a column must stay below among so many, by Bonferroni's correction.
#[must_use]
pub fn threshold(columns: usize) -> f64 {
    P_VALUE / columns.max(1) as f64
}

/// `KSDrift` on one of so many columns. Its p-value is that of one sample of `n m / (n + m)` values,
/// rounded: 0.0229 where the exact one is 0.0237, at 40 against 30.
///
/// `None` for an empty sample or values that are not finite.
#[must_use]
pub fn numeric(reference: &[f64], current: &[f64], columns: usize) -> Option<PeerVerdict> {
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_unstable_by(f64::total_cmp);
        values
    };
    let (n, m) = (reference.len() as f64, current.len() as f64);
    let statistic = kolmogorov_smirnov(&sorted(reference), &sorted(current))?.statistic;
    // Halves go to the even number, as numpy rounds.
    let together = (n * m / (n + m)).round_ties_even();
    let score = if together >= 1.0 { one_sample::sf(statistic, together) } else { 1.0 };
    Some(verdict(PeerTest::KolmogorovSmirnov, score, columns))
}

/// `ChiSquareDrift` on one of so many columns: nothing is pooled, so that many rare values make the
/// p-value unreliable, and a table of two values is tested with Yates' correction.
///
/// `None` if the lengths differ, a sample is empty, or there are fewer than two values.
#[must_use]
pub fn categorical(reference: &[u64], current: &[u64], columns: usize) -> Option<PeerVerdict> {
    let test = chi_square(reference, current, 0.0)?;
    let score = if test.degrees_of_freedom == 1 { corrected(reference, current)? } else { test.p_value };
    Some(verdict(PeerTest::ChiSquare, score, columns))
}

/// Yates' correction: every cell half a count nearer to what is expected.
fn corrected(reference: &[u64], current: &[u64]) -> Option<f64> {
    let (n, m) = (reference.iter().sum::<u64>() as f64, current.iter().sum::<u64>() as f64);
    let side = |found: u64, expected: f64| ((found as f64 - expected).abs() - 0.5).max(0.0).powi(2) / expected;
    let cells = reference.iter().zip(current).filter(|(a, b)| **a > 0 || **b > 0);
    let statistic = cells
        .map(|(a, b)| {
            let both = (*a + *b) as f64 / (n + m);
            side(*a, both * n) + side(*b, both * m)
        })
        .sum();
    law::sf(statistic, 1.0)
}

fn verdict(test: PeerTest, score: f64, columns: usize) -> PeerVerdict {
    let threshold = threshold(columns);
    PeerVerdict { test, score, threshold, drifted: score < threshold }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::two_sample::golden_samples;

    /// golden-stats.json: alibi-detect 0.13.0 (single precision).
    #[test]
    fn agrees_with_alibi_detect() {
        let (a, b) = golden_samples();
        let found = numeric(&a, &b, 1).unwrap();
        assert!((found.score / 0.022_920_047_864_317_894 - 1.0).abs() < 1e-6 && found.drifted);
        assert!(!numeric(&a, &b, 3).unwrap().drifted);
        let found = categorical(&[50, 30, 15, 5], &[30, 30, 25, 15], 1).unwrap();
        assert!((found.score / 0.005_852_662_492_543_459 - 1.0).abs() < 1e-6);
        // scipy 1.17.1 `chi2_contingency([[45, 55], [60, 40]])`, with its default correction.
        let found = categorical(&[45, 55], &[60, 40], 1).unwrap();
        assert!((found.score / 0.047_436_892_824_865_45 - 1.0).abs() < 1e-6, "{}", found.score);
    }

    #[test]
    fn bad_samples_give_nothing() {
        assert_eq!(numeric(&[], &[1.0], 1), None);
        assert_eq!(numeric(&[f64::NAN], &[1.0], 1), None);
        assert_eq!(categorical(&[5], &[5], 1), None);
    }
}
