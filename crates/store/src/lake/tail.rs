//! The newest rows of a table, in memory until they are in a file.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array},
    compute::{cast, concat},
    datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimestampMicrosecondType},
    error::ArrowError,
};
use wardline_domain::column;

/// Batches below this many rows are merged with their neighbours: a thousand models that send a row at
/// a time would otherwise leave more headers than data.
const SMALL_ROWS: usize = 8_192;

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

    /// Merges the last batches while they are small and of like size, so that each row is copied a
    /// logarithmic number of times.
    fn merge_small(&mut self) -> Result<(), ArrowError> {
        while let [.., before, last] = self.batches.as_slice() {
            let (left, right) = (before.records.num_rows(), last.records.num_rows());
            if left + right > SMALL_ROWS || left > 2 * right {
                break;
            }
            let bytes = before.records.get_array_memory_size() + last.records.get_array_memory_size();
            let merged = concat_by_name(&before.records, &last.records)?;
            self.bytes = (self.bytes - bytes) + merged.get_array_memory_size();
            self.batches.truncate(self.batches.len() - 2);
            self.batches.push(Arc::new(TailBatch::new(merged)));
        }
        Ok(())
    }
}

/// Both batches' rows, with the columns of either.
fn concat_by_name(first: &RecordBatch, second: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let mut fields: Vec<Arc<Field>> = first.schema_ref().fields().iter().cloned().collect();
    for field in second.schema_ref().fields() {
        if first.column_by_name(field.name()).is_none() {
            fields.push(Arc::clone(field));
        }
    }
    let columns = fields
        .iter()
        .map(|field| {
            let left = fit_column(first, field, first.num_rows())?;
            let right = fit_column(second, field, second.num_rows())?;
            concat(&[&left, &right])
        })
        .collect::<Result<Vec<_>, ArrowError>>()?;
    let nullable: Fields = fields.iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(nullable)), columns)
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
        assert!(tail.batches().len() <= 10, "{} batches", tail.batches().len());
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
