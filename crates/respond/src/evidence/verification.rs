//! What was altered in a pack.

use std::{collections::BTreeMap, fmt};

use super::{
    FileRole, Manifest, archive,
    key::{fingerprint_of, is_signed},
    manifest::{FORMAT, MANIFEST, SIGNATURE, SignatureFile, canonical, is_path},
};
use crate::chain::{ChainBreak, sha256, verify as verify_chain};

/// Most alterations that are listed.
const MAX_ALTERATIONS: usize = 10_000;

/// Something that is not as it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alteration {
    /// The archive is not laid out as it was written.
    Archive {
        /// Where, in bytes from its start.
        at: usize,
        /// What is wrong there.
        what: String,
    },
    /// A file has another content.
    FileAltered {
        /// Its path.
        path: String,
    },
    /// A file is not there.
    FileMissing {
        /// Its path.
        path: String,
    },
    /// A file is there that was not signed, or is there twice.
    FileAdded {
        /// Its path.
        path: String,
    },
    /// A record of a log is not as it was written.
    Record {
        /// The log's path.
        path: String,
        /// Which record, and what is wrong.
        damage: ChainBreak,
    },
    /// The manifest is not the one that was signed.
    Manifest {
        /// How it is known.
        reason: String,
    },
    /// The signature is none of the key that it names.
    Signature {
        /// How it is known.
        reason: String,
    },
    /// It is signed by another key than the one that is trusted.
    OtherKey {
        /// Fingerprint of the key that signed.
        found: String,
    },
}

impl fmt::Display for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive { at, what } => write!(f, "the archive is altered at byte {at}: {what}"),
            Self::FileAltered { path } => write!(f, "`{path}` is altered"),
            Self::FileMissing { path } => write!(f, "`{path}` is missing"),
            Self::FileAdded { path } => write!(f, "`{path}` was added"),
            Self::Record { path, damage } => write!(f, "`{path}`: {damage}"),
            Self::Manifest { reason } => write!(f, "the manifest is altered: {reason}"),
            Self::Signature { reason } => write!(f, "the signature is altered: {reason}"),
            Self::OtherKey { found } => {
                write!(f, "it is signed by the key {found}, which is not the one that you trust")
            }
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// The manifest, where it can be read. Where anything is altered, it tells nothing for sure.
    pub manifest: Option<Manifest>,
    /// Fingerprint of the key that signed; compare it with what the signer told you in another way.
    pub fingerprint: Option<String>,
    /// What is altered; nothing where the pack is as it was signed.
    pub alterations: Vec<Alteration>,
}

impl Verification {
    /// Whether the pack is as it was signed.
    pub fn is_whole(&self) -> bool {
        self.alterations.is_empty()
    }
}

/// Checks a pack. `trusted` is the fingerprint of the key that should have signed; without it, any key may have.
pub fn verify(bytes: &[u8], trusted: Option<&str>) -> Verification {
    let mut verification = Verification::default();
    let read = archive::read(bytes);
    let mut files: BTreeMap<&str, &[u8]> = BTreeMap::new();
    for (path, content) in &read.files {
        let is_known = is_path(path) || *path == MANIFEST || *path == SIGNATURE;
        if !is_known || files.insert(path, content).is_some() {
            verification.say(Alteration::FileAdded { path: path.chars().take(200).collect() });
        }
    }
    let manifest = files.remove(MANIFEST);
    let signature = files.remove(SIGNATURE);
    verification.check_signature(manifest, signature, trusted);
    if let Some(manifest) = manifest {
        verification.check_files(manifest, &files);
    }
    // That the checksum of an altered file is another one says nothing new.
    let is_explained = !verification.is_whole();
    if let Some(damage) = read.damage.filter(|damage| damage.is_cut || !is_explained) {
        verification.say(Alteration::Archive { at: damage.at, what: damage.what.to_owned() });
    }
    verification
}

impl Verification {
    fn say(&mut self, alteration: Alteration) {
        if self.alterations.len() < MAX_ALTERATIONS {
            self.alterations.push(alteration);
        }
    }

    fn check_signature(&mut self, manifest: Option<&[u8]>, signature: Option<&[u8]>, trusted: Option<&str>) {
        let Some(manifest) = manifest else {
            return self.say(Alteration::FileMissing { path: MANIFEST.to_owned() });
        };
        let Some(bytes) = signature else {
            return self.say(Alteration::FileMissing { path: SIGNATURE.to_owned() });
        };
        let Ok(file) = serde_json::from_slice::<SignatureFile>(bytes) else {
            return self.say(Alteration::Signature { reason: "it cannot be read".to_owned() });
        };
        let fingerprint = fingerprint_of(&file.public_key);
        self.fingerprint.clone_from(&fingerprint);
        let hash = sha256(manifest);
        if is_signed(manifest, &file.public_key, &file.signature) {
            let expected = SignatureFile {
                algorithm: "Ed25519".to_owned(),
                fingerprint: fingerprint.clone().unwrap_or_default(),
                manifest_sha256: hash,
                ..file
            };
            if canonical(&expected).ok().as_deref() != Some(bytes) {
                self.say(Alteration::Signature { reason: "what stands beside it does not belong to it".to_owned() });
            }
        } else if hash == file.manifest_sha256 {
            self.say(Alteration::Signature { reason: "it is none of this key over the manifest".to_owned() });
        } else {
            self.say(Alteration::Manifest { reason: "its bytes are not those that were signed".to_owned() });
        }
        if let (Some(found), Some(trusted)) = (fingerprint, trusted)
            && found != trusted
        {
            self.say(Alteration::OtherKey { found });
        }
    }

    fn check_files(&mut self, bytes: &[u8], files: &BTreeMap<&str, &[u8]>) {
        let manifest = match serde_json::from_slice::<Manifest>(bytes) {
            Ok(manifest) if manifest.format == FORMAT => manifest,
            Ok(manifest) => {
                let reason = format!("its form is `{}`, and this program reads `{FORMAT}`", manifest.format);
                return self.say(Alteration::Manifest { reason });
            }
            Err(error) => return self.say(Alteration::Manifest { reason: error.to_string() }),
        };
        let mut left = files.clone();
        for listed in &manifest.files {
            let Some(content) = left.remove(listed.path.as_str()) else {
                self.say(Alteration::FileMissing { path: listed.path.clone() });
                continue;
            };
            let is_same = listed.bytes == content.len() as u64 && listed.sha256 == sha256(content);
            if !is_same {
                self.say(Alteration::FileAltered { path: listed.path.clone() });
            }
            if listed.role == FileRole::Log {
                for damage in verify_chain(content, listed.head.as_ref()) {
                    self.say(Alteration::Record { path: listed.path.clone(), damage });
                }
            }
        }
        for path in left.into_keys() {
            self.say(Alteration::FileAdded { path: path.to_owned() });
        }
        self.manifest = Some(manifest);
    }
}
