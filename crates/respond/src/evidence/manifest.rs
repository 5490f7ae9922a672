//! What a pack holds, and how it is made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::{EvidenceKey, PackError, archive};
use crate::chain::{Head, sha256, verify};

/// Where the manifest lies.
pub(super) const MANIFEST: &str = "manifest.json";
/// Where its signature lies.
pub(super) const SIGNATURE: &str = "manifest.sig.json";
/// The form of the manifest.
pub(super) const FORMAT: &str = "wardline-evidence-1";

/// What a file of a pack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileRole {
    /// Events, as Parquet.
    Data,
    /// A question, as SQL.
    Query,
    /// What a question was answered with.
    Result,
    /// What was decided, by whom or by which rule.
    Decision,
    /// A log whose records carry the hash of the one before.
    Log,
    /// Which versions of models, data and programs were in use.
    Versions,
    /// Anything else.
    Other,
}

/// A file that goes into a pack.
#[derive(Clone, Debug)]
pub struct PackFile {
    /// Its path.
    pub path: String,
    /// What it is.
    pub role: FileRole,
    /// What it shows, in a sentence.
    pub description: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What a pack is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackFacts {
    /// The incident.
    pub incident: String,
    /// When the pack was made.
    pub created: Timestamp,
    /// Who or what made it.
    pub created_by: String,
    /// The version of the product.
    pub product: String,
    /// Why it was made.
    pub reason: String,
}

/// A file as the manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its path.
    pub path: String,
    /// What it is.
    pub role: FileRole,
    /// What it shows.
    pub description: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its content.
    pub sha256: String,
    /// The end of a log.
    pub head: Option<Head>,
}

/// The manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form.
    pub format: String,
    /// What the pack is about.
    pub pack: PackFacts,
    /// Its files, by path.
    pub files: Vec<Listed>,
}

/// What lies beside the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignatureFile {
    pub(super) algorithm: String,
    pub(super) public_key: String,
    pub(super) fingerprint: String,
    pub(super) manifest_sha256: String,
    pub(super) signature: String,
}

/// The only form in which a manifest or a signature is written.
pub(super) fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, PackError> {
    let mut bytes = serde_json::to_vec(value).map_err(|error| PackError::NotWritten(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Makes a pack. The same input gives the same bytes.
///
/// # Errors
/// [`PackError`], where a path cannot be one, a log is damaged already, or there is too much.
pub fn pack(facts: PackFacts, files: Vec<PackFile>, key: &EvidenceKey) -> Result<Vec<u8>, PackError> {
    let mut sorted: BTreeMap<String, PackFile> = BTreeMap::new();
    for file in files {
        if !is_path(&file.path) {
            return Err(PackError::Path(file.path.chars().take(200).collect()));
        }
        if let Some(twice) = sorted.insert(file.path.clone(), file) {
            return Err(PackError::Twice(twice.path));
        }
    }
    let most = archive::MAX_FILES - 2;
    if most < sorted.len() {
        return Err(PackError::TooMuch { what: "files", has: sorted.len(), most });
    }
    let total = sorted.values().map(|file| file.bytes.len() + 2 * file.path.len() + 128).sum();
    if archive::MAX_BYTES < total {
        return Err(PackError::TooMuch { what: "bytes", has: total, most: archive::MAX_BYTES });
    }
    let listed = sorted.values().map(list).collect::<Result<Vec<_>, _>>()?;
    let manifest = canonical(&Manifest { format: FORMAT.to_owned(), pack: facts, files: listed })?;
    let signature = canonical(&SignatureFile {
        algorithm: "Ed25519".to_owned(),
        public_key: key.public_hex(),
        fingerprint: key.fingerprint(),
        manifest_sha256: sha256(&manifest),
        signature: key.sign(&manifest),
    })?;
    let own = [(MANIFEST, manifest.as_slice()), (SIGNATURE, signature.as_slice())];
    let others = sorted.iter().map(|(path, file)| (path.as_str(), file.bytes.as_slice()));
    Ok(archive::write(own.into_iter().chain(others)))
}

fn list(file: &PackFile) -> Result<Listed, PackError> {
    let head = match file.role {
        FileRole::Log => Some(head_of(file)?),
        _ => None,
    };
    Ok(Listed {
        path: file.path.clone(),
        role: file.role,
        description: file.description.clone(),
        bytes: file.bytes.len() as u64,
        sha256: sha256(&file.bytes),
        head,
    })
}

fn head_of(file: &PackFile) -> Result<Head, PackError> {
    let damaged = |damage: String| PackError::DamagedLog { path: file.path.clone(), damage };
    if let Some(damage) = verify(&file.bytes, None).first() {
        return Err(damaged(damage.to_string()));
    }
    #[derive(Deserialize)]
    struct Last {
        sequence: u64,
        hash: String,
    }
    let last = file.bytes.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty());
    let Some(last) = last else { return Ok(Head::default()) };
    let last: Last = serde_json::from_slice(last).map_err(|error| damaged(error.to_string()))?;
    Ok(Head { length: last.sequence + 1, hash: last.hash })
}

/// Whether a path means the same file on every system, and leads nowhere else.
pub(super) fn is_path(path: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/');
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with('.');
    path.len() <= 200
        && path.bytes().all(allowed)
        && path.split('/').all(is_part)
        && path != MANIFEST
        && path != SIGNATURE
}
