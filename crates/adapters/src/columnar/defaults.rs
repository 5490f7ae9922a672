//! What an inference has though its file does not say it: an id, a status, a decision.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder, StringDictionaryBuilder},
    compute::cast,
    datatypes::{DataType, Int32Type, TimestampMicrosecondType},
    error::ArrowError,
};
use wardline_domain::Timestamp;

use crate::ndjson::MadeIds;

/// Fills what is null.
pub(super) fn fill(records: &RecordBatch, ids: &mut MadeIds) -> Result<RecordBatch, ArrowError> {
    let mut columns = records.columns().to_vec();
    let schema = records.schema();
    for (place, field) in schema.fields().iter().enumerate() {
        let array = &columns[place];
        if array.null_count() == 0 && field.name() != "id" {
            continue;
        }
        match field.name().as_str() {
            "id" => columns[place] = fill_ids(array, records, ids),
            "status" => columns[place] = fill_statuses(array, records)?,
            "decision" => columns[place] = fill_decisions(array, records)?,
            _ => {}
        }
    }
    RecordBatch::try_new(schema, columns)
}

fn fill_ids(array: &ArrayRef, records: &RecordBatch, made: &mut MadeIds) -> ArrayRef {
    let (Some(ids), Some(times)) = (
        array.as_string_opt::<i32>(),
        records.column_by_name("time").and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>()),
    ) else {
        return Arc::clone(array);
    };
    let has_one = |row: usize| ids.is_valid(row) && ids.value_length(row) > 0;
    if (0..ids.len()).all(has_one) {
        return Arc::clone(array);
    }
    let mut filled = StringBuilder::with_capacity(ids.len(), ids.len() * ulid::ULID_LEN);
    for row in 0..ids.len() {
        if has_one(row) {
            filled.append_value(ids.value(row));
        } else {
            let mut text = [0; ulid::ULID_LEN];
            filled.append_value(made.next(Timestamp::from_micros(times.value(row)), &mut text));
        }
    }
    Arc::new(filled.finish())
}

fn fill_statuses(array: &ArrayRef, records: &RecordBatch) -> Result<ArrayRef, ArrowError> {
    let codes = records.column_by_name("http_status").and_then(|codes| codes.as_primitive_opt::<Int32Type>());
    let errors = plain(records.column_by_name("error"))?;
    let statuses = plain(Some(array))?;
    let mut filled = StringDictionaryBuilder::<Int32Type>::new();
    for row in 0..array.len() {
        let written = text(statuses.as_ref(), row);
        let failed = codes.is_some_and(|codes| codes.is_valid(row) && codes.value(row) >= 500)
            || text(errors.as_ref(), row).is_some_and(|error| !error.is_empty());
        filled.append_value(written.unwrap_or(if failed { "error" } else { "ok" }));
    }
    Ok(Arc::new(filled.finish()))
}

fn fill_decisions(array: &ArrayRef, records: &RecordBatch) -> Result<ArrayRef, ArrowError> {
    let Some(slates) = records.column_by_name("items").filter(|items| items.null_count() < items.len()) else {
        return Ok(Arc::clone(array));
    };
    let slates = slates.as_list::<i32>();
    let decisions = plain(Some(array))?;
    let mut filled = StringDictionaryBuilder::<Int32Type>::new();
    for row in 0..array.len() {
        let slate = slates.is_valid(row).then(|| slates.value(row));
        let first = slate.as_ref().and_then(|slate| slate.as_string_opt::<i32>()).filter(|slate| !slate.is_empty());
        let first = first.filter(|slate| slate.is_valid(0)).map(|slate| slate.value(0));
        filled.append_option(text(decisions.as_ref(), row).or(first));
    }
    Ok(Arc::new(filled.finish()))
}

fn plain(array: Option<&ArrayRef>) -> Result<Option<StringArray>, ArrowError> {
    let Some(array) = array else { return Ok(None) };
    Ok(cast(array, &DataType::Utf8)?.as_string_opt::<i32>().cloned())
}

fn text(texts: Option<&StringArray>, row: usize) -> Option<&str> {
    texts.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row))
}
