//! What a model gains or loses without the rows of one channel.

use serde::{Deserialize, Serialize};

use super::outside_neighbours::numbered;
use super::{ChannelRows, LabelledRows};
use crate::distribution::student_t;
use crate::interval::Estimate;
use crate::learn::{Features, Logistic};
use crate::multiple::holm;

/// The penalty of the regressions: one row's worth.
const RIDGE: f64 = 1.0;

/// The most classes and channels, which multiply the regressions.
const MOST_CLASSES: usize = 64;
const MOST_CHANNELS: usize = 64;

/// The change of held-out loss where one channel's rows are left out of training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelInfluence {
    /// The channel.
    pub channel: u32,
    /// Rows left out.
    pub rows: u64,
    /// Mean over held-out rows of loss without the channel less loss with it: below zero, the model is better off
    /// without it.
    pub change: Estimate,
    /// One-sided, for a change below zero.
    pub p_value: f64,
    /// After Holm's correction over channels.
    pub adjusted_p: f64,
}

/// The influence of each channel on a logistic regression, the most harmful first.
///
/// For each class a regression (ridge 1) tells it from the others; a row's loss is the sum of their log losses.
/// All are fitted with every channel and again without each, and the losses of each row of `held_out` are compared
/// in pairs by Student's t.
///
/// *False alarms.* The chance of calling any channel harmful that is not is at most the level compared with
/// `adjusted_p`: harmful *to this regression on rows like `held_out`*. That is the right question before a channel is
/// quarantined, and no proof of poison: an honest channel of another population can be harmful too, and 1 % of bad
/// rows often move the loss too little to see. The rows held out must be trusted, and independent.
///
/// `None` if lengths or columns are uneven, fewer than two channels or held-out rows, more than 64 channels or
/// classes, or a channel holds all rows of the training set. A class without training rows is not told apart.
/// Cost: `channels * classes` regressions, `O(rows * columns^2)` a step each.
///
/// Source: Cook, "Detection of Influential Observation in Linear Regression", Technometrics 19 (1977), for groups
/// of rows.
#[must_use]
pub fn channel_influence(train: ChannelRows<'_>, held_out: LabelledRows<'_>) -> Option<Vec<ChannelInfluence>> {
    let (n, n_held_out) = (train.features.rows(), held_out.features.rows());
    let even = train.labels.len() == n && train.channels.len() == n && held_out.labels.len() == n_held_out;
    if !even || train.features.width() != held_out.features.width() || n_held_out < 2 {
        return None;
    }
    let (channels, channel_of) = numbered(train.channels, MOST_CHANNELS)?;
    let (classes, _) = numbered(train.labels, MOST_CLASSES)?;
    if channels.len() < 2 {
        return None;
    }
    let with_all = losses(train, held_out, &classes, |_| true)?;
    let mut found = Vec::with_capacity(channels.len());
    for (place, channel) in channels.iter().enumerate() {
        let without = losses(train, held_out, &classes, |row| channel_of[row] != place)?;
        let change = paired_mean(&without, &with_all)?;
        let p_value = p_below_zero(change, n_held_out)?;
        let rows = channel_of.iter().filter(|of_row| **of_row == place).count() as u64;
        found.push(ChannelInfluence { channel: *channel, rows, change, p_value, adjusted_p: 1.0 });
    }
    let p_values: Vec<f64> = found.iter().map(|influence| influence.p_value).collect();
    found.iter_mut().zip(holm(&p_values)?).for_each(|(influence, p)| influence.adjusted_p = p);
    found.sort_by(|a, b| a.p_value.total_cmp(&b.p_value).then(a.change.value.total_cmp(&b.change.value)));
    Some(found)
}

