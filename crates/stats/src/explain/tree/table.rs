//! Shapley values of one leaf for every pattern of features that lead to it.

use super::quadrature::Quadrature;

/// Where a leaf asks `features` conditions, one for each feature on its path: what each feature adds for
/// each pattern of conditions that a row meets (bit `k`: condition `k`), for a leaf of value one.
///
/// `chances[b]` is how likely the features that are not known meet the pattern `b`. A coalition's worth
/// is multilinear in "known" or "not known"; with `t` the chance to be known, condition `k` is met by
/// `row t + other (1 - t)`, and the value of feature `k` is the integral over `t` in `0..=1` of
/// `(row_k - other_k)` times the other factors, averaged over `chances`. The average is a product of
/// matrices of two by two, one for each condition.
/// Cost `O(features^2 2^features)`. Reference: Owen, "Multilinear extensions of games" (1972).
pub(super) fn leaf_values(features: usize, chances: &[f64], rule: &Quadrature) -> Vec<Vec<f64>> {
    let mut values = vec![vec![0.0; 1 << features]; features];
    for (t, weight) in rule.points.iter().zip(&rule.weights) {
        let met = met_at(features, chances, *t, *weight);
        for (feature, value) in values.iter_mut().enumerate() {
            add_slope(&met, feature, *t, 1.0, value);
        }
    }
    values
}

/// Half of what each pair of features adds together, as [`leaf_values`]: pair `(i, j)`, `i < j`, in the order
/// of [`pairs`].
pub(super) fn leaf_pairs(features: usize, chances: &[f64], rule: &Quadrature) -> Vec<Vec<f64>> {
    let mut values = vec![vec![0.0; 1 << features]; features * features.saturating_sub(1) / 2];
    let mut slope = vec![0.0; 1 << features];
    for (t, weight) in rule.points.iter().zip(&rule.weights) {
        let met = met_at(features, chances, *t, *weight);
        let mut next = values.iter_mut();
        for i in 0..features {
            slope.fill(0.0);
            add_slope(&met, i, *t, 0.5, &mut slope);
            for (j, value) in (i + 1..features).zip(&mut next) {
                add_slope(&slope, j, *t, 1.0, value);
            }
        }
    }
    values
}

/// All `(i, j)` with `i < j < n`, in order.
pub(super) fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (i + 1..n).map(move |j| (i, j)))
}

/// For each pattern of the row: the chance that all conditions are met, where each feature is the row's
/// with chance `t`; times the weight.
fn met_at(features: usize, chances: &[f64], t: f64, weight: f64) -> Vec<f64> {
    let mut met: Vec<f64> = chances.iter().map(|chance| weight * chance).collect();
    for feature in 0..features {
        let half = 1 << feature;
        for block in met.chunks_exact_mut(2 * half) {
            let (unmet, met) = block.split_at_mut(half);
            for (unmet, met) in unmet.iter_mut().zip(met) {
                (*unmet, *met) = ((1.0 - t) * *met, t * *unmet + *met);
            }
        }
    }
    met
}

/// Adds the slope along one feature: its matrix is undone, and that of `row - other` applied.
fn add_slope(met: &[f64], feature: usize, t: f64, scale: f64, sums: &mut [f64]) {
    let half = 1 << feature;
    let (of_unmet, of_met) = (scale / (1.0 - t), scale / t);
    for (block, sums) in met.chunks_exact(2 * half).zip(sums.chunks_exact_mut(2 * half)) {
        let (unmet, met) = block.split_at(half);
        let (sums_unmet, sums_met) = sums.split_at_mut(half);
        for at in 0..half {
            let other = unmet[at] * of_unmet;
            sums_unmet[at] -= other;
            sums_met[at] += (met[at] * scale - other) * (of_met / scale);
        }
    }
}
