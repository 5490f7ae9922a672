//! Parquet files: ours and those of others.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, Float32Array, Int64Array, RecordBatch, StringArray, StructArray,
        TimestampNanosecondArray, UInt8Array, new_null_array,
    },
    datatypes::{Field, Schema},
};
use wardline_adapters::{SchemaRegistry, files::time_span};
use wardline_domain::{EventBatch, RecordKind, Timestamp, schema};

use crate::samples::{Folder, as_table, decode, lines, read, read_into, read_one, rows_of};

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Rows of every model under one schema, as a file of many models has them.
fn one_table(text: &str) -> RecordBatch {
    let decoded = decode(text);
    let batches: Vec<EventBatch> =
        decoded.batches.iter().map(|batch| EventBatch { records: as_table(&batch.records), ..batch.clone() }).collect();
    EventBatch::concat(&batches.iter().collect::<Vec<_>>()).unwrap().unwrap().records
}

#[test]
fn our_own_files_read_back_as_they_were_written() {
    let text = lines(1_000);
    let written = decode(&text);
    let folder = Folder::new();
    let path = folder.write_parquet("a.parquet", &[one_table(&text)], 128);
    let read = read_one(&path);
    assert_eq!(read.iter().map(|decoded| decoded.records).sum::<u64>(), 1_000);
    assert!(read.iter().all(|decoded| decoded.dead_letters.is_empty()));
    for model in ["m", "n"] {
        assert_eq!(rows_of(&read, Some(model)), rows_of(std::slice::from_ref(&written), Some(model)));
    }
    let (first, last) = time_span(&[path]).unwrap().unwrap();
    assert_eq!(last.since(first), 999 * Timestamp::SECOND);
}

