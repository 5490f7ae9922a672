//! NDJSON files, compressed or not.

use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use wardline_domain::Timestamp;

use super::{
    FormatSpec, LineChunks, SourceError, decompressed,
    pieces::{FileToRead, Piece, Sink, failed},
};
use crate::json::Tape;

pub(super) const SPEC: FormatSpec = FormatSpec {
    name: "NDJSON",
    extensions: &["ndjson", "jsonl", "json"],
    shared_extensions: &["json"],
    may_be_compressed: true,
    read,
    first_time,
    time_span,
};

/// How much of a file's start and end is searched for a time.
const END_BYTES: usize = 64 * 1024;

fn read(file: &FileToRead, sink: &mut Sink<'_>) -> Result<(), SourceError> {
    let (reader, position) = open(&file.path).map_err(failed(file))?;
    let mut chunks = LineChunks::new(reader, file.chunk_bytes, file.max_line_bytes);
    loop {
        let read = chunks.offset();
        match chunks.next_chunk() {
            Ok(Some(mut chunk)) => {
                if chunk.offset == 0 && chunk.bytes.starts_with(b"\xef\xbb\xbf") {
                    // Some editors put a byte order mark in front; spaces keep the offsets.
                    chunk.bytes[..3].fill(b' ');
                }
                if !sink(Piece::Lines { chunk, origins: None }, position.load(Ordering::Relaxed)) {
                    return Ok(());
                }
            }
            Ok(None) => return Ok(()),
            Err(source) => return Err(SourceError::Damaged { path: file.path.clone(), read, source }),
        }
    }
}

/// Counts the bytes that pass.
struct Counted<R>(R, Arc<AtomicU64>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// What a file holds, decompressed, and how much of the file has been read.
pub(super) fn open(path: &Path) -> io::Result<(Box<dyn Read + Send>, Arc<AtomicU64>)> {
    let position = Arc::new(AtomicU64::new(0));
    let reader = decompressed(Counted(File::open(path)?, Arc::clone(&position)))?;
    Ok((reader, position))
}

fn first_time(path: &Path) -> Result<Option<Timestamp>, SourceError> {
    let failed = |source| SourceError::Io { path: path.to_owned(), source };
    let (reader, _) = open(path).map_err(failed)?;
    let mut start = Vec::new();
    // A file that is damaged behind its start still has one.
    let _ = reader.take(END_BYTES as u64).read_to_end(&mut start).map_err(failed);
    Ok(times(&start).next())
}

fn time_span(path: &Path) -> Result<Option<(Timestamp, Timestamp)>, SourceError> {
    let failed = |source| SourceError::Io { path: path.to_owned(), source };
    let (mut reader, _) = open(path).map_err(failed)?;
    let mut start = Vec::new();
    let _ = reader.by_ref().take(END_BYTES as u64).read_to_end(&mut start).map_err(failed);
    let end = end_of(path, reader).map_err(failed)?;
    let at_start = times(&start);
    let all: Vec<Timestamp> = at_start.chain(times(&end)).collect();
    Ok(all.iter().min().copied().zip(all.iter().max().copied()))
}

/// The last lines of a file, without the one that is cut.
fn end_of(path: &Path, mut rest: Box<dyn Read + Send>) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut magic = [0; 4];
    let length = file.read(&mut magic)?;
    let is_plain = !matches!(magic[..length], [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd]);
    if is_plain {
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(length.saturating_sub(END_BYTES as u64)))?;
        let mut end = Vec::new();
        file.read_to_end(&mut end)?;
        return Ok(end);
    }
    // A compressed file can only be read from its start; two buffers in turn hold its end.
    let (mut last, mut before) = (Vec::new(), Vec::new());
    loop {
        std::mem::swap(&mut last, &mut before);
        last.clear();
        let read = rest.by_ref().take(END_BYTES as u64).read_to_end(&mut last);
        if !matches!(read, Ok(length) if length > 0) {
            before.append(&mut last);
            return Ok(before);
        }
        if last.len() < END_BYTES {
            before.append(&mut last);
            return Ok(before);
        }
    }
}

/// The time of each line that has one.
pub(super) fn times(lines: &[u8]) -> impl Iterator<Item = Timestamp> {
    let mut tape = Tape::default();
    lines.split(|byte| *byte == b'\n').filter_map(move |line| {
        let line = tape.read(std::str::from_utf8(line).ok()?.trim_start_matches('\u{feff}')).ok()?;
        let member = line.top().iter().rfind(|member| line.key(member) == "time")?;
        crate::read::time("time", line, member.value).ok().map(Timestamp::from_micros)
    })
}
