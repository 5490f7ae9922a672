//! Outcomes find the prediction they are about: weeks late, for few of them, and with its id alone.
//!
//! **Bound:** [`MOST_KEPT`] predictions over all models, about 15 MB. Where there are more, each model keeps those whose
//! hashed id is small enough, so that which are kept has nothing to do with what they are, and is the same however the
//! stream was cut. The models with most predictions give way first, those without any outcome long before the others.
//! Predictions older than [`MOST_AGE`] give way before that. Outcomes that come before their prediction wait for it,
//! [`MOST_WAITING`] of them.

use std::collections::VecDeque;

use arrow::array::{Array, Float64Array};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, Span, TextColumn, Timestamp, class_name, column, stable_hash};

use crate::entities::{Entities, EntityIds};

/// Most predictions that are kept: what a table of 2^18 places holds.
const MOST_KEPT: usize = 229_376;
/// What is left after room was made.
const KEPT_AFTER_SWEEP: usize = MOST_KEPT / 4 * 3;
/// A prediction that is older than this may be dropped.
const MOST_AGE: Span = 60 * Timestamp::DAY;
/// Most outcomes that wait for their prediction.
const MOST_WAITING: usize = 4_096;
/// So much more readily a model gives way that never had an outcome.
const WITHOUT_OUTCOMES: usize = 8;

const HAS_TRUTH: u8 = 1;
const HAS_FEEDBACK: u8 = 2;

/// What is remembered of a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    model: u16,
    /// Which outcomes it had: the same one may be sent twice.
    had: u8,
    entities: EntityIds,
    /// Hashed; 0 where there is none.
    decision: u32,
    score: f32,
    prediction: f64,
    time: Timestamp,
}

/// What an outcome says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Told {
    time: Timestamp,
    /// Hashed; 0 where there is none.
    label: u32,
    value: f64,
    feedback: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Model {
    name: String,
    /// Ids with a greater hash are not kept.
    most_hash: u64,
    kept: usize,
    outcomes: u64,
    latest: Timestamp,
}

/// A prediction and what is now known of it. Numbers are NaN where there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct JudgedPrediction {
    /// When the outcome came.
    pub(crate) time: Timestamp,
    /// When the prediction was served.
    pub(crate) predicted: Timestamp,
    /// Of the id: as good as a random number.
    pub(crate) hash: u64,
    pub(crate) entities: EntityIds,
    /// The decision and the true class as [`text_hash`]; 0 where there is none.
    pub(crate) decision: u32,
    pub(crate) label: u32,
    pub(crate) score: f64,
    pub(crate) prediction: f64,
    pub(crate) value: f64,
    pub(crate) feedback: f64,
    /// Share of the model's predictions that are kept to be judged.
    pub(crate) share_kept: f64,
}

impl JudgedPrediction {
    /// Whether the decision was right, where both are known.
    pub(crate) fn is_right(&self) -> Option<bool> {
        (self.label != 0 && self.decision != 0).then_some(self.label == self.decision)
    }
}

/// Outcomes that found their prediction, by model, in the order of arrival.
pub(crate) type Judged = Vec<(String, Vec<JudgedPrediction>)>;

/// Predictions of all models that wait for outcomes.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutcomeIndex {
    models: Vec<Model>,
    by_name: FxHashMap<String, u16>,
    kept: FxHashMap<u64, Kept>,
    waiting: FxHashMap<u64, Told>,
    waiting_order: VecDeque<u64>,
    /// Outcomes whose prediction did not come while they waited, or was not kept.
    unknown: u64,
}

impl OutcomeIndex {
    /// Outcomes that were given up: no prediction with their id came, or it was not among those that are kept.
    pub(crate) const fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Share of a model's predictions that are kept for outcomes to come.
    pub(crate) fn share_kept(&self, model: &str) -> Option<f64> {
        let model = self.by_name.get(model)?;
        self.models.get(*model as usize).map(Model::share_kept)
    }

