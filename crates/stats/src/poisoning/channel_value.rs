//! What the rows of each channel are worth to a nearest-neighbour model.

use serde::{Deserialize, Serialize};

use super::knn_shapley::{LabelledRows, values_by_test_row};
use super::outside_neighbours::{ChannelRows, numbered};
use crate::interval::Estimate;

/// More channels than a table of values should hold for each test row.
const MOST_CHANNELS: usize = 4_096;

/// The Shapley values of one channel's rows, added up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelValue {
    /// The channel.
    pub channel: u32,
    /// Its training rows.
    pub rows: u64,
    /// Their values' sum, in units of accuracy, with its error over test rows: below zero, the channel harms.
    pub value: Estimate,
}

/// [`super::knn_shapley`] added up by channel, the least worth first.
///
/// The sum over rows of a channel for each test row; mean and standard error over test rows. Values of all channels
/// add up to the worth of all rows. The error is that of the choice of test rows, not of training rows.
///
/// A description with an error, and no alarm: a channel of few rows, or of rows unlike the test rows, is worth
/// little, and a poisoned channel that is mostly honest is worth more than nothing. Compare `value / rows`.
///
/// `None` as for [`super::knn_shapley`], for fewer than two test rows, and for more than 4,096 channels.
#[must_use]
pub fn knn_shapley_by_channel(train: ChannelRows<'_>, test: LabelledRows<'_>, k: usize) -> Option<Vec<ChannelValue>> {
    if train.channels.len() != train.features.rows() || test.labels.len() < 2 {
        return None;
    }
    let (channels, channel_of) = numbered(train.channels, MOST_CHANNELS)?;
    let (mut sums, mut squares) = (vec![0.0; channels.len()], vec![0.0; channels.len()]);
    let mut of_channels = vec![0.0; channels.len()];
    values_by_test_row(LabelledRows { features: train.features, labels: train.labels }, test, k, |values| {
        of_channels.fill(0.0);
        values.iter().zip(&channel_of).for_each(|(value, channel)| of_channels[*channel] += value);
        for ((sum, square), value) in sums.iter_mut().zip(&mut squares).zip(&of_channels) {
            *sum += value;
            *square += value * value;
        }
    })?;
    let n = test.labels.len() as f64;
    let mut found = Vec::with_capacity(channels.len());
    for (place, channel) in channels.iter().enumerate() {
        let mean = sums[place] / n;
        let variance = ((squares[place] - n * mean * mean) / (n - 1.0)).max(0.0);
        let rows = channel_of.iter().filter(|of_row| **of_row == place).count() as u64;
        found.push(ChannelValue { channel: *channel, rows, value: Estimate::new(mean, (variance / n).sqrt())? });
    }
    found.sort_by(|a, b| a.value.value.total_cmp(&b.value.value).then(a.channel.cmp(&b.channel)));
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Features;
    use crate::poisoning::knn_shapley;
    use crate::random::SplitMix;

    #[test]
    fn values_add_up_and_a_channel_of_wrong_labels_is_worth_least() {
        let mut random = SplitMix::new(2);
        let mut labels: Vec<u32> = (0..300).map(|_| random.below(2) as u32).collect();
        let column: Vec<f64> = labels.iter().map(|label| f64::from(*label) * 3.0 + random.normal()).collect();
        let channels: Vec<u32> = (0..300).map(|row| row % 3).collect();
        let features = Features::new(vec![&column]).unwrap();
        let truth = labels.clone();
        labels.iter_mut().skip(1).step_by(3).for_each(|label| *label = 1 - *label);
        let train = ChannelRows { features: &features, labels: &labels, channels: &channels };
        let test = LabelledRows { features: &features, labels: &truth };
        let found = knn_shapley_by_channel(train, test, 5).unwrap();
        let rows = LabelledRows { features: &features, labels: &labels };
        let all: f64 = knn_shapley(rows, test, 5).unwrap().iter().sum();
        assert!((found.iter().map(|channel| channel.value.value).sum::<f64>() - all).abs() < 1e-12);
        assert_eq!((found[0].channel, found[0].rows), (1, 100));
        assert!(found[0].value.interval(0.99).unwrap().high < 0.0 && found[1].value.interval(0.99).unwrap().low > 0.0);
        assert!(knn_shapley_by_channel(ChannelRows { channels: &[0], ..train }, test, 5).is_none());
        assert!(knn_shapley_by_channel(train, test, 0).is_none());
    }
}
