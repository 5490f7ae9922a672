//! What the journal finds when it is opened, whatever state its folder is in.

use std::{io, str};

use tracing::warn;

use super::{
    JournalSettings, Scanned, Scanner, Segment, end_of, fingerprint_file, payload,
    quarantine::{Stretch, quarantine},
    record::{HEADER_BYTES, RecordType},
    segment,
    storage::Storage,
};
use crate::dedupe::Seen;

/// Extension of segments.
pub(super) const JOURNAL: &str = "journal";
/// The file that makes fingerprints the store's own.
const SEED: &str = "seed";

/// Where to go on.
pub(super) struct Recovered {
    /// The segments that hold something, oldest first.
    pub(super) segments: Vec<Segment>,
    pub(super) seen: Seen,
    pub(super) seed: u64,
    /// Whether the seed is on disk already.
    pub(super) has_seed: bool,
    pub(super) next_sequence: u64,
    pub(super) next_ordinal: u64,
}

/// Reads a journal's folder, and mends what can be mended.
///
/// # Errors
/// Only where the folder cannot be listed.
pub(super) fn recover(storage: &dyn Storage, settings: &JournalSettings) -> io::Result<Recovered> {
    let mut segments = segment::list(storage, JOURNAL)?;
    let files = segment::list(storage, fingerprint_file::SEEN)?;
    let ordinals = segments.iter().chain(&files).map(|segment| segment.name.ordinal + 1);
    let next_ordinal = ordinals.max().unwrap_or(0);
    // Numbers are never used twice, even those of segments that are damaged or gone.
    let firsts = segments.iter().map(|segment| segment.name.first_sequence);
    let lasts = files.iter().map(|file| file.name.first_sequence.saturating_add(1));
    let behind = settings.resume_after.saturating_add(1);
    let mut next_sequence = firsts.chain(lasts).max().unwrap_or(1).max(behind);

    let mut seen = Seen::new(settings.seen_window);
    let mut files = files.into_iter().peekable();
    for index in 0..segments.len() {
        let segment = segments[index];
        while let Some(file) = files.next_if(|file| file.name.ordinal < segment.name.ordinal) {
            seen.reserve(&fingerprint_file::read(storage, file).unwrap_or_default());
        }
        let own = files.next_if(|file| file.name.ordinal == segment.name.ordinal);
        if let Some(known) = own.and_then(|file| fingerprint_file::read(storage, file)) {
            seen.reserve(&known);
            continue;
        }
        let end = end_of(&segments, index);
        let mended = mend(storage, segment, end, index + 1 == segments.len());
        segments[index].bytes = mended.bytes;
        next_sequence = next_sequence.max(mended.next_sequence);
        seen.reserve(&mended.fingerprints);
    }
    for file in files {
        seen.reserve(&fingerprint_file::read(storage, file).unwrap_or_default());
    }
    drop_empty(storage, &mut segments);
    let (seed, has_seed) = seed(storage);
    Ok(Recovered { segments, seen, seed, has_seed, next_sequence, next_ordinal })
}

/// What is left of a segment that was not closed in order.
struct Mended {
    bytes: u64,
    next_sequence: u64,
    fingerprints: Vec<u64>,
}

/// Reads a segment through, cuts its torn tail, and makes what is left durable.
fn mend(storage: &dyn Storage, segment: Segment, end: u64, is_last: bool) -> Mended {
    let file = segment.name.file(JOURNAL);
    let mut mended = Mended { bytes: 0, next_sequence: segment.name.first_sequence, fingerprints: Vec::new() };
    let opened = match storage.open(&file) {
        Ok(opened) => opened,
        Err(error) => {
            let next_sequence = highest_end(&segment).min(end);
            warn!(%error, file, next_sequence, "segment cannot be read, its records are left for the next start");
            return Mended { bytes: segment.bytes, next_sequence, ..mended };
        }
    };
    for scanned in Scanner::new(opened, segment.name.marker, 0, segment.bytes) {
        match scanned {
            Scanned::Record { offset, header, payload } => {
                mended.bytes = offset + (HEADER_BYTES + payload.len()) as u64;
                if header.record_type == RecordType::Batches && header.sequence < end {
                    mended.next_sequence = mended.next_sequence.max(header.sequence + 1);
                    mended.fingerprints.extend(payload::fingerprints(&payload).unwrap_or_default());
                }
            }
            // A replay reports and keeps it.
            Scanned::Damaged { offset, bytes } => warn!(file, offset, bytes, "damaged bytes in a segment"),
            Scanned::Tail { offset, bytes, is_whole } => {
                mended.bytes = cut_tail(storage, &file, Scanned::Tail { offset, bytes, is_whole }, is_last);
            }
        }
    }
    // What a killed process wrote may still be in the system's memory alone. It must be on disk before
    // a sender who repeats it is told that it is known.
    if let Err(error) = storage.truncate(&file, mended.bytes) {
        warn!(%error, file, "segment cannot be made durable, its events are taken again if sent again");
        mended.fingerprints.clear();
    }
    mended
}

/// A number that none of a segment's records reaches, whatever is in it. A new segment that began lower
/// would supersede records that were acknowledged and can be read again later.
fn highest_end(segment: &Segment) -> u64 {
    segment.name.first_sequence + segment.bytes / HEADER_BYTES as u64 + 1
}

/// How much of a segment stays when its end is no record.
fn cut_tail(storage: &dyn Storage, file: &str, tail: Scanned, is_last: bool) -> u64 {
    let Scanned::Tail { offset, bytes, is_whole } = tail else { return 0 };
    if !is_last {
        // A replay knows whether anything that counts was lost there.
        return offset + bytes;
    }
    warn!(file, offset, bytes, "torn tail of the journal cut");
    // Only bytes that were all written can be of use to anyone.
    if is_whole && let Err(error) = quarantine(storage, &Stretch { file, offset, bytes }) {
        warn!(%error, file, offset, "damaged tail not copied to quarantine");
    }
    offset
}

/// Deletes segments that hold nothing, such as one that was made right before a crash.
fn drop_empty(storage: &dyn Storage, segments: &mut Vec<Segment>) {
    segments.retain(|segment| {
        let is_empty = segment.bytes == 0;
        if is_empty && let Err(error) = storage.remove(&segment.name.file(JOURNAL)) {
            warn!(%error, segment = %segment.name, "empty segment not deleted");
        }
        !is_empty
    });
}

/// The store's seed and whether it is on disk: without it, duplicates from before are not told.
fn seed(storage: &dyn Storage) -> (u64, bool) {
    let seed = read_seed(storage);
    (seed.unwrap_or_else(rand::random), seed.is_some())
}

/// Writes the store's seed, durably.
pub(super) fn write_seed(storage: &dyn Storage, seed: u64) -> io::Result<()> {
    match storage.remove(SEED) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = storage.create(SEED)?;
    file.append(format!("{seed:016x}\n").as_bytes())?;
    file.sync()
}

fn read_seed(storage: &dyn Storage) -> Option<u64> {
    let mut bytes = [0; 17];
    let n = storage.open(SEED).ok()?.read_at(0, &mut bytes).ok()?;
    let text = str::from_utf8(bytes.get(..n)?).ok()?.strip_suffix('\n')?;
    if text.len() == 16 { u64::from_str_radix(text, 16).ok() } else { None }
}
