//! The one-class machine in linear time: the kernel by random features, the border by stochastic steps.

use serde::{Deserialize, Serialize};

use super::ReferenceRows;
use crate::learn::Features;
use crate::random::SplitMix;
use crate::two_sample::kernel::sin_cos::sin_cos;

/// Rows that the offset is taken from.
const OFFSET_ROWS: usize = 20_000;
/// Rows that are learned from, at most: their order is random, and more of them change little.
const LEARNED_ROWS: usize = 400_000;
const LEAST_ROWS: usize = 20;

/// How the border is found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearOneClassSettings {
    /// The share of rows outside, in `(0, 1)`.
    pub nu: f64,
    /// Of the kernel `exp(-gamma |x - y|^2)`, positive.
    pub gamma: f64,
    /// Random features, 16 to 8,192: the kernel's error falls as one over their square root.
    pub features: u32,
    /// Of the features and of the order of rows.
    pub seed: u64,
}

impl LinearOneClassSettings {
    /// A tenth outside, 256 features.
    #[must_use]
    pub fn new(gamma: f64) -> Self {
        Self { nu: 0.1, gamma, features: 256, seed: 1 }
    }

    fn valid(&self) -> bool {
        0.0 < self.nu
            && self.nu < 1.0
            && 0.0 < self.gamma
            && self.gamma.is_finite()
            && (16..=8_192).contains(&self.features)
    }
}

/// The border of [`super::OneClassSvm`] with `cos(w . x + b)` in place of the kernel, in one pass.
///
/// `D` random features, `w` normal with variance `2 gamma`, approximate the kernel within `1 / sqrt(D)`. The weights follow
/// subgradients of the one-class objective with steps `1 / (nu t)`, averaged over the second half; the offset is then the
/// `nu`-quantile of the rows' own values, so that the share outside is `nu`. The score is the offset less the value: larger
/// for more unusual, positive outside. Without a false-alarm rate for new rows: put [`crate::outlier::Calibration`] behind it.
///
/// Cost: `O(D * columns)` a row, 3 µs for 256 features of 20 columns; `8 D` bytes and the rows. Scale columns first.
/// References: Rahimi, Recht, "Random features for large-scale kernel machines", NIPS (2007); Shalev-Shwartz, Singer,
/// Srebro, Cotter, "Pegasos", Mathematical Programming 127 (2011).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct LinearOneClass {
    settings: LinearOneClassSettings,
    map: CosineMap,
    weights: Vec<f32>,
    rho: f64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    settings: LinearOneClassSettings,
    width: usize,
    weights: Vec<f32>,
    rho: f64,
}

/// Frequencies by column of the rows, and phases.
#[derive(Clone, Debug, PartialEq)]
struct CosineMap {
    frequencies: Vec<Vec<f32>>,
    phases: Vec<f32>,
}

impl CosineMap {
    fn new(width: usize, settings: &LinearOneClassSettings) -> Self {
        let mut random = SplitMix::new(settings.seed);
        let count = settings.features as usize;
        let scale = (2.0 * settings.gamma).sqrt();
        let frequencies = (0..width).map(|_| (0..count).map(|_| (scale * random.normal()) as f32).collect()).collect();
        let phases = (0..count).map(|_| (std::f64::consts::TAU * random.unit()) as f32).collect();
        Self { frequencies, phases }
    }

    /// `sqrt(2 / D) cos(w . x + b)`, into `features`.
    fn apply(&self, row: &[f64], features: &mut [f32]) {
        features.copy_from_slice(&self.phases);
        for (value, frequencies) in row.iter().zip(&self.frequencies) {
            let value = *value as f32;
            for (angle, frequency) in features.iter_mut().zip(frequencies) {
                *angle += value * frequency;
            }
        }
        let scale = (2.0 / features.len() as f32).sqrt();
        for angle in features.iter_mut() {
            *angle = scale * sin_cos(*angle).1;
        }
    }
}

