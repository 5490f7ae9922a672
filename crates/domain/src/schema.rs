//! Event schema, version 1, as Arrow schemas.
//!
//! Each kind has a fixed list of columns, all nullable but `time`. Inferences and training rows add
//! their model's own columns behind it: `feature_*` (Float64, Boolean or text), `attribute_*` and
//! `group_*` (text). Text that repeats is dictionary-encoded in batches and plain Utf8 in tables.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use rustc_hash::FxHashMap;

use crate::RecordKind;

/// The version of the event schema.
pub const VERSION: u32 = 1;

/// The most `attribute_*` columns of one model; what exceeds it stays in `attributes` as JSON.
pub const MAX_ATTRIBUTE_COLUMNS: usize = 64;
/// The most `feature_*` columns of one model; a record that exceeds it is a dead letter.
pub const MAX_FEATURE_COLUMNS: usize = 4_096;

/// UTC microseconds.
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// Text that repeats: dictionary-encoded while it flows.
pub fn repeated_text() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Class to probability.
pub fn scores() -> DataType {
    let entry =
        Fields::from(vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Float64, true)]);
    DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entry), false)), false)
}

/// A list of single-precision numbers.
pub fn embedding() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Float32, true)))
}

/// A ranked slate.
pub fn items() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)))
}

/// The fixed columns of a kind, as they are in batches.
pub fn base(kind: RecordKind) -> SchemaRef {
    let columns: Vec<(&str, DataType)> = match kind {
        RecordKind::Inference => inference(),
        RecordKind::Outcome => vec![
            ("id", DataType::Utf8),
            ("label", repeated_text()),
            ("value", DataType::Float64),
            ("feedback", DataType::Float64),
            ("source", repeated_text()),
        ],
        RecordKind::TrainingRow => vec![
            ("model", repeated_text()),
            ("dataset", repeated_text()),
            ("dataset_version", repeated_text()),
            ("row_id", DataType::Utf8),
            ("channel", repeated_text()),
            ("user", repeated_text()),
            ("source", repeated_text()),
            ("embedding", embedding()),
            ("label", repeated_text()),
        ],
        RecordKind::Deployment => vec![
            ("model", repeated_text()),
            ("version", repeated_text()),
            ("action", repeated_text()),
            ("weight", DataType::Float64),
            ("commit", DataType::Utf8),
            ("committed_at", timestamp()),
            ("by", repeated_text()),
            ("dataset_version", repeated_text()),
        ],
        RecordKind::Metric => vec![
            ("service", repeated_text()),
            ("instance", repeated_text()),
            ("name", repeated_text()),
            ("value", DataType::Float64),
        ],
        RecordKind::Log => vec![
            ("service", repeated_text()),
            ("instance", repeated_text()),
            ("severity", repeated_text()),
            ("body", DataType::Utf8),
        ],
    };
    let mut fields = vec![
        Field::new("time", timestamp(), false),
        Field::new("received", timestamp(), false),
        Field::new("sender", repeated_text(), false),
    ];
    fields.extend(columns.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)));
    fields.push(Field::new("attributes", DataType::Utf8, true));
    Arc::new(Schema::new(fields))
}

/// Where a column stands in [`base`] of its kind.
pub(crate) fn place(kind: RecordKind, name: &str) -> Option<usize> {
    static PLACES: LazyLock<FxHashMap<RecordKind, FxHashMap<String, usize>>> = LazyLock::new(|| {
        let places = |kind: RecordKind| {
            base(kind).fields().iter().enumerate().map(|(place, field)| (field.name().clone(), place)).collect()
        };
        RecordKind::ALL.iter().map(|&kind| (kind, places(kind))).collect()
    });
    PLACES.get(&kind)?.get(name).copied()
}

fn inference() -> Vec<(&'static str, DataType)> {
    let text = |name| (name, DataType::Utf8);
    let repeated = |name| (name, repeated_text());
    let number = |name| (name, DataType::Float64);
    vec![
        text("id"),
        repeated("model"),
        repeated("version"),
        repeated("role"),
        repeated("service"),
        repeated("environment"),
        repeated("instance"),
        repeated("status"),
        ("http_status", DataType::Int32),
        repeated("error"),
        number("latency_ms"),
        number("queue_ms"),
        number("ttft_ms"),
        ("batch_size", DataType::Int64),
        ("input_tokens", DataType::Int64),
        ("output_tokens", DataType::Int64),
        ("embedding", embedding()),
        text("prompt"),
        text("output"),
        number("score"),
        ("items", items()),
        ("scores", scores()),
        repeated("decision"),
        number("prediction"),
        repeated("user"),
        text("session"),
        repeated("api_key"),
        repeated("client_ip"),
        repeated("tenant"),
        repeated("channel"),
        text("trace_id"),
        text("span_id"),
    ]
}

/// The type that a column has in a table: dictionary-encoded text is plain text there.
pub fn table_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, value) => value.as_ref().clone(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_starts_with_time_and_ends_with_what_was_unknown() {
        for kind in RecordKind::ALL {
            let schema = base(kind);
            assert_eq!(schema.field(0).name(), "time");
            assert!(!schema.field(0).is_nullable());
            assert_eq!(schema.fields().last().unwrap().name(), "attributes");
        }
    }
}
