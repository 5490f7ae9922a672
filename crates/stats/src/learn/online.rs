//! Linear models of a stream whose features have scales of their own.

use serde::{Deserialize, Serialize};

use super::ftrl::{Ftrl, FtrlSettings, OnlineLoss};

/// Greater values are refused, so that their squares stay finite.
const MOST_VALUE: f64 = 1e100;

/// A linear model that learns and predicts row by row, whatever the scales of its features.
///
/// Features, and targets of the squared loss, are standardised by the mean and deviation seen so far;
/// then [`Ftrl`] learns. Scales and offsets of features do not matter, and the predictions come near
/// those of [`super::Ridge`] (with no ridge) and [`super::Logistic`] as rows add up: on 20,000 simulated
/// rows the later half costs within 2 % of the batch optimum's loss. A missing value (NaN) counts as the mean.
/// Cost: `O(features * outputs)` a row; memory does not grow. Where the stream changes, what was
/// learned fades slowly: start anew after a known change. One wild value makes its feature count for
/// little for a long time.
/// Reference: Ross, Mineiro, Langford, "Normalized Online Learning", UAI (2013); McMahan et al., KDD (2013).
///
/// ```
/// use wardline_stats::learn::{FtrlSettings, OnlineLinear, OnlineLoss};
///
/// let mut model = OnlineLinear::new(2, OnlineLoss::Squared, &FtrlSettings::default()).unwrap();
/// for row in 0..5_000 {
///     let (tokens, hour) = (f64::from(row * 37 % 1_000), f64::from(row % 24));
///     model.learn(&[tokens, hour], 0.01 * tokens + hour);
/// }
/// assert!((model.predict(&[500.0, 12.0]).unwrap()[0] - 17.0).abs() < 0.5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct OnlineLinear {
    features: Vec<Scale>,
    target: Scale,
    model: Ftrl,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    features: Vec<Scale>,
    target: Scale,
    model: Ftrl,
}

/// Mean and deviation of what was seen, by Welford's updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Scale {
    count: u64,
    mean: f64,
    squares: f64,
    /// One over the standard deviation; zero where there is none.
    inverse: f64,
}

impl Scale {
    fn insert(&mut self, value: f64) {
        self.count = self.count.saturating_add(1);
        let from_mean = value - self.mean;
        self.mean += from_mean / self.count as f64;
        self.squares += from_mean * (value - self.mean);
        let deviation = (self.squares / self.count as f64).sqrt();
        let varies = deviation > 1e-12 * self.mean.abs() && deviation > 1e-100;
        self.inverse = if varies { 1.0 / deviation } else { 0.0 };
    }

    fn standardised(&self, value: f64) -> f64 {
        if value.is_nan() { 0.0 } else { (value - self.mean) * self.inverse }
    }

    fn is_sound(&self) -> bool {
        let tame = |value: f64| value.abs() <= 1e250;
        tame(self.mean) && tame(self.squares) && 0.0 <= self.squares && (0.0..=1e100).contains(&self.inverse)
    }
}

impl OnlineLinear {
    /// A model of rows of `features` numbers that knows nothing yet; `None` as for [`Ftrl::new`], or without features.
    #[must_use]
    pub fn new(features: u32, loss: OnlineLoss, settings: &FtrlSettings) -> Option<Self> {
        let model = Ftrl::new(features, loss, settings)?;
        let features = vec![Scale::default(); features as usize];
        (!features.is_empty()).then_some(Self { features, target: Scale::default(), model })
    }

