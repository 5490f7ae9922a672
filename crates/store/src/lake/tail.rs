//! The newest rows of a table, in memory until they are in a file.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array},
    compute::{cast, concat},
    datatypes::{DataType, Field, Schema, SchemaRef, TimestampMicrosecondType},
    error::ArrowError,
};
use wardline_domain::column;

/// Batches below this many rows are merged with their neighbours: a thousand models that send a row at
/// a time would otherwise leave more headers than data.
const SMALL_ROWS: usize = 8_192;
/// So many batches of like size are merged at once.
const MERGED_AT_ONCE: usize = 8;

/// Some of a table's newest rows.
#[derive(Clone, Debug)]
pub(crate) struct TailBatch {
    /// The rows, under the table's column names; repeated text is still dictionary-encoded.
    pub(crate) records: RecordBatch,
    /// Earliest and latest time.
    pub(crate) time_range: (i64, i64),
}

/// A table's newest rows, oldest first.
#[derive(Debug, Default)]
pub(super) struct Tail {
    batches: Vec<Arc<TailBatch>>,
    rows: usize,
    bytes: usize,
    /// Sequences of the first and the last record with rows in here.
    sequences: Option<(u64, u64)>,
}

impl TailBatch {
    pub(super) fn new(records: RecordBatch) -> Self {
        let times =
            records.column_by_name(column::TIME).and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>());
        let values = times.map_or(&[][..], |times| times.values());
        let low = values.iter().copied().min().unwrap_or(i64::MIN);
        let high = values.iter().copied().max().unwrap_or(i64::MAX);
        Self { records, time_range: (low, high) }
    }

    /// The rows with the columns and types of a schema; columns that are not here are null.
    pub(crate) fn fit(&self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        let rows = self.records.num_rows();
        let columns = schema.fields().iter().map(|field| fit_column(&self.records, field, rows));
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect::<Result<_, _>>()?, &options)
    }
}

impl Tail {
    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn first_sequence(&self) -> Option<u64> {
        match self.sequences {
            Some((first, _)) => Some(first),
            None => None,
        }
    }

    pub(super) const fn last_sequence(&self) -> Option<u64> {
        match self.sequences {
            Some((_, last)) => Some(last),
            None => None,
        }
    }

    pub(super) fn batches(&self) -> &[Arc<TailBatch>] {
        &self.batches
    }

    /// Adds rows of a record.
    pub(super) fn push(&mut self, sequence: u64, records: RecordBatch) -> Result<(), ArrowError> {
        self.rows += records.num_rows();
        self.bytes += records.get_array_memory_size();
        self.sequences = Some((self.first_sequence().unwrap_or(sequence), sequence));
        self.batches.push(Arc::new(TailBatch::new(records)));
        self.merge_small()
    }

    /// Merges the last batches once several of like size have come together, so that each row is copied a
    /// logarithmic number of times, and the cost of a column is paid for many batches at once.
    fn merge_small(&mut self) -> Result<(), ArrowError> {
        while let Some(start) = self.mergeable() {
            let parts: Vec<&RecordBatch> = self.batches[start..].iter().map(|batch| &batch.records).collect();
            let bytes: usize = parts.iter().map(|records| records.get_array_memory_size()).sum();
            let merged = concat_by_name(&parts)?;
            self.bytes = (self.bytes - bytes) + merged.get_array_memory_size();
            self.batches.truncate(start);
            self.batches.push(Arc::new(TailBatch::new(merged)));
        }
        Ok(())
    }

    /// Where the batches begin that are no larger than the last in order of magnitude, if they are many.
    fn mergeable(&self) -> Option<usize> {
        let largest = magnitude(self.batches.last()?.records.num_rows());
        let mut rows = 0;
        let small = self.batches.iter().rev().take_while(|batch| {
            rows += batch.records.num_rows();
            rows <= SMALL_ROWS && magnitude(batch.records.num_rows()) <= largest
        });
        let count = small.count();
        (count >= MERGED_AT_ONCE).then(|| self.batches.len() - count)
    }
}

