//! Rows to a Parquet file: sorted by time, only the columns that hold something, plain types.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::{concat_batches, sort_to_indices, take},
    datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimestampMicrosecondType},
};
use parquet::arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions};
use wardline_domain::column;

use super::{LakeError, encoding, file_statistics::FileStatistics, tail::TailBatch};

/// A file, ready to be stored.
#[derive(Debug)]
pub(super) struct EncodedFile {
    /// The Parquet bytes.
    pub(super) bytes: Vec<u8>,
    /// What the log says of it.
    pub(super) statistics: FileStatistics,
}

/// The schema that rows are read and written with: text as views, which are cheap to sort and to cast to.
pub(crate) fn view_schema(schema: &SchemaRef) -> SchemaRef {
    let fields: Fields = schema
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
            _ => Arc::clone(field),
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// Encodes a table's tail under its schema.
pub(super) fn encode(batches: &[Arc<TailBatch>], schema: &SchemaRef) -> Result<EncodedFile, LakeError> {
    let views = view_schema(schema);
    let fitted: Vec<RecordBatch> = batches.iter().map(|batch| batch.fit(&views)).collect::<Result<_, _>>()?;
    let sorted = without_empty_columns(&sorted_by_time(&concat_batches(&views, &fitted)?)?)?;
    let mut statistics = FileStatistics::default();
    statistics.observe(&sorted);
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), sorted.schema(), writer_options(&sorted)?)?;
    writer.write(&sorted)?;
    Ok(EncodedFile { bytes: writer.into_inner()?, statistics })
}

/// Options of the writer. The embedded Arrow schema is left out, so that every reader sees plain types.
pub(super) fn writer_options(sample: &RecordBatch) -> Result<ArrowWriterOptions, LakeError> {
    let properties = encoding::writer_properties(sample)?;
    Ok(ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true))
}

fn sorted_by_time(records: &RecordBatch) -> Result<RecordBatch, LakeError> {
    let Some(times) = records.column_by_name(column::TIME) else { return Ok(records.clone()) };
    let values = times.as_primitive_opt::<TimestampMicrosecondType>().map_or(&[][..], |times| times.values());
    if values.is_sorted() {
        return Ok(records.clone());
    }
    let order = sort_to_indices(times, None, None)?;
    let columns: Vec<ArrayRef> =
        records.columns().iter().map(|array| take(array, &order, None)).collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(records.schema(), columns)?)
}

/// Columns without a value are left out: readers see null for a column that a file does not have.
fn without_empty_columns(records: &RecordBatch) -> Result<RecordBatch, LakeError> {
    let kept: Vec<(Field, ArrayRef)> = records
        .schema_ref()
        .fields()
        .iter()
        .zip(records.columns())
        .filter(|(field, array)| array.null_count() < array.len() || field.name() == column::TIME)
        .map(|(field, array)| (field.as_ref().clone(), Arc::clone(array)))
        .collect();
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = kept.into_iter().unzip();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}
