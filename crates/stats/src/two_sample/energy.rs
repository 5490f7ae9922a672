//! The energy distance, with a permutation p-value.

use super::ShapeTest;
use super::order::{Cell, for_each_difference, merge};
use crate::random::{SplitMix, permutation_p};

/// The energy distance `sqrt(2 E|X-Y| - E|X-X'| - E|Y-Y'|)` of sorted samples, in `O(n + m)`.
///
/// Computed as `sqrt(2 integral (F - G)^2)`. Unbounded: one extreme value moves it.
/// `None` if a sample is empty, not sorted or not finite.
/// Reference: Székely, Rizzo, J. Stat. Plan. Inference 143 (2013).
#[must_use]
pub fn energy_distance(reference: &[f64], current: &[f64]) -> Option<f64> {
    from_cells(&merge(reference, current)?)
}

/// The same from ascending cells.
pub(crate) fn from_cells(cells: &[Cell]) -> Option<f64> {
    let (mut sum, mut last) = (0.0, cells.first()?.low);
    for_each_difference(cells, |cell, before, after| {
        sum += before * before * (cell.low - last);
        sum += (before * before + before * after + after * after) / 3.0 * (cell.high - cell.low);
        last = cell.high;
    })?;
    let distance = (2.0 * sum).sqrt();
    distance.is_finite().then_some(distance)
}

/// The energy test: the distance and its p-value over seeded permutations, `O((n + m) permutations)`.
///
/// Exact in level for exchangeable values, whatever their law. `None` as for [`energy_distance`].
#[must_use]
pub fn energy_test(reference: &[f64], current: &[f64], permutations: u32, seed: u64) -> Option<ShapeTest> {
    let statistic = energy_distance(reference, current)?;
    let mut places: Vec<f64> = reference.iter().chain(current).copied().collect();
    places.sort_by(f64::total_cmp);
    let (n, m) = (reference.len() as f64, current.len() as f64);
    let mut steps: Vec<f64> =
        std::iter::repeat_n(1.0 / n, reference.len()).chain(std::iter::repeat_n(-1.0 / m, current.len())).collect();
    let mut random = SplitMix::new(seed);
    let permuted = (0..permutations).map(|_| {
        random.shuffle(&mut steps);
        (2.0 * integral(&places, steps.iter().copied())).sqrt()
    });
    Some(ShapeTest { statistic, p_value: permutation_p(statistic, permuted) })
}

/// `integral (F - G)^2` over ascending places at which `F - G` changes by the steps.
fn integral(places: &[f64], steps: impl Iterator<Item = f64>) -> f64 {
    let (mut difference, mut sum) = (0.0, 0.0);
    for (pair, step) in places.windows(2).zip(steps) {
        difference += step;
        sum += difference * difference * (pair[1] - pair[0]);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{close, numbers};
    use crate::two_sample::kolmogorov_smirnov::tests::golden_samples;

    /// scipy 1.17.1: `energy_distance(a, b)`, and the three means of distances by numpy.
    #[test]
    fn agrees_with_scipy() {
        let (a, b) = golden_samples();
        let found = energy_distance(&a, &b);
        close(found, numbers("/two_sample/scipy_energy_distance")[0], 1e-9);
        close(found.map(|d| d * d), numbers("/two_sample/energy_statistic")[0], 1e-9);
    }

    #[test]
    fn permutations_tell_a_shift_from_none() {
        let (a, b) = golden_samples();
        assert!(energy_test(&a, &b, 999, 1).unwrap().p_value < 0.02);
        assert_eq!(energy_test(&a, &a, 199, 1).unwrap().p_value, 1.0);
        assert_eq!(energy_test(&a, &b, 99, 7), energy_test(&a, &b, 99, 7));
    }
}
