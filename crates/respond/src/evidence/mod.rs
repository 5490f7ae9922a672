//! Evidence packs: what was known of an incident, in one file that shows whether it was altered, without a network.
//!
//! A pack is a zip archive of plain (stored) files in the order of their paths, without anything that may vary: the same
//! content gives the same bytes. Beside the files there are
//!
//! - `manifest.json`: path, length and SHA-256 of every file, and the end of every log in it;
//! - `manifest.sig.json`: an Ed25519 signature over the bytes of the manifest, the public key, and its fingerprint.
//!
//! [`verify`] says what was altered: which file, which record of which log, the manifest, the signature, or the archive
//! around them. Any tool opens a pack; what two readers could read differently does not pass, because an archive that
//! means two things is no evidence.

mod archive;
mod error;
mod key;
mod manifest;
mod verification;

#[cfg(test)]
mod tests;

pub use error::PackError;
pub use key::EvidenceKey;
pub use manifest::{FileRole, Listed, Manifest, PackFacts, PackFile, pack};
pub use verification::{Alteration, Verification, verify};
