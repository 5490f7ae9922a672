//! What formats give, piece by piece, to whoever decodes.

use std::path::PathBuf;

use arrow::array::RecordBatch;

use super::{LineChunk, SourceError};

/// A file, and what the reader needs to know of the caller's wishes.
pub(crate) struct FileToRead {
    pub(crate) path: PathBuf,
    pub(crate) chunk_bytes: usize,
    pub(crate) batch_rows: usize,
    pub(crate) max_line_bytes: usize,
    /// Columns that nobody wants.
    pub(crate) without: Vec<String>,
}

/// A stretch of a file.
pub(crate) enum Piece {
    /// Lines of NDJSON.
    Lines {
        /// The lines.
        chunk: LineChunk,
        /// Where the lines stand in the file, where that differs from where they stand in the chunk's stream.
        origins: Option<Origins>,
    },
    /// Rows under the names of their file.
    Rows {
        /// The rows.
        rows: RecordBatch,
        /// The number of the first row in the file.
        first_row: u64,
    },
}

/// Maps offsets of lines that were made to offsets of what they were made from.
#[derive(Debug, Default)]
pub(crate) struct Origins(Vec<(u64, u64)>);

impl Origins {
    /// The line that starts at `made` was made from what starts at `origin`. Lines come in order.
    pub(crate) fn push(&mut self, made: u64, origin: u64) {
        self.0.push((made, origin));
    }

    /// Where what became the line at an offset stands.
    pub(crate) fn of(&self, made: u64) -> u64 {
        match self.0.binary_search_by_key(&made, |(made, _)| *made) {
            Ok(place) => self.0[place].1,
            Err(_) => made,
        }
    }
}

/// Takes a piece, and how much of the file has been read so far; `false` where nobody wants more.
pub(crate) type Sink<'a> = dyn FnMut(Piece, u64) -> bool + 'a;

/// The failure of a file's reader.
pub(crate) fn failed(file: &FileToRead) -> impl Fn(std::io::Error) -> SourceError + '_ {
    |source| SourceError::Io { path: file.path.clone(), source }
}
