//! Scores of a stretch of time, counted, and what they make one expect of the model.

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use crate::entities::{EntityIds, MOST_VALUES, SLOTS};

/// Scores are told apart by so many equal parts of 0 to 1.
pub(crate) const BINS: usize = 64;

/// Counts of scores, by whether the decision was the positive class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScoreChunk {
    pub(crate) start: Timestamp,
    /// Not decided positive first.
    counts: Vec<u32>,
}

/// What the probability of the positive class is, by bin of the score; or of being right, where that is what scores mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BinProbabilities(pub(crate) Vec<f64>);

/// What is expected of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Expected {
    pub(crate) n: u64,
    pub(crate) accuracy: f64,
    /// Of the mean, from one prediction to the next.
    pub(crate) variance: f64,
    /// Area under the ROC curve; `None` without a positive class.
    pub(crate) area: Option<f64>,
}

/// How unsure scores are: their distance from 0 or 1, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Doubt {
    pub(crate) n: f64,
    pub(crate) sum: f64,
}

/// The doubt of all predictions, and by client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Doubts {
    pub(crate) whole: Doubt,
    /// By dimension's slot; those that are no clients are empty.
    pub(crate) clients: Vec<Vec<Doubt>>,
}

impl Doubt {
    pub(crate) fn mean(&self) -> f64 {
        self.sum / self.n.max(1.0)
    }

    pub(crate) fn join(&mut self, other: &Self) {
        (self.n, self.sum) = (self.n + other.n, self.sum + other.sum);
    }

    fn add(&mut self, doubt: f64) {
        (self.n, self.sum) = (self.n + 1.0, self.sum + doubt);
    }
}

impl Doubts {
    #[inline]
    pub(crate) fn add(&mut self, doubt: f64, entities: &EntityIds, is_client: &[bool; SLOTS]) {
        self.whole.add(doubt);
        for (slot, &id) in entities.iter().enumerate() {
            let id = usize::from(id);
            if !is_client[slot] || id == 0 || id > MOST_VALUES {
                continue;
            }
            if self.clients.len() <= slot {
                self.clients.resize_with(slot + 1, Vec::new);
            }
            let clients = &mut self.clients[slot];
            if clients.len() < id {
                clients.resize(id, Doubt::default());
            }
            clients[id - 1].add(doubt);
        }
    }

    pub(crate) fn join(&mut self, other: &Self) {
        self.whole.join(&other.whole);
        if self.clients.len() < other.clients.len() {
            self.clients.resize_with(other.clients.len(), Vec::new);
        }
        for (own, more) in self.clients.iter_mut().zip(&other.clients) {
            if own.len() < more.len() {
                own.resize(more.len(), Doubt::default());
            }
            own.iter_mut().zip(more).for_each(|(own, more)| own.join(more));
        }
    }
}

impl ScoreChunk {
    pub(crate) fn new(start: Timestamp) -> Self {
        Self { start, counts: vec![0; 2 * BINS] }
    }

    #[inline]
    pub(crate) fn add(&mut self, score: f64, is_decided: bool) {
        let place = bin_of(score) + if is_decided { BINS } else { 0 };
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.saturating_add(1);
        }
    }

    pub(crate) fn n(&self) -> u64 {
        self.counts.iter().map(|&count| u64::from(count)).sum()
    }

    /// Adds the counts of the next chunk.
    pub(crate) fn join(&mut self, next: &Self) {
        self.counts.iter_mut().zip(&next.counts).for_each(|(count, more)| *count = count.saturating_add(*more));
    }

    /// What these scores make one expect; `None` without any.
    pub(crate) fn expected(&self, probabilities: &BinProbabilities, has_positive_class: bool) -> Option<Expected> {
        let n = self.n();
        if n == 0 || self.counts.len() != 2 * BINS {
            return None;
        }
        let (mut sum, mut squares, mut positives, mut negatives, mut wins) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for bin in 0..BINS {
            let p = *probabilities.0.get(bin)?;
            let (no, yes) = (f64::from(self.counts[bin]), f64::from(self.counts[BINS + bin]));
            let (if_no, if_yes) = if has_positive_class { (1.0 - p, p) } else { (p, p) };
            sum += no * if_no + yes * if_yes;
            squares += no * if_no * if_no + yes * if_yes * if_yes;
            let (up, down) = ((no + yes) * p, (no + yes) * (1.0 - p));
            wins += up * (negatives + 0.5 * down);
            positives += up;
            negatives += down;
        }
        let accuracy = sum / n as f64;
        let area = (has_positive_class && positives > 0.0 && negatives > 0.0).then(|| wins / (positives * negatives));
        let variance = (squares / n as f64 - accuracy * accuracy).max(0.0) / n as f64;
        Some(Expected { n, accuracy, variance, area })
    }
}

pub(crate) fn bin_of(score: f64) -> usize {
    ((score * BINS as f64) as usize).min(BINS - 1)
}

impl BinProbabilities {
    /// Of a calibration, or scores as they are.
    pub(crate) fn of(calibrated: impl Fn(f64) -> Option<f64>) -> Self {
        let middle = |bin: usize| (bin as f64 + 0.5) / BINS as f64;
        Self((0..BINS).map(|bin| calibrated(middle(bin)).unwrap_or_else(|| middle(bin))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_follow_the_probabilities() {
        let mut chunk = ScoreChunk::new(Timestamp::from_micros(0));
        (0..50).for_each(|_| chunk.add(0.9, true));
        (0..50).for_each(|_| chunk.add(0.1, false));
        let as_they_are = BinProbabilities::of(Some);
        let found = chunk.expected(&as_they_are, true).unwrap();
        assert!((found.accuracy - 0.9).abs() < 0.01 && found.n == 100, "{found:?}");
        // Pairs: 0.9 of the upper half are positive; ties count half.
        assert!((found.area.unwrap() - 0.9).abs() < 0.02, "{found:?}");
        let right = chunk.expected(&as_they_are, false).unwrap();
        assert!((right.accuracy - 0.5).abs() < 0.01 && right.area.is_none());
        assert_eq!(ScoreChunk::new(Timestamp::from_micros(0)).expected(&as_they_are, true), None);
    }
}
