//! What is known of the letters without opening them: segments, counts, and which are done with.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use tracing::warn;

use super::sealed::{Summary, read_number, read_reason, write_reason};
use crate::journal::{
    Scanned, Scanner, Segment, SegmentName, Storage, list_segments,
    record::{HEADER_BYTES, RecordType},
};

/// Extension of segments.
pub(super) const LETTERS: &str = "letters";

/// A record of what is done with begins with which of the two it is.
const RESOLVED: u8 = 1;
const DROPPED: u8 = 2;

#[derive(Default)]
struct Entry {
    bytes: u64,
    /// Unresolved letters by reason.
    by_reason: BTreeMap<String, u64>,
}

#[derive(Default)]
pub(super) struct Index {
    entries: BTreeMap<SegmentName, Entry>,
    resolved: BTreeSet<u64>,
    next_id: u64,
    next_ordinal: u64,
    dropped: u64,
}

impl Index {
    /// Reads all segments' summaries, and cuts the last one's torn tail.
    pub(super) fn read(storage: &dyn Storage) -> io::Result<Self> {
        let mut index = Self { next_id: 1, ..Self::default() };
        let segments = list_segments(storage, LETTERS)?;
        for (at, segment) in segments.iter().enumerate() {
            index.next_ordinal = segment.name.ordinal + 1;
            index.next_id = index.next_id.max(segment.name.first_sequence);
            index.push(segment.name);
            match storage.open(&segment.name.file(LETTERS)) {
                Ok(file) => {
                    let scanner = Scanner::new(file, segment.name.marker, 0, segment.bytes);
                    index.read_segment(storage, *segment, scanner, at + 1 == segments.len());
                }
                Err(error) => warn!(%error, segment = %segment.name, "dead letters cannot be read"),
            }
        }
        Ok(index)
    }

    fn read_segment(&mut self, storage: &dyn Storage, segment: Segment, scanner: Scanner, is_last: bool) {
        let mut end = segment.bytes;
        for scanned in scanner {
            match scanned {
                Scanned::Record { header, payload, offset } => {
                    let end = offset + (HEADER_BYTES + payload.len()) as u64;
                    match header.record_type {
                        RecordType::DeadLetters => {
                            let Some((summary, _)) = Summary::read(&payload) else { continue };
                            self.next_id = self.next_id.max(header.sequence);
                            self.advance(segment.name, summary.n_letters(), end);
                            self.add(segment.name, &summary);
                        }
                        RecordType::Resolved => self.read_done(&payload),
                        _ => {}
                    }
                }
                Scanned::Damaged { offset, bytes } => {
                    warn!(segment = %segment.name, offset, bytes, "damaged dead letters skipped");
                }
                Scanned::Tail { offset, bytes, .. } => {
                    warn!(segment = %segment.name, offset, bytes, "torn tail of the dead letters");
                    end = if is_last { offset } else { end };
                }
            }
        }
        // What a killed process wrote may not be on disk yet.
        if is_last && let Err(error) = storage.truncate(&segment.name.file(LETTERS), end) {
            warn!(%error, segment = %segment.name, "dead letters cannot be mended");
        }
        if let Some(entry) = self.entries.get_mut(&segment.name) {
            entry.bytes = end;
        }
    }

    fn read_done(&mut self, payload: &[u8]) {
        match payload.split_first() {
            Some((&RESOLVED, mut rest)) => {
                let mut resolved = Vec::new();
                while let Some((id, behind)) = read_number(rest) {
                    let Some((reason, behind)) = read_reason(behind) else { break };
                    resolved.push((id, reason.to_owned()));
                    rest = behind;
                }
                self.resolve(resolved);
            }
            Some((&DROPPED, rest)) => {
                self.dropped = read_number(rest).map_or(self.dropped, |(n, _)| n.max(self.dropped));
            }
            _ => {}
        }
    }

    pub(super) fn next_id(&self) -> u64 {
        self.next_id
    }

    /// The name of the next segment; used up even if it cannot be made.
    pub(super) fn next_segment(&mut self) -> SegmentName {
        let name = SegmentName::new(self.next_ordinal, self.next_id);
        self.next_ordinal += 1;
        name
    }

    pub(super) fn push(&mut self, name: SegmentName) {
        self.entries.insert(name, Entry::default());
    }

    /// Notes that a segment has grown to a length by a record that takes up these numbers.
    pub(super) fn advance(&mut self, name: SegmentName, n_ids: u64, bytes: u64) {
        self.next_id += n_ids;
        if let Some(entry) = self.entries.get_mut(&name) {
            entry.bytes = bytes;
        }
    }

    /// Counts letters that are durable.
    pub(super) fn add(&mut self, name: SegmentName, summary: &Summary) {
        let Some(entry) = self.entries.get_mut(&name) else { return };
        for (reason, n) in &summary.by_reason {
            *entry.by_reason.entry(reason.clone()).or_default() += n;
        }
    }

    /// The segments, oldest first.
    pub(super) fn segments(&self) -> Vec<Segment> {
        self.entries.iter().map(|(&name, entry)| Segment { name, bytes: entry.bytes }).collect()
    }

    fn segment_of(&self, id: u64) -> Option<SegmentName> {
        self.entries.keys().rev().find(|name| name.first_sequence <= id).copied()
    }

    /// The segments that hold any of these letters.
    pub(super) fn segments_of(&self, ids: &BTreeSet<u64>) -> BTreeSet<SegmentName> {
        ids.iter().filter(|&&id| id < self.next_id).filter_map(|&id| self.segment_of(id)).collect()
    }

    pub(super) fn is_resolved(&self, id: u64) -> bool {
        self.resolved.contains(&id)
    }

    /// Marks letters as done with; returns how many were not already.
    pub(super) fn resolve(&mut self, letters: Vec<(u64, String)>) -> usize {
        let mut n = 0;
        for (id, reason) in letters {
            let Some(name) = self.segment_of(id) else { continue };
            if !self.resolved.insert(id) {
                continue;
            }
            n += 1;
            if let Some(left) = self.entries.get_mut(&name).and_then(|entry| entry.by_reason.get_mut(&reason)) {
                *left = left.saturating_sub(1);
            }
        }
        n
    }

    /// Forgets a segment that was deleted.
    pub(super) fn drop_segment(&mut self, name: SegmentName) {
        if let Some(entry) = self.entries.remove(&name) {
            self.dropped += entry.by_reason.values().sum::<u64>();
        }
        let first_kept = self.entries.keys().next().map_or(self.next_id, |name| name.first_sequence);
        self.resolved = self.resolved.split_off(&first_kept);
    }

    pub(super) fn by_reason(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for (reason, n) in self.entries.values().flat_map(|entry| &entry.by_reason).filter(|(_, n)| **n > 0) {
            *all.entry(reason.clone()).or_default() += n;
        }
        all
    }

    pub(super) fn bytes(&self) -> u64 {
        self.entries.values().map(|entry| entry.bytes).sum()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// The payload of a record that marks letters as done with.
pub(super) fn write_resolved(buffer: &mut Vec<u8>, letters: &[(u64, String)]) {
    buffer.push(RESOLVED);
    for (id, reason) in letters {
        buffer.extend_from_slice(&id.to_le_bytes());
        write_reason(buffer, reason);
    }
}

/// The payload of a record that keeps how many letters were dropped so far.
pub(super) fn write_dropped(buffer: &mut Vec<u8>, n: u64) {
    buffer.push(DROPPED);
    buffer.extend_from_slice(&n.to_le_bytes());
}
