//! Telemetry from files and folders, as fast as the disk and two threads allow.
//!
//! One thread reads, decompresses and splits into lines; another decodes; the caller takes what they have
//! made. Files are read in the order of their first event, so that a folder of days is read as it happened.

mod compressed;
mod csv;
mod error;
mod lines;
mod list;
mod parquet;
mod pieces;
mod reading;
mod text;

use std::path::{Path, PathBuf};

use wardline_domain::Timestamp;

pub use compressed::decompressed;
pub use error::SourceError;
pub use lines::{LineChunk, LineChunks, RefusedLine};
pub use reading::{Files, FilesSettings};

use pieces::{FileToRead, Sink};

/// A format of files. A new one is its own file and its line in [`FORMATS`].
pub struct FormatSpec {
    /// The name in messages.
    pub name: &'static str,
    /// How file names end, before `.gz` or `.zst`.
    pub extensions: &'static [&'static str],
    /// Endings that telemetry shares with other files. Below a folder, such a file is read where its first
    /// records have a time.
    pub shared_extensions: &'static [&'static str],
    /// Whether such files may be compressed as a whole.
    pub may_be_compressed: bool,
    /// Reads a file piece by piece.
    pub(crate) read: fn(&FileToRead, &mut Sink<'_>) -> Result<(), SourceError>,
    /// The time of the first event, or of one of the first.
    pub(crate) first_time: fn(&Path) -> Result<Option<Timestamp>, SourceError>,
    /// The times of the first and the last event.
    pub(crate) time_span: fn(&Path) -> Result<TimeSpan, SourceError>,
}

/// The times of the first and the last event; `None` where no event has a time.
type TimeSpan = Option<(Timestamp, Timestamp)>;

/// Every format that files are read in.
pub const FORMATS: &[FormatSpec] = &[text::SPEC, parquet::SPEC, csv::SPEC];

/// The times of the first and the last event of files and folders; `None` where no event has a time.
///
/// Only the ends of files are looked at, so where a file is not in order the span is a little too small.
///
/// # Errors
/// [`SourceError`] where a path cannot be read, or no file can.
pub fn time_span(paths: &[PathBuf]) -> Result<Option<(Timestamp, Timestamp)>, SourceError> {
    let mut span: Option<(Timestamp, Timestamp)> = None;
    let mut failed = None;
    for found in list::list(paths)? {
        match (found.format.time_span)(&found.path) {
            Ok(Some((first, last))) => {
                let (low, high) = span.unwrap_or((first, last));
                span = Some((low.min(first), high.max(last)));
            }
            Ok(None) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) if span.is_none() => Err(error),
        _ => Ok(span),
    }
}
