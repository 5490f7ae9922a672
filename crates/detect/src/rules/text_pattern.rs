//! Patterns over text: exact, at an end, within, and with wildcards.

use rsigma_parser::{SigmaString, SpecialChar, StringPart};

/// A piece of a pattern with wildcards.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Piece {
    Plain(String),
    /// Any one character.
    One,
    /// Any text, also none.
    Any,
}

/// A pattern over a whole text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum TextPattern {
    /// Any text at all.
    Anything,
    Exact(String),
    Starts(String),
    Ends(String),
    Contains(String),
    Wildcard(Vec<Piece>),
}

/// Where in the text a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Place {
    Whole,
    Start,
    End,
    Within,
}

/// Folds case as SQL's `lower` does.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// The pieces of a value as it was written.
pub(crate) fn pieces(value: &SigmaString) -> Vec<Piece> {
    value
        .parts
        .iter()
        .map(|part| match part {
            StringPart::Plain(text) => Piece::Plain(text.clone()),
            StringPart::Special(SpecialChar::WildcardMulti) => Piece::Any,
            StringPart::Special(SpecialChar::WildcardSingle) => Piece::One,
        })
        .collect()
}

impl TextPattern {
    /// The pattern of a value at a place; its text is folded unless case matters.
    pub(crate) fn new(mut pieces: Vec<Piece>, place: Place, cased: bool) -> Self {
        if matches!(place, Place::End | Place::Within) {
            pieces.insert(0, Piece::Any);
        }
        if matches!(place, Place::Start | Place::Within) {
            pieces.push(Piece::Any);
        }
        let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match (joined.last_mut(), piece) {
                (Some(Piece::Any), Piece::Any) => {}
                (Some(Piece::Plain(before)), Piece::Plain(text)) => before.push_str(&text),
                (_, Piece::Plain(text)) if text.is_empty() => {}
                (_, piece) => joined.push(piece),
            }
        }
        if !cased {
            for piece in &mut joined {
                if let Piece::Plain(text) = piece {
                    *text = folded(text);
                }
            }
        }
        match joined.as_slice() {
            [] => Self::Exact(String::new()),
            [Piece::Any] => Self::Anything,
            [Piece::Plain(text)] => Self::Exact(text.clone()),
            [Piece::Plain(text), Piece::Any] => Self::Starts(text.clone()),
            [Piece::Any, Piece::Plain(text)] => Self::Ends(text.clone()),
            [Piece::Any, Piece::Plain(text), Piece::Any] => Self::Contains(text.clone()),
            _ => Self::Wildcard(joined),
        }
    }

    /// Whether a text, folded where the pattern is, matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::Exact(whole) => text == whole,
            Self::Starts(start) => text.starts_with(start.as_str()),
            Self::Ends(end) => text.ends_with(end.as_str()),
            Self::Contains(part) => text.contains(part.as_str()),
            Self::Wildcard(pieces) => wildcard(pieces, text),
        }
    }
}

/// Greedy matching with one place to go back to, which is enough: a later `Any` makes an earlier one's
/// choice final. Takes `O(text x pieces)` at most.
fn wildcard(pieces: &[Piece], text: &str) -> bool {
    let (mut piece, mut at) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        let rest = &text[at..];
        let step = match pieces.get(piece) {
            None if rest.is_empty() => return true,
            None => None,
            Some(Piece::Any) => {
                back = Some((piece + 1, at));
                Some(0)
            }
            Some(Piece::One) => rest.chars().next().map(char::len_utf8),
            Some(Piece::Plain(plain)) => rest.starts_with(plain.as_str()).then_some(plain.len()),
        };
        if let Some(length) = step {
            (piece, at) = (piece + 1, at + length);
            continue;
        }
        let Some((next, from)) = back else { return false };
        let Some(skipped) = text[from..].chars().next() else { return false };
        back = Some((next, from + skipped.len_utf8()));
        (piece, at) = (next, from + skipped.len_utf8());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        TextPattern::new(pieces(&SigmaString::new(pattern)), Place::Whole, false).matches(&folded(text))
    }

    #[test]
    fn wildcards_stand_for_what_they_should() {
        for (pattern, text) in [
            ("*a*b", "xxaYYb"),
            ("a?c", "aBc"),
            ("a?c", "aßc"),
            ("*ab*ab", "abxabab"),
            ("**", ""),
            ("?*", "x"),
            (r"a\*c", "A*c"),
            ("*a?b*c*", "zzaXbYYcz"),
        ] {
            assert!(matches(pattern, text), "{pattern} must match {text}");
        }
        for (pattern, text) in [("a?c", "ac"), ("?*", ""), (r"a\*c", "abc"), ("a*b*c", "acb"), ("abc", "abcd")] {
            assert!(!matches(pattern, text), "{pattern} must not match {text}");
        }
    }
}
