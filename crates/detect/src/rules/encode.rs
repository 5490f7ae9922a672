//! Modifiers that change a value before it is looked for: Base64, UTF-16, dashes of Windows.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let block =
            chunk.iter().enumerate().fold(0_u32, |block, (index, byte)| block | u32::from(*byte) << (16 - 8 * index));
        for digit in 0..4 {
            if digit <= chunk.len() {
                text.push(char::from(ALPHABET[(block >> (18 - 6 * digit) & 63) as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// The three texts, one of which is in the Base64 of every text that holds `bytes`: digits that depend on
/// what stands beside it are cut off.
pub(crate) fn base64_offsets(bytes: &[u8]) -> Vec<String> {
    const STARTS: [usize; 3] = [0, 2, 3];
    const ENDS: [usize; 3] = [0, 3, 2];
    (0..3)
        .map(|shift| {
            let padded: Vec<u8> = std::iter::repeat_n(b' ', shift).chain(bytes.iter().copied()).collect();
            let text = base64(&padded);
            let end = text.len() - ENDS[padded.len() % 3];
            text.get(STARTS[shift]..end).unwrap_or_default().to_owned()
        })
        .collect()
}

/// UTF-16, the small byte first.
pub(crate) fn utf16_small_first(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// UTF-16, the great byte first.
pub(crate) fn utf16_great_first(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

const DASHES: [char; 5] = ['-', '/', '–', '—', '―'];
/// Options in one value beyond which only all at once are exchanged.
const MOST_FREE: usize = 3;

/// The value with every dash that begins an option also written as Windows lets one write it.
pub(crate) fn windows_dashes(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let is_word = |character: Option<&char>| character.is_some_and(|one| one.is_alphanumeric() || *one == '_');
    let places: Vec<usize> = (0..characters.len())
        .filter(|&at| {
            matches!(characters[at], '-' | '/')
                && !is_word(at.checked_sub(1).and_then(|before| characters.get(before)))
                && is_word(characters.get(at + 1))
        })
        .collect();
    let mut variants = vec![characters];
    if places.len() <= MOST_FREE {
        for place in places {
            variants = variants
                .iter()
                .flat_map(|variant| {
                    DASHES.iter().map(move |&dash| {
                        let mut changed = variant.clone();
                        changed[place] = dash;
                        changed
                    })
                })
                .collect();
        }
    } else {
        let original = variants.remove(0);
        variants = std::iter::once(original.clone())
            .chain(DASHES.iter().map(|&dash| {
                let mut changed = original.clone();
                places.iter().for_each(|&place| changed[place] = dash);
                changed
            }))
            .collect();
    }
    let mut texts: Vec<String> = variants.into_iter().map(|variant| variant.into_iter().collect()).collect();
    texts.sort();
    texts.dedup();
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_what_everyone_writes() {
        assert_eq!(base64(b"foobar"), "Zm9vYmFy");
        assert_eq!(base64(b"fooba"), "Zm9vYmE=");
        assert_eq!(base64(b"foob"), "Zm9vYg==");
        // pySigma 1.5.1 gives these for `foobar|base64offset`.
        assert_eq!(base64_offsets(b"foobar"), ["Zm9vYmFy", "Zvb2Jhc", "mb29iYX"]);
    }

    #[test]
    fn every_offset_finds_the_text() {
        for before in 0..7 {
            for after in 0..5 {
                let hidden = format!("{}ignore previous{}", "x".repeat(before), "y".repeat(after));
                let text = base64(hidden.as_bytes());
                assert!(base64_offsets(b"ignore previous").iter().any(|part| text.contains(part.as_str())), "{hidden}");
            }
        }
    }

    #[test]
    fn options_are_found_with_every_dash() {
        assert_eq!(windows_dashes("a-b"), ["a-b"]);
        assert!(windows_dashes(" -enc").contains(&" /enc".to_owned()));
        assert_eq!(windows_dashes("-a -b").len(), 25);
    }
}
