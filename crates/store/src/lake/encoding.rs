//! How each column of a file is encoded.
//!
//! Parquet's default, a dictionary for everything, is wrong for ids: the dictionary outgrows its limit
//! and the column falls back to plain text half-way. A look at some rows tells which kind a column is.

use std::hash::BuildHasher;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, Float64Type},
};
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    errors::ParquetError,
    file::{
        metadata::SortingColumn,
        properties::{WriterProperties, WriterPropertiesBuilder},
    },
    schema::types::ColumnPath,
};
use rustc_hash::{FxBuildHasher, FxHashSet};
use wardline_domain::column;

/// Rows that are looked at. Fewer would take a score of four decimals for one that never repeats.
pub(super) const SAMPLE_ROWS: usize = 32_768;
/// Rows of a row group: small enough that a query of an hour reads little of a file that holds a day.
pub(super) const ROW_GROUP_ROWS: usize = 131_072;
/// Rows of a page, within which nothing is skipped.
const PAGE_ROWS: usize = 20_000;
/// Level 3 costs a third of level 9 and makes files 4 % larger.
const ZSTD_LEVEL: i32 = 3;

/// Settings of the Parquet writer for rows like these, which are sorted by time.
pub(super) fn writer_properties(sample: &RecordBatch) -> Result<WriterProperties, ParquetError> {
    let time_column = sample.schema_ref().index_of(column::TIME).ok().and_then(|index| i32::try_from(index).ok());
    let sorting =
        time_column.map(|column_idx| vec![SortingColumn { column_idx, descending: false, nulls_first: false }]);
    let mut builder = WriterProperties::builder()
        .set_created_by("wardline".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_sorting_columns(sorting);
    let sample = sample.slice(0, sample.num_rows().min(SAMPLE_ROWS));
    for (field, array) in sample.schema_ref().fields().iter().zip(sample.columns()) {
        let path = ColumnPath::new(vec![field.name().clone()]);
        builder = match array.data_type() {
            DataType::Timestamp(_, _) | DataType::Int64 => integers(builder, path, array),
            DataType::Float64 => numbers(builder, path, array),
            DataType::Utf8 | DataType::Utf8View => texts(builder, path, array),
            DataType::List(item) if matches!(item.data_type(), DataType::Float32) => {
                // Numbers of an embedding hardly ever repeat; their exponents do.
                let item = ColumnPath::new(vec![field.name().clone(), "list".to_owned(), "element".to_owned()]);
                builder
                    .set_column_dictionary_enabled(item.clone(), false)
                    .set_column_encoding(item, Encoding::BYTE_STREAM_SPLIT)
            }
            _ => builder,
        };
    }
    Ok(builder.build())
}

fn integers(builder: WriterPropertiesBuilder, path: ColumnPath, array: &ArrayRef) -> WriterPropertiesBuilder {
    let data = array.to_data();
    let values = data.buffers().first().map_or(&[][..], |buffer| buffer.as_slice());
    if repeats(values.chunks_exact(8)) {
        return builder;
    }
    builder.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
}

fn numbers(builder: WriterPropertiesBuilder, path: ColumnPath, array: &ArrayRef) -> WriterPropertiesBuilder {
    let Some(values) = array.as_primitive_opt::<Float64Type>() else { return builder };
    if repeats(values.iter().flatten().map(f64::to_bits)) {
        return builder;
    }
    builder.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, Encoding::BYTE_STREAM_SPLIT)
}

fn texts(builder: WriterPropertiesBuilder, path: ColumnPath, array: &ArrayRef) -> WriterPropertiesBuilder {
    let texts: Vec<&str> = match array.data_type() {
        DataType::Utf8View => array.as_string_view_opt().into_iter().flat_map(|texts| texts.iter().flatten()).collect(),
        _ => array.as_string_opt::<i32>().into_iter().flat_map(|texts| texts.iter().flatten()).collect(),
    };
    if repeats(texts.iter()) {
        return builder;
    }
    // Ids that count up or begin with their time share a prefix with their neighbour.
    let shared: usize = texts.windows(2).map(|pair| shared_prefix(pair[0], pair[1])).sum();
    let total: usize = texts.iter().map(|text| text.len()).sum();
    let encoding = if 4 * shared > total { Encoding::DELTA_BYTE_ARRAY } else { Encoding::DELTA_LENGTH_BYTE_ARRAY };
    builder.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding)
}

fn shared_prefix(left: &str, right: &str) -> usize {
    left.bytes().zip(right.bytes()).take_while(|(left, right)| left == right).count()
}

/// Whether fewer than half of the values are new.
fn repeats<T: std::hash::Hash>(values: impl Iterator<Item = T>) -> bool {
    let mut seen = FxHashSet::default();
    let mut count = 0usize;
    for value in values {
        seen.insert(FxBuildHasher.hash_one(value));
        count += 1;
    }
    2 * seen.len() <= count
}
