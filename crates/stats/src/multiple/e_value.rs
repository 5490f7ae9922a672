//! Findings among e-values, given as logarithms: valid whatever their dependence.

/// The indices of the findings with a false-discovery rate of at most `alpha`, strongest first.
///
/// Sorted downwards, the largest `k` with `E_(k) >= n / (k alpha)`. Use the *current* value of
/// each e-process, never its running maximum. NaN counts as no evidence; empty unless
/// `0 < alpha <= 1`. `O(n log n)`.
/// Reference: Wang, Ramdas, "False discovery rate control with e-values", JRSS B 84 (2022).
#[must_use]
pub fn e_benjamini_hochberg(log_e: &[f64], alpha: f64) -> Vec<usize> {
    if !(0.0 < alpha && alpha <= 1.0) {
        return Vec::new();
    }
    let evidence = |index: &usize| {
        let log = log_e[*index];
        if log.is_nan() { f64::NEG_INFINITY } else { log }
    };
    let mut order: Vec<usize> = (0..log_e.len()).collect();
    order.sort_by(|a, b| evidence(b).total_cmp(&evidence(a)).then(a.cmp(b)));
    let n = log_e.len() as f64;
    let found =
        (1..=order.len()).rev().find(|k| evidence(&order[k - 1]) >= (n / (*k as f64 * alpha)).ln()).unwrap_or(0);
    order.truncate(found);
    order
}

/// The indices whose e-process may stop now with a chance of *any* false stop of at most `alpha`,
/// over all looks: `E >= n / alpha`.
#[must_use]
pub fn e_bonferroni(log_e: &[f64], alpha: f64) -> Vec<usize> {
    if !(0.0 < alpha && alpha <= 1.0) {
        return Vec::new();
    }
    let least = (log_e.len() as f64 / alpha).ln();
    (0..log_e.len()).filter(|index| log_e[*index] >= least).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: both sides of each step. Two of four at 10 %: n/(k alpha) is 40, 20, 13.3, 10.
    #[test]
    fn steps_up_through_the_sorted_values() {
        let log = |values: [f64; 4]| values.map(f64::ln);
        assert_eq!(e_benjamini_hochberg(&log([1.0, 20.0, 25.0, 2.0]), 0.1), [2, 1]);
        assert_eq!(e_benjamini_hochberg(&log([1.0, 19.9, 25.0, 2.0]), 0.1), [] as [usize; 0]);
        assert_eq!(e_benjamini_hochberg(&log([10.0; 4]), 0.1), [0, 1, 2, 3]);
        assert_eq!(e_bonferroni(&log([40.0, 39.0, 1.0, 1.0]), 0.1), [0]);
    }

    #[test]
    fn bad_input_finds_nothing() {
        assert!(e_benjamini_hochberg(&[f64::NAN], 0.1).is_empty());
        assert!(e_benjamini_hochberg(&[100.0], 0.0).is_empty());
        assert!(e_benjamini_hochberg(&[], 0.1).is_empty());
    }
}