    /// Takes predictions of a model; answers those whose outcome was waiting.
    pub(crate) fn predictions(&mut self, name: &str, batch: &EventBatch, entities: &Entities) -> Vec<JudgedPrediction> {
        let (Ok(times), Some(ids)) = (batch.times(), batch.text(column::ID)) else { return Vec::new() };
        let mut decisions = batch.text("decision").map(HashedTexts::new);
        let (scores, predictions) = (batch.number("score"), batch.number("prediction"));
        if decisions.is_none() && scores.is_none() && predictions.is_none() {
            return Vec::new();
        }
        let Some(model) = self.model(name) else { return Vec::new() };
        let mut judged = Vec::new();
        for row in 0..batch.len() {
            let Some(id) = ids.get(row) else { continue };
            let hash = stable_hash(id.as_bytes());
            if hash > self.models[model as usize].most_hash {
                continue;
            }
            let mut kept = Kept {
                model,
                had: 0,
                entities: entities.of(row),
                decision: decisions.as_mut().map_or(0, |texts| texts.hash(row)),
                score: number(scores, row) as f32,
                prediction: number(predictions, row),
                time: Timestamp::from_micros(times.value(row)),
            };
            if !self.waiting.is_empty()
                && let Some(told) = self.waiting.remove(&hash)
            {
                judged.extend(self.judge(hash, &mut kept, told));
            }
            self.keep(hash, kept);
        }
        judged
    }

    /// Takes outcomes; answers those whose prediction is known.
    pub(crate) fn outcomes(&mut self, batch: &EventBatch) -> Judged {
        let (Ok(times), Some(ids)) = (batch.times(), batch.text(column::ID)) else { return Vec::new() };
        let (labels, values, feedback) = (batch.text("label"), batch.number("value"), batch.number("feedback"));
        let mut judged: Judged = Vec::new();
        for row in 0..batch.len() {
            let Some(id) = ids.get(row) else { continue };
            let told = Told {
                time: Timestamp::from_micros(times.value(row)),
                label: labels.and_then(|text| text.get(row)).map_or(0, text_hash),
                value: number(values, row),
                feedback: number(feedback, row),
            };
            let hash = stable_hash(id.as_bytes());
            let Some(mut kept) = self.kept.get(&hash).copied() else {
                self.wait(hash, told);
                continue;
            };
            let found = self.judge(hash, &mut kept, told);
            self.kept.insert(hash, kept);
            let Some(found) = found else { continue };
            let name = &self.models[kept.model as usize].name;
            match judged.iter_mut().find(|(model, _)| model == name) {
                Some((_, rows)) => rows.push(found),
                None => judged.push((name.clone(), vec![found])),
            }
        }
        judged
    }

    /// What an outcome adds to what the prediction had already; nothing for one that was sent twice.
    fn judge(&mut self, hash: u64, kept: &mut Kept, mut told: Told) -> Option<JudgedPrediction> {
        let model = self.models.get_mut(kept.model as usize)?;
        if kept.had & HAS_TRUTH != 0 {
            (told.label, told.value) = (0, f64::NAN);
        }
        if kept.had & HAS_FEEDBACK != 0 {
            told.feedback = f64::NAN;
        }
        let (has_truth, has_feedback) = (told.label != 0 || told.value.is_finite(), told.feedback.is_finite());
        if !has_truth && !has_feedback {
            return None;
        }
        kept.had |= (u8::from(has_truth) * HAS_TRUTH) | (u8::from(has_feedback) * HAS_FEEDBACK);
        model.outcomes += 1;
        Some(JudgedPrediction {
            time: told.time.max(kept.time),
            predicted: kept.time,
            hash,
            entities: kept.entities,
            decision: kept.decision,
            label: told.label,
            score: f64::from(kept.score),
            prediction: kept.prediction,
            value: told.value,
            feedback: told.feedback,
            share_kept: model.share_kept(),
        })
    }

    fn wait(&mut self, hash: u64, told: Told) {
        if self.waiting_order.len() >= MOST_WAITING
            && let Some(oldest) = self.waiting_order.pop_front()
            && self.waiting.remove(&oldest).is_some()
        {
            self.unknown += 1;
        }
        if self.waiting.insert(hash, told).is_none() {
            self.waiting_order.push_back(hash);
        }
    }

