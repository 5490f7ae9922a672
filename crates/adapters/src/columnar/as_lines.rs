//! Rows as lines of NDJSON.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions},
    compute::cast,
    datatypes::{DataType, Field, Schema},
    error::ArrowError,
    json::LineDelimitedWriter,
};
use wardline_domain::{RecordKind, column};

/// The lines, and where each row's starts.
pub(super) fn write(rows: &RecordBatch, kind: Option<RecordKind>) -> Result<(Vec<u8>, Vec<u64>), ArrowError> {
    let of_prefix = |prefix: &str| json_of(rows, |name| name.strip_prefix(prefix));
    let is_object = |name: &str| ["features", "attributes", "groups"].contains(&name);
    let own = [column::FEATURE_PREFIX, column::ATTRIBUTE_PREFIX, column::GROUP_PREFIX];
    let fields = json_of(rows, |name| {
        // What a table says of its own taking in is not the sender's to say.
        let is_ours = matches!(name, "received" | "sender") || is_object(name);
        (!is_ours && !own.iter().any(|prefix| name.starts_with(prefix))).then_some(name)
    })?;
    let objects = [
        ("features", of_prefix(column::FEATURE_PREFIX)?, raw_json(rows, "features")?),
        ("attributes", of_prefix(column::ATTRIBUTE_PREFIX)?, raw_json(rows, "attributes")?),
        ("groups", of_prefix(column::GROUP_PREFIX)?, raw_json(rows, "groups")?),
    ];
    let says_kind = rows.column_by_name("kind");
    let (mut lines, mut starts) = (Vec::new(), Vec::with_capacity(rows.num_rows()));
    for row in 0..rows.num_rows() {
        starts.push(lines.len() as u64);
        let mut members = vec![inside(&fields[row]).to_owned()];
        if let (Some(kind), true) = (kind, says_kind.is_none_or(|kinds| kinds.is_null(row))) {
            members.push(format!("\"kind\":\"{kind}\""));
        }
        for (name, columns, raw) in &objects {
            let parts = [inside(&columns[row]), raw.as_ref().map_or("", |raw| inside(&raw[row]))];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            if !parts.is_empty() {
                members.push(format!("\"{name}\":{{{}}}", parts.join(",")));
            }
        }
        members.retain(|member| !member.is_empty());
        lines.extend_from_slice(format!("{{{}}}\n", members.join(",")).as_bytes());
    }
    Ok((lines, starts))
}

/// One object a row, of the columns that are renamed to something. Nulls are left out.
fn json_of<'a>(rows: &'a RecordBatch, rename: impl Fn(&'a str) -> Option<&'a str>) -> Result<Vec<String>, ArrowError> {
    let (mut fields, mut arrays): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for (field, array) in rows.schema_ref().fields().iter().zip(rows.columns()) {
        let Some(name) = rename(field.name()) else { continue };
        let array = match array.data_type() {
            DataType::Dictionary(_, values) => cast(array, values)?,
            // JSON has no bytes; what is text in them is kept.
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                cast(array, &DataType::Utf8).or_else(|_| cast(&cast(array, &DataType::Binary)?, &DataType::Utf8))?
            }
            // The JSON writer knows offsets only. A moment is the same in every zone.
            DataType::Timestamp(unit, Some(_)) => cast(array, &DataType::Timestamp(*unit, Some("+00:00".into())))?,
            _ => Arc::clone(array),
        };
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    if fields.is_empty() {
        return Ok(vec!["{}".to_owned(); rows.num_rows()]);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?;
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(&batch)?;
    writer.finish()?;
    let text = String::from_utf8(writer.into_inner()).map_err(|error| ArrowError::JsonError(error.to_string()))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// A text column that holds an object of JSON in each row.
fn raw_json(rows: &RecordBatch, name: &str) -> Result<Option<Vec<String>>, ArrowError> {
    let Some(array) = rows.column_by_name(name) else { return Ok(None) };
    let Ok(texts) = cast(array, &DataType::Utf8) else { return Ok(None) };
    let object = |text: Option<&str>| match text.map(str::trim) {
        Some(text) if text.starts_with('{') && text.ends_with('}') => text.replace('\n', " "),
        _ => String::new(),
    };
    Ok(Some(texts.as_string::<i32>().iter().map(object).collect()))
}

/// What stands between an object's braces.
fn inside(object: &str) -> &str {
    object.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or("").trim()
}
