//! The hash of text that feature hashing rests on: the same on every machine and in every version.

/// FNV-1a of 64 bits over characters (one step for each code point), mixed at the end as in SplitMix64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextHash(u64);

impl TextHash {
    /// The start for words.
    pub(crate) const WORD: Self = Self(0xcbf2_9ce4_8422_2325);
    /// The start for runs of characters, so that a run of letters is not the word of the same letters.
    pub(crate) const LETTERS: Self = Self(!0);

    pub(crate) fn add(&mut self, letter: char) {
        self.add_number(u64::from(u32::from(letter)));
    }

    /// One step over a number, such as the hash of a word.
    pub(crate) fn add_number(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x0000_0100_0000_01b3);
    }

    pub(crate) fn mixed(self) -> u64 {
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept on disk depends on these numbers.
    #[test]
    fn the_hash_stays_as_it_is() {
        let mut hash = TextHash::WORD;
        "model".chars().for_each(|letter| hash.add(letter));
        // FNV-1a of 64 bits over the bytes of "model".
        let bytes = "model"
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        assert_eq!(hash, TextHash(bytes));
        assert_eq!(TextHash(1).mixed(), 0x5692_161d_100b_05e5);
    }
}
