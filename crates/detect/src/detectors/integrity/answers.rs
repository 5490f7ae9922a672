//! A version that answers the same input otherwise than before: it is not the model that it was.

use std::collections::BTreeMap;

use arrow::{
    array::{Array, AsArray, Float64Array},
    datatypes::Float64Type,
};
use serde::{Deserialize, Serialize};
use wardline_domain::{TextColumn, Timestamp, column};
use wardline_stats::distribution::binomial;

use crate::{
    detectors::EventRows,
    model_state::{ModelState, Phase},
    training_record::{hashed, mixed},
};

/// One input in so many is remembered, in two generations.
const ONE_IN: u64 = 8;
const MOST_INPUTS: usize = 4_096;
/// The first inputs of a version that came again show whether its answers repeat.
const LEAST_LEARNED: u64 = 40;
/// A model whose answers differ more often by nature is not judged.
const USUAL: f64 = 0.01;
/// Scores that are further apart are two answers.
const TOLERANCE: f64 = 1e-3;
/// The least inputs that were answered otherwise, and those that make it sure.
const LEAST_OTHER: u64 = 8;
const SURE_OTHER: u64 = 20;
const MOST_PLACES: usize = 50;
const MOST_VERSIONS: usize = 32;

/// Inputs that came again: all, and those that were answered otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Again {
    all: u64,
    other: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct OfVersion {
    /// The first inputs that came again: whether its answers repeat at all.
    learned: Again,
    again: Again,
    places: BTreeMap<String, Again>,
    first: Option<Timestamp>,
    told_sure: Option<bool>,
}

/// Sampled inputs and their answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Answers {
    recent: BTreeMap<u64, f64>,
    older: BTreeMap<u64, f64>,
    versions: BTreeMap<String, OfVersion>,
    day: Option<Timestamp>,
}

/// A version whose answers changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Swapped {
    pub(super) version: String,
    pub(super) other: u64,
    pub(super) all: u64,
    pub(super) since: Timestamp,
    pub(super) is_sure: bool,
    pub(super) p_value: f64,
    /// Instances that answer otherwise, where others do not.
    pub(super) places: Vec<String>,
}

