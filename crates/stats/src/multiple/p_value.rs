//! Adjusted p-values: a test is a finding where its adjusted value is at most alpha.
//!
//! All are `O(n log n)`, keep the order of the input, and return `None` if a value is not in
//! `0..=1`. An empty list stays empty.

/// `min(1, n p)`. Family-wise, any dependence.
#[must_use]
pub fn bonferroni(p_values: &[f64]) -> Option<Vec<f64>> {
    let n = p_values.len() as f64;
    valid(p_values).then(|| p_values.iter().map(|p| (n * p).min(1.0)).collect())
}

/// Step-down Bonferroni: never weaker than it. Family-wise, any dependence.
///
/// Reference: Holm, Scand. J. Statist. 6 (1979).
#[must_use]
pub fn holm(p_values: &[f64]) -> Option<Vec<f64>> {
    if !valid(p_values) {
        return None;
    }
    let mut adjusted = vec![0.0; p_values.len()];
    let mut most = 0.0_f64;
    for (rank, index) in ascending(p_values).into_iter().enumerate() {
        most = most.max(((p_values.len() - rank) as f64 * p_values[index]).min(1.0));
        adjusted[index] = most;
    }
    Some(adjusted)
}

/// Step-up: keeps the false-discovery rate for independent or positively dependent tests.
///
/// Reference: Benjamini, Hochberg, JRSS B 57 (1995).
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Option<Vec<f64>> {
    step_up(p_values, 1.0)
}

/// Step-up times `1 + 1/2 + ... + 1/n`: keeps the false-discovery rate under any dependence.
///
/// Reference: Benjamini, Yekutieli, Ann. Statist. 29 (2001).
#[must_use]
pub fn benjamini_yekutieli(p_values: &[f64]) -> Option<Vec<f64>> {
    let harmonic = (1..=p_values.len()).map(|rank| 1.0 / rank as f64).sum();
    step_up(p_values, harmonic)
}

fn step_up(p_values: &[f64], factor: f64) -> Option<Vec<f64>> {
    if !valid(p_values) {
        return None;
    }
    let n = p_values.len() as f64;
    let mut adjusted = vec![0.0; p_values.len()];
    let mut least = 1.0_f64;
    for (rank, index) in ascending(p_values).into_iter().enumerate().rev() {
        least = least.min(factor * n * p_values[index] / (rank + 1) as f64);
        adjusted[index] = least;
    }
    Some(adjusted)
}

fn valid(p_values: &[f64]) -> bool {
    p_values.iter().all(|p| (0.0..=1.0).contains(p))
}

fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(found: Option<Vec<f64>>, expected: &[f64]) {
        let found = found.unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-9, "{found} for {expected}");
        }
    }

    /// golden-stats.json, scipy 1.17.1 `false_discovery_control`.
    #[test]
    fn agrees_with_scipy() {
        let p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216];
        let bh = [0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.74 / 7.0, 0.216, 0.216, 0.216];
        check(benjamini_hochberg(&p), &bh);
        let harmonic = 2.928_968_253_968_254;
        check(benjamini_yekutieli(&p), &bh.map(|adjusted| adjusted * harmonic));
        let unsorted = [0.041, 0.001, 0.216, 0.008, 0.06, 0.205];
        check(benjamini_hochberg(&unsorted), &[0.082, 0.006, 0.216, 0.024, 0.09, 0.216]);
    }

    /// R 4 `p.adjust(c(0.01, 0.04, 0.03), "holm")`.
    #[test]
    fn holm_steps_down() {
        check(holm(&[0.01, 0.04, 0.03]), &[0.03, 0.06, 0.06]);
        check(bonferroni(&[0.01, 0.04, 0.5]), &[0.03, 0.12, 1.0]);
    }

    #[test]
    fn refuses_what_is_no_probability() {
        assert_eq!(holm(&[f64::NAN]), None);
        assert_eq!(benjamini_hochberg(&[1.1]), None);
        assert_eq!(benjamini_hochberg(&[]), Some(vec![]));
    }

    proptest! {
        #[test]
        fn the_methods_are_ordered(p in proptest::collection::vec(0.0..=1.0_f64, 1..40)) {
            let all = bonferroni(&p).unwrap().into_iter().zip(holm(&p).unwrap())
                .zip(benjamini_hochberg(&p).unwrap()).zip(&p);
            for (((bonferroni, holm), bh), p) in all {
                prop_assert!(holm <= bonferroni + 1e-12);
                prop_assert!(bh <= holm + 1e-12);
                prop_assert!(*p <= bh + 1e-12);
            }
        }
    }
}
