//! Two versions of one model, made from a seed, as events and as batches.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, DictionaryArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::Int32Type,
};
use wardline_domain::{EventBatch, RecordKind, Timestamp};

use crate::judge::{Key, Versions};

/// Small and good enough: splitmix64.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

/// One record of the stream.
#[derive(Clone, Debug)]
pub(crate) enum Row {
    Prediction(Prediction),
    Outcome { time: Timestamp, id: String, label: &'static str },
    Deployment { time: Timestamp, version: &'static str, action: &'static str, weight: f64 },
}

#[derive(Clone, Debug)]
pub(crate) struct Prediction {
    pub(crate) time: Timestamp,
    pub(crate) id: String,
    pub(crate) version: &'static str,
    pub(crate) role: &'static str,
    pub(crate) failed: bool,
    pub(crate) latency_ms: f64,
    pub(crate) score: f64,
    pub(crate) decision: &'static str,
    pub(crate) user: Option<String>,
    pub(crate) trace: Option<String>,
    pub(crate) sex: &'static str,
}

pub(crate) const MODEL: &str = "scorer";

pub(crate) fn versions() -> Versions {
    Versions { model: MODEL.to_owned(), standing: "1".to_owned(), canary: "2".to_owned() }
}

pub(crate) fn at(seconds: f64) -> Timestamp {
    Timestamp::from_micros(1_793_600_000_000_000 + (seconds * 1e6) as i64)
}

/// When the trial of [`stream`] begins, in seconds.
pub(crate) const BEGINNING: f64 = 30.0;

/// 100 requests a second; from [`BEGINNING`] on a tenth of them goes to version 2, and `change` is applied to each.
pub(crate) fn stream(seed: u64, seconds: f64, mut change: impl FnMut(&mut Prediction, &mut Dice)) -> Vec<Row> {
    let mut dice = Dice(seed);
    let mut rows = Vec::new();
    let mut begun = false;
    for number in 0..(seconds * 100.0) as u64 {
        let second = number as f64 / 100.0;
        if second >= BEGINNING && !begun {
            begun = true;
            rows.push(Row::Deployment { time: at(second), version: "2", action: "canary_start", weight: 10.0 });
        }
        let is_canary = begun && dice.next() < 0.1;
        let score = 1.0 / (1.0 + (-dice.normal()).exp());
        let mut prediction = Prediction {
            time: at(second),
            id: format!("p{number}"),
            version: if is_canary { "2" } else { "1" },
            role: if is_canary { "canary" } else { "stable" },
            failed: dice.next() < 0.01,
            latency_ms: (3.9 + 0.45 * dice.normal()).exp(),
            score,
            decision: if score > 0.7 { "decline" } else { "approve" },
            user: None,
            trace: None,
            sex: if dice.next() < 0.5 { "f" } else { "m" },
        };
        change(&mut prediction, &mut dice);
        rows.push(Row::Prediction(prediction));
    }
    rows
}

/// Version 2 fails so often.
pub(crate) fn failing(share: f64) -> impl FnMut(&mut Prediction, &mut Dice) {
    move |prediction, dice| {
        if prediction.version == "2" {
            prediction.failed = dice.next() < share;
        }
    }
}

fn text<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    let array: DictionaryArray<Int32Type> = values.collect();
    Arc::new(array)
}

fn batch(kind: RecordKind, times: impl Iterator<Item = Timestamp>, columns: Vec<(&str, ArrayRef)>) -> EventBatch {
    let times = TimestampMicrosecondArray::from_iter_values(times.map(Timestamp::micros)).with_timezone("UTC");
    let all = std::iter::once(("time", Arc::new(times) as ArrayRef)).chain(columns);
    EventBatch {
        kind,
        model: kind.is_per_model().then(|| MODEL.into()),
        records: RecordBatch::try_from_iter_with_nullable(all.map(|(name, array)| (name, array, true))).unwrap(),
    }
}

/// One piece as a decoder hands it out: grouped by kind.
pub(crate) fn piece(rows: &[Row]) -> Vec<EventBatch> {
    let predictions: Vec<&Prediction> =
        rows.iter().filter_map(|row| if let Row::Prediction(one) = row { Some(one) } else { None }).collect();
    let each = || predictions.iter();
    let number = |of: fn(&Prediction) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(predictions.iter().map(|one| of(one))))
    };
    let ids: StringArray = each().map(|one| Some(one.id.as_str())).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(ids)),
        ("version", text(each().map(|one| Some(one.version)))),
        ("role", text(each().map(|one| Some(one.role)))),
        ("status", text(each().map(|one| Some(if one.failed { "error" } else { "ok" })))),
        ("latency_ms", number(|one| one.latency_ms)),
        ("score", number(|one| one.score)),
        ("decision", text(each().map(|one| Some(one.decision)))),
        ("user", text(each().map(|one| one.user.as_deref()))),
        ("trace_id", text(each().map(|one| one.trace.as_deref()))),
        ("group_sex", text(each().map(|one| Some(one.sex)))),
    ];
    let mut batches = vec![batch(RecordKind::Inference, each().map(|one| one.time), columns)];
    for row in rows {
        match row {
            Row::Prediction(_) => {}
            Row::Outcome { time, id, label } => {
                let columns =
                    vec![("id", text(std::iter::once(Some(id.as_str())))), ("label", text([Some(*label)].into_iter()))];
                batches.push(batch(RecordKind::Outcome, [*time].into_iter(), columns));
            }
            Row::Deployment { time, version, action, weight } => {
                let columns: Vec<(&str, ArrayRef)> = vec![
                    ("model", text([Some(MODEL)].into_iter())),
                    ("version", text([Some(*version)].into_iter())),
                    ("action", text([Some(*action)].into_iter())),
                    ("weight", Arc::new(Float64Array::from(vec![*weight]))),
                ];
                batches.push(batch(RecordKind::Deployment, [*time].into_iter(), columns));
            }
        }
    }
    batches.retain(|batch| !batch.is_empty());
    batches
}

/// A key by number, as in streams without names.
pub(crate) fn key(number: u64) -> Key {
    Key::numbered(number)
}
