//! Writes an answer to a Parquet file.

use std::{fs::File, io, path::Path};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
};

/// Writes batches to a file, compressed with zstd. A file that is there is replaced.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_parquet(file: &Path, schema: &SchemaRef, batches: &[RecordBatch]) -> io::Result<()> {
    let compression = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let write = || -> Result<(), ParquetError> {
        let mut writer = ArrowWriter::try_new(File::create(file)?, SchemaRef::clone(schema), Some(properties))?;
        batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.close()?;
        Ok(())
    };
    write().map_err(io::Error::other)
}
