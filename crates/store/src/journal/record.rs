//! The frame around every record on disk: who it belongs to, how long it is, and its checksum.
//!
//! A frame opens with its segment's **marker**, eight random bytes that also stand in the segment's
//! file name. A reader that has lost its place looks for the marker; as no sender can know it, nobody
//! can plant a record inside of a prompt and have it taken for a real one after damage.

/// Bytes of a frame before its payload.
pub(crate) const HEADER_BYTES: usize = 32;
/// The most bytes of one payload; a longer length on disk is damage.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 256 * 1024 * 1024;

/// What a record's payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordType {
    /// Batches of events.
    Batches,
    /// Fingerprints of the events of one segment.
    Fingerprints,
    /// Sealed dead letters.
    DeadLetters,
    /// Ids of dead letters that are done with.
    Resolved,
}

impl RecordType {
    const ALL: [Self; 4] = [Self::Batches, Self::Fingerprints, Self::DeadLetters, Self::Resolved];

    const fn code(self) -> u16 {
        match self {
            Self::Batches => 1,
            Self::Fingerprints => 2,
            Self::DeadLetters => 3,
            Self::Resolved => 4,
        }
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The marker of the segment that it was written to.
    pub(crate) marker: u64,
    /// CRC-32C of everything behind it, payload included.
    pub(crate) checksum: u32,
    /// Bytes of the payload.
    pub(crate) payload_bytes: usize,
    /// The record's number.
    pub(crate) sequence: u64,
    /// What the payload is.
    pub(crate) record_type: RecordType,
}

impl Header {
    /// Reads a header; `None` where these bytes are none of this segment's.
    pub(crate) fn read(bytes: &[u8], marker: u64) -> Option<Self> {
        let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        if number(0)? != marker || number(24)? >> 16 != 0 {
            return None;
        }
        let lengths = number(8)?;
        let code = number(24)? as u16;
        let payload_bytes = (lengths >> 32) as usize;
        Some(Self {
            marker,
            checksum: lengths as u32,
            payload_bytes: (payload_bytes <= MAX_PAYLOAD_BYTES).then_some(payload_bytes)?,
            sequence: number(16)?,
            record_type: RecordType::ALL.into_iter().find(|each| each.code() == code)?,
        })
    }

    /// Whether this is the payload that was written.
    pub(crate) fn matches(&self, payload: &[u8]) -> bool {
        self.payload_bytes == payload.len() && self.checksum == checksum(&self.checked_bytes(), payload)
    }

    /// The header's bytes that the checksum covers.
    fn checked_bytes(&self) -> [u8; HEADER_BYTES - 12] {
        let mut bytes = [0; HEADER_BYTES - 12];
        bytes[0..4].copy_from_slice(&(self.payload_bytes as u32).to_le_bytes());
        bytes[4..12].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[12..14].copy_from_slice(&self.record_type.code().to_le_bytes());
        bytes
    }
}

fn checksum(header: &[u8], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(header), payload)
}

/// Appends a record to a buffer; `write_payload` adds the payload behind the header.
///
/// # Errors
/// What `write_payload` returns; the buffer is then as it was.
pub(crate) fn write<E>(
    buffer: &mut Vec<u8>,
    (marker, sequence, record_type): (u64, u64, RecordType),
    write_payload: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEADER_BYTES]);
    if let Err(error) = write_payload(buffer) {
        buffer.truncate(start);
        return Err(error);
    }
    seal(&mut buffer[start..], marker, sequence, record_type);
    Ok(())
}

/// Gives a record that was written for one segment the marker of another.
pub(crate) fn remark(record: &mut [u8], marker: u64) {
    // The checksum leaves the marker out, so nothing else has to change.
    if let Some(bytes) = record.get_mut(0..8) {
        bytes.copy_from_slice(&marker.to_le_bytes());
    }
}

fn seal(record: &mut [u8], marker: u64, sequence: u64, record_type: RecordType) {
    let payload_bytes = record.len() - HEADER_BYTES;
    assert!(payload_bytes <= MAX_PAYLOAD_BYTES, "a record's size is checked before it is written");
    let mut header = Header { marker, checksum: 0, payload_bytes, sequence, record_type };
    header.checksum = checksum(&header.checked_bytes(), &record[HEADER_BYTES..]);
    record[0..8].copy_from_slice(&marker.to_le_bytes());
    record[8..12].copy_from_slice(&header.checksum.to_le_bytes());
    record[12..HEADER_BYTES].copy_from_slice(&header.checked_bytes());
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use proptest::prelude::*;

    fn record(marker: u64, sequence: u64, payload: &[u8]) -> Vec<u8> {
        let mut buffer = Vec::new();
        write(&mut buffer, (marker, sequence, RecordType::Batches), |buffer| {
            buffer.extend_from_slice(payload);
            Ok::<_, Infallible>(())
        })
        .unwrap();
        buffer
    }

    #[test]
    fn a_record_of_another_segment_is_none_until_it_is_remarked() {
        let mut bytes = record(7, 1, b"payload");
        assert_eq!(Header::read(&bytes, 8), None);
        remark(&mut bytes, 8);
        assert!(Header::read(&bytes, 8).unwrap().matches(b"payload"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(marker: u64, sequence: u64, payload: Vec<u8>) {
            let bytes = record(marker, sequence, &payload);
            let header = Header::read(&bytes, marker).unwrap();
            prop_assert_eq!(header.sequence, sequence);
            prop_assert!(header.matches(&bytes[HEADER_BYTES..]));
        }

        #[test]
        fn any_flipped_bit_is_noticed(payload in prop::collection::vec(any::<u8>(), 0..200), bit in any::<prop::sample::Index>()) {
            let mut bytes = record(0x0102_0304_0506_0708, 9, &payload);
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let header = Header::read(&bytes, 0x0102_0304_0506_0708);
            prop_assert!(header.is_none_or(|header| !header.matches(&bytes[HEADER_BYTES..])));
        }
    }
}
