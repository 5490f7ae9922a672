//! Evidently 0.7: the default test by type and size, and its scores.

use super::histogram::Histogram;
use super::{PeerTest, PeerVerdict};
use crate::distribution::{chi_square as law, normal};
use crate::two_sample::{jensen_shannon, kolmogorov_smirnov, two_proportions, wasserstein};

/// Rows of the reference from which distances replace tests.
const MOST_TESTED: usize = 1_000;
/// Different values of both samples up to which numbers are treated as categories.
const FEW_VALUES: usize = 5;
/// Different reference values up to which numbers get a bin each.
const FEW_BINS: usize = 20;
const LARGEST_P: f64 = 0.05;
const LEAST_DISTANCE: f64 = 0.1;

/// The test that is chosen for a numeric column with so many different values in both samples.
#[must_use]
pub fn numeric_test(reference_rows: usize, distinct: usize) -> PeerTest {
    match (reference_rows <= MOST_TESTED, distinct <= FEW_VALUES) {
        (true, true) => categorical_test(reference_rows, distinct),
        (true, false) => PeerTest::KolmogorovSmirnov,
        (false, true) => PeerTest::JensenShannon,
        (false, false) => PeerTest::WassersteinNormalised,
    }
}

/// The test that is chosen for a categorical column with so many different values in both samples.
#[must_use]
pub fn categorical_test(reference_rows: usize, distinct: usize) -> PeerTest {
    match (reference_rows <= MOST_TESTED, distinct <= 2) {
        (true, true) => PeerTest::TwoProportions,
        (true, false) => PeerTest::ChiSquareGoodnessOfFit,
        (false, _) => PeerTest::JensenShannon,
    }
}

/// The test that is chosen for a column of texts, and its threshold: a classifier of the texts' words
/// drifts from an area under the curve of 0.55 on beyond 1,000 reference rows, and beyond the 95th
/// percentile of random classifiers up to that. The area of [`crate::two_sample::classifier_test`] on
/// [`crate::two_sample::HashedText`] is our form of it.
#[must_use]
pub fn text_test(reference_rows: usize) -> (PeerTest, f64) {
    if reference_rows > MOST_TESTED {
        (PeerTest::TextClassifierArea, 0.55)
    } else {
        (PeerTest::TextClassifierPercentile, 0.95)
    }
}

/// What Evidently's default says about a numeric column.
///
/// One extreme reference row stretches the deviation and hides any change beyond 1,000 rows; a shift of
/// less than a tenth of the deviation is never reported, and small windows alarm without a change.
/// `None` for an empty sample or values that are not finite.
#[must_use]
pub fn numeric(reference: &[f64], current: &[f64]) -> Option<PeerVerdict> {
    let (reference, current) = (sorted(reference)?, sorted(current)?);
    let mut both = [&reference[..], &current].concat();
    both.sort_unstable_by(f64::total_cmp);
    both.dedup();
    match numeric_test(reference.len(), both.len()) {
        PeerTest::KolmogorovSmirnov => {
            let score = kolmogorov_smirnov(&reference, &current)?.p_value;
            Some(verdict(PeerTest::KolmogorovSmirnov, score, score <= LARGEST_P))
        }
        PeerTest::WassersteinNormalised => {
            let score = wasserstein_normalised(&reference, &current)?;
            Some(verdict(PeerTest::WassersteinNormalised, score, score >= LEAST_DISTANCE))
        }
        _ => {
            let count = |sample: &[f64]| -> Vec<u64> {
                let held = |value: &f64| sample.partition_point(|x| x <= value) - sample.partition_point(|x| x < value);
                both.iter().map(|value| held(value) as u64).collect()
            };
            categorical(&count(&reference), &count(&current))
        }
    }
}

/// What Evidently's default says about a column of categories, by the counts of the same values.
///
/// The chi-square score takes the reference's shares as exact: at a stated 5 % it alarms in 25 % of
/// unchanged columns with 4 values and in all with 200 (500 rows a side). The Jensen-Shannon score
/// grows with the number of values and shrinks with the number of rows, and the threshold does not.
/// `None` if the lengths differ or a sample is empty.
#[must_use]
pub fn categorical(reference: &[u64], current: &[u64]) -> Option<PeerVerdict> {
    let sum = |counts: &[u64]| counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count));
    let (n, m) = (sum(reference)?, sum(current)?);
    if reference.len() != current.len() || n == 0 || m == 0 {
        return None;
    }
    let distinct = reference.iter().zip(current).filter(|(a, b)| **a > 0 || **b > 0).count();
    let test = categorical_test(usize::try_from(n).unwrap_or(usize::MAX), distinct);
    let score = match test {
        PeerTest::TwoProportions => {
            let at = reference.iter().zip(current).position(|(a, b)| *a > 0 || *b > 0)?;
            // A column of one value cannot have changed.
            two_proportions((reference[at], n), (current[at], m)).map_or(1.0, |test| test.p_value)
        }
        PeerTest::JensenShannon => {
            let score = jensen_shannon(reference, current)?;
            return Some(verdict(test, score, score >= LEAST_DISTANCE));
        }
        _ => goodness_of_fit(reference, current)?,
    };
    Some(verdict(test, score, score < LARGEST_P))
}

