//! Keeps bytes that failed their check, for people to look at.

use std::io;

use super::storage::{ReadFile, Storage};

const CHUNK_BYTES: u64 = 1024 * 1024;

/// A stretch of a file that is damaged.
#[derive(Clone, Debug)]
pub(crate) struct Stretch<'a> {
    /// The file's name.
    pub(crate) file: &'a str,
    /// Where the damage starts.
    pub(crate) offset: u64,
    /// How long it is.
    pub(crate) bytes: u64,
}

/// Copies a damaged stretch to `quarantine/`, with a note of where it was. Does so once, however often
/// the damage is met.
///
/// # Errors
/// Where the copy cannot be written; the original is as it was.
pub(crate) fn quarantine(storage: &dyn Storage, stretch: &Stretch<'_>) -> io::Result<()> {
    let name = format!("quarantine/{}-{:x}", stretch.file, stretch.offset);
    let copy = match storage.create(&format!("{name}.damaged")) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        other => other?,
    };
    let source = storage.open(stretch.file)?;
    copy_stretch(source.as_ref(), stretch, |chunk| copy.append(chunk))?;
    copy.sync()?;
    let note = storage.create(&format!("{name}.txt"))?;
    note.append(
        format!(
            "{} bytes of `{}` from byte {} on are no valid record: the checksum differs or the record is \
             incomplete. They are copied beside this note as they were; everything before and behind them was \
             read. A failing disk or memory is the usual cause.\n",
            stretch.bytes, stretch.file, stretch.offset
        )
        .as_bytes(),
    )?;
    note.sync()
}

fn copy_stretch(
    source: &dyn ReadFile,
    stretch: &Stretch<'_>,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let (mut offset, end) = (stretch.offset, stretch.offset + stretch.bytes);
    let mut buffer = vec![0; CHUNK_BYTES.min(stretch.bytes) as usize];
    while offset < end {
        let length = buffer.len().min((end - offset) as usize);
        match source.read_at(offset, &mut buffer[..length])? {
            0 => break,
            n => {
                write(&buffer[..n])?;
                offset += n as u64;
            }
        }
    }
    Ok(())
}
