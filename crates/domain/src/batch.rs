//! What flows: an Arrow record batch of one kind and, where the kind has one, one model.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    compute::{cast, concat_batches},
    datatypes::{DataType, Int32Type, Schema, TimestampMicrosecondType},
    error::ArrowError,
};

use crate::{RecordKind, Timestamp, column};

/// Events of one kind; those of a per-model kind are of one model.
///
/// The schema is [`crate::schema::base`] with the model's own columns behind it.
#[derive(Clone, Debug)]
pub struct EventBatch {
    /// Which record the rows are.
    pub kind: RecordKind,
    /// The model of every row; `None` for outcome, deployment, metric and log records.
    pub model: Option<Arc<str>>,
    /// The rows, in the order of arrival.
    pub records: RecordBatch,
}

/// A batch that is not what its kind promises.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// A column is missing or has another type.
    #[error("column `{column}` of {kind} records is missing or not {expected}")]
    Column {
        /// The record kind.
        kind: RecordKind,
        /// The column.
        column: String,
        /// The type it should have.
        expected: &'static str,
    },
    /// Arrow could not carry it out.
    #[error("the batch could not be rearranged")]
    Arrow(#[from] ArrowError),
}

/// A text column, dictionary-encoded or plain.
#[derive(Clone, Copy, Debug)]
pub enum TextColumn<'a> {
    /// Dictionary keys and the dictionary's values.
    Dictionary(&'a DictionaryArray<Int32Type>, &'a StringArray),
    /// Plain text.
    Plain(&'a StringArray),
}

impl<'a> TextColumn<'a> {
    /// The text of a row; `None` where it is null.
    pub fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Dictionary(keys, values) => {
                let key = keys.keys().is_valid(row).then(|| keys.keys().value(row) as usize)?;
                values.is_valid(key).then(|| values.value(key))
            }
            Self::Plain(values) => values.is_valid(row).then(|| values.value(row)),
        }
    }

    /// Where the text is dictionary-encoded: the number of its row's value, so that a caller can look a
    /// value up once per batch instead of once per row.
    pub fn code(&self, row: usize) -> Option<usize> {
        match self {
            Self::Dictionary(keys, _) => keys.keys().is_valid(row).then(|| keys.keys().value(row) as usize),
            Self::Plain(_) => None,
        }
    }

    /// The dictionary, where there is one.
    pub fn dictionary(&self) -> Option<&'a StringArray> {
        match self {
            Self::Dictionary(_, values) => Some(values),
            Self::Plain(_) => None,
        }
    }
}

impl EventBatch {
    /// Number of events.
    pub fn len(&self) -> usize {
        self.records.num_rows()
    }

    /// Whether it holds no event.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A column by name, whatever its type. One of the kind's own is found at its place, at the cost of a hash.
    pub fn column(&self, name: &str) -> Option<&ArrayRef> {
        let at = crate::schema::place(self.kind, name);
        at.filter(|&at| self.records.schema_ref().fields().get(at).is_some_and(|field| field.name() == name))
            .and_then(|at| self.records.columns().get(at))
            .or_else(|| self.records.column_by_name(name))
    }

    /// A Float64 column; `None` where the batch has none of that name and type.
    pub fn number(&self, name: &str) -> Option<&Float64Array> {
        self.column(name)?.as_primitive_opt()
    }

    /// An Int64 column.
    pub fn integer(&self, name: &str) -> Option<&Int64Array> {
        self.column(name)?.as_primitive_opt()
    }

    /// A Boolean column.
    pub fn boolean(&self, name: &str) -> Option<&BooleanArray> {
        self.column(name)?.as_boolean_opt()
    }

    /// A text column, dictionary-encoded or plain.
    pub fn text(&self, name: &str) -> Option<TextColumn<'_>> {
        text_of(self.column(name)?)
    }

    /// The events' times.
    ///
    /// # Errors
    /// [`BatchError::Column`] where there is no `time`: such a batch breaks the schema.
    pub fn times(&self) -> Result<&TimestampMicrosecondArray, BatchError> {
        self.column(column::TIME).and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>()).ok_or_else(
            || BatchError::Column { kind: self.kind, column: column::TIME.to_owned(), expected: "UTC microseconds" },
        )
    }

    /// The earliest and the latest event time; `None` for an empty batch.
    pub fn time_range(&self) -> Option<(Timestamp, Timestamp)> {
        let times = self.times().ok()?;
        let (mut low, mut high) = (i64::MAX, i64::MIN);
        for &time in times.values() {
            low = low.min(time);
            high = high.max(time);
        }
        (low <= high).then(|| (Timestamp::from_micros(low), Timestamp::from_micros(high)))
    }

    /// Name and column of every column whose name starts with a prefix, without the prefix.
    pub fn prefixed<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a ArrayRef)> + 'a {
        let schema = self.records.schema_ref();
        schema
            .fields()
            .iter()
            .zip(self.records.columns())
            .filter_map(move |(field, array)| field.name().strip_prefix(prefix).map(|name| (name, array)))
    }

    /// One batch from several of the same kind and model; columns that only some have are null elsewhere.
    ///
    /// # Errors
    /// [`BatchError::Arrow`] where a column has two types.
    pub fn concat(batches: &[&Self]) -> Result<Option<Self>, BatchError> {
        let Some(first) = batches.first() else { return Ok(None) };
        let schema = Schema::try_merge(batches.iter().map(|batch| batch.records.schema().as_ref().clone()))?;
        let schema = Arc::new(schema);
        let aligned: Vec<RecordBatch> =
            batches.iter().map(|batch| align(&batch.records, &schema)).collect::<Result<_, _>>()?;
        let records = concat_batches(&schema, &aligned)?;
        Ok(Some(Self { kind: first.kind, model: first.model.clone(), records }))
    }
}

/// The same rows under another schema: columns by name, cast where the type differs, null where missing.
///
/// # Errors
/// [`ArrowError`] where a cast is impossible.
pub(crate) fn align(records: &RecordBatch, schema: &Arc<Schema>) -> Result<RecordBatch, ArrowError> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| match records.column_by_name(field.name()) {
            Some(array) if array.data_type() == field.data_type() => Ok(Arc::clone(array)),
            Some(array) => cast(array, field.data_type()),
            None => Ok(arrow::array::new_null_array(field.data_type(), records.num_rows())),
        })
        .collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
}

/// Reads an array as text, where it is text.
pub(crate) fn text_of(array: &ArrayRef) -> Option<TextColumn<'_>> {
    match array.data_type() {
        DataType::Utf8 => array.as_string_opt::<i32>().map(TextColumn::Plain),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_dictionary_opt::<Int32Type>()?;
            let values = dictionary.values().as_string_opt::<i32>()?;
            Some(TextColumn::Dictionary(dictionary, values))
        }
        _ => None,
    }
}
