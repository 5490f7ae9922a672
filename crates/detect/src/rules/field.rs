//! Names of fields in rules, and the columns that they mean.

use serde::{Deserialize, Serialize};
use wardline_domain::{RecordKind, column, schema};

use super::error::RuleFault;

/// What a field's column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum FieldType {
    Text,
    Integer,
    Float,
    Time,
    /// A feature: each model has its own type, and the batch says which.
    ByModel,
    /// A field of the JSON object in `attributes`.
    Json,
}

/// A field of one kind of record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Field {
    /// The column's name.
    pub(crate) column: String,
    /// The field in the column's JSON object, where the column is `attributes`.
    pub(crate) key: Option<String>,
    pub(crate) holds: FieldType,
}

/// Names of other schemas for the same thing.
const ALIASES: &[(&str, &str)] = &[
    ("client.address", "client_ip"),
    ("client.ip", "client_ip"),
    ("error.type", "error"),
    ("gen_ai.completion", "output"),
    ("gen_ai.output.messages", "output"),
    ("gen_ai.input.messages", "prompt"),
    ("gen_ai.prompt", "prompt"),
    ("gen_ai.request.model", "model"),
    ("gen_ai.usage.input_tokens", "input_tokens"),
    ("gen_ai.usage.output_tokens", "output_tokens"),
    ("http.response.status_code", "http_status"),
    ("message", "body"),
    ("service.instance.id", "instance"),
    ("service.name", "service"),
    ("session.id", "session"),
    ("source.ip", "client_ip"),
    ("span.id", "span_id"),
    ("timestamp", "time"),
    ("@timestamp", "time"),
    ("trace.id", "trace_id"),
    ("user.id", "user"),
    ("user.name", "user"),
];

/// Where keywords are looked for: the free texts of a kind.
pub(crate) const fn keyword_columns(kind: RecordKind) -> &'static [&'static str] {
    match kind {
        RecordKind::Inference => &["prompt", "output", "error"],
        RecordKind::Outcome => &["label", "source"],
        RecordKind::TrainingRow => &["label", "source", "dataset"],
        RecordKind::Deployment => &["commit", "by", "attributes"],
        RecordKind::Metric => &["name", "attributes"],
        RecordKind::Log => &["body", "attributes"],
    }
}

/// The column that a name means in records of a kind.
pub(crate) fn resolve(kind: RecordKind, name: &str) -> Result<Field, RuleFault> {
    let known = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, column)| column);
    if let Some((_, data_type)) = schema_of(kind).into_iter().find(|(column, _)| column == known) {
        return fixed(known, &data_type);
    }
    let prefixed = |short: &str, long: &str| known.strip_prefix(short).or_else(|| known.strip_prefix(long));
    let of_model = kind.is_per_model();
    let field = |prefix: &str, rest: &str, holds| Field { column: format!("{prefix}{rest}"), key: None, holds };
    if let Some(rest) = prefixed("attributes.", column::ATTRIBUTE_PREFIX).filter(|rest| !rest.is_empty()) {
        return Ok(if of_model {
            field(column::ATTRIBUTE_PREFIX, rest, FieldType::Text)
        } else {
            Field { column: column::ATTRIBUTES.to_owned(), key: Some(rest.to_owned()), holds: FieldType::Json }
        });
    }
    if let Some(rest) = prefixed("features.", column::FEATURE_PREFIX).filter(|rest| of_model && !rest.is_empty()) {
        return Ok(field(column::FEATURE_PREFIX, rest, FieldType::ByModel));
    }
    if let Some(rest) =
        prefixed("groups.", column::GROUP_PREFIX).filter(|rest| kind == RecordKind::Inference && !rest.is_empty())
    {
        return Ok(field(column::GROUP_PREFIX, rest, FieldType::Text));
    }
    let hint = if of_model {
        format!("write `attribute_{known}` or `feature_{known}` for what a model sends beside the fixed columns")
    } else {
        format!("write `attributes.{known}` for what is sent beside the fixed columns")
    };
    Err(RuleFault::UnknownField { field: name.to_owned(), kind: kind.name(), hint })
}

/// A column that holds free text, by its name.
pub(crate) fn text_column(column: &str) -> Field {
    Field { column: column.to_owned(), key: None, holds: FieldType::Text }
}

fn schema_of(kind: RecordKind) -> Vec<(String, arrow::datatypes::DataType)> {
    schema::base(kind).fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
}

fn fixed(name: &str, data_type: &arrow::datatypes::DataType) -> Result<Field, RuleFault> {
    use arrow::datatypes::DataType;
    let holds = match data_type {
        DataType::Utf8 | DataType::Dictionary(_, _) => FieldType::Text,
        DataType::Int32 | DataType::Int64 => FieldType::Integer,
        DataType::Float64 => FieldType::Float,
        DataType::Timestamp(_, _) => FieldType::Time,
        _ => {
            let hint = "use `decision`, `score` or an attribute";
            return Err(RuleFault::Opaque { field: name.to_owned(), what: "a list or a map", hint });
        }
    };
    Ok(Field { column: name.to_owned(), key: None, holds })
}
