//! Two threads that read and decode ahead of the caller.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use wardline_domain::{DeadLetter, DeadLetterReason, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    FormatSpec, SourceError, list,
    pieces::{FileToRead, Piece},
};
use crate::{Arrival, Decoded, SchemaRegistry, columnar::ColumnDecoder, ndjson};

/// How files are read.
#[derive(Clone, Debug)]
pub struct FilesSettings {
    /// The longest line, in bytes.
    pub max_line_bytes: usize,
    /// When the events are taken in; files of ours that say so themselves keep their own.
    pub received: Timestamp,
}

impl Default for FilesSettings {
    fn default() -> Self {
        Self { max_line_bytes: 1 << 20, received: Timestamp::default() }
    }
}

/// About 8,000 events of usual size.
const CHUNK_BYTES: usize = 4 << 20;
/// Rows of Parquet that are decoded at once.
const BATCH_ROWS: usize = 32 * 1024;
/// How many pieces wait between two threads.
const AHEAD: usize = 3;
/// The sender of events whose files do not name one.
const SENDER: &str = "file";

/// Events of files, in the order of the files' first events.
pub struct Files {
    total_bytes: u64,
    bytes_read: Arc<AtomicU64>,
    decoded: Option<Receiver<Result<Decoded, SourceError>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// What the reading thread hands to the decoding one.
enum Read {
    Start(PathBuf),
    Piece(Piece, u64),
    Failed(SourceError),
}

impl Files {
    /// Starts to read files, and the files of known formats in folders.
    ///
    /// # Errors
    /// [`SourceError`] where a path cannot be read, or holds nothing to read.
    pub fn open(
        paths: &[PathBuf],
        registry: Arc<SchemaRegistry>,
        settings: FilesSettings,
    ) -> Result<Self, SourceError> {
        Self::open_without(&[], paths, registry, settings)
    }

    /// As [`Files::open`], but leaves columns of Parquet files unread that nobody looks at, such as
    /// `trace_id`: reading is most of the work.
    ///
    /// # Errors
    /// As [`Files::open`].
    pub fn open_without(
        without: &[&str],
        paths: &[PathBuf],
        registry: Arc<SchemaRegistry>,
        settings: FilesSettings,
    ) -> Result<Self, SourceError> {
        let mut files = Vec::new();
        for found in list::list(paths)? {
            let failed = |source| SourceError::Io { path: found.path.clone(), source };
            let length = fs::metadata(&found.path).map_err(failed)?.len();
            // A file that cannot be read says so when its turn comes.
            let first = (found.format.first_time)(&found.path).unwrap_or(None);
            files.push((first, found, length));
        }
        // Stable, so that files without a time, or of the same one, stay in the order of their paths.
        files.sort_by_key(|(first, ..)| first.unwrap_or(Timestamp::from_micros(i64::MAX)));
        let total_bytes = files.iter().map(|(.., length)| length).sum();
        let (bytes_read, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let (give, take) = sync_channel(AHEAD);
        let (give_decoded, decoded) = sync_channel(AHEAD);
        let work: Vec<_> = files
            .into_iter()
            .map(|(_, found, length)| (found.format, file_to_read(found.path, &settings, without), length))
            .collect();
        let stopped = Arc::clone(&stop);
        let reader = thread::spawn(move || read_all(&work, &give, &stopped));
        let progress = Arc::clone(&bytes_read);
        let decoder = thread::spawn(move || decode_all(&take, &give_decoded, &registry, &settings, &progress));
        Ok(Self { total_bytes, bytes_read, decoded: Some(decoded), stop, threads: vec![reader, decoder] })
    }

    /// The files' size on disk.
    pub const fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// How much of it has been read and decoded.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }
}

impl Iterator for Files {
    type Item = Result<Decoded, SourceError>;

