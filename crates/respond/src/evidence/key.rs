//! The key that signs packs.

use std::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::chain::{hex, sha256};

/// An Ed25519 key. Whoever keeps it keeps it secret; its fingerprint is what others compare.
pub struct EvidenceKey(SigningKey);

impl EvidenceKey {
    /// From the 32 secret bytes, which come from a source of randomness that the caller has.
    pub fn from_secret(secret: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&secret))
    }

    /// The public half, in hexadecimal.
    pub fn public_hex(&self) -> String {
        hex(self.0.verifying_key().as_bytes())
    }

    /// SHA-256 of the public half, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        sha256(self.0.verifying_key().as_bytes())
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> String {
        hex(&self.0.sign(bytes).to_bytes())
    }
}

impl fmt::Debug for EvidenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EvidenceKey({})", self.fingerprint())
    }
}

/// Whether a signature of a public key, both in hexadecimal, is one over these bytes.
pub(super) fn is_signed(bytes: &[u8], public: &str, signature: &str) -> bool {
    let (Some(public), Some(signature)) = (unhex::<32>(public), unhex::<64>(signature)) else { return false };
    let Ok(public) = VerifyingKey::from_bytes(&public) else { return false };
    public.verify_strict(bytes, &Signature::from_bytes(&signature)).is_ok()
}

/// Fingerprint of a public key in hexadecimal.
pub(super) fn fingerprint_of(public: &str) -> Option<String> {
    unhex::<32>(public).map(|public| sha256(&public))
}

/// Only lower-case digits: one key has one form.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}
