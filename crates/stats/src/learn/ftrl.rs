//! Linear models learned row by row, with steps of their own for each weight.

use serde::{Deserialize, Serialize};

use super::boosted::sigmoid;
use super::multinomial::softmax;

/// Weights at most: 384 MiB of state.
const MOST_WEIGHTS: u64 = 1 << 24;
/// Greater values and targets are refused, so that sums of squares stay finite.
const MOST_VALUE: f64 = 1e50;
/// Slopes are cut here, for the same reason.
const MOST_SLOPE: f64 = 1e100;

/// What an online model learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnlineLoss {
    /// The mean of a number.
    Squared,
    /// The probability of a target of one; targets lie in `0..=1`.
    Logistic,
    /// The probability of each of so many classes, `2..=1000`; a target is `0.0`, `1.0`, and so on.
    Multinomial(u32),
}

impl OnlineLoss {
    fn outputs(self) -> usize {
        if let Self::Multinomial(classes) = self { classes as usize } else { 1 }
    }

    pub(super) fn takes(self, target: f64) -> bool {
        match self {
            Self::Squared => target.abs() <= MOST_VALUE,
            Self::Logistic => (0.0..=1.0).contains(&target),
            Self::Multinomial(classes) => (0.0..f64::from(classes)).contains(&target) && target.fract() == 0.0,
        }
    }

    /// Turns margins into predictions; returns the loss at a target.
    fn predict(self, margins: &mut [f64], target: f64) -> f64 {
        match self {
            Self::Squared => (margins[0] - target).powi(2),
            Self::Logistic => {
                let margin = margins[0];
                margins[0] = sigmoid(margin);
                margin.max(0.0) + (-margin.abs()).exp().ln_1p() - target * margin
            }
            Self::Multinomial(_) => {
                let margin = margins[target as usize];
                softmax(margins) - margin
            }
        }
    }
}

/// How fast a model learns and what holds its weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FtrlSettings {
    /// Size of steps: the step of a weight is `rate / (1 + sqrt(sum of its squared slopes))`. Above zero.
    pub rate: f64,
    /// Weights whose summed slopes stay below this are zero. Not below zero.
    pub lasso: f64,
    /// Pulls weights towards zero. Not below zero.
    pub ridge: f64,
}

impl Default for FtrlSettings {
    fn default() -> Self {
        Self { rate: 0.2, lasso: 0.0, ridge: 0.0 }
    }
}

impl FtrlSettings {
    fn valid(&self) -> bool {
        let within = |value: f64| 0.0 <= value && value <= 1e6;
        1e-6 <= self.rate && within(self.rate) && within(self.lasso) && within(self.ridge)
    }
}

/// A linear model of sparse rows, learned row by row by follow-the-regularised-leader (FTRL-proximal).
///
/// Each weight has its own step, which shrinks with the slopes that it has met, so that rare features
/// learn as fast as frequent ones. Values should be of like size (0 and 1, or rows of length one); for
/// features on scales of their own see [`super::OnlineLinear`].
/// Cost: `O(entries * outputs)` a row; 24 bytes for each weight and output, whatever is seen.
/// The order of rows matters: a stream sorted by class teaches little.
/// Reference: McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD (2013), algorithm 1.
///
/// ```
/// use wardline_stats::learn::{Ftrl, FtrlSettings, OnlineLoss};
///
/// let mut model = Ftrl::new(1_000, OnlineLoss::Logistic, &FtrlSettings::default()).unwrap();
/// for row in 0..200_u32 {
///     let is_bad = row % 2;
///     model.learn(&[(17 + is_bad, 1.0), (row, 0.5)], f64::from(is_bad)).unwrap();
/// }
/// assert!(model.predict(&[(18, 1.0)]).unwrap()[0] > 0.7);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Ftrl {
    loss: OnlineLoss,
    settings: FtrlSettings,
    /// Features; the intercept is one more.
    width: u32,
    /// By feature, then output.
    weights: Vec<f64>,
    /// What slopes have added up to, and the sum of their squares.
    sums: Vec<[f64; 2]>,
    margins: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    loss: OnlineLoss,
    settings: FtrlSettings,
    width: u32,
    /// Place, summed slopes, summed squares: ascending, without what has met nothing.
    met: Vec<(u32, f64, f64)>,
}

impl Ftrl {
    /// A model of rows with features `0..width` that knows nothing yet.
    ///
    /// `None` for settings out of range, or unless `(width + 1) * outputs` is at most `2^24`.
    #[must_use]
    pub fn new(width: u32, loss: OnlineLoss, settings: &FtrlSettings) -> Option<Self> {
        let outputs = loss.outputs();
        let enough = if matches!(loss, OnlineLoss::Multinomial(_)) { 2 } else { 1 };
        let all = (u64::from(width) + 1) * outputs as u64;
        let valid = settings.valid() && (enough..=1_000).contains(&outputs) && all <= MOST_WEIGHTS;
        valid.then(|| Self {
            loss,
            settings: *settings,
            width,
            weights: vec![0.0; all as usize],
            sums: vec![[0.0; 2]; all as usize],
            margins: vec![0.0; outputs],
        })
    }

