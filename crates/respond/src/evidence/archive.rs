//! The archive: stored files one after the other, written in one way only and read in that way only.
//!
//! Nothing is compressed, so no small file becomes a large one; what is read is a slice of what was given. The writer is
//! our own: a pack must still be the same, byte by byte, when a library writes archives in another way.
//!
//! Reference: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 6.3.10, sections 4.3 and 4.4.

/// Most bytes of an archive: beyond it the format would need its 64-bit form.
pub(super) const MAX_BYTES: usize = (1 << 32) - (1 << 24);
/// Most files.
pub(super) const MAX_FILES: usize = 10_000;

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const LOCAL_BYTES: usize = 30;
/// Version 2.0 of the format, on Unix, where it says who made it.
const VERSION: u16 = 20;
const MADE_BY: u16 = 3 << 8 | VERSION;
/// The first day that the format knows: 1980-01-01.
const FIRST_DAY: u16 = 1 << 5 | 1;
/// An ordinary file that its owner may write and everybody may read.
const ATTRIBUTES: u32 = 0o100_644 << 16;

/// Writes files in the order given; their number, their lengths and their sum are below the limits.
pub(super) fn write<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    let mut n_files = 0u16;
    for (path, content) in files {
        let start = bytes.len() as u32;
        let shared = shared_fields(path, content);
        bytes.extend_from_slice(LOCAL);
        bytes.extend_from_slice(&shared);
        bytes.extend_from_slice(path.as_bytes());
        bytes.extend_from_slice(content);
        directory.extend_from_slice(CENTRAL);
        directory.extend_from_slice(&MADE_BY.to_le_bytes());
        directory.extend_from_slice(&shared);
        // No comment, the first disk, no text.
        directory.extend_from_slice(&[0; 6]);
        directory.extend_from_slice(&ATTRIBUTES.to_le_bytes());
        directory.extend_from_slice(&start.to_le_bytes());
        directory.extend_from_slice(path.as_bytes());
        n_files = n_files.saturating_add(1);
    }
    let start = bytes.len() as u32;
    let length = directory.len() as u32;
    bytes.append(&mut directory);
    bytes.extend_from_slice(END);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&n_files.to_le_bytes());
    bytes.extend_from_slice(&n_files.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&start.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes
}

/// The fields that a file's header and its line in the directory share.
fn shared_fields(path: &str, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_le_bytes();
    let mut fields = Vec::with_capacity(LOCAL_BYTES - LOCAL.len());
    fields.extend_from_slice(&VERSION.to_le_bytes());
    // No flags, stored, midnight.
    fields.extend_from_slice(&[0; 6]);
    fields.extend_from_slice(&FIRST_DAY.to_le_bytes());
    fields.extend_from_slice(&checksum(content).to_le_bytes());
    fields.extend_from_slice(&length);
    fields.extend_from_slice(&length);
    fields.extend_from_slice(&(path.len() as u16).to_le_bytes());
    fields.extend_from_slice(&[0; 2]);
    fields
}

/// What is wrong with an archive, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) at: usize,
    pub(super) what: &'static str,
    /// Whether files behind that place were not read.
    pub(super) is_cut: bool,
}

/// Files as they lie in an archive, and what is wrong with the archive itself.
#[derive(Debug, Default)]
pub(super) struct Read<'a> {
    pub(super) files: Vec<(&'a str, &'a [u8])>,
    pub(super) damage: Option<Damage>,
}

/// Reads the files of an archive by their headers, and compares it with one written anew.
pub(super) fn read(bytes: &[u8]) -> Read<'_> {
    let mut read = Read::default();
    let cut = |at, what| Some(Damage { at, what, is_cut: true });
    let mut at = 0;
    while bytes.get(at..at + LOCAL.len()) == Some(LOCAL) {
        if MAX_FILES <= read.files.len() {
            return Read { damage: cut(at, "there are more files than a pack may have"), ..read };
        }
        match file(bytes, at) {
            Ok((path, content, end)) => {
                read.files.push((path, content));
                at = end;
            }
            Err(what) => return Read { damage: cut(at, what), ..read },
        }
    }
    if bytes.get(at..at + CENTRAL.len()) != Some(CENTRAL) {
        return Read { damage: cut(at, "neither a file nor the directory begins here"), ..read };
    }
    read.damage = difference(bytes, &read.files);
    read
}

/// The first byte that is not as this module would write it.
fn difference(bytes: &[u8], files: &[(&str, &[u8])]) -> Option<Damage> {
    let written = write(files.iter().copied());
    let at = bytes.iter().zip(&written).position(|(one, other)| one != other);
    let at = at.or_else(|| (bytes.len() != written.len()).then(|| bytes.len().min(written.len())))?;
    Some(Damage { at, what: "a byte outside the files is not as it was written", is_cut: false })
}

/// Path, content and end of the file whose header begins at a place.
fn file(bytes: &[u8], at: usize) -> Result<(&str, &[u8], usize), &'static str> {
    let header = bytes.get(at..at + LOCAL_BYTES).ok_or("a header is cut off")?;
    let short = |place: usize| usize::from(u16::from_le_bytes([header[place], header[place + 1]]));
    let long = |place: usize| {
        u32::from_le_bytes([header[place], header[place + 1], header[place + 2], header[place + 3]]) as usize
    };
    if short(8) != 0 || long(18) != long(22) || short(28) != 0 {
        return Err("a file is compressed, or carries more than a name, and files of a pack do not");
    }
    let name = at + LOCAL_BYTES;
    let start = name + short(26);
    let path = bytes.get(name..start).ok_or("a name is cut off")?;
    let path = std::str::from_utf8(path).map_err(|_| "a name is no text")?;
    let content = bytes.get(start..start + long(22)).ok_or("a file is cut off")?;
    Ok((path, content, start + long(22)))
}

/// CRC-32 of the format (polynomial 0xEDB88320), a byte at a time.
fn checksum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0u32; 256];
        let mut at = 0;
        while at < 256 {
            let mut value = at as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { value >> 1 ^ 0xEDB8_8320 } else { value >> 1 };
                bit += 1;
            }
            table[at] = value;
            at += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |sum, byte| TABLE[usize::from((sum as u8) ^ byte)] ^ (sum >> 8))
}
