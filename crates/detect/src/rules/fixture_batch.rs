//! Batches from events as they are written in fixtures: the fields of the native form.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    datatypes::{DataType, Field, Int32Type, Schema},
};
use serde_json::{Map, Value};
use wardline_domain::{EventBatch, RecordKind, Timestamp, column, schema};

/// An event: its kind, its model and its columns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) kind: RecordKind,
    pub(crate) model: Option<String>,
    pub(crate) time: Timestamp,
    pub(crate) columns: BTreeMap<String, Value>,
}

impl Row {
    /// An event from its fields. What is no column becomes an attribute.
    pub(crate) fn new(kind: RecordKind, time: Timestamp, fields: Map<String, Value>) -> Self {
        let fixed = schema::base(kind);
        let mut columns = BTreeMap::new();
        let mut attributes = Map::new();
        for (name, value) in fields {
            let (prefix, nested) = match (name.as_str(), value) {
                ("features", Value::Object(nested)) => (column::FEATURE_PREFIX, nested),
                ("groups", Value::Object(nested)) => (column::GROUP_PREFIX, nested),
                ("attributes", Value::Object(nested)) => (column::ATTRIBUTE_PREFIX, nested),
                (_, value) if fixed.field_with_name(&name).is_ok() => {
                    columns.insert(name, value);
                    continue;
                }
                (_, value) => (column::ATTRIBUTE_PREFIX, Map::from_iter([(name, value)])),
            };
            for (name, value) in nested {
                if prefix == column::ATTRIBUTE_PREFIX && !kind.is_per_model() {
                    attributes.insert(name, value);
                } else {
                    columns.insert(format!("{prefix}{name}"), value);
                }
            }
        }
        if !attributes.is_empty() {
            columns.insert(column::ATTRIBUTES.to_owned(), Value::String(Value::Object(attributes).to_string()));
        }
        let model = kind.is_per_model().then(|| {
            let named = columns.get(column::MODEL).and_then(Value::as_str);
            named.unwrap_or("model").to_owned()
        });
        Self { kind, model, time, columns }
    }
}

/// Batches of rows in their order: one for each run of one kind and model.
pub(crate) fn batches(rows: &[Row]) -> Result<Vec<EventBatch>, String> {
    rows.chunk_by(|left, right| (left.kind, &left.model) == (right.kind, &right.model)).map(batch).collect()
}

fn batch(rows: &[Row]) -> Result<EventBatch, String> {
    let Some(first) = rows.first() else { return Err("a batch without rows".to_owned()) };
    let fixed = schema::base(first.kind);
    let mut fields: Vec<Field> = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for field in fixed.fields() {
        let name = field.name().as_str();
        let is_used = rows.iter().any(|row| row.columns.contains_key(name));
        if name == column::TIME || name == column::RECEIVED {
            let times = rows.iter().map(|row| row.time.micros());
            arrays.push(Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")));
        } else if is_used || name == column::SENDER {
            arrays.push(typed(rows, name, field.data_type())?);
        } else {
            continue;
        }
        fields.push(field.as_ref().clone().with_nullable(name != column::TIME));
    }
    let others: std::collections::BTreeSet<&String> =
        rows.iter().flat_map(|row| row.columns.keys()).filter(|name| fixed.field_with_name(name).is_err()).collect();
    for name in others {
        let values = rows.iter().filter_map(|row| row.columns.get(name));
        let of_feature = name.starts_with(column::FEATURE_PREFIX);
        let data_type = if of_feature && values.clone().all(Value::is_number) {
            DataType::Float64
        } else if of_feature && values.clone().all(Value::is_boolean) {
            DataType::Boolean
        } else {
            schema::repeated_text()
        };
        arrays.push(typed(rows, name, &data_type)?);
        fields.push(Field::new(name, data_type, true));
    }
    let records = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| error.to_string())?;
    Ok(EventBatch { kind: first.kind, model: first.model.as_deref().map(Arc::from), records })
}

fn typed(rows: &[Row], name: &str, data_type: &DataType) -> Result<ArrayRef, String> {
    let values = || rows.iter().map(|row| row.columns.get(name).filter(|value| !value.is_null()));
    let texts = || -> Vec<Option<String>> {
        values()
            .map(|value| value.map(|value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)))
            .collect()
    };
    Ok(match data_type {
        DataType::Utf8 => Arc::new(StringArray::from(texts())),
        DataType::Dictionary(_, _) => {
            let texts = texts();
            let array: DictionaryArray<Int32Type> = texts.iter().map(Option::as_deref).collect();
            Arc::new(array)
        }
        DataType::Float64 => Arc::new(values().map(|value| value.and_then(Value::as_f64)).collect::<Float64Array>()),
        DataType::Int64 => Arc::new(values().map(|value| value.and_then(Value::as_i64)).collect::<Int64Array>()),
        DataType::Int32 => {
            let small = |value: &Value| value.as_i64().and_then(|number| i32::try_from(number).ok());
            Arc::new(values().map(|value| value.and_then(small)).collect::<Int32Array>())
        }
        DataType::Boolean => Arc::new(values().map(|value| value.and_then(Value::as_bool)).collect::<BooleanArray>()),
        DataType::Timestamp(_, _) => {
            let time = |value: &Value| Timestamp::parse(value.as_str()?).ok().map(Timestamp::micros);
            let times: TimestampMicrosecondArray = values().map(|value| value.and_then(time)).collect();
            Arc::new(times.with_timezone("UTC"))
        }
        _ => return Err(format!("`{name}` is a list or a map, which fixtures of rules do not have")),
    })
}
