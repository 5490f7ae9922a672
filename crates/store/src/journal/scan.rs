//! Reads a segment record by record, and finds its way again behind damage.
//!
//! Holds one record in memory at a time. A part that the disk refuses to read counts as damaged.

use super::{
    record::{HEADER_BYTES, Header},
    storage::ReadFile,
};

/// How much is looked through at once for the next record behind damage.
const CHUNK_BYTES: usize = 1024 * 1024;
/// How far to go on behind a place that the disk refuses to read.
const UNREADABLE_STEP_BYTES: u64 = 4096;

/// What stands at a place of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// A whole record.
    Record {
        /// Where its header starts.
        offset: u64,
        /// Its header.
        header: Header,
        /// Its payload.
        payload: Vec<u8>,
    },
    /// Bytes that are no record, with a whole record behind them.
    Damaged {
        /// Where they start.
        offset: u64,
        /// How many they are.
        bytes: u64,
    },
    /// Bytes that are no record, and nothing behind them is.
    Tail {
        /// Where they start.
        offset: u64,
        /// How many they are.
        bytes: u64,
        /// Whether the first record among them was written in full, so that it was damaged later rather than torn.
        is_whole: bool,
    },
}

/// Goes through the records of one segment.
pub(crate) struct Scanner {
    file: Box<dyn ReadFile>,
    marker: u64,
    offset: u64,
    end: u64,
    /// A record that was found behind damage, which is to be returned next.
    found: Option<(u64, Header, Vec<u8>)>,
}

impl Scanner {
    /// Starts at an offset; what stands at `end` and behind it is left alone.
    pub(crate) fn new(file: Box<dyn ReadFile>, marker: u64, offset: u64, end: u64) -> Self {
        Self { file, marker, offset, end, found: None }
    }

    /// The record at an offset, where a whole one is there.
    fn record_at(&self, offset: u64) -> Result<(Header, Vec<u8>), Broken> {
        let mut bytes = [0; HEADER_BYTES];
        let payload_start = offset.saturating_add(HEADER_BYTES as u64);
        if payload_start > self.end || !self.read_fully(offset, &mut bytes) {
            return Err(Broken::Torn);
        }
        let header = Header::read(&bytes, self.marker).ok_or(Broken::Torn)?;
        if payload_start + header.payload_bytes as u64 > self.end {
            return Err(Broken::Torn);
        }
        let mut payload = vec![0; header.payload_bytes];
        if self.read_fully(payload_start, &mut payload) && header.matches(&payload) {
            return Ok((header, payload));
        }
        Err(Broken::Damaged)
    }

    fn read_fully(&self, offset: u64, buffer: &mut [u8]) -> bool {
        self.read_up_to(offset, buffer).is_some_and(|n| n == buffer.len())
    }

    /// Fills the buffer as far as the file goes; `None` where the disk refuses.
    fn read_up_to(&self, offset: u64, buffer: &mut [u8]) -> Option<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(offset + filled as u64, &mut buffer[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        Some(filled)
    }

    /// The first whole record at or behind an offset.
    fn find_record(&self, from: u64) -> Option<(u64, Header, Vec<u8>)> {
        let marker = self.marker.to_le_bytes();
        let mut offset = from;
        let mut chunk = vec![0; CHUNK_BYTES.min(self.end.saturating_sub(from) as usize)];
        while offset + (HEADER_BYTES as u64) <= self.end {
            let length = chunk.len().min((self.end - offset) as usize);
            let Some(filled) = self.read_up_to(offset, &mut chunk[..length]) else {
                offset += UNREADABLE_STEP_BYTES;
                continue;
            };
            if filled < marker.len() {
                return None;
            }
            match chunk[..filled].windows(marker.len()).position(|window| window == marker) {
                Some(at) => {
                    let candidate = offset + at as u64;
                    if let Ok((header, payload)) = self.record_at(candidate) {
                        return Some((candidate, header, payload));
                    }
                    offset = candidate + 1;
                }
                // The marker may straddle two chunks.
                None => offset += (filled - (marker.len() - 1)) as u64,
            }
        }
        None
    }
}

/// Why there is no record at an offset.
enum Broken {
    /// It is not all there, as after a crash.
    Torn,
    /// It is all there, and its checksum differs.
    Damaged,
}

impl Iterator for Scanner {
    type Item = Scanned;