    /// Learns a row of features and their values; features that are not named are zero.
    ///
    /// Returns the loss of the prediction before it learned: the squared error, or minus the logarithm of
    /// the probability. `None`, and nothing learned, if a feature is out of range, or a value or the
    /// target is not finite, beyond `1e50` or not one that the loss takes. A feature that is named twice counts twice.
    pub fn learn(&mut self, row: &[(u32, f64)], target: f64) -> Option<f64> {
        if !self.takes(row) {
            return None;
        }
        self.learn_entries(row.iter().map(|(feature, value)| (*feature as usize, *value)), target)
    }

    /// The mean, the probability of a one, or the probability of each class; `None` as for [`Self::learn`].
    #[must_use]
    pub fn predict(&self, row: &[(u32, f64)]) -> Option<Vec<f64>> {
        let mut found = vec![0.0; self.margins.len()];
        let entries = row.iter().map(|(feature, value)| (*feature as usize, *value));
        (self.takes(row) && self.predict_entries(entries, &mut found)).then_some(found)
    }

    /// The weight of a feature for an output (zero but for several classes); `None` out of range.
    #[must_use]
    pub fn weight(&self, feature: u32, output: usize) -> Option<f64> {
        let outputs = self.margins.len();
        (feature < self.width && output < outputs).then(|| self.weights[feature as usize * outputs + output])
    }

    /// The margin of an output where all features are zero; `None` out of range.
    #[must_use]
    pub fn intercept(&self, output: usize) -> Option<f64> {
        let outputs = self.margins.len();
        (output < outputs).then(|| self.weights[self.width as usize * outputs + output])
    }

    pub(super) fn width(&self) -> u32 {
        self.width
    }

    pub(super) fn loss(&self) -> OnlineLoss {
        self.loss
    }

    fn takes(&self, row: &[(u32, f64)]) -> bool {
        row.iter().all(|(feature, value)| *feature < self.width && value.abs() <= MOST_VALUE)
    }

    /// Margins of entries that are known to be in range.
    pub(super) fn margins(&self, row: impl Iterator<Item = (usize, f64)>, margins: &mut [f64]) {
        margins.fill(0.0);
        let outputs = margins.len();
        for (feature, value) in row.chain([(self.width as usize, 1.0)]) {
            let own = &self.weights[feature * outputs..][..outputs];
            margins.iter_mut().zip(own).for_each(|(margin, weight)| *margin += weight * value);
        }
    }

    /// `false` if a margin is not finite.
    pub(super) fn predict_entries(&self, row: impl Iterator<Item = (usize, f64)>, found: &mut [f64]) -> bool {
        self.margins(row, found);
        let finite = found.iter().all(|margin| margin.is_finite());
        self.loss.predict(found, 0.0);
        finite
    }

    /// As [`Self::learn`], of entries that are known to be in range.
    pub(super) fn learn_entries(
        &mut self,
        row: impl Iterator<Item = (usize, f64)> + Clone,
        target: f64,
    ) -> Option<f64> {
        if !self.loss.takes(target) {
            return None;
        }
        let mut found = std::mem::take(&mut self.margins);
        self.margins(row.clone(), &mut found);
        let finite = found.iter().all(|margin| margin.is_finite());
        let loss = self.loss.predict(&mut found, target);
        if finite {
            if let OnlineLoss::Multinomial(_) = self.loss {
                found[target as usize] -= 1.0;
            } else {
                found[0] -= target;
            }
            self.step(row, &found);
        }
        // Models that know the same are equal.
        found.fill(0.0);
        self.margins = found;
        finite.then_some(loss)
    }

    fn step(&mut self, row: impl Iterator<Item = (usize, f64)>, errors: &[f64]) {
        let FtrlSettings { rate, lasso, ridge } = self.settings;
        let outputs = errors.len();
        for (feature, value) in row.chain([(self.width as usize, 1.0)]) {
            let places = feature * outputs..(feature + 1) * outputs;
            let own = self.weights[places.clone()].iter_mut().zip(&mut self.sums[places]);
            let is_intercept = feature == self.width as usize;
            for ((weight, [sum, squares]), error) in own.zip(errors) {
                let slope = (error * value).clamp(-MOST_SLOPE, MOST_SLOPE);
                let before = squares.sqrt();
                *squares += slope * slope;
                let after = squares.sqrt();
                *sum += slope - (after - before) / rate * *weight;
                let (lasso, ridge) = if is_intercept { (0.0, 0.0) } else { (lasso, ridge) };
                *weight = weight_of(*sum, (1.0 + after) / rate + ridge, lasso);
            }
        }
    }
}