    fn model(&mut self, name: &str) -> Option<u16> {
        if let Some(&model) = self.by_name.get(name) {
            return Some(model);
        }
        let model = u16::try_from(self.models.len()).ok()?;
        self.models.push(Model {
            name: name.to_owned(),
            most_hash: u64::MAX,
            kept: 0,
            outcomes: 0,
            latest: Timestamp::from_micros(i64::MIN / 4),
        });
        self.by_name.insert(name.to_owned(), model);
        Some(model)
    }

    fn keep(&mut self, hash: u64, kept: Kept) {
        if self.kept.len() >= MOST_KEPT {
            self.make_room();
        }
        let model = &mut self.models[kept.model as usize];
        model.latest = model.latest.max(kept.time);
        // The first of two predictions with one id is the one that counts.
        if hash <= model.most_hash && !self.kept.contains_key(&hash) {
            model.kept += 1;
            self.kept.insert(hash, kept);
        }
    }

    /// Drops what is old, then halves what the models with most keep until a quarter of the room is free.
    fn make_room(&mut self) {
        let most = self.models.iter().map(Model::weight).max().unwrap_or(0);
        for model in self.models.iter_mut().filter(|model| model.weight() < most / 8) {
            model.most_hash = model.most_hash.saturating_mul(2).saturating_add(1);
        }
        self.retain(|model, kept| model.latest.since(kept.time) <= MOST_AGE);
        while self.kept.len() > KEPT_AFTER_SWEEP {
            let most = self.models.iter().map(Model::weight).max().unwrap_or(0);
            for model in self.models.iter_mut().filter(|model| 2 * model.weight() > most) {
                model.most_hash /= 2;
            }
            self.retain(|_, _| true);
        }
    }

    /// Keeps what the rule and the models' limits allow.
    fn retain(&mut self, rule: impl Fn(&Model, &Kept) -> bool) {
        let models = &mut self.models;
        self.kept.retain(|hash, kept| {
            let Some(model) = models.get_mut(kept.model as usize) else { return false };
            let stays = *hash <= model.most_hash && rule(model, kept);
            model.kept -= usize::from(!stays);
            stays
        });
    }
}

impl Model {
    fn share_kept(&self) -> f64 {
        (self.most_hash as f64 / u64::MAX as f64).min(1.0)
    }

    const fn weight(&self) -> usize {
        if self.outcomes == 0 { self.kept * WITHOUT_OUTCOMES } else { self.kept }
    }
}

fn number(array: Option<&Float64Array>, row: usize) -> f64 {
    array.filter(|array| array.is_valid(row)).map_or(f64::NAN, |array| array.value(row))
}

/// A class, as [`class_name`] writes it, as a number that is not 0.
pub(crate) fn text_hash(text: &str) -> u32 {
    (stable_hash(class_name(text).as_bytes()) as u32).max(1)
}

/// [`text_hash`] of the texts of a column; of a coded one each is hashed once.
pub(crate) struct HashedTexts<'a> {
    texts: TextColumn<'a>,
    of_code: Vec<u32>,
}

impl<'a> HashedTexts<'a> {
    pub(crate) fn new(texts: TextColumn<'a>) -> Self {
        Self { texts, of_code: vec![0; texts.dictionary().map_or(0, Array::len)] }
    }

    /// The hash of a row's text; 0 where there is none.
    #[inline]
    pub(crate) fn hash(&mut self, row: usize) -> u32 {
        let known = self.texts.code(row).and_then(|code| self.of_code.get_mut(code));
        match known {
            Some(hash) if *hash != 0 => *hash,
            Some(hash) => {
                *hash = self.texts.get(row).map_or(0, text_hash);
                *hash
            }
            None => self.texts.get(row).map_or(0, text_hash),
        }
    }
}

mod saved;
#[cfg(test)]
pub(crate) mod stream;
#[cfg(test)]
mod tests;
