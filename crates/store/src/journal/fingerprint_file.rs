//! The fingerprints of one segment, in a file of their own that outlives it.
//!
//! Named as the segment, but with its last sequence number in place of its first: so the numbers go on
//! where they were even when every segment is gone.

use std::{convert::Infallible, io};

use super::{
    Scanned, Scanner, Segment, SegmentName, payload,
    record::{self, MAX_PAYLOAD_BYTES, RecordType},
    recovery::JOURNAL,
    segment,
    storage::Storage,
};

/// Extension of these files.
pub(super) const SEEN: &str = "seen";
/// The most fingerprints of one file.
const MOST: usize = MAX_PAYLOAD_BYTES / 8;

/// Writes the fingerprints of a segment, durably.
pub(super) fn write(
    storage: &dyn Storage,
    segment: SegmentName,
    last_sequence: u64,
    fingerprints: &[u64],
) -> io::Result<()> {
    let name = SegmentName { first_sequence: last_sequence, ..segment };
    // Only the newest can matter: this is many times the window.
    let newest = &fingerprints[fingerprints.len().saturating_sub(MOST)..];
    let mut bytes = Vec::with_capacity(newest.len() * 8 + 64);
    // One record even for no fingerprint, so that a file that a crash left empty is told from it.
    let Ok(()) = record::write(&mut bytes, (name.marker, last_sequence, RecordType::Fingerprints), |buffer| {
        newest.iter().for_each(|fingerprint| buffer.extend_from_slice(&fingerprint.to_le_bytes()));
        Ok::<_, Infallible>(())
    });
    let file = match storage.create(&name.file(SEEN)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            storage.remove(&name.file(SEEN))?;
            storage.create(&name.file(SEEN))?
        }
        other => other?,
    };
    let written = file.append(&bytes).and_then(|()| file.sync());
    if written.is_err() {
        // Half a file would pass for none later on, and takes space until then.
        let _ = storage.remove(&name.file(SEEN));
    }
    written
}

/// Writes a segment's fingerprints as they stand in the segment itself.
pub(super) fn rewrite(storage: &dyn Storage, segment: Segment, end: u64) -> io::Result<()> {
    let read = scan(storage, segment, end)?;
    write(storage, segment.name, end.saturating_sub(1), &read)
}

fn scan(storage: &dyn Storage, segment: Segment, end: u64) -> io::Result<Vec<u64>> {
    let file = match storage.open(&segment.name.file(JOURNAL)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut all = Vec::new();
    for scanned in Scanner::new(file, segment.name.marker, 0, segment.bytes) {
        if let Scanned::Record { header, payload, .. } = scanned
            && header.record_type == RecordType::Batches
            && header.sequence < end
        {
            all.extend(payload::fingerprints(&payload).unwrap_or_default());
        }
    }
    Ok(all)
}

/// Reads a file's fingerprints; `None` where it is damaged.
pub(super) fn read(storage: &dyn Storage, file: Segment) -> Option<Vec<u64>> {
    let bytes = storage.open(&file.name.file(SEEN)).ok()?;
    match Scanner::new(bytes, file.name.marker, 0, file.bytes).next()? {
        Scanned::Record { header, payload, .. } if header.record_type == RecordType::Fingerprints => {
            Some(payload::numbers(&payload).collect())
        }
        _ => None,
    }
}

/// Deletes files that lie outside of the window; the newest stays, for its number.
pub(super) fn prune(storage: &dyn Storage, window: u64) {
    let Ok(files) = segment::list(storage, SEEN) else { return };
    let mut n_newer = 0;
    for file in files.iter().rev() {
        if n_newer > 0 && window * 8 <= n_newer {
            // Left over for the next time if it fails.
            let _ = storage.remove(&file.name.file(SEEN));
        }
        n_newer += file.bytes;
    }
}
