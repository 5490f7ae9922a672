//! Predictions and their outcomes, for the tests of what follows from them.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Int32Type;
use wardline_domain::{EventBatch, Finding, Learning, ModelSettings, RecordKind, Timestamp};

use crate::{Observed, Watch, WatchSettings};

/// A prediction, and when its outcome comes, if ever.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    pub(crate) time: i64,
    pub(crate) texts: Vec<(&'static str, String)>,
    pub(crate) numbers: Vec<(String, f64)>,
    pub(crate) outcome: Option<(i64, Said)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Said {
    Label(String),
    Value(f64),
    Feedback(f64),
}

fn times(micros: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC"))
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    let array: DictionaryArray<Int32Type> = values.collect();
    Arc::new(array)
}

fn batch(kind: RecordKind, model: Option<&str>, columns: Vec<(String, ArrayRef)>) -> EventBatch {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let records = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    EventBatch { kind, model: model.map(Into::into), records }
}

/// Batches of so many predictions, each followed by the outcomes that came until its end.
pub(crate) fn batches(cases: &[Case], size: usize) -> Vec<EventBatch> {
    let mut told: Vec<(usize, i64, &Said)> = cases
        .iter()
        .enumerate()
        .filter_map(|(index, case)| case.outcome.as_ref().map(|(time, said)| (index, *time, said)))
        .collect();
    told.sort_by_key(|&(index, time, _)| (time, index));
    let mut told = told.into_iter().peekable();
    let mut all = Vec::new();
    for (part, rows) in cases.chunks(size).enumerate() {
        all.push(predictions(rows, part * size));
        let end = rows.last().map_or(0, |case| case.time);
        let is_last = (part + 1) * size >= cases.len();
        let mut came = Vec::new();
        while let Some(one) = told.next_if(|&(_, time, _)| is_last || time <= end) {
            came.push(one);
        }
        if !came.is_empty() {
            all.push(outcomes(&came));
        }
    }
    all
}

fn predictions(rows: &[Case], first: usize) -> EventBatch {
    let ids: StringArray = (first..first + rows.len()).map(|id| Some(format!("p{id}"))).collect();
    let mut columns: Vec<(String, ArrayRef)> =
        vec![("time".to_owned(), times(rows.iter().map(|case| case.time))), ("id".to_owned(), Arc::new(ids))];
    for (place, (name, _)) in rows[0].texts.iter().enumerate() {
        columns.push(((*name).to_owned(), texts(rows.iter().map(|case| Some(case.texts[place].1.as_str())))));
    }
    for (place, (name, _)) in rows[0].numbers.iter().enumerate() {
        let values = Float64Array::from_iter_values(rows.iter().map(|case| case.numbers[place].1));
        columns.push((name.clone(), Arc::new(values)));
    }
    batch(RecordKind::Inference, Some("m"), columns)
}

fn outcomes(came: &[(usize, i64, &Said)]) -> EventBatch {
    let ids: StringArray = came.iter().map(|(index, ..)| Some(format!("p{index}"))).collect();
    let number = |of: fn(&Said) -> Option<f64>| -> ArrayRef {
        Arc::new(came.iter().map(|(_, _, said)| of(said)).collect::<Float64Array>())
    };
    let columns: Vec<(String, ArrayRef)> = vec![
        ("time".to_owned(), times(came.iter().map(|(_, time, _)| *time))),
        ("id".to_owned(), Arc::new(ids)),
        (
            "label".to_owned(),
            texts(came.iter().map(|(_, _, said)| match said {
                Said::Label(label) => Some(label.as_str()),
                _ => None,
            })),
        ),
        (
            "value".to_owned(),
            number(|said| match said {
                Said::Value(value) => Some(*value),
                _ => None,
            }),
        ),
        (
            "feedback".to_owned(),
            number(|said| match said {
                Said::Feedback(value) => Some(*value),
                _ => None,
            }),
        ),
    ];
    batch(RecordKind::Outcome, None, columns)
}

/// Settings that learn until a moment.
pub(crate) fn settings(until: i64, positive_class: Option<&str>) -> WatchSettings {
    let default_model = ModelSettings {
        learning: Learning::Until(Timestamp::from_micros(until)),
        positive_class: positive_class.map(str::to_owned),
        ..ModelSettings::default()
    };
    WatchSettings { default_model, ..WatchSettings::default() }
}

/// What one detector finds in a stream.
pub(crate) fn findings_of(detector: &str, settings: WatchSettings, stream: &[EventBatch]) -> Vec<Finding> {
    let mut watch = Watch::new(settings);
    let mut observed: Vec<Observed> = stream.iter().map(|batch| watch.observe(batch)).collect();
    observed.push(watch.finish());
    observed.into_iter().flat_map(|one| one.findings).filter(|finding| finding.detector == detector).collect()
}

/// The same, with a restart from a snapshot after half of the stream.
pub(crate) fn findings_with_restart(detector: &str, settings: WatchSettings, stream: &[EventBatch]) -> Vec<Finding> {
    let mut watch = Watch::new(settings.clone());
    let mut findings = Vec::new();
    for (place, batch) in stream.iter().enumerate() {
        if place == stream.len() / 2 {
            watch = Watch::restore(settings.clone(), &watch.snapshot()).unwrap();
        }
        findings.extend(watch.observe(batch).findings);
    }
    findings.extend(watch.finish().findings);
    findings.retain(|finding| finding.detector == detector);
    findings
}
