//! Gradient-boosted shallow trees on binned features.

use serde::{Deserialize, Serialize};

use super::Features;
use super::bins::{BinnedRows, Bins};
use super::features::weights_are_valid;
use super::tree::{Slope, Tree, TreeLimits};

/// Rows that are binned and judged together: their bins stay in the cache.
pub(super) const BLOCK: usize = 1_024;

/// What is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loss {
    /// The probability of a target of one; targets lie in `0..=1`.
    Logistic,
    /// The mean of the targets.
    Squared,
}

/// How boosted trees are grown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoostSettings {
    /// What is learned.
    pub loss: Loss,
    /// How many trees, `1..=10_000`.
    pub trees: u32,
    /// Splits from the root to a leaf, `1..=8`: how many features may act together.
    pub depth: u32,
    /// The part of each step that is taken, in `(0, 1]`.
    pub learning_rate: f64,
    /// The least rows of a leaf (by their share of the weight), at least one.
    pub least_rows: u32,
    /// Added to the weight of each leaf, not negative: holds back leaves of little evidence.
    pub ridge: f64,
    /// Bins a feature, `2..=254`.
    pub bins: u32,
    /// Of the sample that bins of more than 20,000 rows are taken from.
    pub seed: u64,
}

impl BoostSettings {
    /// What suits windows of 1,000 to 1,000,000 rows: 60 trees of depth 4, 63 bins.
    #[must_use]
    pub fn new(loss: Loss) -> Self {
        Self { loss, trees: 60, depth: 4, learning_rate: 0.15, least_rows: 20, ridge: 1.0, bins: 63, seed: 1 }
    }

    fn valid(&self) -> bool {
        (1..=10_000).contains(&self.trees)
            && (1..=8).contains(&self.depth)
            && 0.0 < self.learning_rate
            && self.learning_rate <= 1.0
            && self.least_rows > 0
            && 0.0 <= self.ridge
            && self.ridge.is_finite()
            && (2..=254).contains(&self.bins)
    }

    fn limits(&self) -> TreeLimits {
        TreeLimits {
            depth: self.depth,
            least_rows: f64::from(self.least_rows),
            ridge: self.ridge,
            learning_rate: self.learning_rate,
        }
    }
}

/// A sum of shallow trees, each fitted to what the ones before left over.
///
/// Newton steps on sums of gradients by bin, every split the best of all features and bins; a
/// missing value is below all others. The same input gives the same trees.
/// Cost: `O(rows * features * depth * trees)` additions, about 1 s of one core for 100,000 rows of 20
/// features. Not to be trusted beyond the range of its training rows, where it stays constant, nor on
/// its own training rows: use [`super::CrossFit`] there.
/// Reference: Friedman, Annals of Statistics 29 (2001); Chen, Guestrin, KDD (2016), equation 7.
///
/// ```
/// use wardline_stats::learn::{BoostSettings, BoostedTrees, Features, Loss};
///
/// let x: Vec<f64> = (0..500).map(f64::from).collect();
/// let y: Vec<f64> = x.iter().map(|x| if *x < 200.0 { 1.0 } else { 3.0 }).collect();
/// let features = Features::new(vec![&x]).unwrap();
/// let fitted = BoostedTrees::fit(&features, &y, None, &BoostSettings::new(Loss::Squared)).unwrap();
/// let predicted = fitted.predict(&Features::new(vec![&[50.0, 400.0]]).unwrap()).unwrap();
/// assert!((predicted[0] - 1.0).abs() < 0.1 && (predicted[1] - 3.0).abs() < 0.1);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct BoostedTrees {
    loss: Loss,
    start: f64,
    bins: Bins,
    trees: Vec<Tree>,
    importance: Vec<f64>,
}

/// What is to be learned of each row.
#[derive(Clone, Copy)]
pub(super) struct Truth<'a> {
    pub(super) targets: &'a [f64],
    pub(super) weights: Option<&'a [f64]>,
    /// Log-odds or means that are known before.
    pub(super) offsets: Option<&'a [f64]>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    loss: Loss,
    start: f64,
    bins: Bins,
    trees: Vec<Tree>,
    importance: Vec<f64>,
}

impl BoostedTrees {
    /// Learns `targets` from features; `None` if lengths differ, settings or weights are out of range,
    /// a target is not finite (or not in `0..=1` for [`Loss::Logistic`]), or there are fewer than two
    /// rows.
    #[must_use]
    pub fn fit(
        features: &Features<'_>,
        targets: &[f64],
        weights: Option<&[f64]>,
        settings: &BoostSettings,
    ) -> Option<Self> {
        if !trainable(features, targets, weights, settings) {
            return None;
        }
        let bins = Bins::fit(features, settings.bins as usize, settings.seed);
        let rows = bins.apply(features);
        let chosen = (0..features.rows() as u32).collect();
        let truth = Truth { targets, weights, offsets: None };
        Some(Self::fit_rows(&bins, &rows, chosen, truth, settings))
    }

