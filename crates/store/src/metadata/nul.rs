//! The character NUL, which text in PostgreSQL cannot hold and names in telemetry can: without this, whoever sends
//! one could keep an alert from being written.

use std::borrow::Cow;

/// Stands before what stands for another character. Unicode keeps this code free for uses inside of a program.
const MARK: char = '\u{10FFFF}';
/// After the mark: NUL.
const NUL: char = '0';
/// After the mark: the mark.
const MARK_ITSELF: char = '1';

/// Text without NUL, from which [`written_out`] makes the text again.
pub(super) fn left_out(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', MARK]) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\0' => written.extend([MARK, NUL]),
            MARK => written.extend([MARK, MARK_ITSELF]),
            other => written.push(other),
        }
    }
    Cow::Owned(written)
}

/// The text that [`left_out`] was given.
pub(super) fn written_out(written: String) -> String {
    if !written.contains(MARK) {
        return written;
    }
    let mut text = String::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(character) = characters.next() {
        match character {
            MARK if characters.next() == Some(NUL) => text.push('\0'),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_comes_back_and_holds_no_nul(parts in proptest::collection::vec("[\\x00a01\u{10FFFF}]{0,4}|.{0,4}", 0..6)) {
            let text: String = parts.concat();
            let written = left_out(&text);
            prop_assert!(!written.contains('\0'));
            prop_assert_eq!(written_out(written.into_owned()), text);
        }
    }
}
