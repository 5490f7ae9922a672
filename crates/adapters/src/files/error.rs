//! Why a file could not be read.

use std::path::PathBuf;

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

/// A file or folder that could not be read. What was read before it stays read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No such file, no permission, or a read that failed.
    #[error("cannot read `{path}`: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A name whose ending says nothing.
    #[error("`{path}` is of no known format: its name must end in one of {known}", path = path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// The endings that are known.
        known: String,
    },
    /// Nothing to read.
    #[error("no telemetry below `{path}`: files must end in one of {known}", path = path.display())]
    NothingToRead {
        /// The folder.
        path: PathBuf,
        /// The endings that are known.
        known: String,
    },
    /// A compressed file that is damaged or cut short.
    #[error("`{path}` is damaged after {read} decompressed bytes, which were read: {source}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How much was read before.
        read: u64,
        /// What the decompressor says.
        source: std::io::Error,
    },
    /// A Parquet file that is damaged, or none.
    #[error("cannot read `{path}` as Parquet: {source}", path = path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: ParquetError,
    },
    /// Columns that could not be brought into the event schema.
    #[error("cannot bring the columns of `{path}` into the event schema: {source}", path = path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// What Arrow says.
        source: ArrowError,
    },
    /// A CSV file without a header, or one that names a column twice.
    #[error("cannot read `{path}` as CSV: {problem}", path = path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}