/// The population stability index as Evidently computes it for numbers: Sturges' bins over both
/// samples, empty shares raised to 1e-4, or to a millionth of the least share if that is below 1e-4.
///
/// One value of 1,000 among 5,000 turns 0.98 into 0.00007, because it stretches the bins.
#[must_use]
pub fn population_stability(reference: &[f64], current: &[f64]) -> Option<f64> {
    let (p, q) = filled_shares(reference, current)?;
    Some(p.iter().zip(&q).map(|(p, q)| (p - q) * (p / q).ln()).sum())
}

/// The Kullback-Leibler divergence on the same bins.
#[must_use]
pub fn kullback_leibler(reference: &[f64], current: &[f64]) -> Option<f64> {
    let (p, q) = filled_shares(reference, current)?;
    // The library makes each side sum to one again after the filling.
    let (total_p, total_q): (f64, f64) = (p.iter().sum(), q.iter().sum());
    Some(p.iter().zip(&q).map(|(p, q)| (p / total_p, q / total_q)).map(|(p, q)| p * (p / q).ln()).sum())
}

/// The Jensen-Shannon distance of numbers on the same bins, in nats, nothing filled.
#[must_use]
pub fn numeric_jensen_shannon(reference: &[f64], current: &[f64]) -> Option<f64> {
    let (a, b) = counts(reference, current)?;
    jensen_shannon(&a, &b)
}

/// The one-sided Mann-Whitney p-value that Evidently reports: small only where the current values are
/// the greater, so a fall is never seen.
#[must_use]
pub fn mann_whitney(reference: &[f64], current: &[f64]) -> Option<f64> {
    let test = crate::two_sample::mann_whitney(&sorted(reference)?, &sorted(current)?)?;
    // Half a pair towards the middle from this side, whichever side the statistic is on.
    let pairs = reference.len() as f64 * current.len() as f64;
    let two_sided_shift = 0.5 * pairs - test.u;
    let error = if test.z == 0.0 { return Some(0.5) } else { (two_sided_shift.abs() - 0.5) / test.z.abs() };
    Some(normal::sf((two_sided_shift - 0.5) / error))
}

/// First Wasserstein distance over the reference's deviation, which is taken to be at least 0.001.
#[must_use]
pub fn wasserstein_normalised(reference: &[f64], current: &[f64]) -> Option<f64> {
    let (reference, current) = (sorted(reference)?, sorted(current)?);
    let n = reference.len() as f64;
    let mean = reference.iter().sum::<f64>() / n;
    let deviation = (reference.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    let score = wasserstein(&reference, &current)? / deviation.max(0.001);
    score.is_finite().then_some(score)
}

fn verdict(test: PeerTest, score: f64, drifted: bool) -> PeerVerdict {
    let is_distance = matches!(test, PeerTest::JensenShannon | PeerTest::WassersteinNormalised);
    PeerVerdict { test, score, threshold: if is_distance { LEAST_DISTANCE } else { LARGEST_P }, drifted }
}

/// The p-value of the current counts if the reference's shares were exact.
fn goodness_of_fit(reference: &[u64], current: &[u64]) -> Option<f64> {
    let (n, m) = (reference.iter().sum::<u64>() as f64, current.iter().sum::<u64>() as f64);
    let held: Vec<(f64, f64)> = reference
        .iter()
        .zip(current)
        .filter(|(a, b)| **a > 0 || **b > 0)
        .map(|(a, b)| (*a as f64 * m / n, *b as f64))
        .collect();
    if held.iter().any(|(expected, _)| *expected == 0.0) {
        // A value that the reference never had divides by zero there: infinitely unlikely.
        return Some(0.0);
    }
    let statistic = held.iter().map(|(expected, found)| (found - expected).powi(2) / expected).sum();
    law::sf(statistic, (held.len() as f64 - 1.0).max(1.0))
}

fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    Some(values)
}