enum Input<'a> {
    Number(&'a Float64Array),
    Text(TextColumn<'a>),
}

impl Answers {
    pub(super) fn observe(&mut self, state: &ModelState, rows: &EventRows<'_, '_>) {
        let answer = |name: &str| rows.batch.number(name).filter(|array| array.null_count() < array.len());
        let Some(answers) = answer("score").or_else(|| answer("prediction")) else { return };
        let inputs: Vec<Input<'_>> = inputs_of(rows);
        let first: Vec<&Float64Array> = inputs
            .iter()
            .filter_map(|input| match input {
                Input::Number(array) => Some(*array),
                Input::Text(_) => None,
            })
            .take(3)
            .collect();
        if inputs.len() < 2 || first.is_empty() {
            return;
        }
        let (versions, instances) = (rows.batch.text(column::VERSION), rows.batch.text("instance"));
        for row in rows.range.clone().filter(|row| answers.is_valid(*row)) {
            // The first numbers choose the inputs that are looked at, so that a repeated one is chosen again.
            let few = first.iter().fold(0, |hash: u64, array| hash.rotate_left(9) ^ bits(array, row));
            if !mixed(few).is_multiple_of(ONE_IN) {
                continue;
            }
            let version = versions.and_then(|text| text.get(row)).unwrap_or_default();
            let whole = inputs.iter().fold(hashed(version), |hash, input| {
                mixed(
                    hash.rotate_left(11)
                        ^ match input {
                            Input::Number(array) => bits(array, row),
                            Input::Text(text) => text.get(row).map_or(1, hashed),
                        },
                )
            });
            let instance = instances.and_then(|text| text.get(row)).unwrap_or_default();
            self.note(state, whole, answers.value(row), (version, instance));
        }
    }

    fn note(&mut self, state: &ModelState, input: u64, answer: f64, (version, instance): (&str, &str)) {
        let before = self.recent.get(&input).or_else(|| self.older.get(&input)).copied();
        if self.recent.len() >= MOST_INPUTS {
            self.older = std::mem::take(&mut self.recent);
        }
        let is_other = before.is_some_and(|before| (before - answer).abs() > TOLERANCE * before.abs().max(1.0));
        // Another answer stays another until it is old: one changed input is one piece of evidence each time.
        self.recent.insert(input, before.unwrap_or(answer));
        if before.is_none() {
            return;
        }
        if self.versions.len() >= MOST_VERSIONS && !self.versions.contains_key(version) {
            return;
        }
        let of_version = self.versions.entry(version.to_owned()).or_default();
        let count = |again: &mut Again| {
            again.all += 1;
            again.other += u64::from(is_other);
        };
        if state.phase != Phase::Watching || of_version.learned.all < LEAST_LEARNED {
            count(&mut of_version.learned);
            return;
        }
        if of_version.learned.other as f64 > USUAL * of_version.learned.all as f64 {
            return;
        }
        count(&mut of_version.again);
        if of_version.places.len() < MOST_PLACES || of_version.places.contains_key(instance) {
            count(of_version.places.entry(instance.to_owned()).or_default());
        }
        if is_other {
            of_version.first.get_or_insert(state.second.start);
        }
    }

    /// Versions whose answers changed by now.
    pub(super) fn on_time(&mut self, now: Timestamp) -> Vec<Swapped> {
        let mut found = Vec::new();
        for (version, of_version) in &mut self.versions {
            if of_version.again.other >= LEAST_OTHER {
                found.extend(of_version.judge(version));
            }
        }
        let day = now.floor(Timestamp::DAY);
        if self.day.replace(day).is_some_and(|open| open != day) {
            for of_version in self.versions.values_mut() {
                (of_version.again, of_version.first) = (Again::default(), None);
                of_version.places.clear();
            }
        }
        found
    }
}

impl OfVersion {
    fn judge(&mut self, version: &str) -> Option<Swapped> {
        let Again { all, other } = self.again;
        let p_value = binomial::at_least(other, all, 2.0 * USUAL).filter(|p| *p <= 1e-6)?;
        let share = |again: &Again| again.other as f64 / again.all.max(1) as f64;
        let mut places: Vec<String> = Vec::new();
        let is_calm = self.places.values().any(|again| again.all >= 5 && share(again) <= 0.05);
        if is_calm {
            let changed =
                self.places.iter().filter(|(name, again)| !name.is_empty() && again.other >= 3 && share(again) >= 0.25);
            places.extend(changed.map(|(name, _)| name.clone()));
        }
        let carried: u64 = places.iter().filter_map(|name| self.places.get(name)).map(|again| again.other).sum();
        let is_sure = other >= SURE_OTHER && (share(&self.again) >= 0.5 || 10 * carried >= 9 * other);
        if self.told_sure.is_some_and(|told| told || !is_sure) {
            return None;
        }
        self.told_sure = Some(is_sure);
        Some(Swapped { version: version.to_owned(), other, all, since: self.first?, is_sure, p_value, places })
    }
}

fn inputs_of<'a>(rows: &EventRows<'a, '_>) -> Vec<Input<'a>> {
    let batch = rows.batch;
    let schema = batch.records.schema_ref();
    let features = schema.fields().iter().zip(batch.records.columns());
    let features = features.filter(|(field, _)| column::feature_of(field.name()).is_some());
    features
        .filter_map(|(field, array)| {
            // By place: looking each column up by its name would take longer than reading a short batch.
            let number = array.as_primitive_opt::<Float64Type>().map(Input::Number);
            number.or_else(|| batch.text(field.name()).map(Input::Text))
        })
        .collect()
}

#[inline]
fn bits(array: &Float64Array, row: usize) -> u64 {
    if array.is_valid(row) { array.value(row).to_bits() } else { 1 }
}