    /// Learns a row. Returns the loss of the prediction before it learned: the squared error, or minus the
    /// logarithm of the probability.
    ///
    /// `None`, and nothing learned, if the row has another length, a value is infinite or beyond `1e100`, or
    /// the target is NaN or not one that the loss takes (at most `1e50` for the squared loss).
    pub fn learn(&mut self, row: &[f64], target: f64) -> Option<f64> {
        let is_squared = self.model.loss() == OnlineLoss::Squared;
        let takes_target = if is_squared { target.abs() <= 1e50 } else { self.takes_class(target) };
        if !self.takes(row) || !takes_target {
            return None;
        }
        let before = if is_squared { self.predict(row)?.first().map(|mean| (mean - target).powi(2)) } else { None };
        for (scale, value) in self.features.iter_mut().zip(row) {
            if !value.is_nan() {
                scale.insert(*value);
            }
        }
        let target = if is_squared {
            self.target.insert(target);
            self.target.standardised(target)
        } else {
            target
        };
        let entries = self.features.iter().zip(row).map(|(scale, value)| scale.standardised(*value)).enumerate();
        let loss = self.model.learn_entries(entries, target)?;
        before.or(Some(loss))
    }

    /// The mean, the probability of a one, or the probability of each class.
    ///
    /// Before any row: zero, one half, or equal shares. `None` if the row has another length or a value is
    /// infinite or beyond `1e100`.
    #[must_use]
    pub fn predict(&self, row: &[f64]) -> Option<Vec<f64>> {
        let outputs = if let OnlineLoss::Multinomial(classes) = self.model.loss() { classes as usize } else { 1 };
        let mut found = vec![0.0; outputs];
        let entries = self.features.iter().zip(row).map(|(scale, value)| scale.standardised(*value)).enumerate();
        if !self.takes(row) || !self.model.predict_entries(entries, &mut found) {
            return None;
        }
        if self.model.loss() == OnlineLoss::Squared {
            let deviation = if self.target.inverse > 0.0 { 1.0 / self.target.inverse } else { 0.0 };
            found[0] = self.target.mean + deviation * found[0];
        }
        found.iter().all(|value| value.is_finite()).then_some(found)
    }

    /// What one standard deviation of each feature changes an output's margin by: log-odds, or standard
    /// deviations of the target. `None` for no such output.
    #[must_use]
    pub fn coefficients(&self, output: usize) -> Option<Vec<f64>> {
        (0..self.model.width()).map(|feature| self.model.weight(feature, output)).collect()
    }

    fn takes(&self, row: &[f64]) -> bool {
        row.len() == self.features.len() && row.iter().all(|value| value.is_nan() || value.abs() <= MOST_VALUE)
    }

    fn takes_class(&self, target: f64) -> bool {
        self.model.loss().takes(target)
    }
}

impl TryFrom<Stored> for OnlineLinear {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { features, target, model } = stored;
        let sound = !features.is_empty()
            && features.len() == model.width() as usize
            && features.iter().chain([&target]).all(Scale::is_sound);
        if sound { Ok(Self { features, target, model }) } else { Err("not an online linear model") }
    }
}