/// Counts in Sturges' bins over both samples, or by value for a reference of at most 20 values.
fn counts(reference: &[f64], current: &[f64]) -> Option<(Vec<u64>, Vec<u64>)> {
    let (reference, current) = (sorted(reference)?, sorted(current)?);
    let both = [&reference[..], &current].concat();
    if reference.chunk_by(|a, b| a == b).take(FEW_BINS + 1).count() > FEW_BINS {
        let bins = Histogram::sturges(&both)?;
        return Some((bins.counts(&reference), bins.counts(&current)));
    }
    let mut values = both;
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    let count = |sample: &[f64]| -> Vec<u64> {
        let held = |value: &f64| sample.partition_point(|x| x <= value) - sample.partition_point(|x| x < value);
        values.iter().map(|value| held(value) as u64).collect()
    };
    Some((count(&reference), count(&current)))
}

fn filled_shares(reference: &[f64], current: &[f64]) -> Option<(Vec<f64>, Vec<f64>)> {
    let (a, b) = counts(reference, current)?;
    let fill = |counts: &[u64], total: usize| {
        let mut shares: Vec<f64> = counts.iter().map(|count| *count as f64 / total as f64).collect();
        let least = shares.iter().copied().filter(|share| *share > 0.0).fold(f64::INFINITY, f64::min);
        let floor = if least <= 1e-4 { least / 1e6 } else { 1e-4 };
        shares.iter_mut().filter(|share| **share == 0.0).for_each(|share| *share = floor);
        shares
    };
    Some((fill(&a, reference.len()), fill(&b, current.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::close;
    use crate::two_sample::golden_samples;

    /// golden-stats.json: evidently 0.7.23.
    #[test]
    fn agrees_with_evidently() {
        let (a, b) = golden_samples();
        close(population_stability(&a, &b), 2.165_125_216_074_567_3, 1e-9);
        close(kullback_leibler(&a, &b), 1.791_972_210_850_565_4, 1e-9);
        close(numeric_jensen_shannon(&a, &b), 0.342_124_116_067_158_1, 1e-9);
        close(wasserstein_normalised(&a, &b), 0.647_406_051_255_540_2, 1e-9);
        close(mann_whitney(&a, &b), 0.004_922_161_659_328_597, 1e-9);
        close(numeric(&a, &b).map(|verdict| verdict.score), 0.023_651_374_035_440_8, 1e-9);
        let (reference, current) = ([50, 30, 15, 5], [30, 30, 25, 15]);
        let verdict = categorical(&reference, &current).unwrap();
        assert_eq!(verdict.test, PeerTest::ChiSquareGoodnessOfFit);
        close(Some(verdict.score), 1.432_685_540_306_753_3e-7, 1e-9);
    }

    /// evidently 0.7.23 `_get_default_stattest`, both sides of each limit.
    #[test]
    fn chooses_by_size_and_values() {
        assert_eq!(numeric_test(1_000, 6), PeerTest::KolmogorovSmirnov);
        assert_eq!(numeric_test(1_001, 6), PeerTest::WassersteinNormalised);
        assert_eq!(numeric_test(1_000, 5), PeerTest::ChiSquareGoodnessOfFit);
        assert_eq!(numeric_test(1_000, 2), PeerTest::TwoProportions);
        assert_eq!(numeric_test(1_001, 5), PeerTest::JensenShannon);
        assert_eq!(categorical_test(1_000, 2), PeerTest::TwoProportions);
        assert_eq!(categorical_test(1_000, 3), PeerTest::ChiSquareGoodnessOfFit);
        assert_eq!(categorical_test(1_001, 2), PeerTest::JensenShannon);
        assert_eq!(text_test(1_000), (PeerTest::TextClassifierPercentile, 0.95));
        assert_eq!(text_test(1_001), (PeerTest::TextClassifierArea, 0.55));
    }

    #[test]
    fn bad_samples_give_nothing() {
        assert_eq!(numeric(&[], &[1.0]), None);
        assert_eq!(numeric(&[1.0], &[f64::NAN]), None);
        assert_eq!(categorical(&[1], &[1, 2]), None);
        assert_eq!(categorical(&[u64::MAX, 1], &[1, 1]), None);
        assert_eq!(categorical(&[5, 0], &[5, 0]).map(|verdict| verdict.drifted), Some(false));
        assert_eq!(mann_whitney(&[1.0; 5], &[1.0; 5]), None);
    }
}
