//! What can go wrong with the lake.

use arrow::error::ArrowError;
use deltalake::{DeltaTableError, kernel::transaction::TransactionError};
use parquet::errors::ParquetError;

/// Why the lake could not do something.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The location is no URL of a store that this build knows.
    #[error(
        "cannot open the lake at `{location}`: write a folder, or the URL of an object store that this build supports"
    )]
    Location {
        /// What was written.
        location: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The Delta log of a table could not be read or written.
    #[error("cannot {doing} table `{table}`: {source}")]
    Log {
        /// The table.
        table: String,
        /// What was tried.
        doing: &'static str,
        /// Why not.
        source: Box<DeltaTableError>,
    },
    /// A commit was refused.
    #[error("cannot commit to table `{table}`: {source}")]
    Commit {
        /// The table.
        table: String,
        /// Why not.
        source: Box<TransactionError>,
    },
    /// Another writer removed files that this commit rests on, or won every attempt.
    #[error("table `{table}` was changed by another writer at the same time: try again")]
    Conflict {
        /// The table.
        table: String,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} a file of table `{table}`: {source}")]
    File {
        /// The table.
        table: String,
        /// What was tried.
        doing: &'static str,
        /// Why not.
        source: object_store::Error,
    },
    /// A file could not be made durable.
    #[error("cannot make `{path}` durable: {source}; check the disk")]
    Sync {
        /// The file or folder.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// Rows could not be written as Parquet.
    #[error("cannot encode rows as Parquet: {0}")]
    Parquet(#[from] ParquetError),
    /// Columns could not be rearranged.
    #[error("cannot rearrange columns: {0}")]
    Arrow(#[from] ArrowError),
    /// A table did not take its rows of a record; the record's rows for other tables are in.
    #[error("table `{table}` refused rows of record {sequence}: {source}")]
    Refused {
        /// The table.
        table: String,
        /// The record's number.
        sequence: u64,
        /// Why.
        source: Box<LakeError>,
    },
    /// A batch of a per-model kind names no model.
    #[error("a batch of {kind} records names no model: this is a defect, please report it")]
    NoModel {
        /// The kind of record.
        kind: &'static str,
    },
    /// Files could not be merged.
    #[error("cannot merge files of table `{table}`: {source}")]
    Merge {
        /// The table.
        table: String,
        /// Why not.
        source: Box<datafusion::error::DataFusionError>,
    },
    /// The thread that merges files could not be started.
    #[error("cannot start the thread that merges files: {0}; raise the limit of threads or of memory")]
    Thread(#[source] std::io::Error),
    /// The process is shutting down.
    #[error("the lake is shutting down")]
    Stopped,
}