    fn next(&mut self) -> Option<Scanned> {
        if self.found.is_none() && self.offset >= self.end {
            return None;
        }
        let found = match self.found.take() {
            Some((_, header, payload)) => Ok((header, payload)),
            None => self.record_at(self.offset),
        };
        let offset = self.offset;
        let is_whole = match found {
            Ok((header, payload)) => {
                self.offset += (HEADER_BYTES + payload.len()) as u64;
                return Some(Scanned::Record { offset, header, payload });
            }
            Err(Broken::Torn) => false,
            Err(Broken::Damaged) => true,
        };
        match self.find_record(offset + 1) {
            Some(found) => {
                let bytes = found.0 - offset;
                self.offset = found.0;
                self.found = Some(found);
                Some(Scanned::Damaged { offset, bytes })
            }
            None => {
                self.offset = self.end;
                Some(Scanned::Tail { offset, bytes: self.end - offset, is_whole })
            }
        }
    }
}

/// Bytes in memory, read as a segment would be.
#[derive(Debug)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl ReadFile for Bytes {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn length(&self) -> std::io::Result<u64> {
        Ok(self.0.len() as u64)
    }
}

/// Reads any bytes as a segment, and returns how many records they hold: what the fuzzer drives.
#[doc(hidden)]
pub fn count_records(bytes: &[u8], marker: u64) -> usize {
    let file = Box::new(Bytes(bytes.to_vec()));
    let mut reached = 0;
    let mut records = 0;
    for scanned in Scanner::new(file, marker, 0, bytes.len() as u64) {
        let (offset, length) = match scanned {
            Scanned::Record { offset, ref payload, .. } => {
                records += 1;
                let _ = super::payload::fingerprints(payload);
                (offset, (HEADER_BYTES + payload.len()) as u64)
            }
            Scanned::Damaged { offset, bytes } | Scanned::Tail { offset, bytes, .. } => (offset, bytes),
        };
        assert_eq!(offset, reached, "a scan leaves no byte out and reads none twice");
        reached = offset + length;
    }
    assert_eq!(reached, bytes.len() as u64, "a scan ends at the end");
    records
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::{
        super::record::{self, RecordType},
        *,
    };
    use proptest::prelude::*;

    const MARKER: u64 = 0xfeed_beef_0bad_cafe;

    fn segment(payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut buffer = Vec::new();
        for (sequence, payload) in payloads.iter().enumerate() {
            record::write(&mut buffer, (MARKER, sequence as u64, RecordType::Batches), |buffer| {
                buffer.extend_from_slice(payload);
                Ok::<_, Infallible>(())
            })
            .unwrap();
        }
        buffer
    }

    fn scan(bytes: Vec<u8>) -> Vec<Scanned> {
        let end = bytes.len() as u64;
        Scanner::new(Box::new(Bytes(bytes)), MARKER, 0, end).collect()
    }

    fn sequences(scanned: &[Scanned]) -> Vec<u64> {
        scanned
            .iter()
            .filter_map(|each| match each {
                Scanned::Record { header, .. } => Some(header.sequence),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn damage_in_the_middle_loses_one_record() {
        let payloads = vec![vec![1; 50], vec![2; 50], vec![3; 50]];
        let mut bytes = segment(&payloads);
        bytes[100] ^= 1;
        let scanned = scan(bytes);
        assert_eq!(sequences(&scanned), [0, 2]);
        assert_eq!(scanned[1], Scanned::Damaged { offset: 82, bytes: 82 });
    }

    #[test]
    fn a_flipped_bit_at_the_end_is_told_from_a_torn_tail() {
        let bytes = segment(&[vec![1; 50], vec![2; 50]]);
        let mut flipped = bytes.clone();
        flipped[150] ^= 1;
        assert_eq!(scan(flipped)[1], Scanned::Tail { offset: 82, bytes: 82, is_whole: true });
        assert_eq!(scan(bytes[..150].to_vec())[1], Scanned::Tail { offset: 82, bytes: 68, is_whole: false });
    }

    #[test]
    fn damage_larger_than_a_chunk_is_crossed() {
        let payloads = vec![vec![1; 50], vec![2; 3 * CHUNK_BYTES], vec![3; 50]];
        let mut bytes = segment(&payloads);
        bytes[90..1000].fill(0);
        assert_eq!(sequences(&scan(bytes)), [0, 2]);
    }

    proptest! {
        #[test]
        fn overwriting_any_stretch_loses_only_what_it_touched(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..8),
            from in any::<prop::sample::Index>(), length in 1usize..60, filler: u8,
        ) {
            let whole = segment(&payloads);
            let from = from.index(whole.len());
            let until = whole.len().min(from + length);
            let mut bytes = whole.clone();
            bytes[from..until].fill(filler);
            let mut start = 0;
            let untouched: Vec<u64> = payloads.iter().enumerate().filter_map(|(sequence, payload)| {
                let range = start..start + HEADER_BYTES + payload.len();
                start = range.end;
                (bytes[range.clone()] == whole[range]).then_some(sequence as u64)
            }).collect();
            prop_assert_eq!(sequences(&scan(bytes)), untouched);
        }

        #[test]
        fn any_bytes_are_scanned_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            count_records(&bytes, MARKER);
        }
    }
}
