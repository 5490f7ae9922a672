//! Events for the journal's tests.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, AsArray, DictionaryArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
        new_null_array,
    },
    datatypes::{DataType, Field, Int32Type, Schema},
};
use wardline_domain::{EventBatch, RecordKind, schema};

/// Inferences of one model with these ids, with a feature of the model's own.
pub(crate) fn inferences(ids: &[&str]) -> EventBatch {
    let base = schema::base(RecordKind::Inference);
    let n = ids.len();
    let times: ArrayRef = Arc::new(
        TimestampMicrosecondArray::from_iter_values((0..n as i64).map(|at| 1_000_000 + at)).with_timezone("UTC"),
    );
    let repeated = |text: &str| -> ArrayRef {
        Arc::new(std::iter::repeat_n(Some(text), n).collect::<DictionaryArray<Int32Type>>())
    };
    let mut fields: Vec<Field> = base.fields().iter().map(|field| field.as_ref().clone()).collect();
    let mut columns: Vec<ArrayRef> = base
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "time" | "received" => Arc::clone(&times),
            "sender" => repeated("edge"),
            "model" => repeated("loans"),
            "id" => Arc::new(StringArray::from(ids.to_vec())) as ArrayRef,
            _ => new_null_array(field.data_type(), n),
        })
        .collect();
    fields.push(Field::new("feature_age", DataType::Float64, true));
    columns.push(Arc::new(Float64Array::from_iter_values((0..n).map(|at| at as f64))));
    let records = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    EventBatch { kind: RecordKind::Inference, model: Some(Arc::from("loans")), records }
}

/// The ids of batches, in order.
pub(crate) fn ids(batches: &[EventBatch]) -> Vec<String> {
    batches
        .iter()
        .flat_map(|batch| batch.column("id").unwrap().as_string::<i32>().iter())
        .map(|id| id.unwrap().to_owned())
        .collect()
}
