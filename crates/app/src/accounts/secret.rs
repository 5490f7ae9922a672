//! Secrets of tokens: made here, shown once, and kept as a hash.

use std::fmt::Write as _;

use subtle::ConstantTimeEq as _;

/// What tells scanners of leaked secrets, and people, what it is.
const PREFIX: &str = "wardline_";

/// BLAKE3 hash of a secret. A secret has 256 random bits, so that nothing slower is needed.
#[derive(Clone, Copy)]
pub(crate) struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of a secret.
    pub(crate) fn of(secret: &str) -> Self {
        Self(*blake3::hash(secret.as_bytes()).as_bytes())
    }

    /// The hash as it is written down.
    pub(super) fn from_hex(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|hash| Self(*hash.as_bytes()))
    }

    /// How it is written down.
    pub(super) fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// Whether both are the same, in the same time whatever they are.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretHash")
    }
}

/// A new secret.
pub(super) fn new_secret() -> String {
    format!("{PREFIX}{}", hex(&rand::random::<[u8; 32]>()))
}

/// A new id of a token.
pub(super) fn new_token_id() -> String {
    format!("t-{}", hex(&rand::random::<[u8; 6]>()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_secret_has_its_hash() {
        let (secret, other) = (new_secret(), new_secret());
        assert_eq!(secret.len(), PREFIX.len() + 64);
        let kept = SecretHash::from_hex(&SecretHash::of(&secret).to_hex()).unwrap();
        assert!(kept.is(&SecretHash::of(&secret)));
        assert!(!kept.is(&SecretHash::of(&other)));
        assert!(!kept.is(&SecretHash::of(&secret[..secret.len() - 1])));
        assert!(SecretHash::from_hex("12").is_none());
    }
}