fn dot(left: &[f32], right: &[f32]) -> f32 {
    // Sixteen sums side by side become vector instructions.
    let mut sums = [0.0_f32; 16];
    for (left, right) in left.chunks_exact(16).zip(right.chunks_exact(16)) {
        for (sum, (a, b)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += a * b;
        }
    }
    let rest = left.len() / 16 * 16;
    sums.iter().sum::<f32>() + left[rest..].iter().zip(&right[rest..]).map(|(a, b)| a * b).sum::<f32>()
}

impl LinearOneClass {
    /// Fits the border; `None` for settings out of range, a missing value, or fewer than 20 rows.
    #[must_use]
    pub fn fit(features: &Features<'_>, settings: &LinearOneClassSettings) -> Option<Self> {
        if !settings.valid() || features.rows() < LEAST_ROWS {
            return None;
        }
        let rows = ReferenceRows::of(features)?;
        let map = CosineMap::new(features.width(), settings);
        let mut random = SplitMix::new(settings.seed ^ 0x5bd1_e995);
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        random.shuffle(&mut order);
        order.truncate(LEARNED_ROWS);
        // Few rows are gone through several times.
        let steps = order.len().max(20_000);
        let weights = learn(&rows, &map, &order, steps, settings.nu);
        let mut model = Self { settings: *settings, map, weights, rho: 0.0 };
        let mut mapped = vec![0.0; settings.features as usize];
        let mut values: Vec<f64> =
            order.iter().take(OFFSET_ROWS).map(|row| model.value(rows.row(*row as usize), &mut mapped)).collect();
        let place = ((settings.nu * values.len() as f64) as usize).min(values.len() - 1);
        model.rho = *values.select_nth_unstable_by(place, f64::total_cmp).1;
        Some(model)
    }

    /// The score of each row; `None` if the number of columns differs or a value is missing.
    #[must_use]
    pub fn score(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        if features.width() != self.map.frequencies.len() {
            return None;
        }
        let mut mapped = vec![0.0; self.weights.len()];
        Some(ReferenceRows::of(features)?.iter().map(|row| self.rho - self.value(row, &mut mapped)).collect())
    }

    fn value(&self, row: &[f64], mapped: &mut [f32]) -> f64 {
        self.map.apply(row, mapped);
        f64::from(dot(&self.weights, mapped))
    }
}

/// Averaged subgradient steps.
fn learn(rows: &ReferenceRows, map: &CosineMap, order: &[u32], steps: usize, nu: f64) -> Vec<f32> {
    let count = map.phases.len();
    let (mut mapped, mut weights, mut mean) = (vec![0.0_f32; count], vec![0.0_f32; count], vec![0.0_f64; count]);
    let mut rho = 0.0_f32;
    // The first steps would throw the weights about.
    let first = 10.0 / nu;
    for step in 0..steps {
        map.apply(rows.row(order[step % order.len()] as usize), &mut mapped);
        let rate = 1.0 / (nu * (first + step as f64));
        let is_outside = dot(&weights, &mapped) < rho;
        let shrink = (1.0 - rate * nu) as f32;
        let pull = if is_outside { rate as f32 } else { 0.0 };
        for (weight, feature) in weights.iter_mut().zip(&mapped) {
            *weight = shrink * *weight + pull * feature;
        }
        rho += (rate * (nu - f64::from(u8::from(is_outside)))) as f32;
        if step >= steps / 2 {
            let share = 1.0 / (step - steps / 2 + 1) as f64;
            for (mean, weight) in mean.iter_mut().zip(&weights) {
                *mean += share * (f64::from(*weight) - *mean);
            }
        }
    }
    mean.into_iter().map(|mean| mean as f32).collect()
}

impl TryFrom<Stored> for LinearOneClass {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { settings, width, weights, rho } = stored;
        let sized = settings.valid() && (1..=1 << 16).contains(&width) && weights.len() == settings.features as usize;
        if !sized || !rho.is_finite() || weights.iter().any(|weight| !weight.is_finite()) {
            return Err("not a one-class machine of random features");
        }
        Ok(Self { settings, map: CosineMap::new(width, &settings), weights, rho })
    }
}

impl From<LinearOneClass> for Stored {
    fn from(model: LinearOneClass) -> Self {
        Self { settings: model.settings, width: model.map.frequencies.len(), weights: model.weights, rho: model.rho }
    }
}