fn weight_of(sum: f64, stiffness: f64, lasso: f64) -> f64 {
    if sum.abs() <= lasso { 0.0 } else { (lasso.copysign(sum) - sum) / stiffness }
}

impl TryFrom<Stored> for Ftrl {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let broken = "not an online linear model";
        let mut model = Self::new(stored.width, stored.loss, &stored.settings).ok_or(broken)?;
        let ascending = stored.met.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let tame = |(place, sum, squares): &(u32, f64, f64)| {
            (*place as usize) < model.weights.len() && sum.abs() < 1e250 && (0.0..1e250).contains(squares)
        };
        if !ascending || !stored.met.iter().all(tame) {
            return Err(broken);
        }
        let FtrlSettings { rate, lasso, ridge } = stored.settings;
        let intercept = stored.width as usize * model.margins.len();
        for (place, sum, squares) in stored.met {
            let place = place as usize;
            let (lasso, ridge) = if place < intercept { (lasso, ridge) } else { (0.0, 0.0) };
            model.sums[place] = [sum, squares];
            model.weights[place] = weight_of(sum, (1.0 + squares.sqrt()) / rate + ridge, lasso);
        }
        Ok(model)
    }
}

impl From<Ftrl> for Stored {
    fn from(model: Ftrl) -> Self {
        let met = model.sums.iter().enumerate().filter(|(_, sums)| **sums != [0.0; 2]);
        let met = met.map(|(place, [sum, squares])| (place as u32, *sum, *squares)).collect();
        Self { loss: model.loss, settings: model.settings, width: model.width, met }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever is fed, predictions are numbers or refused, and what is kept goes on as it was.
        #[test]
        fn wild_rows_never_give_nan(
            rows in prop::collection::vec((prop::collection::vec((0_u32..6, any::<f64>()), 0..5), any::<f64>()), 1..30)
        ) {
            for loss in [OnlineLoss::Squared, OnlineLoss::Logistic, OnlineLoss::Multinomial(3)] {
                let mut model = Ftrl::new(5, loss, &FtrlSettings::default()).unwrap();
                for (row, target) in &rows {
                    for target in [*target, 1.0] {
                        if let Some(loss) = model.learn(row, target) {
                            prop_assert!(loss.is_finite());
                        }
                        if let Some(found) = model.predict(row) {
                            prop_assert!(found.iter().all(|value| value.is_finite()));
                        }
                    }
                }
                let kept = postcard::to_stdvec(&model).unwrap();
                let mut read: Ftrl = postcard::from_bytes(&kept).unwrap();
                prop_assert_eq!(read.learn(&[(1, 0.5)], 1.0), model.learn(&[(1, 0.5)], 1.0));
                prop_assert_eq!(read.weight(1, 0), model.weight(1, 0));
            }
        }
    }

    #[test]
    fn the_lasso_leaves_noise_at_zero() {
        let settings = FtrlSettings { lasso: 20.0, ..FtrlSettings::default() };
        let mut model = Ftrl::new(2, OnlineLoss::Logistic, &settings).unwrap();
        for row in 0..1_000_u32 {
            let noise = f64::from(row / 2 % 2) - 0.5;
            model.learn(&[(0, f64::from(row % 2) - 0.5), (1, noise)], f64::from(row % 2)).unwrap();
        }
        assert!(model.weight(0, 0).unwrap() > 1.0 && model.weight(1, 0) == Some(0.0), "{model:?}");
    }

    #[test]
    fn damage_and_bad_settings_are_refused() {
        assert!(Ftrl::new(u32::MAX, OnlineLoss::Squared, &FtrlSettings::default()).is_none());
        assert!(Ftrl::new(3, OnlineLoss::Multinomial(1), &FtrlSettings::default()).is_none());
        let slow = FtrlSettings { rate: 0.0, ..FtrlSettings::default() };
        assert!(Ftrl::new(3, OnlineLoss::Squared, &slow).is_none());
        let stored = |width, met| Stored { loss: OnlineLoss::Squared, settings: FtrlSettings::default(), width, met };
        assert!(Ftrl::try_from(stored(2, vec![(0, 1.0, 1.0), (2, 1.0, 1.0)])).is_ok());
        assert!(Ftrl::try_from(stored(2, vec![(0, 1.0, 1.0), (3, 1.0, 1.0)])).is_err());
        assert!(Ftrl::try_from(stored(2, vec![(1, 1.0, 1.0), (0, 1.0, 1.0)])).is_err());
        assert!(Ftrl::try_from(stored(2, vec![(0, f64::NAN, 1.0)])).is_err());
        assert!(Ftrl::try_from(stored(2, vec![(0, 1.0, -1.0)])).is_err());
    }
}
