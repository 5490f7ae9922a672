//! Reads JSON values as what a field is, and says what is wrong where they are not.

use wardline_domain::{DeadLetterReason, Timestamp};

use crate::json::{Line, Shape, Value};

/// The refusal of a value.
#[cold]
pub(crate) fn wrong_type(field: &str, line: Line<'_>, value: Value, expected: &str) -> DeadLetterReason {
    DeadLetterReason::WrongType { field: field.to_owned(), found: line.describe(value), expected: expected.to_owned() }
}

/// A time.
#[inline]
pub(crate) fn time(field: &str, line: Line<'_>, value: Value) -> Result<i64, DeadLetterReason> {
    let read = match value.shape {
        Shape::Text | Shape::Escaped(..) => Timestamp::parse(line.text(value).unwrap_or_default()),
        Shape::Integer(number) => Timestamp::from_epoch_integer(number),
        Shape::Number(number) => Timestamp::from_epoch(number),
        _ => return Err(wrong_type(field, line, value, "a time: RFC 3339 text or an epoch number")),
    };
    read.map(Timestamp::micros)
        .map_err(|error| DeadLetterReason::BadTime { field: field.to_owned(), detail: error.to_string() })
}

/// A number, or text that is one.
#[inline]
pub(crate) fn number(field: &str, line: Line<'_>, value: Value) -> Result<f64, DeadLetterReason> {
    let number = match value.shape {
        Shape::Integer(number) => Some(number as f64),
        Shape::Number(number) => Some(number),
        _ => line.text(value).and_then(|text| text.trim().parse().ok()).filter(|number: &f64| number.is_finite()),
    };
    number.ok_or_else(|| wrong_type(field, line, value, "a number"))
}

/// A whole number, or text that is one.
#[inline]
pub(crate) fn integer(field: &str, line: Line<'_>, value: Value) -> Result<i64, DeadLetterReason> {
    let integer = match value.shape {
        Shape::Integer(number) => Some(number),
        Shape::Number(number) => whole(number),
        _ => line.text(value).map(str::trim).and_then(|text| text.parse().ok().or_else(|| whole(text.parse().ok()?))),
    };
    integer.ok_or_else(|| wrong_type(field, line, value, "a whole number"))
}

/// A whole number of 32 bits.
#[inline]
pub(crate) fn integer32(field: &str, line: Line<'_>, value: Value) -> Result<i32, DeadLetterReason> {
    i32::try_from(integer(field, line, value)?)
        .map_err(|_| wrong_type(field, line, value, "a whole number of at most 32 bits"))
}

/// Text.
#[inline]
pub(crate) fn text<'a>(field: &str, line: Line<'a>, value: Value) -> Result<&'a str, DeadLetterReason> {
    line.text(value).ok_or_else(|| wrong_type(field, line, value, "text"))
}

/// Text, or a number or a boolean as it is written.
#[inline]
pub(crate) fn label<'a>(field: &str, line: Line<'a>, value: Value) -> Result<&'a str, DeadLetterReason> {
    line.label(value).ok_or_else(|| wrong_type(field, line, value, "text"))
}

/// A double that is a whole number of 64 bits.
fn whole(number: f64) -> Option<i64> {
    // Beyond 2^53 a double no longer tells whole numbers apart.
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}
