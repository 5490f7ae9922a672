//! Names as numbers: what is compared and counted, never shown.

use serde::{Deserialize, Serialize};

/// A name's 64-bit hash; zero where there is none. Two of a million names share one with a chance of one in
/// thirty million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(u64);

impl Key {
    /// No name.
    pub const NONE: Self = Self(0);

    /// The key of a name; the same in every version of the program.
    pub fn of(name: &str) -> Self {
        Self::of_bytes(name.as_bytes())
    }

    /// The key of a class. Case, blanks around it and a trailing `.0` make no difference, as a class is often
    /// written `True` here and `true` there.
    pub fn of_class(name: &str) -> Self {
        let trimmed = name.trim();
        Self::of(&trimmed.strip_suffix(".0").unwrap_or(trimmed).to_ascii_lowercase())
    }

    /// The key of one attribute's value.
    pub fn of_segment(attribute: &str, value: &str) -> Self {
        Self::of(&format!("{attribute}={value}"))
    }

    /// A key that is known to be none.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// A key by number, for streams that have no names.
    pub const fn numbered(number: u64) -> Self {
        Self(mixed(number ^ 0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Eight bytes at a time, and mixed until every bit counts (the end of splitmix64).
    fn of_bytes(bytes: &[u8]) -> Self {
        let mut hash = 0x9E37_79B9_7F4A_7C15_u64 ^ bytes.len() as u64;
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = (hash.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
            hash ^= hash >> 32;
        }
        Self(mixed(hash).max(1))
    }
}

const fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_the_same_however_they_are_written() {
        assert_eq!(Key::of_class(" True "), Key::of_class("true"));
        assert_eq!(Key::of_class("1.0"), Key::of_class("1"));
        assert_ne!(Key::of_class("approve"), Key::of_class("decline"));
        assert!(!Key::of("").is_none() && Key::NONE.is_none());
    }
}
