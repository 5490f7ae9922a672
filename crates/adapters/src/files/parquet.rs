//! Parquet files: ours read back, and those of others by the names of their columns.

use std::{
    fs::File,
    path::Path,
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    errors::ParquetError,
    file::statistics::Statistics,
};
use wardline_domain::{RecordKind, Timestamp, column, schema};

use super::{
    FormatSpec, SourceError,
    pieces::{FileToRead, Piece, Sink},
};
use crate::columnar;

pub(super) const SPEC: FormatSpec = FormatSpec {
    name: "Parquet",
    extensions: &["parquet"],
    shared_extensions: &["parquet"],
    may_be_compressed: false,
    read,
    first_time: |path| Ok(time_span(path)?.map(|(first, _)| first)),
    time_span,
};

/// Row groups that are decoded at the same time.
const THREADS: usize = 2;
/// Batches that wait in each thread.
const AHEAD: usize = 2;

fn read(file: &FileToRead, sink: &mut Sink<'_>) -> Result<(), SourceError> {
    let failed = |source| SourceError::Parquet { path: file.path.clone(), source };
    let open = || File::open(&file.path).map_err(|source| SourceError::Io { path: file.path.clone(), source });
    let reader = open()?;
    let length = reader.metadata().map_or(0, |metadata| metadata.len());
    let metadata = metadata_with_dictionaries(&reader).map_err(failed)?;
    let n_groups = metadata.metadata().num_row_groups();
    let total_rows = metadata.metadata().file_metadata().num_rows().max(1) as u64;
    let n_threads = THREADS.min(n_groups.max(1));
    thread::scope(|scope| {
        let mut receivers = Vec::new();
        for number in 0..n_threads {
            let (give, take) = sync_channel(AHEAD);
            receivers.push(take);
            let (metadata, reader) = (metadata.clone(), open()?);
            scope.spawn(move || {
                let groups = (number..n_groups).step_by(n_threads);
                for group in groups {
                    let done = read_group(&reader, &metadata, group, file, &give);
                    if !matches!(done, Ok(true)) || give.send(Ok(None)).is_err() {
                        // Nobody may be there any more to hear of it.
                        let _ = done.map_err(|error| give.send(Err(error)));
                        return;
                    }
                }
            });
        }
        let mut first_row = 0;
        for group in 0..n_groups {
            while let Ok(batch) = receivers[group % n_threads].recv() {
                let Some(rows) = batch.map_err(failed)? else { break };
                let next_row = first_row + rows.num_rows() as u64;
                let read = (u128::from(length) * u128::from(next_row) / u128::from(total_rows)) as u64;
                if !sink(Piece::Rows { rows, first_row }, read) {
                    return Ok(());
                }
                first_row = next_row;
            }
        }
        Ok(())
    })
}

/// Reads a row group; `false` where nobody wants more.
fn read_group(
    reader: &File,
    metadata: &ArrowReaderMetadata,
    group: usize,
    file: &FileToRead,
    give: &SyncSender<Result<Option<RecordBatch>, ParquetError>>,
) -> Result<bool, ParquetError> {
    // Threads that share an open file would share its position.
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(reader.try_clone()?, metadata.clone());
    let wanted = builder.schema().fields().iter().enumerate();
    let wanted: Vec<usize> =
        wanted.filter(|(_, field)| !file.without.contains(field.name())).map(|(place, _)| place).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let batches =
        builder.with_row_groups(vec![group]).with_projection(mask).with_batch_size(file.batch_rows).build()?;
    for batch in batches {
        if give.send(Ok(Some(batch?))).is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The file's metadata, with text asked for in the form that it flows in: where the file has a
/// dictionary, no text is copied.
fn metadata_with_dictionaries(reader: &File) -> Result<ArrowReaderMetadata, ParquetError> {
    let plain = ArrowReaderMetadata::load(reader, ArrowReaderOptions::new())?;
    let fields: Vec<Field> = plain.schema().fields().iter().map(|field| wanted_field(field)).collect();
    let wanted: SchemaRef = Arc::new(Schema::new_with_metadata(fields, plain.schema().metadata().clone()));
    let options = ArrowReaderOptions::new().with_schema(wanted);
    ArrowReaderMetadata::try_new(Arc::clone(plain.metadata()), options).or(Ok(plain))
}

fn wanted_field(field: &Field) -> Field {
    let is_text = matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    if !is_text {
        return field.clone();
    }
    let name = columnar::original_name(field);
    let base_type = RecordKind::ALL
        .iter()
        .find_map(|kind| schema::base(*kind).field_with_name(name).ok().map(|field| field.data_type().clone()));
    let wanted = match base_type {
        Some(DataType::Utf8) => DataType::Utf8,
        _ => schema::repeated_text(),
    };
    field.clone().with_data_type(wanted)
}

fn time_span(path: &Path) -> Result<Option<(Timestamp, Timestamp)>, SourceError> {
    let failed = |source| SourceError::Parquet { path: path.to_owned(), source };
    let reader = File::open(path).map_err(|source| SourceError::Io { path: path.to_owned(), source })?;
    let metadata = ArrowReaderMetadata::load(&reader, ArrowReaderOptions::new()).map_err(failed)?;
    let Ok(place) = metadata.schema().index_of(column::TIME) else { return Ok(None) };
    if let Some(span) = span_of_statistics(&metadata, place) {
        return Ok(Some(span));
    }
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(reader, metadata);
    let mask = ProjectionMask::roots(builder.parquet_schema(), [place]);
    let mut span: Option<(i64, i64)> = None;
    for batch in builder.with_projection(mask).build().map_err(failed)? {
        let batch = batch.map_err(|error| failed(error.into()))?;
        let times = columnar::times(batch.column(0)).map_err(|error| failed(error.into()))?;
        for time in times.iter().flatten() {
            let (low, high) = span.unwrap_or((time, time));
            span = Some((low.min(time), high.max(time)));
        }
    }
    Ok(span.map(|(low, high)| (Timestamp::from_micros(low), Timestamp::from_micros(high))))
}

/// The span that the row groups' statistics tell; `None` where one has none.
fn span_of_statistics(metadata: &ArrowReaderMetadata, place: usize) -> Option<(Timestamp, Timestamp)> {
    let DataType::Timestamp(unit, _) = metadata.schema().field(place).data_type() else { return None };
    let micros = |value: i64| match unit {
        TimeUnit::Second => value.saturating_mul(1_000_000),
        TimeUnit::Millisecond => value.saturating_mul(1_000),
        TimeUnit::Microsecond => value,
        TimeUnit::Nanosecond => value.div_euclid(1_000),
    };
    let descriptor = metadata.parquet_schema();
    let leaf = (0..descriptor.num_columns()).find(|leaf| descriptor.get_column_root_idx(*leaf) == place)?;
    let mut span: Option<(i64, i64)> = None;
    for group in metadata.metadata().row_groups() {
        let Some(Statistics::Int64(statistics)) = group.column(leaf).statistics() else { return None };
        let (low, high) = (micros(*statistics.min_opt()?), micros(*statistics.max_opt()?));
        let (least, most) = span.unwrap_or((low, high));
        span = Some((least.min(low), most.max(high)));
    }
    span.map(|(low, high)| (Timestamp::from_micros(low), Timestamp::from_micros(high)))
}
