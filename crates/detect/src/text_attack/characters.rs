//! What a character is seen as.

/// A character to the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// A letter, in lower case and without accents.
    Letter(char),
    /// A letter of Greek or Cyrillic that can be taken for a Latin one.
    LookAlike(char),
    /// A Latin letter in a dress of its own.
    Styled(char),
    /// A letter that is written as two.
    Pair(&'static str),
    Digit(char),
    /// A mark on the letter before.
    Mark,
    Invisible,
    /// A tag character: ASCII that is not shown.
    Tag(char),
    Space,
    Break,
    Other(char),
}

/// Latin letters with accents, without them: from U+00C0 on, `.` for none.
const LATIN_1: &[u8; 64] = b"aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.y";
const LATIN_A: &[u8; 128] = b"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkkkllllllllllnnnnnn...oooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

pub(super) fn seen(letter: char) -> Seen {
    match letter {
        'a'..='z' => Seen::Letter(letter),
        'A'..='Z' => Seen::Letter(letter.to_ascii_lowercase()),
        '0'..='9' => Seen::Digit(letter),
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => Seen::Break,
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{3000}' | '\u{1680}' | '\u{202f}' | '\u{205f}' => Seen::Space,
        '\0'..='\u{7f}' => {
            if letter.is_ascii_whitespace() || letter.is_ascii_control() {
                Seen::Space
            } else {
                Seen::Other(letter)
            }
        }
        _ => beyond_ascii(letter),
    }
}

fn beyond_ascii(letter: char) -> Seen {
    let number = u32::from(letter);
    match number {
        0xDF => Seen::Pair("ss"),
        0xC6 | 0xE6 => Seen::Pair("ae"),
        0x152 | 0x153 => Seen::Pair("oe"),
        0xC0..=0xFF => latin(LATIN_1[(number - 0xC0) as usize], letter),
        0x100..=0x17F => latin(LATIN_A[(number - 0x100) as usize], letter),
        0x34F => Seen::Invisible,
        0x300..=0x36F => Seen::Mark,
        0xAD | 0x180E | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2069 | 0xFEFF | 0x115F | 0x1160 | 0x3164 => {
            Seen::Invisible
        }
        0xFE00..=0xFE0F => Seen::Mark,
        0xE0020..=0xE007E => char::from_u32(number - 0xE0000).map_or(Seen::Invisible, Seen::Tag),
        0xE0000..=0xE01EF => Seen::Invisible,
        0x370..=0x52F => greek_or_cyrillic(letter),
        0xFF10..=0xFF19 => ascii(number - 0xFF10 + 0x30, Seen::Digit),
        0xFF01..=0xFF5E => match char::from_u32(number - 0xFF01 + 0x21) {
            Some(plain) if plain.is_ascii_alphabetic() => Seen::Letter(plain.to_ascii_lowercase()),
            Some(plain) => Seen::Other(plain),
            None => Seen::Other(letter),
        },
        0x1D400..=0x1D6A3 => alphabet((number - 0x1D400) % 52 % 26),
        0x1D7CE..=0x1D7FF => ascii((number - 0x1D7CE) % 10 + 0x30, Seen::Digit),
        0x24B6..=0x24E9 => alphabet((number - 0x24B6) % 26),
        0x249C..=0x24B5 => alphabet(number - 0x249C),
        0x1F130..=0x1F149 => alphabet(number - 0x1F130),
        0x1F150..=0x1F169 => alphabet(number - 0x1F150),
        0x1F170..=0x1F189 => alphabet(number - 0x1F170),
        0x201C..=0x201F | 0xAB | 0xBB | 0x300C..=0x300F => Seen::Other('"'),
        0x2018..=0x201B => Seen::Other('\''),
        _ if letter.is_alphabetic() => letter.to_lowercase().next().map_or(Seen::Letter(letter), Seen::Letter),
        _ if letter.is_whitespace() => Seen::Space,
        _ => Seen::Other(letter),
    }
}

fn latin(plain: u8, letter: char) -> Seen {
    if plain == b'.' { Seen::Other(letter) } else { Seen::Letter(char::from(plain)) }
}

fn alphabet(place: u32) -> Seen {
    ascii(place + 0x61, Seen::Styled)
}

fn ascii(number: u32, of: fn(char) -> Seen) -> Seen {
    char::from_u32(number).map_or(Seen::Invisible, of)
}

fn greek_or_cyrillic(letter: char) -> Seen {
    let lower = letter.to_lowercase().next().unwrap_or(letter);
    let lower = if lower == 'ё' { 'е' } else { lower };
    if latin_look_alike(lower).is_some() {
        Seen::LookAlike(lower)
    } else if lower.is_alphabetic() {
        Seen::Letter(lower)
    } else {
        Seen::Other(letter)
    }
}

/// The Latin letter that a Greek or Cyrillic one, in lower case, can be taken for.
pub(super) fn latin_look_alike(letter: char) -> Option<char> {
    Some(match letter {
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' | 'є' => 'e',
        'ғ' => 'f',
        'һ' | 'н' | 'η' => 'h',
        'і' | 'ї' | 'ι' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'м' => 'm',
        'п' | 'ո' => 'n',
        'о' | 'ο' | 'σ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ω' | 'ԝ' | 'ш' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        _ => return None,
    })
}
