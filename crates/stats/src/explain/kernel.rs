//! Shapley values of any model from a regression on coalitions.

use super::Attribution;
use super::game::{Game, shapley};
use crate::interval::Estimate;
use crate::learn::{Features, solve_positive_definite};
use crate::random::SplitMix;

/// Features that all coalitions of are never enumerated beyond.
const MOST_ENUMERATED: usize = 16;

/// How many coalitions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelSettings {
    /// Coalitions whose worth is asked for, `16..=1_000_000`: with `2^features` or more (up to 16 features)
    /// all are asked and the values are exact.
    pub coalitions: usize,
    /// Of the sampled coalitions.
    pub seed: u64,
}

impl Default for KernelSettings {
    /// 4,096 coalitions: exact for 12 features that differ from the background.
    fn default() -> Self {
        Self { coalitions: 4_096, seed: 1 }
    }
}

/// Shapley values of one row, for any model.
///
/// The worth of a coalition is the mean output over the rows of `background` where the coalition's
/// features are taken from `row`. With all coalitions the values are exact. Else coalitions are drawn with
/// their complements, sizes with the Shapley kernel's weight `(n - 1) / (s (n - s))`, and
/// `sum (worth - base - sum of the coalition's values)^2` is minimised under the constraint that base
/// and values sum to the output. Standard errors are those of the constrained regression over pairs,
/// and speak of the sampling of coalitions only. Features that equal the background everywhere are
/// zero and do not count.
///
/// `predict` gets a table and answers one number a row. Cost: `coalitions * background rows` rows of the
/// model, and `O(coalitions features^2)`. Not to be trusted where the background is not representative,
/// nor, as every interventional value, where rows that mix two rows' features make no sense.
/// `None` if widths differ, settings are out of range, the model has no finite answer for each row,
/// or too few coalitions were drawn to tell the features apart.
/// Reference: Lundberg, Lee, NIPS (2017), theorem 2; Covert, Lee, AISTATS (2021), sections 3 and 4.
///
/// ```
/// use wardline_stats::explain::{KernelSettings, kernel_shap};
/// use wardline_stats::learn::Features;
///
/// let background = Features::new(vec![&[0.0, 2.0], &[1.0, 3.0]]).unwrap();
/// let product = |rows: &Features<'_>| {
///     Some(rows.columns()[0].iter().zip(rows.columns()[1]).map(|(a, b)| a * b).collect())
/// };
/// let found = kernel_shap(&[4.0, 5.0], &background, KernelSettings::default(), product).unwrap();
/// assert_eq!(found.base, 3.0);
/// assert_eq!(found.output, 20.0);
/// assert!((found.values.iter().map(|value| value.value).sum::<f64>() - 17.0).abs() < 1e-12);
/// ```
pub fn kernel_shap(
    row: &[f64],
    background: &Features<'_>,
    settings: KernelSettings,
    predict: impl FnMut(&Features<'_>) -> Option<Vec<f64>>,
) -> Option<Attribution> {
    if !(16..=1_000_000).contains(&settings.coalitions) {
        return None;
    }
    let mut game = Game::new(row, background, predict)?;
    let n = game.players().len();
    let ends = game.worth(&[vec![false; n], vec![true; n]])?;
    let (base, output) = (ends[0], ends[1]);
    let found = if n <= MOST_ENUMERATED && 1 << n <= settings.coalitions {
        let all: Vec<Vec<bool>> = (0..1_usize << n).map(|bits| flags(bits, n)).collect();
        let exact = shapley(n, &game.worth(&all)?);
        exact.into_iter().map(|value| Estimate::new(value, 0.0)).collect::<Option<Vec<_>>>()?
    } else {
        let coalitions = draw(n, settings);
        let worth = game.worth(&coalitions)?;
        regress(&coalitions, &worth, base, output)?
    };
    let mut values = vec![Estimate { value: 0.0, standard_error: 0.0 }; row.len()];
    for (feature, value) in game.players().iter().zip(found) {
        values[*feature] = value;
    }
    Some(Attribution { base, output, values })
}

fn flags(bits: usize, n: usize) -> Vec<bool> {
    (0..n).map(|player| bits >> player & 1 == 1).collect()
}

/// Coalitions and, after each, its complement; neither is empty.
fn draw(n: usize, settings: KernelSettings) -> Vec<Vec<bool>> {
    let mut random = SplitMix::new(settings.seed);
    let mut cumulative = Vec::with_capacity(n - 1);
    let mut total = 0.0;
    for size in 1..n {
        total += 1.0 / (size as f64 * (n - size) as f64);
        cumulative.push(total);
    }
    let mut order: Vec<usize> = (0..n).collect();
    let mut coalitions = Vec::with_capacity(settings.coalitions);
    for _ in 0..settings.coalitions / 2 {
        let at = random.unit() * total;
        let size = 1 + cumulative.partition_point(|sum| *sum < at).min(n - 2);
        let mut coalition = vec![false; n];
        for chosen in 0..size {
            order.swap(chosen, chosen + random.below(n - chosen));
            coalition[order[chosen]] = true;
        }
        let complement = coalition.iter().map(|member| !member).collect();
        coalitions.push(coalition);
        coalitions.push(complement);
    }
    coalitions
}

/// Least squares under `sum = output - base`, with the errors of independent pairs.
fn regress(coalitions: &[Vec<bool>], worth: &[f64], base: f64, output: f64) -> Option<Vec<Estimate>> {
    let n = coalitions.first()?.len();
    let mut moments = vec![0.0; n * n];
    let mut right = vec![0.0; n];
    for (coalition, worth) in coalitions.iter().zip(worth) {
        for i in (0..n).filter(|i| coalition[*i]) {
            right[i] += worth - base;
            for (cell, member) in moments[i * n..(i + 1) * n].iter_mut().zip(coalition) {
                *cell += f64::from(u8::from(*member));
            }
        }
    }
    let solve = |mut right: Vec<f64>| solve_positive_definite(&mut moments.clone(), &mut right).then_some(right);
    let (free, ones) = (solve(right)?, solve(vec![1.0; n])?);
    let of_ones: f64 = ones.iter().sum();
    let surplus = (free.iter().sum::<f64>() - (output - base)) / of_ones;
    let values: Vec<f64> = free.iter().zip(&ones).map(|(value, one)| value - one * surplus).collect();
    // The inverse of the moments without the direction that the constraint takes.
    let mut projection = vec![0.0; n * n];
    for (column, cells) in projection.chunks_exact_mut(n).enumerate() {
        let mut unit = vec![0.0; n];
        unit[column] = 1.0;
        let solved = solve(unit)?;
        for ((cell, solved), one) in cells.iter_mut().zip(solved).zip(&ones) {
            *cell = solved - one * ones[column] / of_ones;
        }
    }
    let mut variances = vec![0.0; n];
    for (pair, worth) in coalitions.chunks_exact(2).zip(worth.chunks_exact(2)) {
        let rest = |at: usize| {
            let fitted: f64 = values.iter().zip(&pair[at]).filter(|(_, member)| **member).map(|(value, _)| value).sum();
            worth[at] - base - fitted
        };
        let (first, second) = (rest(0), rest(1));
        for (variance, cells) in variances.iter_mut().zip(projection.chunks_exact(n)) {
            let moved: f64 =
                cells.iter().zip(&pair[0]).map(|(cell, in_first)| cell * if *in_first { first } else { second }).sum();
            *variance += moved * moved;
        }
    }
    // As many pairs as coefficients explain themselves away.
    let pairs = coalitions.len() / 2;
    let small_sample = if pairs > n { pairs as f64 / (pairs - n + 1) as f64 } else { return None };
    values
        .into_iter()
        .zip(variances)
        .map(|(value, variance)| Estimate::new(value, (small_sample * variance).sqrt()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model of many features with products, one row at a time.
    fn model(row: &[f64]) -> f64 {
        let linear: f64 = row.iter().enumerate().map(|(at, x)| (at as f64 - 3.0) * x).sum();
        linear + 2.0 * row[0] * row[1] - row[2] * row[3] * row[4]
    }

    fn predict(rows: &Features<'_>) -> Option<Vec<f64>> {
        let row = |at: usize| rows.columns().iter().map(|column| column[at]).collect::<Vec<f64>>();
        Some((0..rows.rows()).map(|at| model(&row(at))).collect())
    }

    fn background(width: usize) -> Vec<Vec<f64>> {
        (0..width).map(|column| (0..5).map(|row| ((row * 7 + column * 3) % 11) as f64 / 5.0).collect()).collect()
    }

    /// Goal: sampled values agree with exact ones within their errors, and both sum to the output.
    #[test]
    fn sampled_values_are_within_their_errors() {
        let columns = background(10);
        let background = Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap();
        let row: Vec<f64> = (0..10).map(|column| 3.0 + (column % 4) as f64).collect();
        let exact = kernel_shap(&row, &background, KernelSettings { coalitions: 1_024, seed: 1 }, predict).unwrap();
        let (mut within, mut all) = (0, 0);
        for seed in 0..40 {
            let settings = KernelSettings { coalitions: 400, seed };
            let sampled = kernel_shap(&row, &background, settings, predict).unwrap();
            let sum: f64 = sampled.values.iter().map(|value| value.value).sum();
            assert!((sampled.base + sum - sampled.output).abs() < 1e-9);
            for (sampled, exact) in sampled.values.iter().zip(&exact.values).take(5) {
                assert_eq!(exact.standard_error, 0.0);
                within += u32::from((sampled.value - exact.value).abs() <= 1.96 * sampled.standard_error + 1e-9);
                all += 1;
            }
        }
        assert!((all * 88 / 100..=all).contains(&within), "{within} of {all}");
    }

    #[test]
    fn a_feature_that_equals_the_background_is_worth_nothing() {
        let columns = [vec![1.0, 1.0], vec![0.0, 4.0], vec![0.0; 2], vec![1.0; 2], vec![2.0; 2]];
        let background = Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap();
        let found = kernel_shap(&[1.0, 3.0, 1.0, 2.0, 2.0], &background, KernelSettings::default(), predict).unwrap();
        assert_eq!(found.values[0], Estimate { value: 0.0, standard_error: 0.0 });
        let same = kernel_shap(&[1.0, 0.0, 0.0, 1.0, 2.0], &background, KernelSettings::default(), predict).unwrap();
        assert_eq!(same.values[2].value, 0.0);
    }

    #[test]
    fn bad_input_gives_nothing() {
        let background = Features::new(vec![&[1.0, 2.0], &[3.0, 4.0]]).unwrap();
        let settings = KernelSettings::default();
        assert_eq!(kernel_shap(&[1.0], &background, settings, |_| Some(vec![])), None);
        assert_eq!(kernel_shap(&[f64::INFINITY, 1.0], &background, settings, |_| Some(vec![])), None);
        assert_eq!(kernel_shap(&[1.0, 1.0], &background, settings, |_| None), None);
        assert_eq!(kernel_shap(&[1.0, 1.0], &background, settings, |rows| Some(vec![f64::NAN; rows.rows()])), None);
        let few = KernelSettings { coalitions: 2, seed: 1 };
        assert_eq!(kernel_shap(&[1.0, 1.0], &background, few, |rows| Some(vec![1.0; rows.rows()])), None);
    }
}