/// The loss of each held-out row by models of the training rows kept.
fn losses(
    train: ChannelRows<'_>,
    held_out: LabelledRows<'_>,
    classes: &[u32],
    keeps: impl Fn(usize) -> bool,
) -> Option<Vec<f64>> {
    let rows: Vec<usize> = (0..train.labels.len()).filter(|row| keeps(*row)).collect();
    let columns: Vec<Vec<f64>> =
        train.features.columns().iter().map(|column| rows.iter().map(|row| column[*row]).collect()).collect();
    let features = Features::new(columns.iter().map(Vec::as_slice).collect())?;
    let mut losses = vec![0.0; held_out.labels.len()];
    for class in classes {
        let targets: Vec<f64> = rows.iter().map(|row| f64::from(u8::from(train.labels[*row] == *class))).collect();
        let share = targets.iter().sum::<f64>() / targets.len() as f64;
        let chances = if 0.0 < share && share < 1.0 {
            Logistic::fit(&features, &targets, None, RIDGE)?.predict(held_out.features)?
        } else {
            let shrunk = (share * targets.len() as f64 + 0.5) / (targets.len() as f64 + 1.0);
            vec![shrunk; losses.len()]
        };
        for ((loss, chance), label) in losses.iter_mut().zip(chances).zip(held_out.labels) {
            let right = if label == class { chance } else { 1.0 - chance };
            *loss -= right.max(1e-12).ln();
        }
    }
    Some(losses)
}

fn paired_mean(without: &[f64], with_all: &[f64]) -> Option<Estimate> {
    let n = without.len() as f64;
    let differences: Vec<f64> = without.iter().zip(with_all).map(|(a, b)| a - b).collect();
    let mean = differences.iter().sum::<f64>() / n;
    let squares: f64 = differences.iter().map(|difference| (difference - mean).powi(2)).sum();
    Estimate::new(mean, (squares / (n - 1.0) / n).sqrt())
}

/// One where the change does not vary: then nothing was learned.
fn p_below_zero(change: Estimate, n: usize) -> Option<f64> {
    if change.standard_error <= 0.0 {
        return Some(1.0);
    }
    let t = change.value / change.standard_error;
    let half = 0.5 * student_t::two_sided(t, n as f64 - 1.0)?;
    Some(if t < 0.0 { half } else { 1.0 - half }.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    fn drawn(n: usize, seed: u64) -> (Vec<f64>, Vec<u32>, Vec<u32>) {
        let mut random = SplitMix::new(seed);
        let labels: Vec<u32> = (0..n).map(|_| random.below(2) as u32).collect();
        let column = labels.iter().map(|label| f64::from(*label) * 2.0 + random.normal()).collect();
        (column, labels, (0..n).map(|_| random.below(4) as u32).collect())
    }

    #[test]
    fn a_channel_of_wrong_labels_is_harmful_and_honest_ones_are_not() {
        let (column, mut labels, channels) = drawn(800, 1);
        let (asked, classes, _) = drawn(2_000, 2);
        let (features, held_out) = (Features::new(vec![&column]).unwrap(), Features::new(vec![&asked]).unwrap());
        let held_out = LabelledRows { features: &held_out, labels: &classes };
        let influence = |labels: &[u32]| {
            channel_influence(ChannelRows { features: &features, labels, channels: &channels }, held_out).unwrap()
        };
        assert!(influence(&labels).iter().all(|of_channel| of_channel.change.value.abs() < 0.01));
        (0..800).filter(|row| channels[*row] == 3).for_each(|row| labels[row] = 1 - labels[row]);
        let found = influence(&labels);
        assert!(found[0].channel == 3 && found[0].adjusted_p < 1e-6 && found[0].change.value < -0.02, "{found:?}");
        assert!(found[1..].iter().all(|of_channel| of_channel.adjusted_p > 0.05));
    }

    #[test]
    fn bad_input_is_refused() {
        let column = [0.0, 1.0, 2.0];
        let features = Features::new(vec![&column]).unwrap();
        let rows = ChannelRows { features: &features, labels: &[0, 1, 0], channels: &[0, 0, 0] };
        let held_out = LabelledRows { features: &features, labels: &[0, 1, 0] };
        assert!(channel_influence(rows, held_out).is_none());
        assert!(channel_influence(rows, LabelledRows { labels: &[0], ..held_out }).is_none());
        assert!(channel_influence(ChannelRows { channels: &[0, 1], ..rows }, held_out).is_none());
    }
}
