//! Do two samples have the same shares of categories?

use serde::{Deserialize, Serialize};

use super::pooling::{pool_small_cells, sizes};
use crate::distribution::chi_square as law;

/// The result of a test on counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountTest {
    /// The test statistic, after pooling.
    pub statistic: f64,
    /// Cells after pooling, less one.
    pub degrees_of_freedom: u32,
    /// The chance of a statistic at least as large when nothing changed.
    pub p_value: f64,
    /// Effect size from 0 (same shares) to 1 (no category in common).
    pub cramers_v: f64,
}

/// The two-sample chi-square test, in `O(cells log cells)`.
///
/// `X2 = sum (a sqrt(m/n) - b sqrt(n/m))^2 / (a + b)`: both samples are random. (Testing the current
/// counts against the reference's shares as if those were exact, as some tools do, turns a true
/// p of 0.0059 into 1.4e-7.) Cells with an expected count below `least_expected` are pooled first;
/// 5 is the rule of Cochran, 0 pools nothing.
/// `None` if a sample is empty, the lengths differ, or fewer than two cells remain.
/// Reference: Pearson (1900); Cochran, Biometrics 10 (1954).
///
/// ```
/// use wardline_stats::two_sample::chi_square;
/// let test = chi_square(&[50, 30, 15, 5], &[30, 30, 25, 15], 5.0);
/// assert!(test.is_some_and(|test| (test.p_value - 0.005_852_662_593).abs() < 1e-9));
/// ```
#[must_use]
pub fn chi_square(reference: &[u64], current: &[u64], least_expected: f64) -> Option<CountTest> {
    let (reference, current) = pool_small_cells(reference, current, least_expected)?;
    let (n, m) = sizes(&reference, &current)?;
    let ratio = (m / n).sqrt();
    let statistic = reference
        .iter()
        .zip(&current)
        .map(|(a, b)| {
            let (a, b) = (*a as f64, *b as f64);
            (a * ratio - b / ratio).powi(2) / (a + b)
        })
        .sum();
    finish(statistic, statistic, reference.len(), n + m)
}

/// The likelihood-ratio form `G = 2 sum observed ln(observed / expected)`, as [`chi_square`].
///
/// Reference: Sokal, Rohlf, "Biometry" (1994), 17.
#[must_use]
pub fn g_test(reference: &[u64], current: &[u64], least_expected: f64) -> Option<CountTest> {
    let (reference, current) = pool_small_cells(reference, current, least_expected)?;
    let (n, m) = sizes(&reference, &current)?;
    let term = |observed: f64, expected: f64| {
        if observed > 0.0 { observed * (observed / expected).ln() } else { 0.0 }
    };
    let (mut statistic, mut pearson) = (0.0, 0.0);
    for (a, b) in reference.iter().zip(&current) {
        let (a, b) = (*a as f64, *b as f64);
        let (expected_a, expected_b) = ((a + b) * n / (n + m), (a + b) * m / (n + m));
        statistic += 2.0 * (term(a, expected_a) + term(b, expected_b));
        pearson += (a - expected_a).powi(2) / expected_a + (b - expected_b).powi(2) / expected_b;
    }
    finish(statistic.max(0.0), pearson, reference.len(), n + m)
}

fn finish(statistic: f64, pearson: f64, cells: usize, total: f64) -> Option<CountTest> {
    if cells < 2 {
        return None;
    }
    let degrees_of_freedom = (cells - 1) as u32;
    let p_value = law::sf(statistic, f64::from(degrees_of_freedom))?;
    let cramers_v = (pearson / total).sqrt().min(1.0);
    Some(CountTest { statistic, degrees_of_freedom, p_value, cramers_v })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} for {expected}");
    }

    /// golden-stats.json, scipy 1.17.1 `chi2_contingency(correction=False)`.
    #[test]
    fn agrees_with_scipy() {
        let (reference, current) = ([50, 30, 15, 5], [30, 30, 25, 15]);
        let test = chi_square(&reference, &current, 5.0).unwrap();
        close(test.statistic, 12.5);
        close(test.p_value, 0.005_852_662_593_326_735);
        close(test.cramers_v, 0.25);
        assert_eq!(test.degrees_of_freedom, 3);
        let test = g_test(&reference, &current, 5.0).unwrap();
        close(test.statistic, 12.812_627_614_116_664);
        close(test.p_value, 0.005_059_838_494_607_169);
    }

    #[test]
    fn too_little_gives_nothing() {
        assert_eq!(chi_square(&[], &[], 5.0), None);
        assert_eq!(chi_square(&[7], &[8], 5.0), None);
        assert_eq!(chi_square(&[1, 1], &[0, 0], 5.0), None);
        assert_eq!(g_test(&[1, 1], &[1, 1], 5.0), None);
    }

    /// Goal: unchanged columns of many values alarm at the stated rate, not always.
    /// Method: 400 pairs of 500 values each over 200 categories, tested at 5 %.
    #[test]
    fn many_categories_keep_the_rate() {
        use crate::sequential::tests_stream::Lcg;
        let alarms = (0..400)
            .filter(|seed| {
                let mut stream = Lcg::new(*seed);
                let mut sample = || {
                    let mut counts = vec![0_u64; 200];
                    (0..500).for_each(|_| counts[(stream.next() * 200.0) as usize] += 1);
                    counts
                };
                let (reference, current) = (sample(), sample());
                chi_square(&reference, &current, 5.0).unwrap().p_value < 0.05
            })
            .count();
        assert!(alarms <= 38, "{alarms} of 400");
    }
}
