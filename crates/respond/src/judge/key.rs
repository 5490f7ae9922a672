//! Names as numbers: what is compared and counted, never shown.

use serde::{Deserialize, Serialize};
use wardline_domain::{class_name, mix_bits, stable_hash};

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
        Self(stable_hash(name.as_bytes()).max(1))
    }

    /// The key of a class, as [`class_name`] writes it.
    pub fn of_class(name: &str) -> Self {
        Self::of(&class_name(name))
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
        Self(mix_bits(number ^ 0x9E37_79B9_7F4A_7C15) | 1)
    }
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
