//! The form of sealed letters: a summary in the clear, then what only the key opens.

use std::collections::BTreeMap;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use wardline_domain::{DeadLetter, Timestamp};

use crate::journal::AppendError;

const NONCE_BYTES: usize = 24;

/// What may be known of letters without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) earliest: Timestamp,
    pub(super) latest: Timestamp,
    pub(super) by_reason: BTreeMap<String, u64>,
}

impl Summary {
    pub(super) fn of(letters: &[DeadLetter]) -> Self {
        let mut by_reason = BTreeMap::new();
        for letter in letters {
            *by_reason.entry(letter.reason_name().to_owned()).or_default() += 1;
        }
        let times = letters.iter().map(|letter| letter.time);
        let (earliest, latest) = (times.clone().min().unwrap_or_default(), times.max().unwrap_or_default());
        Self { earliest, latest, by_reason }
    }

    pub(super) fn n_letters(&self) -> u64 {
        self.by_reason.values().sum()
    }

    fn write(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(&self.earliest.micros().to_le_bytes());
        buffer.extend_from_slice(&self.latest.micros().to_le_bytes());
        buffer.push(self.by_reason.len() as u8);
        for (reason, n) in &self.by_reason {
            write_reason(buffer, reason);
            buffer.extend_from_slice(&n.to_le_bytes());
        }
    }

    /// The summary, and the sealed part behind it; `None` where the record is not one of letters.
    pub(super) fn read(payload: &[u8]) -> Option<(Self, &[u8])> {
        let (earliest, rest) = read_number(payload)?;
        let (latest, rest) = read_number(rest)?;
        let (&n_reasons, mut rest) = rest.split_first()?;
        let mut by_reason = BTreeMap::new();
        for _ in 0..n_reasons {
            let (reason, behind) = read_reason(rest)?;
            let (n, behind) = read_number(behind)?;
            // One letter takes more than a byte, so a larger count is damage.
            if n > payload.len() as u64 * 1024 {
                return None;
            }
            by_reason.insert(reason.to_owned(), n);
            rest = behind;
        }
        let time = |micros: u64| Timestamp::from_micros(micros as i64);
        Some((Self { earliest: time(earliest), latest: time(latest), by_reason }, rest))
    }
}

/// Writes a reason's name, which is short.
pub(super) fn write_reason(buffer: &mut Vec<u8>, reason: &str) {
    let length = reason.len().min(usize::from(u8::MAX));
    buffer.push(length as u8);
    buffer.extend_from_slice(&reason.as_bytes()[..length]);
}

/// Reads a reason's name, and returns what is behind it.
pub(super) fn read_reason(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    let (reason, rest) = rest.split_at_checked(usize::from(length))?;
    Some((std::str::from_utf8(reason).ok()?, rest))
}

/// Reads a number, and returns what is behind it.
pub(super) fn read_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), rest))
}

/// Seals and opens letters.
pub(super) struct Sealer {
    cipher: XChaCha20Poly1305,
}

impl Sealer {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { cipher: XChaCha20Poly1305::new(&key.into()) }
    }

    /// Appends the summary and the sealed letters. The seal covers the number and the summary, too, so
    /// that neither can be exchanged.
    pub(super) fn seal(
        &self,
        buffer: &mut Vec<u8>,
        first_id: u64,
        summary: &Summary,
        letters: &[DeadLetter],
    ) -> Result<(), AppendError> {
        let unencodable = |detail: String| AppendError::Unencodable { detail };
        let plain = serde_json::to_vec(letters).map_err(|error| unencodable(error.to_string()))?;
        let packed = zstd::bulk::compress(&plain, 1).map_err(|error| unencodable(error.to_string()))?;
        let start = buffer.len();
        summary.write(buffer);
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let covered = covered(first_id, &buffer[start..]);
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: &packed, aad: &covered })
            .map_err(|_| unencodable("the letters are too large to seal".to_owned()))?;
        buffer.extend_from_slice(&nonce);
        buffer.extend_from_slice(&(plain.len() as u64).to_le_bytes());
        buffer.extend_from_slice(&sealed);
        Ok(())
    }

    /// The letters; `None` where another key sealed them or the record is not one of letters.
    pub(super) fn open(&self, first_id: u64, payload: &[u8]) -> Option<Vec<DeadLetter>> {
        let (_, rest) = Summary::read(payload)?;
        let covered = covered(first_id, &payload[..payload.len() - rest.len()]);
        let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let (plain_bytes, sealed) = read_number(rest)?;
        let packed = self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &covered }).ok()?;
        let most = usize::try_from(plain_bytes).ok()?.min(super::MOST_PLAIN_BYTES);
        serde_json::from_slice(&zstd::bulk::decompress(&packed, most).ok()?).ok()
    }
}

fn covered(first_id: u64, summary: &[u8]) -> Vec<u8> {
    [&first_id.to_le_bytes(), summary].concat()
}