    /// Learns from the chosen rows only.
    pub(super) fn fit_rows(
        bins: &Bins,
        rows: &BinnedRows,
        chosen: Vec<u32>,
        truth: Truth<'_>,
        settings: &BoostSettings,
    ) -> Self {
        let targets = truth.targets;
        let weight = |row: u32| truth.weights.map_or(1.0, |weights| weights[row as usize]);
        // Where each row starts from its own place, the trees say how far to move it.
        let start = if truth.offsets.is_some() { 0.0 } else { start_of(settings.loss, targets, &chosen, weight) };
        let mut margins = truth.offsets.map_or_else(|| vec![start; targets.len()], <[f64]>::to_vec);
        let mut slopes: Vec<Slope> = vec![[0.0; 2]; targets.len()];
        let mut importance = vec![0.0; bins.width()];
        let mut order = chosen.clone();
        let mut trees = Vec::with_capacity(settings.trees as usize);
        for _ in 0..settings.trees {
            for row in &chosen {
                let at = *row as usize;
                slopes[at] = slope(settings.loss, margins[at], targets[at], weight(*row));
            }
            // Each tree starts from the order of the rows, so that its sums do not depend on earlier ones.
            order.copy_from_slice(&chosen);
            trees.push(Tree::grow(rows, &slopes, &mut order, settings.limits(), &mut margins, &mut importance));
        }
        Self { loss: settings.loss, start, bins: bins.clone(), trees, importance }
    }

    /// The probability or the mean at each row; `None` if the number of columns differs.
    ///
    /// Cost `O(rows * (features + trees * depth))`.
    #[must_use]
    pub fn predict(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        if features.width() != self.bins.width() {
            return None;
        }
        let mut values = Vec::with_capacity(features.rows());
        for first in (0..features.rows()).step_by(BLOCK) {
            let rows = self.bins.apply_range(features, first, BLOCK.min(features.rows() - first));
            values.extend(rows.iter().map(|row| self.at(row, 0.0)));
        }
        Some(values)
    }

    /// The probability or the mean at a row of bins that starts from `offset`.
    pub(super) fn at(&self, row: &[u8], offset: f64) -> f64 {
        let margin = offset + self.start + self.trees.iter().map(|tree| tree.value(row)).sum::<f64>();
        match self.loss {
            Loss::Logistic => sigmoid(margin),
            Loss::Squared => margin,
        }
    }

    pub(super) fn bins(&self) -> &Bins {
        &self.bins
    }

    /// How much each feature lowered the loss on the training rows, as shares that sum to one; all
    /// zero if no split was worth it.
    #[must_use]
    pub fn importance(&self) -> Vec<f64> {
        let total: f64 = self.importance.iter().sum();
        self.importance.iter().map(|gain| if total > 0.0 { gain / total } else { 0.0 }).collect()
    }
}

impl TryFrom<Stored> for BoostedTrees {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { loss, start, bins, trees, importance } = stored;
        let width = bins.width();
        let sound = bins.is_sound() && importance.len() == width && trees.iter().all(|tree| tree.is_sound(width));
        if sound { Ok(Self { loss, start, bins, trees, importance }) } else { Err("not boosted trees") }
    }
}

impl From<BoostedTrees> for Stored {
    fn from(fitted: BoostedTrees) -> Self {
        let BoostedTrees { loss, start, bins, trees, importance } = fitted;
        Self { loss, start, bins, trees, importance }
    }
}

pub(super) fn trainable(
    features: &Features<'_>,
    targets: &[f64],
    weights: Option<&[f64]>,
    settings: &BoostSettings,
) -> bool {
    let in_range = |target: &f64| match settings.loss {
        Loss::Logistic => (0.0..=1.0).contains(target),
        // Squares and single precision hold it.
        Loss::Squared => target.abs() < 1e30,
    };
    settings.valid()
        && features.rows() >= 2
        && targets.len() == features.rows()
        && targets.iter().all(in_range)
        && weights_are_valid(weights, features.rows())
}

/// `1 / (1 + exp(-margin))`.
pub(crate) fn sigmoid(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}

/// The best constant: the mean, or the log-odds of the mean.
fn start_of(loss: Loss, targets: &[f64], chosen: &[u32], weight: impl Fn(u32) -> f64) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for row in chosen {
        sum += weight(*row) * targets[*row as usize];
        total += weight(*row);
    }
    let mean = if total > 0.0 { sum / total } else { 0.0 };
    match loss {
        Loss::Squared => mean,
        Loss::Logistic => {
            let mean = mean.clamp(1e-6, 1.0 - 1e-6);
            (mean / (1.0 - mean)).ln()
        }
    }
}

fn slope(loss: Loss, margin: f64, target: f64, weight: f64) -> Slope {
    let (gradient, hessian) = match loss {
        Loss::Squared => (margin - target, 1.0),
        Loss::Logistic => {
            let probability = sigmoid(margin);
            (probability - target, (probability * (1.0 - probability)).max(1e-12))
        }
    };
    [(weight * gradient) as f32, (weight * hessian) as f32]
}

#[cfg(test)]
mod tests;
