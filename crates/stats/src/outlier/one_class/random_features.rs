//! The one-class machine in linear time: the kernel by random features, the border by stochastic steps.

mod wave_map;

use serde::{Deserialize, Serialize};

use self::wave_map::WaveMap;
use super::ReferenceRows;
use crate::learn::Features;
use crate::random::SplitMix;

/// Rows that the offset is taken from.
const OFFSET_ROWS: usize = 20_000;
/// Rows that are learned from, at most: their order is random, and more of them change little.
const LEARNED_ROWS: usize = 400_000;
/// Steps, at least: few rows are gone through several times.
const LEAST_STEPS: usize = 100_000;
const LEAST_ROWS: usize = 20;

/// How the border is found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearOneClassSettings {
    /// The share of rows outside, in `(0, 1)`.
    pub nu: f64,
    /// Of the kernel `exp(-gamma |x - y|^2)`, positive.
    pub gamma: f64,
    /// Random features, an even number of 16 to 8,192: the kernel's error falls as one over their square root.
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
            && self.features.is_multiple_of(2)
    }
}

/// The border of [`super::OneClassSvm`] with waves in place of the kernel, in one pass.
///
/// `cos(w . x)` and `sin(w . x)` of `D / 2` frequencies `w` have inner products that approximate the kernel within
/// `1 / sqrt(D)`; frequencies are normal with variance `2 gamma`, and at right angles as far as there are columns, which
/// makes the error smaller. The weights follow subgradients of the one-class objective with steps `1 / (nu t)`, averaged
/// over the second half; the offset is then the `nu`-quantile of the rows' own values, so that the share outside is `nu`.
/// The score is the offset less the value: larger for more unusual, positive outside. Without a false-alarm rate for new
/// rows: put [`crate::outlier::Calibration`] behind it.
///
/// Rows far away of all others have values of about zero with the kernel's error as noise, so that their order among
/// themselves means nothing; a cell beyond the reference by more than six widths of the kernel counts as if there.
/// Cost: `O(D columns)` a row; `8 D` bytes and the rows. Scale columns first.
/// References: Rahimi, Recht, "Random features for large-scale kernel machines", NIPS (2007); Yu, Suresh, Choromanski,
/// Holtmann-Rice, Kumar, "Orthogonal random features", NIPS (2016); Shalev-Shwartz, Singer, Srebro, Cotter, "Pegasos",
/// Mathematical Programming 127 (2011).
///
/// ```
/// use wardline_stats::learn::Features;
/// use wardline_stats::outlier::{LinearOneClass, LinearOneClassSettings};
///
/// let x: Vec<f64> = (0..500).map(|i| f64::from(i * 37 % 101) / 101.0).collect();
/// let settings = LinearOneClassSettings { nu: 0.05, ..LinearOneClassSettings::new(10.0) };
/// let model = LinearOneClass::fit(&Features::new(vec![&x]).unwrap(), &settings).unwrap();
/// let scores = model.score(&Features::new(vec![&[0.5, 3.0]]).unwrap()).unwrap();
/// assert!(scores[0] < 0.0 && scores[1] > 0.0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct LinearOneClass {
    settings: LinearOneClassSettings,
    map: WaveMap,
    weights: Vec<f32>,
    rho: f64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    settings: LinearOneClassSettings,
    /// Of each column: where its values lie.
    middles: Vec<f64>,
    bounds: Vec<f64>,
    weights: Vec<f32>,
    rho: f64,
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
    /// Fits the border; `None` for settings out of range, a missing value, fewer than 20 rows, or a `gamma` that is far from
    /// the scale of the rows (a column that spans some 50,000 of the kernel's widths, or cells above `1e30`): see [`super::scale_gamma`].
    #[must_use]
    pub fn fit(features: &Features<'_>, settings: &LinearOneClassSettings) -> Option<Self> {
        if !settings.valid() || features.rows() < LEAST_ROWS {
            return None;
        }
        let rows = ReferenceRows::of(features)?;
        let map = WaveMap::of(&rows, settings)?;
        let mut random = SplitMix::new(settings.seed ^ 0x5bd1_e995);
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        random.shuffle(&mut order);
        order.truncate(LEARNED_ROWS);
        let steps = order.len().max(LEAST_STEPS);
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
        if features.width() != self.map.width() {
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
fn learn(rows: &ReferenceRows, map: &WaveMap, order: &[u32], steps: usize, nu: f64) -> Vec<f32> {
    let count = map.features();
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
        let Stored { settings, middles, bounds, weights, rho } = stored;
        let sized = settings.valid() && weights.len() == settings.features as usize;
        if !sized || !rho.is_finite() || weights.iter().any(|weight| weight.is_nan() || weight.abs() > 1e6) {
            return Err("not a one-class machine of random features");
        }
        let map = WaveMap::new(middles, bounds, &settings).ok_or("columns that no machine was fitted to")?;
        Ok(Self { settings, map, weights, rho })
    }
}

impl From<LinearOneClass> for Stored {
    fn from(model: LinearOneClass) -> Self {
        let LinearOneClass { settings, map, weights, rho } = model;
        let (middles, bounds) = map.into_columns();
        Self { settings, middles, bounds, weights, rho }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: cells of any size have a score, and a large offset changes none. Method: a cloud at zero and the same at 1e9.
    #[test]
    fn offsets_and_wild_cells_do_no_harm() {
        let mut random = SplitMix::new(5);
        let cloud: Vec<f64> = (0..400).map(|_| random.normal()).collect();
        // What is left of the digits at 1e9, so that both clouds are the same.
        let cloud: Vec<f64> = cloud.iter().map(|x| (x * 1_024.0).round() / 1_024.0).collect();
        let moved: Vec<f64> = cloud.iter().map(|x| x + 1e9).collect();
        let settings = LinearOneClassSettings::new(0.5);
        let scores = |cells: &[f64], judged: &[f64]| {
            let model = LinearOneClass::fit(&Features::new(vec![cells]).unwrap(), &settings).unwrap();
            model.score(&Features::new(vec![judged]).unwrap()).unwrap()
        };
        let (near, far) = (scores(&cloud, &[0.0, 3.5, 1e150]), scores(&moved, &[1e9, 1e9 + 3.5, -1e150]));
        assert!((near[0] - far[0]).abs() < 1e-3 && (near[1] - far[1]).abs() < 1e-3, "{near:?} {far:?}");
        assert!(near[2] > 0.0 && far[2] > 0.0, "{near:?} {far:?}");
        assert!(LinearOneClass::fit(&Features::new(vec![&[-1e150, 1e150].repeat(20)]).unwrap(), &settings).is_none());
        let odd = LinearOneClassSettings { features: 17, ..settings };
        assert!(LinearOneClass::fit(&Features::new(vec![&cloud]).unwrap(), &odd).is_none());
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let x: Vec<f64> = (0..50).map(f64::from).collect();
        let settings = LinearOneClassSettings::new(0.01);
        let model = LinearOneClass::fit(&Features::new(vec![&x]).unwrap(), &settings).unwrap();
        let stored: Stored = model.into();
        let damaged = [
            Stored { middles: vec![], bounds: vec![], ..stored.clone() },
            Stored { middles: vec![f64::NAN], ..stored.clone() },
            Stored { bounds: vec![1e12], ..stored.clone() },
            Stored { weights: vec![0.0; 2], ..stored.clone() },
            Stored { rho: f64::INFINITY, ..stored.clone() },
        ];
        assert!(damaged.into_iter().all(|stored| LinearOneClass::try_from(stored).is_err()));
        assert!(LinearOneClass::try_from(stored).is_ok());
    }
}
