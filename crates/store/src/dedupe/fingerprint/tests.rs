use std::sync::Arc;

use arrow::{
    array::{DictionaryArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    compute::cast,
    datatypes::{Field, Schema},
};
use wardline_domain::schema;

use super::*;

/// A batch of these columns, with `time` 1, 2, 3 … and `received` as given.
fn batch(kind: RecordKind, received: i64, columns: Vec<(&str, ArrayRef)>) -> EventBatch {
    let n = columns[0].1.len();
    let times = |from: i64, step: i64| -> ArrayRef {
        Arc::new(
            TimestampMicrosecondArray::from_iter_values((0..n as i64).map(|row| from + row * step))
                .with_timezone("UTC"),
        )
    };
    let mut all = vec![(column::TIME, times(1, 1)), (column::RECEIVED, times(received, 0))];
    all.extend(columns);
    let fields: Vec<Field> =
        all.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let records =
        RecordBatch::try_new(Arc::new(Schema::new(fields)), all.into_iter().map(|(_, array)| array).collect());
    EventBatch { kind, model: None, records: records.unwrap() }
}

fn text(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn repeated(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(values.iter().copied().collect::<DictionaryArray<Int32Type>>())
}

const STORE: Fingerprinter = Fingerprinter::new(42);

#[test]
fn an_inference_is_its_sender_and_id() {
    let ids = text(&[Some("a"), Some("a"), Some("b"), None]);
    let senders = repeated(&[Some("edge"), Some("core"), Some("edge"), Some("edge")]);
    let first =
        STORE.fingerprints(&batch(RecordKind::Inference, 5, vec![("sender", senders.clone()), ("id", ids.clone())]));
    assert_eq!(first[3], 0, "without an id there is no identity");
    assert!(first[0] != first[1] && first[0] != first[2]);

    let plain = cast(&senders, &DataType::Utf8).unwrap();
    let again = STORE.fingerprints(&batch(RecordKind::Inference, 9, vec![("id", ids.clone()), ("sender", plain)]));
    assert_eq!(again, first, "neither encoding, nor order of columns, nor the time of arrival matters");

    let other =
        Fingerprinter::new(43).fingerprints(&batch(RecordKind::Inference, 5, vec![("sender", senders), ("id", ids)]));
    assert_ne!(other[0], first[0], "another store's fingerprints differ");
}

#[test]
fn an_outcome_may_follow_another_of_the_same_prediction() {
    let senders = repeated(&[Some("edge"); 3]);
    let ids = text(&[Some("a"); 3]);
    let values: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), Some(2.0), None]));
    let columns = vec![("sender", senders), ("id", ids), ("value", values)];
    let first = STORE.fingerprints(&batch(RecordKind::Outcome, 5, columns.clone()));
    assert!(first[0] != first[1] && first[1] != first[2]);
    assert_eq!(STORE.fingerprints(&batch(RecordKind::Outcome, 6, columns)), first);
}

#[test]
fn a_training_row_without_its_id_is_all_that_it_holds() {
    let columns = |feature: f64| {
        let features: ArrayRef = Arc::new(Float64Array::from(vec![feature, feature]));
        vec![
            ("sender", repeated(&[Some("edge"); 2])),
            ("dataset", repeated(&[Some("loans"); 2])),
            ("row_id", text(&[Some("1"), None])),
            ("feature_age", features),
        ]
    };
    let one = STORE.fingerprints(&batch(RecordKind::TrainingRow, 5, columns(1.0)));
    let two = STORE.fingerprints(&batch(RecordKind::TrainingRow, 5, columns(2.0)));
    assert_eq!(one[0], two[0]);
    assert_ne!(one[1], two[1]);
}

#[test]
fn a_log_line_is_the_same_whatever_null_columns_it_comes_with() {
    let body = text(&[Some("started"), Some("stopped")]);
    let lean = STORE.fingerprints(&batch(RecordKind::Log, 5, vec![("body", body.clone())]));
    let wide =
        STORE.fingerprints(&batch(RecordKind::Log, 5, vec![("severity", repeated(&[None, None])), ("body", body)]));
    assert_eq!(lean, wide);
    assert_ne!(lean[0], lean[1]);
}

#[test]
fn every_column_of_the_event_schema_can_be_part() {
    for kind in RecordKind::ALL {
        let empty = RecordBatch::new_empty(schema::base(kind));
        assert!(STORE.fingerprints(&EventBatch { kind, model: None, records: empty }).is_empty());
    }
    let senders = repeated(&[Some("edge"); 2]);
    let mut builder = arrow::array::ListBuilder::new(arrow::array::Float32Builder::new());
    builder.append_value([Some(1.0), None]);
    builder.append_value([Some(1.0), Some(2.0)]);
    let embeddings: ArrayRef = Arc::new(builder.finish());
    let columns = vec![("sender", senders), ("embedding", embeddings)];
    let rows = STORE.fingerprints(&batch(RecordKind::TrainingRow, 5, columns));
    assert_ne!(rows[0], rows[1]);
}
