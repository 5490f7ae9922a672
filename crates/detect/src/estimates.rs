//! How good a model must have been, chunk by chunk, while labels are missing: for reports over files.
//!
//! Scores are calibrated on the labelled predictions of the learning period (isotonic regression), and then tell what to
//! expect of those that came after (CBPE: Kivimäki et al., JAIR 82, 2025). All is kept until the end, 24 bytes a
//! prediction, at most [`MOST_ROWS`]; later ones are left out.

use arrow::array::Array;
use rustc_hash::FxHashMap;
use serde::Serialize;
use wardline_domain::{EventBatch, RecordKind, Timestamp, column, stable_hash};
use wardline_stats::performance::{BinaryMetric, Cbpe};

use crate::outcomes::text_hash;

/// Most predictions that are kept.
const MOST_ROWS: usize = 4_000_000;
/// Labels that a calibration rests on at least.
const LEAST_LABELS: usize = 200;

#[derive(Clone, Copy, Debug)]
struct Row {
    time: Timestamp,
    id: u64,
    score: f32,
    is_decided: bool,
}

/// Gathers one model's predictions and labels.
#[derive(Clone, Debug)]
pub struct PerformanceEstimates {
    model: String,
    positive: u32,
    rows: Vec<Row>,
    labels: FxHashMap<u64, bool>,
    left_out: u64,
}

/// A stretch of predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Chunk {
    /// Time of the first.
    pub from: Timestamp,
    /// Time of the last.
    pub to: Timestamp,
    /// How many.
    pub predictions: u64,
}

/// Estimates, one for each chunk, in time order.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EstimatedChunks {
    /// What they are of.
    pub chunks: Vec<Chunk>,
    /// Area under the ROC curve.
    pub roc_auc: Vec<f64>,
    /// Share of right decisions.
    pub accuracy: Vec<f64>,
    /// Harmonic mean of precision and recall of the positive class.
    pub f1: Vec<f64>,
}

impl PerformanceEstimates {
    /// For the model of that name, whose `score` is the probability of `positive_class`.
    pub fn new(model: &str, positive_class: &str) -> Self {
        Self {
            model: model.to_owned(),
            positive: text_hash(positive_class),
            rows: Vec::new(),
            labels: FxHashMap::default(),
            left_out: 0,
        }
    }

    /// Takes a batch of predictions or outcomes; others are of no concern.
    pub fn observe(&mut self, batch: &EventBatch) {
        match batch.kind {
            RecordKind::Inference if batch.model.as_deref() == Some(self.model.as_str()) => self.predictions(batch),
            RecordKind::Outcome => self.outcomes(batch),
            _ => {}
        }
    }

    /// Predictions that came when no more could be kept.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Estimates for chunks of equal numbers of predictions from `learned` on. `None` where there are fewer predictions
    /// than chunks, or fewer than 200 labels of predictions before it.
    pub fn chunks(&self, learned: Timestamp, chunks: usize) -> Option<EstimatedChunks> {
        let (mut scores, mut labels) = (Vec::new(), Vec::new());
        let mut later: Vec<&Row> = Vec::new();
        for row in &self.rows {
            if row.time >= learned {
                later.push(row);
            } else if let Some(&label) = self.labels.get(&row.id) {
                scores.push(f64::from(row.score));
                labels.push(label);
            }
        }
        if labels.len() < LEAST_LABELS || chunks == 0 || later.len() < chunks {
            return None;
        }
        let estimator = Cbpe::fit(&scores, &labels)?;
        later.sort_by_key(|row| row.time);
        let mut estimates = EstimatedChunks::default();
        for chunk in 0..chunks {
            let rows = &later[chunk * later.len() / chunks..(chunk + 1) * later.len() / chunks];
            let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return None };
            estimates.chunks.push(Chunk { from: first.time, to: last.time, predictions: rows.len() as u64 });
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.score)).collect();
            let decided: Vec<bool> = rows.iter().map(|row| row.is_decided).collect();
            let window = estimator.window(&scores, &decided)?;
            estimates.roc_auc.push(window.area_under_roc()?.value);
            estimates.accuracy.push(window.metric(BinaryMetric::Accuracy)?.value);
            estimates.f1.push(window.metric(BinaryMetric::F1)?.value);
        }
        Some(estimates)
    }

    fn predictions(&mut self, batch: &EventBatch) {
        let (Ok(times), Some(ids), Some(scores)) = (batch.times(), batch.text(column::ID), batch.number("score"))
        else {
            return;
        };
        let decisions = batch.text("decision");
        for row in 0..batch.len() {
            let (Some(id), true) = (ids.get(row), scores.is_valid(row)) else { continue };
            let score = scores.value(row);
            let Some(decision) = decisions.and_then(|text| text.get(row)) else { continue };
            if !(0.0..=1.0).contains(&score) {
                continue;
            }
            if self.rows.len() >= MOST_ROWS {
                self.left_out += 1;
                continue;
            }
            self.rows.push(Row {
                time: Timestamp::from_micros(times.value(row)),
                id: stable_hash(id.as_bytes()),
                score: score as f32,
                is_decided: text_hash(decision) == self.positive,
            });
        }
    }

    fn outcomes(&mut self, batch: &EventBatch) {
        let (Some(ids), Some(labels)) = (batch.text(column::ID), batch.text("label")) else { return };
        for row in 0..batch.len() {
            if let (Some(id), Some(label)) = (ids.get(row), labels.get(row))
                && self.labels.len() < MOST_ROWS
            {
                self.labels.insert(stable_hash(id.as_bytes()), text_hash(label) == self.positive);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcomes::stream::{Case, Said, batches};
    use crate::stream::Dice;

    /// Goal: estimates follow the true accuracy when scores get less sure and stay calibrated.
    /// Method: labels for the first half only; the true accuracy of each later chunk is known from the scores.
    #[test]
    fn estimates_follow_what_labels_would_say() {
        let mut dice = Dice(4);
        let mut right = vec![0.0; 4];
        let cases: Vec<Case> = (0..16_000_i64)
            .map(|index| {
                let width = if index >= 12_000 { 0.5 } else { 1.6 };
                let score = 1.0 / (1.0 + (-width * dice.normal()).exp());
                let label = dice.next() < score;
                if index >= 8_000 {
                    right[(index as usize - 8_000) / 2_000] += f64::from(u8::from(label == (score > 0.5)));
                }
                let name = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
                Case {
                    time: index * Timestamp::MINUTE,
                    texts: vec![("decision", name(score > 0.5))],
                    numbers: vec![("score".to_owned(), score)],
                    outcome: (index < 8_000).then(|| (index * Timestamp::MINUTE + 5, Said::Label(name(label)))),
                }
            })
            .collect();
        let mut estimates = PerformanceEstimates::new("m", "yes");
        batches(&cases, 1_000).iter().for_each(|batch| estimates.observe(batch));
        let found = estimates.chunks(Timestamp::from_micros(8_000 * Timestamp::MINUTE), 4).unwrap();
        for (estimate, right) in found.accuracy.iter().zip(&right) {
            assert!((estimate - right / 2_000.0).abs() < 0.03, "{estimate} {right}");
        }
        assert!(found.roc_auc[3] < found.roc_auc[0] - 0.05 && found.f1.len() == 4);
        assert_eq!(estimates.chunks(Timestamp::from_micros(100 * Timestamp::MINUTE), 4), None, "too few labels");
    }
}
