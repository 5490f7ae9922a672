//! What holds for any telemetry.

use std::sync::Arc;

use arrow::{array::Array, datatypes::DataType};
use proptest::prelude::*;
use wardline_domain::{DeadLetterReason, schema};

use super::{
    Decoder,
    tests::{TIME, arrival, decode, good, inference, text_at},
};
use crate::Decoded;

/// A value of any shape.
fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        (-1e9f64..1e9).prop_map(Into::into),
        "[a-z\"\\\\é\n]{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[a-c]{1,2}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// A line that may be right or wrong in any field.
fn any_line() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "kind",
        "time",
        "model",
        "version",
        "id",
        "status",
        "http_status",
        "latency_ms",
        "features",
        "groups",
        "attributes",
        "scores",
        "items",
        "embedding",
        "decision",
        "user",
        "label",
        "value",
        "name",
        "body",
        "service",
        "other",
    ]);
    let usual = prop_oneof![
        Just(inference(r#""features":{"age":1,"job":"x"},"store":"S1""#)),
        Just(format!(r#"{{"kind":"outcome",{TIME},"id":"p","label":"yes"}}"#)),
        Just(r#"{"kind":"log"}"#.to_owned()),
        Just("{broken".to_owned()),
    ];
    let odd = prop::collection::vec((names, json_value()), 0..6).prop_map(|members| {
        let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        inference(&members.join(","))
    });
    prop_oneof![2 => usual, 3 => odd]
}

/// The type under which the JSON writer takes a column.
fn written_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("+00:00".into())),
        other => schema::table_type(other),
    }
}

/// What rows of all batches say, without the ids that were made.
fn rows_of(decoded: &[Decoded]) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in decoded.iter().flat_map(|decoded| &decoded.batches) {
        let columns: Vec<usize> = (0..batch.records.num_columns())
            .filter(|place| batch.records.schema_ref().field(*place).name() != "id")
            .collect();
        let records = batch.records.project(&columns).unwrap();
        let schema = records.schema();
        let fields: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_data_type(written_type(field.data_type())))
            .collect();
        let plain: Vec<_> = records
            .columns()
            .iter()
            .zip(&fields)
            .map(|(array, field)| arrow::compute::cast(array, field.data_type()).unwrap())
            .collect();
        let records =
            arrow::array::RecordBatch::try_new(Arc::new(arrow::datatypes::Schema::new(fields)), plain).unwrap();
        let mut writer = arrow::json::LineDelimitedWriter::new(Vec::new());
        writer.write(&records).unwrap();
        let text = String::from_utf8(writer.into_inner()).unwrap();
        rows.extend(text.lines().map(|line| format!("{} {line}", batch.kind)));
    }
    rows.sort();
    rows
}

/// Every batch is what its kind promises.
fn check(decoded: &Decoded) {
    assert_eq!(decoded.records, decoded.events() + decoded.dead_letters.len() as u64);
    for batch in &decoded.batches {
        let base = schema::base(batch.kind);
        assert!(!batch.is_empty());
        assert_eq!(&batch.records.schema_ref().fields()[..base.fields().len()], &base.fields()[..]);
        assert_eq!(batch.model.is_some(), batch.kind.is_per_model());
        assert_eq!(batch.times().unwrap().null_count(), 0);
        for array in batch.records.columns() {
            array.to_data().validate_full().unwrap();
        }
        for (name, array) in batch.prefixed("feature_") {
            assert!(!name.is_empty());
            assert!(matches!(array.data_type(), DataType::Float64 | DataType::Boolean | DataType::Dictionary(_, _)));
        }
    }
}

proptest! {
    #[test]
    fn every_record_is_in_a_batch_or_a_dead_letter(lines in prop::collection::vec(any_line(), 0..12)) {
        let decoded = decode(&lines.join("\n"));
        prop_assert_eq!(decoded.records, lines.len() as u64);
        check(&decoded);
    }

    #[test]
    fn a_stream_may_be_cut_at_any_line(lines in prop::collection::vec(any_line(), 1..12), cut in 0usize..12) {
        let cut = cut.min(lines.len());
        let mut decoder = Decoder::new(Arc::default());
        let parts: Vec<Decoded> = [&lines[..cut], &lines[cut..]]
            .iter()
            .map(|part| decoder.decode(part.join("\n").as_bytes(), &arrival()))
            .collect();
        let whole = decode(&lines.join("\n"));
        let reasons = |decoded: &[Decoded]| -> Vec<DeadLetterReason> {
            decoded.iter().flat_map(|decoded| decoded.dead_letters.iter().map(|letter| letter.reason.clone())).collect()
        };
        prop_assert_eq!(reasons(&parts), reasons(std::slice::from_ref(&whole)));
        prop_assert_eq!(rows_of(&parts), rows_of(&[whole]));
    }

    #[test]
    fn good_rows_do_not_notice_bad_neighbours(lines in prop::collection::vec(any_line(), 1..12)) {
        let all = decode(&lines.join("\n"));
        let bad: Vec<&str> = all.dead_letters.iter().map(|letter| letter.record.as_str()).collect();
        let kept: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !bad.contains(line)).collect();
        let alone = decode(&kept.join("\n"));
        prop_assert_eq!(alone.dead_letters.len(), 0);
        prop_assert_eq!(rows_of(&[alone]), rows_of(std::slice::from_ref(&all)));
    }

    #[test]
    fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&Decoder::new(Arc::default()).decode(&bytes, &arrival()));
    }

    #[test]
    fn what_was_written_is_read_back(
        numbers in prop::collection::vec(prop::option::of(-1e6f64..1e6), 1..20),
        texts in prop::collection::vec("[a-z\"é\\\\\n]{1,5}", 20),
    ) {
        let lines: Vec<String> = numbers.iter().zip(&texts).map(|(number, text)| {
            inference(&format!(
                r#""latency_ms":{},"user":{},"features":{{"x":{},"job":{}}}"#,
                serde_json::json!(number), serde_json::json!(text), serde_json::json!(number), serde_json::json!(text),
            ))
        }).collect();
        let batch = good(&lines.join("\n"));
        for (row, (number, text)) in numbers.iter().zip(&texts).enumerate() {
            for column in ["latency_ms", "feature_x"] {
                let read = batch.number(column).map(|array| array.is_valid(row).then(|| array.value(row)));
                prop_assert_eq!(read.flatten(), *number);
            }
            prop_assert_eq!(text_at(&batch, "user", row), Some(text.as_str()));
            prop_assert_eq!(text_at(&batch, "feature_job", row), Some(text.as_str()));
        }
    }
}