    /// The next events. An error is of one file; the next files still come.
    fn next(&mut self) -> Option<Self::Item> {
        if let Ok(decoded) = self.decoded.as_ref()?.recv() {
            return Some(decoded);
        }
        self.decoded = None;
        for thread in self.threads.drain(..) {
            // Events that are missing because of a defect of ours must not look like the end of the files.
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
        None
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Whoever waits to give finds that nobody takes any more.
        self.decoded = None;
        for thread in self.threads.drain(..) {
            // A panic has been reported by its thread already.
            let _ = thread.join();
        }
    }
}

fn file_to_read(path: PathBuf, settings: &FilesSettings, without: &[&str]) -> FileToRead {
    FileToRead {
        path,
        chunk_bytes: CHUNK_BYTES,
        batch_rows: BATCH_ROWS,
        max_line_bytes: settings.max_line_bytes,
        without: without.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn read_all(files: &[(&'static FormatSpec, FileToRead, u64)], give: &SyncSender<Read>, stop: &AtomicBool) {
    let mut before = 0;
    for (format, file, length) in files {
        if give.send(Read::Start(file.path.clone())).is_err() {
            return;
        }
        let mut sink = |piece, read: u64| {
            !stop.load(Ordering::Relaxed) && give.send(Read::Piece(piece, before + read.min(*length))).is_ok()
        };
        if let Err(error) = (format.read)(file, &mut sink)
            && give.send(Read::Failed(error)).is_err()
        {
            return;
        }
        before += length;
    }
}

fn decode_all(
    take: &Receiver<Read>,
    give: &SyncSender<Result<Decoded, SourceError>>,
    registry: &Arc<SchemaRegistry>,
    settings: &FilesSettings,
    progress: &AtomicU64,
) {
    let limits = ndjson::Limits { max_line_bytes: settings.max_line_bytes };
    let new_lines = |seed| ndjson::Decoder::with_limits(Arc::clone(registry), limits).with_id_seed(seed);
    let mut path = PathBuf::new();
    let mut lines = new_lines(0);
    let mut rows = ColumnDecoder::new(Arc::clone(registry), 0);
    for read in take {
        let decoded = match read {
            Read::Start(start) => {
                let seed = xxh3_64(start.as_os_str().as_encoded_bytes());
                (lines, rows) = (lines.with_id_seed(seed), ColumnDecoder::new(Arc::clone(registry), seed));
                path = start;
                continue;
            }
            Read::Failed(error) => Err(error),
            Read::Piece(piece, read) => {
                progress.store(read, Ordering::Relaxed);
                let source = path.display().to_string();
                let arrival = Arrival { received: settings.received, sender: SENDER, source: &source, offset: 0 };
                match piece {
                    Piece::Lines { chunk, origins } => {
                        let mut decoded = decode_chunk(&mut lines, &chunk, &arrival, settings.max_line_bytes);
                        if let Some(origins) = origins {
                            decoded
                                .dead_letters
                                .iter_mut()
                                .for_each(|letter| letter.offset = origins.of(letter.offset));
                        }
                        Ok(decoded)
                    }
                    Piece::Rows { rows: batch, first_row } => rows
                        .decode(&batch, &Arrival { offset: first_row, ..arrival })
                        .map_err(|source| SourceError::Columns { path: path.clone(), source }),
                }
            }
        };
        if give.send(decoded).is_err() {
            return;
        }
    }
}

/// Decodes lines, and adds those that were too long to be held.
fn decode_chunk(
    decoder: &mut ndjson::Decoder,
    chunk: &super::LineChunk,
    arrival: &Arrival<'_>,
    max_line_bytes: usize,
) -> Decoded {
    let mut decoded = decoder.decode(&chunk.bytes, &Arrival { offset: chunk.offset, ..*arrival });
    let refused = chunk.refused.iter().map(|line| {
        let reason = DeadLetterReason::TooLong { bytes: line.length, most: max_line_bytes as u64 };
        DeadLetter::new(arrival.received, arrival.source, line.offset, reason, &line.start)
    });
    decoded.records += chunk.refused.len() as u64;
    decoded.dead_letters.splice(0..0, refused);
    decoded
}