impl From<OnlineLinear> for Stored {
    fn from(model: OnlineLinear) -> Self {
        Self { features: model.features, target: model.target, model: model.model }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::{Features, Logistic, Ridge};
    use crate::random::SplitMix;

    const ROWS: usize = 20_000;

    /// Features of scales a billion apart and far from zero.
    fn rows(scale: f64) -> Vec<[f64; 3]> {
        let mut random = SplitMix::new(4);
        (0..ROWS)
            .map(|_| [random.normal(), 1e6 * random.normal() + 3e6, 1e-3 * random.normal()].map(|x| x * scale))
            .collect()
    }

    fn columns(rows: &[[f64; 3]]) -> Vec<Vec<f64>> {
        (0..3).map(|at| rows.iter().map(|row| row[at]).collect()).collect()
    }

    fn later_half(losses: &[f64]) -> f64 {
        losses[ROWS / 2..].iter().sum::<f64>() / (ROWS / 2) as f64
    }

    #[test]
    fn the_squared_loss_comes_near_the_batch_optimum() {
        let rows = rows(1.0);
        let mut random = SplitMix::new(5);
        let targets: Vec<f64> =
            rows.iter().map(|row| 70.0 + 5.0 * row[0] - row[1] / 1e5 + 3.0 * random.normal()).collect();
        let mut model = OnlineLinear::new(3, OnlineLoss::Squared, &FtrlSettings::default()).unwrap();
        let losses: Vec<f64> =
            rows.iter().zip(&targets).map(|(row, target)| model.learn(row, *target).unwrap()).collect();
        let columns = columns(&rows);
        let features = Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap();
        let batch = Ridge::fit(&features, &targets, None, 0.0).unwrap().predict(&features).unwrap();
        let best: Vec<f64> = batch.iter().zip(&targets).map(|(mean, target)| (mean - target).powi(2)).collect();
        let ratio = later_half(&losses) / later_half(&best);
        assert!((0.99..1.02).contains(&ratio), "{ratio}");
        assert!((model.predict(&[1.0, 3e6, 0.0]).unwrap()[0] - 45.0).abs() < 0.5);
    }

    #[test]
    fn the_logistic_loss_comes_near_the_batch_optimum() {
        let rows = rows(1.0);
        let mut random = SplitMix::new(6);
        let chance = |row: &[f64; 3]| 1.0 / (1.0 + (0.5 - 1.5 * row[0] + 1e3 * row[2]).exp());
        let targets: Vec<f64> = rows.iter().map(|row| f64::from(u8::from(random.unit() < chance(row)))).collect();
        let mut models = [OnlineLoss::Logistic, OnlineLoss::Multinomial(2)]
            .map(|loss| OnlineLinear::new(3, loss, &FtrlSettings::default()).unwrap());
        let columns = columns(&rows);
        let features = Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap();
        let batch = Logistic::fit(&features, &targets, None, 0.0).unwrap().predict(&features).unwrap();
        let best: Vec<f64> =
            batch.iter().zip(&targets).map(|(p, target)| -(if *target == 1.0 { *p } else { 1.0 - p }).ln()).collect();
        for model in &mut models {
            let losses: Vec<f64> =
                rows.iter().zip(&targets).map(|(row, target)| model.learn(row, *target).unwrap()).collect();
            let ratio = later_half(&losses) / later_half(&best);
            assert!((0.99..1.02).contains(&ratio), "{ratio}");
        }
    }

    /// Powers of two change no digit of the standardised values.
    #[test]
    fn the_scale_of_features_does_not_matter() {
        let found = [1.0, 1024.0, 1.0 / 4096.0].map(|scale| {
            let mut model = OnlineLinear::new(3, OnlineLoss::Logistic, &FtrlSettings::default()).unwrap();
            let rows = rows(scale);
            rows[..500].iter().for_each(|row| {
                model.learn(row, f64::from(u8::from(row[0] > 0.0))).unwrap();
            });
            model.predict(&rows[600])
        });
        assert!(found[0].is_some() && found[0] == found[1] && found[1] == found[2], "{found:?}");
    }

    #[test]
    fn bad_rows_teach_nothing() {
        let mut model = OnlineLinear::new(2, OnlineLoss::Squared, &FtrlSettings::default()).unwrap();
        assert_eq!(model.predict(&[1.0, 2.0]), Some(vec![0.0]));
        (0..50).for_each(|row| {
            model.learn(&[f64::from(row), f64::NAN], f64::from(row)).unwrap();
        });
        let before = model.clone();
        for (row, target) in [
            (&[1.0][..], 1.0),
            (&[f64::INFINITY, 1.0], 1.0),
            (&[1e101, 1.0], 1.0),
            (&[1.0, 1.0], f64::NAN),
            (&[1.0, 1.0], f64::INFINITY),
        ] {
            assert_eq!(model.learn(row, target), None);
        }
        assert_eq!(model, before);
        let kept = postcard::to_stdvec(&model).unwrap();
        assert_eq!(postcard::from_bytes::<OnlineLinear>(&kept).unwrap(), model);
        model.features.pop();
        let kept = postcard::to_stdvec(&model).unwrap();
        assert!(postcard::from_bytes::<OnlineLinear>(&kept).is_err());
    }
}
