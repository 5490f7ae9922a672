//! What a model as a whole loses when a feature is shuffled.

use super::PointLoss;
use super::loss::losses;
use crate::interval::Estimate;
use crate::learn::Features;
use crate::random::SplitMix;

/// How a column is shuffled, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImportanceSettings {
    /// What a prediction costs.
    pub loss: PointLoss,
    /// Shuffles of each column, `1..=1_000`.
    pub repeats: u32,
    /// Of the shuffles.
    pub seed: u64,
}

/// How much the mean loss rises when a column is shuffled, for each column, with its standard error.
///
/// `mean over repeats and rows of loss(row with the feature of another row) - loss(row)`. The standard
/// error holds for other rows as well as other shuffles: each row counts as receiver and as giver of
/// values, and `SE^2 = sum (as receiver + as giver - 2 mean)^2 / n^2` (the jackknife's limit for two samples,
/// a little too large for few repeats). [`Estimate::interval`] gives the interval.
///
/// `predict` gets a table and answers one number a row. Cost: `1 + features * repeats` predictions of the
/// table. Correlated features share what they tell, so that each may look unimportant though
/// together they are not, and shuffling makes rows that never occur: not to be trusted for them one by
/// one, nor for fewer than some 50 rows.
/// `None` for fewer than two rows, settings out of range, lengths that differ, or a row without a loss.
/// Reference: Breiman, Machine Learning 45 (2001), section 10; Fisher, Rudin, Dominici, JMLR 20 (2019),
/// section 3.
///
/// ```
/// use wardline_stats::explain::{ImportanceSettings, PointLoss, permutation_importance};
/// use wardline_stats::learn::Features;
///
/// let (used, unused): (Vec<f64>, Vec<f64>) = (0..100).map(|i| (f64::from(i % 10), f64::from(i % 7))).unzip();
/// let settings = ImportanceSettings { loss: PointLoss::Squared, repeats: 5, seed: 1 };
/// let table = Features::new(vec![&used, &unused]).unwrap();
/// let found = permutation_importance(&table, &used, settings, |rows| Some(rows.columns()[0].to_vec())).unwrap();
/// assert!(found[0].interval(0.99).unwrap().low > 10.0);
/// assert_eq!(found[1].value, 0.0);
/// ```
pub fn permutation_importance(
    features: &Features<'_>,
    targets: &[f64],
    settings: ImportanceSettings,
    mut predict: impl FnMut(&Features<'_>) -> Option<Vec<f64>>,
) -> Option<Vec<Estimate>> {
    let rows = features.rows();
    if rows < 2 || !(1..=1_000).contains(&settings.repeats) {
        return None;
    }
    let intact = losses(settings.loss, &predict(features)?, targets)?;
    let mut random = SplitMix::new(settings.seed);
    let mut order: Vec<usize> = (0..rows).collect();
    let mut found = Vec::with_capacity(features.width());
    for column in 0..features.width() {
        let mut influence = vec![0.0; rows];
        for _ in 0..settings.repeats {
            random.shuffle(&mut order);
            let shuffled: Vec<f64> = order.iter().map(|giver| features.columns()[column][*giver]).collect();
            let mut columns = features.columns().to_vec();
            columns[column] = &shuffled;
            let lost = losses(settings.loss, &predict(&Features::new(columns)?)?, targets)?;
            for (receiver, giver) in order.iter().enumerate() {
                let rise = lost[receiver] - intact[receiver];
                influence[receiver] += rise;
                influence[*giver] += rise;
            }
        }
        found.push(estimate(&influence, settings.repeats)?);
    }
    Some(found)
}

/// The mean and its error from what each row received and gave.
fn estimate(influence: &[f64], repeats: u32) -> Option<Estimate> {
    let (rows, repeats) = (influence.len() as f64, f64::from(repeats));
    let twice = influence.iter().sum::<f64>() / (rows * repeats);
    let squares: f64 = influence.iter().map(|sum| (sum / repeats - twice).powi(2)).sum();
    Estimate::new(0.5 * twice, (squares / (rows * (rows - 1.0))).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: for a linear model the rise is known, `2 coefficient^2 variance`, and the error covers it.
    #[test]
    fn the_known_importance_is_within_the_interval() {
        let settings = ImportanceSettings { loss: PointLoss::Squared, repeats: 3, seed: 1 };
        let (mut within, runs) = (0, 100);
        for seed in 0..runs {
            let mut random = SplitMix::new(seed);
            let columns: Vec<Vec<f64>> = (0..2).map(|_| (0..200).map(|_| random.normal()).collect()).collect();
            let table = Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap();
            let predict = |rows: &Features<'_>| -> Option<Vec<f64>> {
                Some(rows.columns()[0].iter().zip(rows.columns()[1]).map(|(a, b)| 2.0 * a + b).collect())
            };
            let targets: Vec<f64> = predict(&table).unwrap().iter().map(|y| y + random.normal()).collect();
            let found = permutation_importance(&table, &targets, settings, predict).unwrap();
            within += u32::from(found[0].interval(0.95).unwrap().contains(8.0));
            within += u32::from(found[1].interval(0.95).unwrap().contains(2.0));
        }
        assert!((182..=200).contains(&within), "{within} of 200");
    }

    #[test]
    fn bad_input_gives_nothing() {
        let table = Features::new(vec![&[1.0, 2.0]]).unwrap();
        let settings = ImportanceSettings { loss: PointLoss::Squared, repeats: 1, seed: 1 };
        let predict = |rows: &Features<'_>| Some(rows.columns()[0].to_vec());
        assert!(permutation_importance(&table, &[1.0], settings, predict).is_none());
        assert!(permutation_importance(&table, &[1.0, f64::NAN], settings, predict).is_none());
        assert!(permutation_importance(&table, &[1.0, 1.0], settings, |_| None).is_none());
        let never = ImportanceSettings { repeats: 0, ..settings };
        assert!(permutation_importance(&table, &[1.0, 1.0], never, predict).is_none());
    }
}
