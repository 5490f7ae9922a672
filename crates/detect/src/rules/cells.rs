//! Values of a batch, field by field.

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{Array, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array, TimestampMicrosecondArray},
    datatypes::TimestampMicrosecondType,
};
use serde_json::{Map, Value};
use wardline_domain::{EventBatch, TextColumn, column};

use super::field::{Field, FieldType};

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Missing,
    Text(Cow<'a, str>),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// Microseconds.
    Time(i64),
}

/// A field's column in a batch.
#[derive(Clone, Debug)]
pub(crate) enum Cells<'a> {
    /// The batch has no such column.
    Absent,
    /// The same in every row: the batch's model.
    Constant(Arc<str>),
    Text(TextColumn<'a>),
    Float(&'a Float64Array),
    Integer(&'a Int64Array),
    Small(&'a Int32Array),
    Boolean(&'a BooleanArray),
    Time(&'a TimestampMicrosecondArray),
    Json(TextColumn<'a>, &'a str),
}

impl<'a> Cells<'a> {
    /// The column of a field.
    pub(crate) fn of(batch: &'a EventBatch, field: &'a Field) -> Self {
        if field.column == column::MODEL
            && let Some(model) = &batch.model
        {
            return Self::Constant(Arc::clone(model));
        }
        let Some(array) = batch.column(&field.column) else { return Self::Absent };
        if let Some(text) = batch.text(&field.column) {
            return match (&field.key, field.holds) {
                (Some(key), FieldType::Json) => Self::Json(text, key),
                _ => Self::Text(text),
            };
        }
        if let Some(numbers) = array.as_primitive_opt() {
            return Self::Float(numbers);
        }
        if let Some(numbers) = array.as_primitive_opt() {
            return Self::Integer(numbers);
        }
        if let Some(numbers) = array.as_primitive_opt() {
            return Self::Small(numbers);
        }
        if let Some(times) = array.as_primitive_opt::<TimestampMicrosecondType>() {
            return Self::Time(times);
        }
        array.as_boolean_opt().map_or(Self::Absent, Self::Boolean)
    }

    /// The value in a row.
    pub(crate) fn get(&self, row: usize) -> Cell<'a> {
        fn there<'a>(array: &dyn Array, row: usize, value: impl FnOnce() -> Cell<'a>) -> Cell<'a> {
            if array.is_valid(row) { value() } else { Cell::Missing }
        }
        match self {
            Self::Absent => Cell::Missing,
            Self::Constant(text) => Cell::Text(Cow::Owned(text.to_string())),
            Self::Text(text) => text.get(row).map_or(Cell::Missing, |text| Cell::Text(Cow::Borrowed(text))),
            Self::Float(numbers) => there(numbers, row, || float(numbers.value(row))),
            Self::Integer(numbers) => there(numbers, row, || Cell::Integer(numbers.value(row))),
            Self::Small(numbers) => there(numbers, row, || Cell::Integer(numbers.value(row).into())),
            Self::Boolean(values) => there(values, row, || Cell::Boolean(values.value(row))),
            Self::Time(times) => there(times, row, || Cell::Time(times.value(row))),
            Self::Json(text, key) => object(text.get(row)).map_or(Cell::Missing, |object| json_cell(&object, key)),
        }
    }
}

const fn float<'a>(number: f64) -> Cell<'a> {
    if number.is_nan() { Cell::Missing } else { Cell::Float(number) }
}

impl Cell<'_> {
    /// As a person writes it; `None` where it is missing.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Missing => None,
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Integer(number) => Some(number.to_string().into()),
            Self::Float(number) => Some(number.to_string().into()),
            Self::Boolean(value) => Some(value.to_string().into()),
            Self::Time(micros) => Some(wardline_domain::Timestamp::from_micros(*micros).to_string().into()),
        }
    }

    /// As a number; `None` where it is none.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number).filter(|number| number.is_finite()),
            Self::Text(text) => super::predicate::number_of(text),
            Self::Time(micros) => Some(*micros as f64),
            Self::Missing | Self::Boolean(_) => None,
        }
    }
}

/// The JSON object of a text.
pub(crate) fn object(text: Option<&str>) -> Option<Map<String, Value>> {
    text.filter(|text| text.len() > 2).and_then(|text| serde_json::from_str(text).ok())
}

/// A field of an object: by its whole name, else along the dots.
pub(crate) fn json_cell<'a>(object: &Map<String, Value>, key: &str) -> Cell<'a> {
    let found = object.get(key).or_else(|| {
        let mut parts = key.split('.');
        let first = object.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    });
    match found {
        None | Some(Value::Null) => Cell::Missing,
        Some(Value::Bool(value)) => Cell::Boolean(*value),
        Some(Value::Number(number)) => match number.as_i64() {
            Some(integer) => Cell::Integer(integer),
            None => number.as_f64().map_or(Cell::Missing, float),
        },
        Some(Value::String(text)) => Cell::Text(text.clone().into()),
        Some(other) => Cell::Text(other.to_string().into()),
    }
}
