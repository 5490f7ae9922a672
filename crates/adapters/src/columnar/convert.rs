//! Columns of a file as columns of the event schema, and which rows do not fit.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, Float64Array, RecordBatch, TimestampMicrosecondArray, new_null_array,
    },
    buffer::{BooleanBuffer, NullBuffer},
    compute::{cast, is_not_null, is_null, or},
    datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType},
    error::ArrowError,
};
use wardline_domain::{RecordKind, Timestamp, schema};

use crate::{
    FeatureType,
    fields::{self, KindFields, Reads, Target},
};

/// Which rows are right so far.
pub(super) struct Verdict {
    n_rows: usize,
    bad: Option<BooleanArray>,
}

impl Verdict {
    pub(super) fn all_good(n_rows: usize) -> Self {
        Self { n_rows, bad: None }
    }

    /// Rows that do not fit.
    pub(super) fn refuse(&mut self, bad: &BooleanArray) -> Result<(), ArrowError> {
        if bad.values().count_set_bits() > 0 {
            self.bad = Some(match &self.bad {
                Some(before) => or(before, bad)?,
                None => bad.clone(),
            });
        }
        Ok(())
    }

    /// Rows that have a value where none fits.
    pub(super) fn refuse_values(&mut self, array: &dyn Array) -> Result<(), ArrowError> {
        self.refuse(&is_not_null(array)?)
    }

    /// The rows that fit; `None` where all do.
    pub(super) fn good(&self) -> Option<BooleanArray> {
        self.bad.as_ref().map(|bad| BooleanArray::new(!bad.values(), None)).filter(|good| good.len() == self.n_rows)
    }
}

/// The fixed columns of a kind.
pub(super) fn base(kind: RecordKind, rows: &RecordBatch, verdict: &mut Verdict) -> Result<Vec<ArrayRef>, ArrowError> {
    let fields = KindFields::of(kind);
    let mut columns = Vec::with_capacity(fields.schema.fields().len());
    for field in fields.schema.fields() {
        let array = match rows.column_by_name(field.name()) {
            Some(array) => column(fields, field, array, verdict)?,
            None => new_null_array(field.data_type(), rows.num_rows()),
        };
        let is_required = fields.required.iter().any(|id| id.name() == field.name());
        if is_required {
            verdict.refuse(&is_null(&array)?)?;
            verdict.refuse(&is_empty_text(&array))?;
        }
        columns.push(array);
    }
    Ok(columns)
}

fn column(fields: &KindFields, field: &Field, array: &ArrayRef, verdict: &mut Verdict) -> Result<ArrayRef, ArrowError> {
    let name = field.name().as_str();
    let target = fields::field(name).map(|id| fields.targets[id.0 as usize]);
    let reads = match target {
        Some(Target::Column { reads, .. }) => reads,
        // `received` is a time, `sender` and the model of a per-model kind are text, and so is the JSON of
        // `attributes`.
        _ if field.data_type() == &schema::timestamp() => Reads::Time,
        _ => Reads::Text,
    };
    if reads == Reads::Time {
        let converted = times(array)?;
        refuse_lost(array, &converted, verdict)?;
        return Ok(Arc::new(converted.with_timezone("UTC")));
    }
    if !fits(reads, array.data_type()) {
        verdict.refuse_values(array)?;
        return Ok(new_null_array(field.data_type(), array.len()));
    }
    let converted = match reads {
        Reads::Number => numbers(array)?,
        Reads::Integer | Reads::Integer32 => whole_numbers(array, field.data_type(), verdict)?,
        _ => text_or_list(array, field.data_type())?,
    };
    refuse_lost_unless_nan(array, &converted, verdict)?;
    if matches!(name, "status") {
        verdict.refuse(&is_no_status(&converted))?;
    }
    Ok(converted)
}

/// Whether columns of a type may be read as a field. Others are judged row by row, as JSON.
fn fits(reads: Reads, data_type: &DataType) -> bool {
    let of = FeatureType::of(data_type);
    match reads {
        Reads::Text => of == Some(FeatureType::Text) || data_type == &DataType::Null,
        Reads::Label => of == Some(FeatureType::Text) || data_type.is_integer() || data_type == &DataType::Null,
        Reads::Number | Reads::Integer | Reads::Integer32 | Reads::Time => {
            matches!(of, Some(FeatureType::Number | FeatureType::Text)) || data_type == &DataType::Null
        }
        Reads::Embedding => is_list_of(data_type, DataType::is_numeric),
        Reads::Items => is_list_of(data_type, |item| FeatureType::of(item) == Some(FeatureType::Text)),
        Reads::Scores => matches!(data_type, DataType::Map(_, _)),
    }
}

fn is_list_of(data_type: &DataType, is_right: impl Fn(&DataType) -> bool) -> bool {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            is_right(item.data_type())
        }
        _ => false,
    }
}

/// Numbers as doubles; NaN and infinity are no value, as many programs write it.
pub(super) fn numbers(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let array = plain(array)?;
    let converted = cast(&array, &DataType::Float64)?;
    let numbers = converted.as_primitive::<Float64Type>();
    if numbers.values().iter().all(|number| number.is_finite()) {
        return Ok(converted);
    }
    let finite: BooleanBuffer = numbers.values().iter().map(|number| number.is_finite()).collect();
    let nulls = NullBuffer::union(numbers.nulls(), Some(&NullBuffer::new(finite)));
    Ok(Arc::new(Float64Array::new(numbers.values().clone(), nulls)))
}

