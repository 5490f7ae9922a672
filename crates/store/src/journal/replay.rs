//! Reads the journal back, one record at a time.

use std::{io, sync::Arc};

use tracing::warn;
use wardline_domain::EventBatch;

use super::{
    Scanned, Scanner, Segment, end_of, payload,
    quarantine::{Stretch, quarantine},
    record::{Header, RecordType},
    recovery::JOURNAL,
    storage::Storage,
};

/// One record of the journal.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its number.
    pub sequence: u64,
    /// The events, as they were written.
    pub batches: Vec<EventBatch>,
}

/// A part of the journal that could not be read. The replay goes on behind it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{bytes} bytes of `{file}` from byte {offset} on are damaged: {detail}; they are kept below `quarantine`, check the disk"
)]
pub struct DamagedRecord {
    /// The segment's file.
    pub file: String,
    /// Where the damage starts, in bytes.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
    /// What is wrong with it.
    pub detail: String,
}

/// Goes through all that was durable when it was made, in the order of the sequence numbers.
pub struct Replay {
    storage: Arc<dyn Storage>,
    segments: Vec<Segment>,
    /// The next segment to open.
    index: usize,
    /// The next number to return.
    next_sequence: u64,
    open: Option<(Segment, u64, Scanner)>,
}

impl Replay {
    pub(super) fn new(storage: Arc<dyn Storage>, segments: Vec<Segment>, from: u64) -> Self {
        // Segments that end before the first wanted number are not even opened.
        let index = (0..segments.len()).find(|&index| from < end_of(&segments, index)).unwrap_or(segments.len());
        Self { storage, segments, index, next_sequence: from, open: None }
    }

    /// Opens the next segment that can be opened.
    fn advance(&mut self) -> Option<Result<(), DamagedRecord>> {
        let segment = *self.segments.get(self.index)?;
        let end = end_of(&self.segments, self.index);
        self.index += 1;
        let file = segment.name.file(JOURNAL);
        match self.storage.open(&file) {
            Ok(opened) => {
                let scanner = Scanner::new(opened, segment.name.marker, 0, segment.bytes);
                self.open = Some((segment, end, scanner));
                Some(Ok(()))
            }
            // Released since this replay began, so nobody needs it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Ok(())),
            Err(error) => {
                let detail = format!("the file cannot be opened: {error}");
                Some(Err(DamagedRecord { file, offset: 0, bytes: segment.bytes, detail }))
            }
        }
    }

    fn decode(&self, segment: Segment, offset: u64, header: Header, bytes: &[u8]) -> Result<Recorded, DamagedRecord> {
        match payload::read(bytes) {
            Ok(batches) => Ok(Recorded { sequence: header.sequence, batches }),
            Err(error) => {
                let length = (super::record::HEADER_BYTES + bytes.len()) as u64;
                Err(self.damaged(segment, offset, length, &error.to_string()))
            }
        }
    }

    fn damaged(&self, segment: Segment, offset: u64, bytes: u64, detail: &str) -> DamagedRecord {
        let file = segment.name.file(JOURNAL);
        if let Err(error) = quarantine(self.storage.as_ref(), &Stretch { file: &file, offset, bytes }) {
            warn!(%error, file, offset, "damaged bytes not copied to quarantine");
        }
        DamagedRecord { file, offset, bytes, detail: detail.to_owned() }
    }
}

impl Iterator for Replay {
    type Item = Result<Recorded, DamagedRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((segment, end, scanner)) = &mut self.open else {
                match self.advance()? {
                    Ok(()) => continue,
                    Err(damaged) => return Some(Err(damaged)),
                }
            };
            let (segment, end) = (*segment, *end);
            match scanner.next() {
                None => self.open = None,
                Some(Scanned::Record { offset, header, payload })
                    if header.record_type == RecordType::Batches
                        && self.next_sequence <= header.sequence
                        && header.sequence < end =>
                {
                    self.next_sequence = header.sequence + 1;
                    return Some(self.decode(segment, offset, header, &payload));
                }
                // Not wanted, or superseded by a later segment.
                Some(Scanned::Record { .. }) => {}
                Some(Scanned::Damaged { offset, bytes }) => {
                    return Some(Err(self.damaged(segment, offset, bytes, "the checksum differs")));
                }
                // Behind the last number that counts, a tail is what a failed write left.
                Some(Scanned::Tail { .. }) if end <= self.next_sequence => {}
                Some(Scanned::Tail { offset, bytes, .. }) => {
                    let detail = "the checksum differs, and no record follows";
                    return Some(Err(self.damaged(segment, offset, bytes, detail)));
                }
            }
        }
    }
}
