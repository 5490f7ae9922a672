//! Scores of the texts that were usual while a model was learned: a threshold is then a rate of false alarms.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Greatest scores that are kept of a model and of each of its channels.
const MOST_KEPT: usize = 1_024;
const MOST_KEPT_OF_CHANNEL: usize = 256;
const MOST_CHANNELS: usize = 64;
/// A channel with fewer texts than this is judged as the model is.
const LEAST_OF_CHANNEL: u64 = 500;

/// The upper tail of scores: how many there were, and the greatest of them.
///
/// `p = (1 + usual scores at least as large) / (1 + n)`, a conformal p-value: while a text is exchangeable with the
/// usual ones, `P(p <= alpha) <= alpha`. It is exact among the scores that are kept, and too large below them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct UsualTail {
    n: u64,
    /// Falling.
    top: Vec<f32>,
}

impl UsualTail {
    fn learn(&mut self, score: f32, most: usize) {
        self.n += 1;
        if self.top.len() < most || self.top.last().is_some_and(|least| score > *least) {
            let place = self.top.partition_point(|kept| *kept >= score);
            self.top.insert(place, score);
            self.top.truncate(most);
        }
    }

    /// The p-value of a score.
    pub(crate) fn p_value(&self, score: f32) -> f64 {
        let at_least = self.top.partition_point(|kept| *kept >= score);
        let is_below_kept = at_least == self.top.len() && (self.top.len() as u64) < self.n;
        let at_least = if is_below_kept { self.n } else { at_least as u64 };
        (1 + at_least) as f64 / (1 + self.n) as f64
    }

    /// The greatest usual score.
    pub(crate) fn greatest(&self) -> f32 {
        self.top.first().copied().unwrap_or(0.0)
    }

    /// How many texts were learned.
    pub(crate) const fn count(&self) -> u64 {
        self.n
    }
}

/// Tails of a model and of its channels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct UsualScores {
    whole: UsualTail,
    channels: BTreeMap<String, UsualTail>,
}

impl UsualScores {
    /// Takes a usual text's score.
    pub(crate) fn learn(&mut self, channel: Option<&str>, score: f32) {
        self.whole.learn(score, MOST_KEPT);
        let Some(channel) = channel else { return };
        if let Some(tail) = self.channels.get_mut(channel) {
            tail.learn(score, MOST_KEPT_OF_CHANNEL);
        } else if self.channels.len() < MOST_CHANNELS {
            let mut tail = UsualTail::default();
            tail.learn(score, MOST_KEPT_OF_CHANNEL);
            self.channels.insert(channel.to_owned(), tail);
        }
    }

    /// The tail that a channel's texts are ranked in: its own, where it had enough.
    pub(crate) fn of(&self, channel: Option<&str>) -> &UsualTail {
        channel
            .and_then(|channel| self.channels.get(channel))
            .filter(|tail| tail.n >= LEAST_OF_CHANNEL)
            .unwrap_or(&self.whole)
    }

    /// The tail of all.
    pub(crate) const fn whole(&self) -> &UsualTail {
        &self.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_ranks_among_the_usual() {
        let mut usual = UsualScores::default();
        for score in 0..2_000 {
            usual.learn(Some("web"), score as f32);
        }
        assert!((usual.whole().p_value(1_990.0) - 11.0 / 2_001.0).abs() < 1e-12);
        assert!((usual.whole().p_value(5_000.0) - 1.0 / 2_001.0).abs() < 1e-12);
        assert!((usual.whole().p_value(3.0) - 1.0).abs() < 1e-12);
        assert!((usual.of(Some("web")).p_value(1_999.0) - 2.0 / 2_001.0).abs() < 1e-12);
        assert_eq!(usual.of(Some("new")), usual.whole());
    }
}