/// Digits of a number of rows in base [`MERGED_AT_ONCE`].
fn magnitude(rows: usize) -> u32 {
    rows.max(1).ilog(MERGED_AT_ONCE)
}

/// The rows of all batches, with the columns of any.
fn concat_by_name(parts: &[&RecordBatch]) -> Result<RecordBatch, ArrowError> {
    let mut fields: Vec<Arc<Field>> = Vec::new();
    for part in parts {
        for (place, field) in part.schema_ref().fields().iter().enumerate() {
            let is_known = fields.get(place).is_some_and(|known| known.name() == field.name())
                || fields.iter().any(|known| known.name() == field.name());
            if !is_known {
                fields.push(Arc::new(field.as_ref().clone().with_nullable(true)));
            }
        }
    }
    let columns = fields.iter().enumerate().map(|(place, field)| {
        let fitted = parts.iter().map(|part| fit_column_at(part, place, field));
        let fitted = fitted.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        concat(&fitted.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>())
    });
    let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// As [`fit_column`], for a column that most likely is at the same place in all batches.
fn fit_column_at(records: &RecordBatch, place: usize, field: &Field) -> Result<ArrayRef, ArrowError> {
    let here = records.schema_ref().fields().get(place).filter(|here| here.name() == field.name());
    match here {
        Some(here) if here.data_type() == field.data_type() => Ok(Arc::clone(records.column(place))),
        _ => fit_column(records, field, records.num_rows()),
    }
}

fn fit_column(records: &RecordBatch, field: &Field, rows: usize) -> Result<ArrayRef, ArrowError> {
    match records.column_by_name(field.name()) {
        Some(array) if array.data_type() == field.data_type() => Ok(Arc::clone(array)),
        Some(array) => fit_type(array, field.data_type()),
        None => Ok(new_null_array(field.data_type(), rows)),
    }
}

/// Casts a column. Maps and lists that differ in nothing but the names of their parts are rebuilt, which
/// the general cast refuses.
fn fit_type(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    cast(array, to).or_else(|error| {
        if std::mem::discriminant(array.data_type()) != std::mem::discriminant(to) {
            return Err(error);
        }
        let data = array.to_data().into_builder().data_type(to.clone()).build()?;
        Ok(arrow::array::make_array(data))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, TimestampMicrosecondArray};
    use wardline_domain::schema;

    fn rows(times: &[i64], extra: Option<&str>) -> RecordBatch {
        let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC"));
        let mut columns = vec![("time", time)];
        if let Some(name) = extra {
            columns.push((name, Arc::new(Float64Array::from(vec![1.0; times.len()])) as ArrayRef));
        }
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn a_row_at_a_time_makes_few_batches_and_loses_nothing() {
        let mut tail = Tail::default();
        for sequence in 0..1_000 {
            tail.push(sequence, rows(&[sequence as i64], (sequence % 3 == 0).then_some("feature_a"))).unwrap();
        }
        assert!(tail.batches().len() <= 16, "{} batches", tail.batches().len());
        assert_eq!(tail.rows(), 1_000);
        let counted: usize = tail.batches().iter().map(|batch| batch.records.num_rows()).sum();
        assert_eq!(counted, 1_000);
        assert_eq!((tail.first_sequence(), tail.last_sequence()), (Some(0), Some(999)));
        let present: usize = tail
            .batches()
            .iter()
            .filter_map(|batch| batch.records.column_by_name("feature_a"))
            .map(|array| array.len() - array.null_count())
            .sum();
        assert_eq!(present, 334);
    }

    #[test]
    fn fitting_fills_what_is_missing_and_casts_what_differs() {
        let batch = TailBatch::new(rows(&[5, 3], None));
        assert_eq!(batch.time_range, (3, 5));
        let schema = Arc::new(Schema::new(vec![
            Field::new("label", DataType::Utf8View, true),
            Field::new("time", schema::timestamp(), true),
        ]));
        let fitted = batch.fit(&schema).unwrap();
        assert_eq!(fitted.column(0).null_count(), 2);
    }
}
