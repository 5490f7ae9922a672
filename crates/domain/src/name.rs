//! Names as numbers, and texts as SQL has them.

/// A stable 64-bit hash of bytes: the same in every version of the program, so that it may be saved.
///
/// Eight bytes at a time, and mixed until every bit counts (the end of splitmix64). Not for secrets.
#[inline]
pub fn stable_hash(bytes: &[u8]) -> u64 {
    let mut hash = 0x9E37_79B9_7F4A_7C15_u64 ^ bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        hash ^= hash >> 32;
    }
    mix_bits(hash)
}

/// Mixes the bits of a number until each depends on every one (the end of splitmix64).
#[inline]
pub const fn mix_bits(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

/// A class in the form in which classes are compared. Case, blanks around it and a trailing `.0` make no difference, as a
/// class is often written `True` here and `true` there.
pub fn class_name(text: &str) -> String {
    let trimmed = text.trim();
    trimmed.strip_suffix(".0").unwrap_or(trimmed).to_ascii_lowercase()
}

/// A text as SQL has it: quotes are doubled, and nothing else has a meaning in a literal.
pub fn sql_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_stay_what_they_were() {
        assert_eq!(stable_hash(b""), mix_bits(0x9E37_79B9_7F4A_7C15));
        assert_ne!(stable_hash(b"a"), stable_hash(b"a\0"), "the length counts");
        assert_ne!(stable_hash(b"12345678a"), stable_hash(b"a12345678"));
    }

    #[test]
    fn a_quote_ends_no_literal() {
        assert_eq!(sql_literal("o'hara'; drop"), "'o''hara''; drop'");
        assert_eq!(class_name(" True "), "true");
        assert_eq!(class_name("1.0"), "1");
    }
}
