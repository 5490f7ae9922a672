//! How much a reference row counts for a window: the density ratio of their inputs.

use super::rows::{picked, sample, table};
use super::{LEAST_EFFECTIVE_ROWS, ShiftError};
use crate::learn::{BoostSettings, CrossFit, Features, Logistic, Loss};
use crate::performance::Platt;
use crate::random::SplitMix;

/// Folds of the model that tells the samples apart.
const FOLDS: u32 = 4;

/// Rows that the smooth part is learned from: some hundred for each of its numbers.
const SMOOTH_ROWS: usize = 20_000;

/// The penalty of the smooth part.
const RIDGE: f64 = 5.0;

/// For each reference row, how many times likelier its inputs are in the window than in the reference.
pub(super) struct Weights {
    /// With a mean of one, none above the root of the reference rows.
    pub(super) of_reference: Vec<f64>,
    /// The share of window rows that lie where the reference has next to none.
    pub(super) outside: f64,
}

impl Weights {
    /// The weights of a kept reference for a window, of which at most 50,000 rows are looked at.
    pub(super) fn of_window(reference: &[Vec<f64>], window: &[Vec<f64>], seed: u64) -> Result<Self, ShiftError> {
        let kept = sample(window.first().map_or(0, Vec::len), seed.wrapping_add(1));
        let current: Vec<Vec<f64>> = window.iter().map(|column| picked(column, &kept)).collect();
        let tables = table(reference).zip(table(&current));
        let weights = tables.and_then(|(reference, current)| Self::learn(&reference, &current, seed));
        let weights = weights.ok_or(ShiftError::Invalid)?;
        let effective_rows = weights.effective_rows();
        let enough = effective_rows >= LEAST_EFFECTIVE_ROWS;
        if enough { Ok(weights) } else { Err(ShiftError::TooFarApart { effective_rows }) }
    }

    /// Learns to tell the samples apart, calibrates the odds, and bounds them.
    ///
    /// A logistic regression on features and their squares comes first: it is the ratio of normal laws, tails
    /// included, where trees alone would be flat. A bound of `sqrt(n)` keeps the variance finite at a bias that
    /// falls with `n`: Ionides, "Truncated Importance Sampling", JCGS 17 (2008).
    fn learn(reference: &Features<'_>, current: &Features<'_>, seed: u64) -> Option<Self> {
        let both = reference.columns().iter().zip(current.columns());
        let stacked: Vec<Vec<f64>> = both.map(|(reference, current)| [*reference, *current].concat()).collect();
        let mut is_current = vec![0.0; reference.rows()];
        is_current.resize(reference.rows() + current.rows(), 1.0);
        let smooth = smooth_log_odds(&stacked, &is_current, seed);
        let settings = BoostSettings { trees: 50, depth: 3, ridge: 5.0, seed, ..BoostSettings::new(Loss::Logistic) };
        let learned = CrossFit::fit_from_offsets(&table(&stacked)?, &is_current, &smooth, &settings, FOLDS, seed)?;
        let log_odds = |p: &f64| (p.max(1e-9) / (1.0 - p).max(1e-9)).ln();
        let all: Vec<f64> = learned.out_of_fold().iter().map(log_odds).collect();
        let is_current: Vec<bool> = (0..all.len()).map(|row| row >= reference.rows()).collect();
        let calibration = Platt::fit(&all, &is_current)?;
        let (n, m) = (reference.rows() as f64, current.rows() as f64);
        let ratio = |log_odds: &f64| {
            let p = calibration.probability(*log_odds)?;
            Some(p / (1.0 - p).max(1e-12) * n / m)
        };
        let (own, others) = all.split_at(reference.rows());
        let most = n.sqrt();
        let mut of_reference: Vec<f64> = own.iter().map(ratio).collect::<Option<_>>()?;
        of_reference.iter_mut().for_each(|weight| *weight = weight.min(most));
        let mean = of_reference.iter().sum::<f64>() / n;
        if !(mean > 0.0 && mean.is_finite()) {
            return None;
        }
        of_reference.iter_mut().for_each(|weight| *weight /= mean);
        let beyond = others.iter().filter_map(ratio).filter(|ratio| *ratio > most).count();
        Some(Self { of_reference, outside: beyond as f64 / m })
    }

    /// How many rows of equal weight would vary as much: `(sum w)^2 / sum w^2`.
    pub(super) fn effective_rows(&self) -> f64 {
        let squares: f64 = self.of_reference.iter().map(|weight| weight * weight).sum();
        (self.of_reference.len() as f64).powi(2) / squares
    }
}

/// The log-odds that a row is a current one, by a logistic regression on features and their squares.
///
/// Features are cut at their outermost 0.1 %, so that no single row carries the fit. Columns beyond the first
/// 100 are left to the trees. All zero where no fit is found.
fn smooth_log_odds(stacked: &[Vec<f64>], is_current: &[f64], seed: u64) -> Vec<f64> {
    let rows = is_current.len();
    let mut random = SplitMix::new(seed);
    let picks: Vec<u32> = (0..rows.min(SMOOTH_ROWS)).map(|_| random.below(rows) as u32).collect();
    let powers: Vec<Vec<f64>> = stacked.iter().take(100).flat_map(|column| cut_and_squared(column, &picks)).collect();
    let chosen: Vec<Vec<f64>> = powers.iter().map(|column| picked(column, &picks)).collect();
    let fitted = table(&chosen).and_then(|chosen| Logistic::fit(&chosen, &picked(is_current, &picks), None, RIDGE));
    let all = fitted.zip(table(&powers)).and_then(|(fitted, all)| fitted.predict(&all));
    let log_odds = |p: f64| (p.clamp(1e-6, 1.0 - 1e-6) / (1.0 - p).clamp(1e-6, 1.0 - 1e-6)).ln();
    all.map_or_else(|| vec![0.0; rows], |all| all.into_iter().map(log_odds).collect())
}

/// A column around its median, cut where the outermost 0.1 % of the picked rows begin, and its square.
fn cut_and_squared(column: &[f64], picks: &[u32]) -> [Vec<f64>; 2] {
    let mut sorted: Vec<f64> = picked(column, picks).into_iter().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| sorted.get((share * sorted.len().saturating_sub(1) as f64).round() as usize);
    let (Some(low), Some(middle), Some(high)) = (at(0.001), at(0.5), at(0.999)) else {
        return [vec![0.0; column.len()], vec![0.0; column.len()]];
    };
    // Halves are taken first, as a difference may overflow; so may a square, hence the scale.
    let scale = (0.5 * high - 0.5 * low).max(f64::MIN_POSITIVE);
    let place = |value: &f64| (0.5 * value.clamp(*low, *high) - 0.5 * middle) / scale;
    let linear: Vec<f64> = column.iter().map(place).collect();
    let squares = linear.iter().map(|value| value * value).collect();
    [linear, squares]
}