fn whole_numbers(array: &ArrayRef, wanted: &DataType, verdict: &mut Verdict) -> Result<ArrayRef, ArrowError> {
    let array = plain(array)?;
    if array.data_type().is_integer() {
        return cast(&array, wanted);
    }
    let numbers = numbers(&array)?;
    let is_broken = |number: f64| number.fract() != 0.0;
    let numbers_of = numbers.as_primitive::<Float64Type>();
    let broken: BooleanBuffer =
        (0..numbers.len()).map(|row| numbers.is_valid(row) && is_broken(numbers_of.value(row))).collect();
    verdict.refuse(&BooleanArray::new(broken, None))?;
    cast(&numbers, wanted)
}

fn text_or_list(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == wanted {
        return Ok(Arc::clone(array));
    }
    match wanted {
        DataType::Dictionary(_, _) => text(array),
        _ => cast(&plain(array)?, wanted),
    }
}

/// Text that repeats, or whole numbers as they are written.
pub(super) fn text(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let wanted = schema::repeated_text();
    if array.data_type() == &wanted {
        return Ok(Arc::clone(array));
    }
    cast(&cast(&plain(array)?, &DataType::Utf8)?, &wanted)
}

/// A dictionary's values in their places.
fn plain(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::Dictionary(_, values) => cast(array, values),
        _ => Ok(Arc::clone(array)),
    }
}

/// Times of any unit, epoch numbers and text as microseconds; what is none is null.
pub(crate) fn times(array: &ArrayRef) -> Result<TimestampMicrosecondArray, ArrowError> {
    let array = plain(array)?;
    let micros = |time: Option<Timestamp>| time.map(Timestamp::micros);
    Ok(match array.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            // A cast would round towards zero, and times before 1970 towards it too.
            let nanos = array.as_primitive::<arrow::datatypes::TimestampNanosecondType>();
            nanos.unary::<_, TimestampMicrosecondType>(|nanos| nanos.div_euclid(1_000))
        }
        // A time without a zone is meant in UTC; with one it is a moment all the same.
        DataType::Timestamp(_, zone) => {
            let cast = cast(&array, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
            cast.as_primitive::<TimestampMicrosecondType>().clone()
        }
        DataType::Date32 | DataType::Date64 => {
            let cast = cast(&array, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            cast.as_primitive::<TimestampMicrosecondType>().clone()
        }
        data_type if data_type.is_integer() => {
            let whole = cast(&array, &DataType::Int64)?;
            let whole = whole.as_primitive::<Int64Type>();
            whole.iter().map(|number| micros(Timestamp::from_epoch_integer(number?).ok())).collect()
        }
        data_type if data_type.is_numeric() => {
            let numbers = numbers(&array)?;
            let numbers = numbers.as_primitive::<Float64Type>();
            numbers.iter().map(|number| micros(Timestamp::from_epoch(number?).ok())).collect()
        }
        data_type if FeatureType::of(data_type) == Some(FeatureType::Text) => {
            let texts = cast(&array, &DataType::Utf8)?;
            let texts = texts.as_string::<i32>();
            texts.iter().map(|text| micros(Timestamp::parse(text?).ok())).collect()
        }
        _ => TimestampMicrosecondArray::new_null(array.len()),
    })
}

/// When rows were taken in: what the file says, else now.
pub(super) fn received(array: &ArrayRef, now: Timestamp) -> ArrayRef {
    if array.null_count() == 0 {
        return Arc::clone(array);
    }
    let times = array.as_primitive::<TimestampMicrosecondType>();
    let filled: TimestampMicrosecondArray = times.iter().map(|time| Some(time.unwrap_or(now.micros()))).collect();
    Arc::new(filled.with_timezone("UTC"))
}

/// Rows whose value did not survive a cast.
fn refuse_lost(before: &dyn Array, after: &dyn Array, verdict: &mut Verdict) -> Result<(), ArrowError> {
    if after.null_count() == before.logical_null_count() {
        return Ok(());
    }
    let lost = arrow::compute::and(&is_not_null(before)?, &is_null(after)?)?;
    verdict.refuse(&lost)
}

/// As [`refuse_lost`], but a NaN may be lost: it is no value.
fn refuse_lost_unless_nan(before: &ArrayRef, after: &ArrayRef, verdict: &mut Verdict) -> Result<(), ArrowError> {
    if before.data_type().is_floating() { Ok(()) } else { refuse_lost(before, after, verdict) }
}

fn is_empty_text(array: &ArrayRef) -> BooleanArray {
    let empty_keys = |row: usize| match array.as_dictionary_opt::<Int32Type>() {
        Some(dictionary) => {
            let values = dictionary.values().as_string_opt::<i32>();
            dictionary.is_valid(row)
                && values.is_some_and(|values| values.value_length(dictionary.keys().value(row) as usize) == 0)
        }
        None => array.as_string_opt::<i32>().is_some_and(|texts| texts.is_valid(row) && texts.value_length(row) == 0),
    };
    BooleanArray::new((0..array.len()).map(empty_keys).collect(), None)
}

fn is_no_status(array: &ArrayRef) -> BooleanArray {
    let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() else {
        return BooleanArray::from(vec![false; array.len()]);
    };
    let texts = dictionary.values().as_string_opt::<i32>();
    let wrong: Vec<bool> = texts.map_or_else(Vec::new, |texts| {
        (0..texts.len()).map(|key| !matches!(texts.value(key), "ok" | "error")).collect()
    });
    let is_wrong = |row: usize| dictionary.is_valid(row) && wrong[dictionary.keys().value(row) as usize];
    BooleanArray::new((0..array.len()).map(is_wrong).collect(), None)
}
