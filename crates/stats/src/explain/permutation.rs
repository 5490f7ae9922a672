//! Shapley values of any model from walks through permutations.

use super::Attribution;
use super::game::Game;
use crate::interval::Estimate;
use crate::learn::Features;
use crate::random::SplitMix;

/// How many walks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermutationSettings {
    /// Permutations, `2..=100_000`; each is walked there and back.
    pub permutations: u32,
    /// Of the permutations.
    pub seed: u64,
}

impl Default for PermutationSettings {
    /// 20 permutations.
    fn default() -> Self {
        Self { permutations: 20, seed: 1 }
    }
}

/// Shapley values of one row, for any model, by permutations and their reverses.
///
/// Each walk lets the features of `row` join one after the other in a random order, from the
/// background to the row; a feature's value is the mean change when it joins. A walk and its reverse
/// cancel the error of pairwise interactions: a model without interactions of three features is
/// explained exactly. Base and values sum to the output after every walk. Standard errors are those of
/// the mean over permutations.
///
/// `predict` gets a table and answers one number a row. Cost: `2 permutations * features * background rows`
/// rows of the model. Not to be trusted where the background is not representative; standard errors of
/// fewer than ten permutations are rough.
/// `None` if widths differ, settings are out of range, or the model has no finite answer for each row.
/// Reference: Mitchell, Cooper, Frank, Holmes, JMLR 23 (2022), section 2.
///
/// ```
/// use wardline_stats::explain::{PermutationSettings, permutation_shap};
/// use wardline_stats::learn::Features;
///
/// let background = Features::new(vec![&[0.0], &[1.0]]).unwrap();
/// let product = |rows: &Features<'_>| {
///     Some(rows.columns()[0].iter().zip(rows.columns()[1]).map(|(a, b)| a * b).collect())
/// };
/// let found = permutation_shap(&[4.0, 5.0], &background, PermutationSettings::default(), product).unwrap();
/// assert_eq!([found.values[0].value, found.values[1].value], [12.0, 8.0]);
/// ```
pub fn permutation_shap(
    row: &[f64],
    background: &Features<'_>,
    settings: PermutationSettings,
    predict: impl FnMut(&Features<'_>) -> Option<Vec<f64>>,
) -> Option<Attribution> {
    if !(2..=100_000).contains(&settings.permutations) {
        return None;
    }
    let mut game = Game::new(row, background, predict)?;
    let n = game.players().len();
    let ends = game.worth(&[vec![false; n], vec![true; n]])?;
    let mut random = SplitMix::new(settings.seed);
    let mut order: Vec<usize> = (0..n).collect();
    let (mut sums, mut squares) = (vec![0.0; n], vec![0.0; n]);
    let count = f64::from(settings.permutations);
    let mut first = Vec::new();
    for walk in 0..settings.permutations {
        random.shuffle(&mut order);
        let there = gains(&mut game, &order, &ends)?;
        let reverse: Vec<usize> = order.iter().rev().copied().collect();
        let back = gains(&mut game, &reverse, &ends)?;
        let means: Vec<f64> = there.iter().zip(&back).map(|(there, back)| 0.5 * (there + back)).collect();
        if walk == 0 {
            first.clone_from(&means);
        }
        for player in 0..n {
            // Distances from the first walk: squares of large values would drown a small spread.
            let distance = means[player] - first[player];
            sums[player] += distance;
            squares[player] += distance * distance;
        }
    }
    let mut values = vec![Estimate { value: 0.0, standard_error: 0.0 }; row.len()];
    for (player, feature) in game.players().iter().enumerate() {
        let variance = (squares[player] - sums[player] * sums[player] / count).max(0.0) / (count - 1.0);
        values[*feature] = Estimate::new(first[player] + sums[player] / count, (variance / count).sqrt())?;
    }
    Some(Attribution { base: ends[0], output: ends[1], values })
}

/// What each player adds when the players join in an order.
fn gains<P: FnMut(&Features<'_>) -> Option<Vec<f64>>>(
    game: &mut Game<'_, P>,
    order: &[usize],
    ends: &[f64],
) -> Option<Vec<f64>> {
    let mut joined = vec![false; order.len()];
    let mut coalitions = Vec::with_capacity(order.len());
    for player in order.iter().take(order.len().saturating_sub(1)) {
        joined[*player] = true;
        coalitions.push(joined.clone());
    }
    let mut worth = game.worth(&coalitions)?;
    worth.push(ends[1]);
    let mut gains = vec![0.0; order.len()];
    let mut before = ends[0];
    for (player, worth) in order.iter().zip(worth) {
        gains[*player] = worth - before;
        before = worth;
    }
    Some(gains)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::{KernelSettings, kernel_shap};

    fn predict(rows: &Features<'_>) -> Option<Vec<f64>> {
        let x = rows.columns();
        Some((0..rows.rows()).map(|at| x[0][at] * x[1][at] * x[2][at] + x[3][at] * x[4][at] - x[5][at]).collect())
    }

    /// Goal: within its errors of the exact values; pairs of features have no error at all.
    #[test]
    fn values_are_within_their_errors() {
        let columns: Vec<Vec<f64>> =
            (0..6).map(|column| (0..4).map(|row| ((row * 5 + column) % 7) as f64).collect()).collect();
        let background = Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap();
        let row = [9.0, -2.0, 8.0, 9.0, 8.0, 1.5];
        let exact = kernel_shap(&row, &background, KernelSettings::default(), predict).unwrap();
        let mut within = 0;
        for seed in 0..60 {
            let settings = PermutationSettings { permutations: 30, seed };
            let found = permutation_shap(&row, &background, settings, predict).unwrap();
            let sum: f64 = found.values.iter().map(|value| value.value).sum();
            assert!((found.base + sum - found.output).abs() < 1e-9);
            for feature in 3..6 {
                assert!((found.values[feature].value - exact.values[feature].value).abs() < 1e-9);
            }
            for feature in 0..3 {
                let error = (found.values[feature].value - exact.values[feature].value).abs();
                within += u32::from(error <= 2.05 * found.values[feature].standard_error + 1e-9);
            }
        }
        assert!((158..=180).contains(&within), "{within} of 180");
    }

    #[test]
    fn bad_input_gives_nothing() {
        let background = Features::new(vec![&[1.0, 2.0], &[3.0, 4.0]]).unwrap();
        let settings = PermutationSettings::default();
        assert_eq!(permutation_shap(&[1.0], &background, settings, |_| Some(vec![])), None);
        assert_eq!(permutation_shap(&[1.0, 0.0], &background, settings, |_| None), None);
        let few = PermutationSettings { permutations: 1, seed: 1 };
        assert_eq!(permutation_shap(&[1.0, 0.0], &background, few, |rows| Some(vec![1.0; rows.rows()])), None);
    }
}
