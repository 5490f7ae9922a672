//! A log that cannot be changed unnoticed: each record carries the hash of the one before it.
//!
//! A record is one line of JSON. Its last field is the SHA-256 of every byte before it, so `sha256sum` checks it too:
//!
//! ```text
//! {"sequence":1,"previous":"<64 hex>","entry":{...},"hash":"<64 hex>"}
//! ```
//!
//! The hash is taken over the bytes of the line and never over what a reader made of them: reading and writing a
//! number again may change its last digit. A chain alone cannot tell that its end was cut off; whoever keeps the
//! [`Head`] elsewhere (a manifest, another log) can.

mod verify;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

pub use verify::{ChainBreak, Damage, verify};

/// What the first record names as the one before it.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Most bytes of one record.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// The end of a chain: how many records it has, and the hash of the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Number of records.
    pub length: u64,
    /// Hash of the last one; [`GENESIS`] of an empty chain.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { length: 0, hash: GENESIS.to_owned() }
    }
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub struct Link<T> {
    /// Its place, from 0.
    pub sequence: u64,
    /// The hash of the record before it.
    pub previous: String,
    /// What it records.
    pub entry: T,
    /// Its own hash.
    pub hash: String,
    /// Its line, as it was hashed.
    pub line: String,
}

/// Why a record was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The entry has no JSON form.
    #[error("the record cannot be written as JSON")]
    NoJson(#[source] serde_json::Error),
    /// The entry is too long.
    #[error(
        "the record has {bytes} bytes, and at most {MAX_RECORD_BYTES} are kept: put the content into a file and link it"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

/// Records in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain<T> {
    links: Vec<Link<T>>,
}

impl<T> Default for Chain<T> {
    fn default() -> Self {
        Self { links: Vec::new() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<T> {
    sequence: u64,
    previous: String,
    entry: T,
    hash: String,
}

#[derive(Serialize)]
struct Hashed<'a, T> {
    sequence: u64,
    previous: &'a str,
    entry: &'a T,
}

/// The record that follows the end of a chain, for whoever keeps no more of it than that.
///
/// # Errors
/// [`AppendError`] where the entry has no JSON form or is too long.
pub fn follow<T: Serialize>(head: &Head, entry: T) -> Result<Link<T>, AppendError> {
    let hashed = Hashed { sequence: head.length, previous: &head.hash, entry: &entry };
    let mut line = serde_json::to_string(&hashed).map_err(AppendError::NoJson)?;
    if MAX_RECORD_BYTES < line.len() {
        return Err(AppendError::TooLong { bytes: line.len() });
    }
    line.pop();
    let hash = hex(&Sha256::digest(line.as_bytes()));
    line.push_str(verify::BEFORE_HASH);
    line.push_str(&hash);
    line.push_str(verify::AFTER_HASH);
    Ok(Link { sequence: head.length, previous: head.hash.clone(), entry, hash, line })
}

impl<T: Serialize> Chain<T> {
    /// Appends a record.
    ///
    /// # Errors
    /// [`AppendError`] where it has no JSON form or is too long. The chain is then as before.
    pub fn append(&mut self, entry: T) -> Result<&Link<T>, AppendError> {
        let link = follow(&self.head(), entry)?;
        let at = self.links.len();
        self.links.push(link);
        Ok(&self.links[at])
    }
}

impl<T> Chain<T> {
    /// Its records.
    pub fn links(&self) -> &[Link<T>] {
        &self.links
    }

    /// Its end.
    pub fn head(&self) -> Head {
        self.links.last().map(|link| Head { length: link.sequence + 1, hash: link.hash.clone() }).unwrap_or_default()
    }

    /// Its lines, each with a line feed: what is written to a file.
    pub fn to_lines(&self) -> String {
        self.links.iter().fold(String::new(), |mut lines, link| {
            lines.push_str(&link.line);
            lines.push('\n');
            lines
        })
    }
}

impl<T: DeserializeOwned> Chain<T> {
    /// Reads the lines of a chain, and checks every hash.
    ///
    /// # Errors
    /// What is damaged, the first record first; a chain with any damage is not read.
    pub fn from_lines(bytes: &[u8], head: Option<&Head>) -> Result<Self, Vec<ChainBreak>> {
        let breaks = verify(bytes, head);
        if !breaks.is_empty() {
            return Err(breaks);
        }
        let mut links = Vec::new();
        for (place, bytes) in verify::lines(bytes).enumerate() {
            let line = String::from_utf8_lossy(bytes).into_owned();
            let Line { sequence, previous, entry, hash } = serde_json::from_str(&line).map_err(|error| {
                vec![ChainBreak { sequence: place as u64, damage: Damage::NotUnderstood(error.to_string()) }]
            })?;
            links.push(Link { sequence, previous, entry, hash, line });
        }
        Ok(Self { links })
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// SHA-256 of bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