#[test]
fn files_of_every_kind_read_back() {
    let time = r#""time":"2026-11-02T06:36:05.995Z""#;
    for (kind, line) in [
        (RecordKind::Outcome, format!(r#"{{"kind":"outcome",{time},"id":"p","label":"yes","value":1,"more":[1]}}"#)),
        (
            RecordKind::TrainingRow,
            format!(r#"{{"kind":"training_row",{time},"model":"m","row_id":7,"features":{{"age":1}}}}"#),
        ),
        (
            RecordKind::Deployment,
            format!(r#"{{"kind":"deployment",{time},"model":"m","action":"promote","committed_at":1793601365}}"#),
        ),
        (RecordKind::Metric, format!(r#"{{"kind":"metric",{time},"service":"s","name":"cpu","value":7.5}}"#)),
        (RecordKind::Log, format!(r#"{{"kind":"log",{time},"service":"s","body":"hello"}}"#)),
    ] {
        let written = decode(&line);
        let folder = Folder::new();
        let path = folder.write_parquet("a.parquet", &[as_table(&written.batches[0].records)], 100);
        let read = read_one(&path);
        assert_eq!(read[0].dead_letters, []);
        assert_eq!(read[0].batches[0].kind, kind);
        assert_eq!(as_table(&read[0].batches[0].records), as_table(&written.batches[0].records), "{kind}");
    }
}

#[test]
fn a_file_of_another_program_is_read_by_the_names_of_its_columns() {
    let features = StructArray::from(vec![
        (
            Arc::new(Field::new("age", arrow::datatypes::DataType::UInt8, true)),
            Arc::new(UInt8Array::from(vec![41, 42])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("own", arrow::datatypes::DataType::Boolean, true)),
            Arc::new(BooleanArray::from(vec![true, false])) as ArrayRef,
        ),
    ]);
    let rows = batch(vec![
        ("time", Arc::new(TimestampNanosecondArray::from(vec![1_793_601_365_995_000_500, 1_793_601_366_000_000_000]))),
        ("model", texts(&[Some("m"), Some("m")])),
        ("version", Arc::new(Int64Array::from(vec![3, 3]))),
        ("latency_ms", Arc::new(Float32Array::from(vec![Some(1.5), Some(f32::NAN)]))),
        ("http_status", Arc::new(Int64Array::from(vec![200, 500]))),
        ("features", Arc::new(features)),
        ("feature_job", texts(&[Some("clerk"), None])),
        ("group_sex", texts(&[Some("f"), Some("m")])),
        ("store", texts(&[Some("S1"), Some("S2")])),
        ("floor", Arc::new(Int64Array::from(vec![Some(1), None]))),
        ("empty", new_null_array(&arrow::datatypes::DataType::Utf8, 2)),
    ]);
    let folder = Folder::new();
    let decoded = read_one(&folder.write_parquet("a.parquet", &[rows], 100));
    assert_eq!(decoded[0].dead_letters, []);
    let batch = &decoded[0].batches[0];
    let base = schema::base(RecordKind::Inference).fields().len();
    let names: Vec<&str> =
        batch.records.schema_ref().fields()[base..].iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["feature_age", "feature_job", "feature_own", "attribute_floor", "attribute_store", "group_sex"]);
    assert_eq!(batch.times().unwrap().values(), &[1_793_601_365_995_000, 1_793_601_366_000_000]);
    assert_eq!(batch.text("version").unwrap().get(0), Some("3"));
    assert_eq!(batch.number("latency_ms").unwrap().iter().collect::<Vec<_>>(), [Some(1.5), None]);
    assert_eq!([0, 1].map(|row| batch.text("status").unwrap().get(row)), [Some("ok"), Some("error")]);
    assert_eq!(batch.number("feature_age").unwrap().value(1), 42.0);
    assert_eq!(batch.text("attribute_floor").unwrap().get(0), Some("1"));
    assert_eq!(batch.text("sender").unwrap().get(0), Some("file"));
    assert_eq!(batch.text("id").unwrap().get(1).unwrap().len(), 26);
}

#[test]
fn rows_that_are_wrong_are_dead_letters_and_the_others_go_through() {
    let rows = batch(vec![
        (
            "time",
            texts(&[
                Some("2026-11-02T06:36:05Z"),
                Some("yesterday"),
                None,
                Some("1793601365"),
                Some("1793601365"),
                Some("1793601365"),
            ]),
        ),
        ("model", texts(&[Some("m"), Some("m"), Some("m"), None, Some("m"), Some("m")])),
        ("version", texts(&[Some("1"), Some("1"), Some("1"), Some("1"), None, Some("1")])),
        ("latency_ms", texts(&[Some("1.5"), None, None, None, None, Some("fast")])),
        ("feature_age", Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5, 6]))),
    ]);
    let folder = Folder::new();
    let decoded = read_one(&folder.write_parquet("a.parquet", &[rows], 100));
    assert_eq!((decoded[0].records, decoded[0].events()), (6, 1));
    assert_eq!(decoded[0].batches[0].number("latency_ms").unwrap().value(0), 1.5);
    let mut letters: Vec<(u64, &str)> =
        decoded[0].dead_letters.iter().map(|letter| (letter.offset, letter.reason_name())).collect();
    letters.sort_unstable();
    assert_eq!(letters, [(1, "bad_time"), (2, "missing"), (3, "missing"), (4, "missing"), (5, "wrong_type")]);
    assert!(decoded[0].dead_letters.iter().any(|letter| letter.record.contains(r#""features":{"age":2}"#)));
}

#[test]
fn a_feature_that_has_been_text_refuses_numbers_of_a_file() {
    let registry = Arc::new(SchemaRegistry::new());
    let folder = Folder::new();
    let of = |array: ArrayRef| {
        batch(vec![
            ("time", texts(&[Some("2026-11-02T06:36:05Z"), Some("2026-11-02T06:36:06Z")])),
            ("model", texts(&[Some("m"), Some("m")])),
            ("version", texts(&[Some("1"), Some("1")])),
            ("feature_zip", array),
        ])
    };
    let first = folder.write_parquet("a.parquet", &[of(texts(&[Some("0815"), Some("4711")]))], 100);
    let second = folder.write_parquet("b.parquet", &[of(Arc::new(Int64Array::from(vec![Some(815), None])))], 100);
    assert_eq!(read_into(&[first], &registry)[0].as_ref().unwrap().events(), 2);
    let read = read_into(&[second], &registry);
    let decoded = read[0].as_ref().unwrap();
    assert_eq!(decoded.events(), 1);
    assert_eq!(decoded.dead_letters[0].reason_name(), "feature_changed_type");
}

#[test]
fn what_has_no_column_stays_as_json() {
    let inner = StructArray::from(vec![(
        Arc::new(Field::new("a", arrow::datatypes::DataType::Int64, true)),
        Arc::new(Int64Array::from(vec![1])) as ArrayRef,
    )]);
    let rows = batch(vec![
        ("time", texts(&[Some("2026-11-02T06:36:05Z")])),
        ("model", texts(&[Some("m")])),
        ("version", texts(&[Some("1")])),
        ("feature_age", Arc::new(Int64Array::from(vec![1]))),
        ("deep", Arc::new(inner)),
        ("attributes", texts(&[Some(r#"{"kept":[2]}"#)])),
    ]);
    let folder = Folder::new();
    let decoded = read_one(&folder.write_parquet("a.parquet", &[rows], 100));
    assert_eq!(decoded[0].dead_letters, []);
    let batch = &decoded[0].batches[0];
    assert_eq!(batch.number("feature_age").unwrap().value(0), 1.0);
    assert_eq!(batch.text("attributes").unwrap().get(0), Some(r#"{"deep":{"a":1},"kept":[2]}"#));
}

#[test]
fn a_stored_name_gives_way_to_the_name_that_came() {
    let mut rows = batch(vec![
        ("time", texts(&[Some("2026-11-02T06:36:05Z")])),
        ("model", texts(&[Some("m")])),
        ("version", texts(&[Some("1")])),
        ("feature_net_income", Arc::new(Int64Array::from(vec![1]))),
    ]);
    let mut fields: Vec<Field> = rows.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields[3] = fields[3].clone().with_metadata([("wardline.name".to_owned(), "feature_net income".to_owned())].into());
    rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), rows.columns().to_vec()).unwrap();
    let folder = Folder::new();
    let decoded = read_one(&folder.write_parquet("a.parquet", &[rows], 100));
    assert!(decoded[0].batches[0].number("feature_net income").is_some());
}

#[test]
fn what_is_no_parquet_is_said_and_the_next_file_still_comes() {
    let folder = Folder::new();
    folder.write("a.parquet", "hello");
    folder.write("b.ndjson", lines(10));
    let read = read(&[folder.path()]);
    assert_eq!(read.iter().flatten().map(wardline_adapters::Decoded::events).sum::<u64>(), 10);
    let errors: Vec<String> = read.iter().filter_map(|read| read.as_ref().err()).map(ToString::to_string).collect();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains("a.parquet` as Parquet"), "{errors:?}");
    assert!(time_span(&[folder.path()]).unwrap().is_some());
}
