//! Splits a stream into chunks of whole lines, without ever holding more of a line than may be taken.

use std::io::{self, Read};

use wardline_domain::DeadLetter;

/// Whole lines, one after the other.
#[derive(Debug, Default)]
pub struct LineChunk {
    /// The lines with their ends; only the stream's last may lack one.
    pub bytes: Vec<u8>,
    /// Where in the stream they start.
    pub offset: u64,
    /// Lines that stood before these and were too long to be held.
    pub refused: Vec<RefusedLine>,
}

/// A line that was too long to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedLine {
    /// Where in the stream it starts.
    pub offset: u64,
    /// Its length without its end.
    pub length: u64,
    /// Its start: as much as a dead letter keeps.
    pub start: Vec<u8>,
}

/// Chunks of lines of a stream.
pub struct LineChunks<R> {
    reader: R,
    chunk_bytes: usize,
    max_line_bytes: usize,
    /// What was read and not yet given: the start of a line.
    rest: Vec<u8>,
    /// Where in the stream `rest` starts.
    offset: u64,
    at_end: bool,
    /// Why the stream broke.
    failure: Option<io::Error>,
}

/// How much is asked for at once.
const READ_BYTES: usize = 128 * 1024;

impl<R: Read> LineChunks<R> {
    /// Splits into chunks of about `chunk_bytes`; lines longer than `max_line_bytes` are refused.
    pub fn new(reader: R, chunk_bytes: usize, max_line_bytes: usize) -> Self {
        Self { reader, chunk_bytes, max_line_bytes, rest: Vec::new(), offset: 0, at_end: false, failure: None }
    }

    /// How much of the stream was given.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next lines; `None` at the end. Where the stream breaks, the whole lines before the break come
    /// first, then the error, and then the end.
    ///
    /// # Errors
    /// Where the stream cannot be read on.
    pub fn next_chunk(&mut self) -> io::Result<Option<LineChunk>> {
        let mut refused = Vec::new();
        let mut wanted = self.chunk_bytes.max(1);
        loop {
            self.fill(wanted);
            // A line is only known to be whole when its end is there.
            let whole = memchr::memrchr(b'\n', &self.rest).map_or(0, |end| end + 1);
            if whole > 0 && !(self.at_end && self.failure.is_none()) {
                return Ok(Some(self.give(whole, refused)));
            }
            if self.rest.len() > self.max_line_bytes && whole == 0 {
                refused.push(self.skip_line());
                continue;
            }
            if self.at_end {
                // The start of a line that broke off is no line.
                let length = if self.failure.is_some() { 0 } else { self.rest.len() };
                self.rest.truncate(length);
                if length > 0 || !refused.is_empty() {
                    return Ok(Some(self.give(length, refused)));
                }
                return self.failure.take().map_or(Ok(None), Err);
            }
            wanted = self.rest.len() + READ_BYTES;
        }
    }

    fn give(&mut self, length: usize, refused: Vec<RefusedLine>) -> LineChunk {
        let rest = self.rest.split_off(length);
        let bytes = std::mem::replace(&mut self.rest, rest);
        let offset = self.offset;
        self.offset += length as u64;
        LineChunk { bytes, offset, refused }
    }

    fn fill(&mut self, wanted: usize) {
        while !self.at_end && self.rest.len() < wanted {
            let length = self.rest.len();
            let room = READ_BYTES.min(wanted - length).max(1);
            self.rest.resize(length + room, 0);
            let read = retry(|| self.reader.read(&mut self.rest[length..]));
            let read = self.note(read);
            self.rest.truncate(length + read);
        }
    }

    /// How much was read; nothing more comes after the end or an error.
    fn note(&mut self, read: io::Result<usize>) -> usize {
        let read = read.unwrap_or_else(|error| {
            self.failure = Some(error);
            0
        });
        self.at_end = read == 0;
        read
    }

    /// Counts a line to its end, keeping only its start.
    fn skip_line(&mut self) -> RefusedLine {
        let mut start = std::mem::take(&mut self.rest);
        let offset = self.offset;
        let mut length = start.len() as u64;
        start.truncate(DeadLetter::MAX_RECORD_BYTES);
        start.shrink_to_fit();
        let mut buffer = vec![0; READ_BYTES];
        self.offset = loop {
            if self.at_end {
                break offset + length;
            }
            let read = retry(|| self.reader.read(&mut buffer));
            let read = self.note(read);
            let end = memchr::memchr(b'\n', &buffer[..read]);
            length += end.unwrap_or(read) as u64;
            if let Some(end) = end {
                self.rest.extend_from_slice(&buffer[end + 1..read]);
                break offset + length + 1;
            }
        };
        RefusedLine { offset, length, start }
    }
}

fn retry(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A reader that gives few bytes at a time, and may break at the end.
    struct Slow<'a>(&'a [u8], usize, bool);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() && self.2 {
                return Err(io::Error::other("broken"));
            }
            let length = self.1.min(buffer.len()).min(self.0.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    /// A line with its offset.
    type Line = (u64, Vec<u8>);

    /// Every line with its offset, and every refused one with its offset and length.
    fn split(text: &[u8], step: usize, chunk: usize, most: usize) -> (Vec<Line>, Vec<(u64, u64)>) {
        let mut chunks = LineChunks::new(Slow(text, step, false), chunk, most);
        let (mut lines, mut refused) = (Vec::new(), Vec::new());
        while let Some(chunk) = chunks.next_chunk().unwrap() {
            refused.extend(chunk.refused.iter().map(|line| (line.offset, line.length)));
            let mut offset = chunk.offset;
            for line in chunk.bytes.split_inclusive(|byte| *byte == b'\n') {
                lines.push((offset, line.trim_ascii_end().to_vec()));
                offset += line.len() as u64;
            }
        }
        assert_eq!(chunks.offset(), text.len() as u64);
        (lines, refused)
    }

    #[test]
    fn a_line_that_is_too_long_is_counted_and_its_neighbours_are_kept() {
        let text = [b"ab\n".as_slice(), &[b'x'; 300_000], b"\ncd\n", &[b'y'; 200_000]].concat();
        let (lines, refused) = split(&text, 1_000, 10, 100_000);
        assert_eq!(lines, [(0, b"ab".to_vec()), (300_004, b"cd".to_vec())]);
        assert_eq!(refused, [(3, 300_000), (300_007, 200_000)]);
    }

    #[test]
    fn lines_before_a_break_are_given_and_then_the_error() {
        let mut chunks = LineChunks::new(Slow(b"ab\ncd\nef", 1, true), 100, 1_000);
        assert_eq!(chunks.next_chunk().unwrap().unwrap().bytes, b"ab\ncd\n");
        assert!(chunks.next_chunk().is_err());
        assert!(chunks.next_chunk().unwrap().is_none());
    }

    proptest! {
        #[test]
        fn however_a_stream_is_cut_its_lines_are_the_same(text in "[a-c\n]{0,60}", step in 1usize..9, chunk in 1usize..20) {
            let mut offset = 0;
            let mut expected = Vec::new();
            for line in text.as_bytes().split_inclusive(|byte| *byte == b'\n') {
                expected.push((offset, line.trim_ascii_end().to_vec()));
                offset += line.len() as u64;
            }
            let (lines, refused) = split(text.as_bytes(), step, chunk, 100);
            prop_assert_eq!(lines, expected);
            prop_assert!(refused.is_empty());
        }
    }
}
