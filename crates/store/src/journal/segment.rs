//! Names of segment files, and which records of a segment count.

use std::{fmt, io};

use super::storage::Storage;

/// A segment's identity, all of which is in its file name: a damaged file still tells what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentName {
    /// Counts segments up, so that names sort by age.
    pub(crate) ordinal: u64,
    /// The number of its first record.
    pub(crate) first_sequence: u64,
    /// What each of its records begins with.
    pub(crate) marker: u64,
}

impl SegmentName {
    /// A name with a fresh random marker.
    pub(crate) fn new(ordinal: u64, first_sequence: u64) -> Self {
        Self { ordinal, first_sequence, marker: rand::random() }
    }

    /// Reads a file name with this extension; `None` where it is another file's.
    pub(crate) fn parse(name: &str, extension: &str) -> Option<Self> {
        let stem = name.strip_suffix(extension)?.strip_suffix('.')?;
        let mut numbers = stem.split('-').map(|part| match part.len() {
            16 => u64::from_str_radix(part, 16).ok(),
            _ => None,
        });
        let name = Self { ordinal: numbers.next()??, first_sequence: numbers.next()??, marker: numbers.next()?? };
        // Nobody counts that far: such a name is not ours, and going on behind it would overflow.
        let is_sound = name.ordinal.max(name.first_sequence) < u64::MAX / 2;
        (is_sound && numbers.next().is_none()).then_some(name)
    }

    /// The file name with an extension.
    pub(crate) fn file(&self, extension: &str) -> String {
        format!("{self}.{extension}")
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:016x}-{:016x}", self.ordinal, self.first_sequence, self.marker)
    }
}

/// A segment that is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Its name.
    pub(crate) name: SegmentName,
    /// How much of it counts, in bytes.
    pub(crate) bytes: u64,
}

/// The segments of a folder, oldest first. Files that are none of ours are left alone.
///
/// # Errors
/// Where the folder cannot be listed.
pub(crate) fn list(storage: &dyn Storage, extension: &str) -> io::Result<Vec<Segment>> {
    let mut segments: Vec<Segment> = storage
        .list()?
        .into_iter()
        .filter_map(|file| Some(Segment { name: SegmentName::parse(&file.name, extension)?, bytes: file.bytes }))
        .collect();
    segments.sort_by_key(|segment| segment.name);
    Ok(segments)
}

/// The first number that a segment's records must stay below.
///
/// After a failed write the next segment begins again with the numbers that failed. What the failed
/// one may still hold of them was never acknowledged, and is superseded.
pub(crate) fn end_of(segments: &[Segment], index: usize) -> u64 {
    segments.iter().skip(index + 1).map(|later| later.name.first_sequence).min().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_strangers_are_left_alone() {
        let name = SegmentName { ordinal: 3, first_sequence: 70_000, marker: u64::MAX };
        assert_eq!(name.file("journal"), "0000000000000003-0000000000011170-ffffffffffffffff.journal");
        assert_eq!(SegmentName::parse(&name.file("journal"), "journal"), Some(name));
        for stranger in ["", ".journal", "notes.txt", "1-2-3.journal", "lost+found"] {
            assert_eq!(SegmentName::parse(stranger, "journal"), None);
        }
        assert_eq!(SegmentName::parse(&name.file("seen"), "journal"), None);
    }

    #[test]
    fn a_later_segment_supersedes_what_an_earlier_one_failed_to_write() {
        let segment =
            |ordinal, first_sequence| Segment { name: SegmentName { ordinal, first_sequence, marker: 0 }, bytes: 0 };
        let segments = [segment(0, 1), segment(1, 9), segment(2, 9), segment(3, 12)];
        let ends: Vec<u64> = (0..4).map(|index| end_of(&segments, index)).collect();
        assert_eq!(ends, [9, 9, 12, u64::MAX]);
    }
}
