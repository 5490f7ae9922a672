//! Rows for tests, and the answer to a statement as text.

use std::{path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, DictionaryArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::Int32Type,
    util::pretty::pretty_format_batches,
};
use wardline_domain::{EventBatch, RecordKind, Timestamp};
use wardline_store::{Engine, EngineSettings, Lake, LakeSettings, Limits};

/// 2026-11-02T00:00:00Z, a Monday.
pub(crate) fn monday() -> Timestamp {
    Timestamp::parse("2026-11-02T00:00:00Z").unwrap()
}

/// Inferences `numbers` of a model, one every `step` from Monday on; number and model decide every value.
pub(crate) fn inferences(model: &str, numbers: std::ops::Range<u64>, step: i64) -> EventBatch {
    let n = || numbers.clone();
    let number = |of: fn(u64) -> f64| -> ArrayRef { Arc::new(n().map(|i| Some(of(i))).collect::<Float64Array>()) };
    let repeated = |of: &dyn Fn(u64) -> String| -> ArrayRef {
        let texts: Vec<String> = n().map(of).collect();
        Arc::new(texts.iter().map(|text| Some(text.as_str())).collect::<DictionaryArray<Int32Type>>())
    };
    let records = RecordBatch::try_from_iter([
        ("time", times(n().map(|i| monday().plus(i as i64 * step)))),
        ("received", times(n().map(|i| monday().plus(i as i64 * step + 1_000)))),
        ("sender", repeated(&|_| "test".to_owned())),
        ("id", Arc::new(StringArray::from_iter_values(n().map(|i| format!("{model}-{i:08}")))) as ArrayRef),
        ("model", repeated(&|_| model.to_owned())),
        ("version", repeated(&|i| if i % 4 == 0 { "2".into() } else { "1".into() })),
        ("latency_ms", number(|i| 20.0 + (i * 7_919 % 1_000) as f64 / 10.0)),
        ("decision", repeated(&|i| if i % 5 == 0 { "deny".into() } else { "allow".into() })),
        ("attribute_store", repeated(&|i| format!("s{}", i % 3))),
        ("feature_age", number(|i| (i % 80) as f64)),
    ]);
    EventBatch { kind: RecordKind::Inference, model: Some(model.into()), records: records.unwrap() }
}

/// Outcomes of inferences `numbers` of a model: whatever was decided, `allow` was right.
pub(crate) fn outcomes(model: &str, numbers: std::ops::Range<u64>) -> EventBatch {
    let n = || numbers.clone();
    let label: DictionaryArray<Int32Type> = n().map(|_| Some("allow")).collect();
    let sender: DictionaryArray<Int32Type> = n().map(|_| Some("test")).collect();
    let records = RecordBatch::try_from_iter([
        ("time", times(n().map(|i| monday().plus(Timestamp::DAY + i as i64)))),
        ("received", times(n().map(|i| monday().plus(Timestamp::DAY + i as i64)))),
        ("sender", Arc::new(sender) as ArrayRef),
        ("id", Arc::new(StringArray::from_iter_values(n().map(|i| format!("{model}-{i:08}"))))),
        ("label", Arc::new(label)),
    ]);
    EventBatch { kind: RecordKind::Outcome, model: None, records: records.unwrap() }
}

fn times(times: impl Iterator<Item = Timestamp>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(times.map(Timestamp::micros)).with_timezone("UTC"))
}

/// Settings under which nothing is flushed unless a test says so.
pub(crate) fn quiet(folder: &Path) -> LakeSettings {
    LakeSettings { flush_age: std::time::Duration::from_secs(3_600), ..LakeSettings::at(folder.display().to_string()) }
}

/// An engine over a lake.
pub(crate) fn engine(lake: &Arc<Lake>) -> Engine {
    Engine::new(Arc::clone(lake), None, &EngineSettings { threads: 2, ..EngineSettings::default() }).unwrap()
}

/// The answer to a statement, as a table of text.
pub(crate) async fn ask(engine: &Engine, sql: &str) -> String {
    let (batches, _) = engine.query(sql, Limits::default()).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&batches).unwrap().to_string()
}

/// The one number that a statement answers.
pub(crate) async fn number(engine: &Engine, sql: &str) -> i64 {
    let (batches, _) = engine.query(sql, Limits::default()).await.unwrap().collect().await.unwrap();
    let column = arrow::compute::cast(batches[0].column(0), &arrow::datatypes::DataType::Int64).unwrap();
    arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(&column).value(0)
}
