//! Secrets and personal data in a text: formats of keys, and numbers whose check digits are right.
//!
//! Only what kind it is and how often is told, never the text itself.

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum SecretKind {
    /// A key of a service, by the form that its maker gave it.
    ServiceKey,
    /// A private key block.
    PrivateKey,
    /// A signed token (JSON Web Token).
    SignedToken,
    /// A password beside that word.
    Password,
    /// A card number: its digits check by Luhn.
    Card,
    /// A bank account (IBAN): its digits check modulo 97.
    BankAccount,
    /// A national number with check digits, or the dashed form of the American one.
    NationalNumber,
    /// An address of electronic mail.
    Email,
    /// A telephone number with its country code.
    Phone,
}

impl SecretKind {
    pub(crate) const ALL: [Self; 9] = [
        Self::ServiceKey,
        Self::PrivateKey,
        Self::SignedToken,
        Self::Password,
        Self::Card,
        Self::BankAccount,
        Self::NationalNumber,
        Self::Email,
        Self::Phone,
    ];

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::ServiceKey => "service keys",
            Self::PrivateKey => "private keys",
            Self::SignedToken => "signed tokens",
            Self::Password => "passwords",
            Self::Card => "card numbers",
            Self::BankAccount => "bank accounts",
            Self::NationalNumber => "national numbers",
            Self::Email => "mail addresses",
            Self::Phone => "telephone numbers",
        }
    }

    pub(crate) const fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// How often each kind is in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Secrets {
    counts: [u16; SecretKind::ALL.len()],
}

impl Secrets {
    pub(crate) const fn count(&self, kind: SecretKind) -> u16 {
        self.counts[kind as usize]
    }

    /// Whether something is in it that no answer should hold: keys and passwords.
    pub(crate) fn has_key(&self) -> bool {
        [SecretKind::ServiceKey, SecretKind::PrivateKey, SecretKind::SignedToken, SecretKind::Password]
            .into_iter()
            .any(|kind| self.count(kind) > 0)
    }

    fn add(&mut self, kind: SecretKind) {
        let count = &mut self.counts[kind as usize];
        *count = count.saturating_add(1);
    }
}

/// Bytes of a text that are looked through.
const MOST_BYTES: usize = 65_536;

/// Looks through a text, in one pass over its words.
pub(crate) fn secrets_in(text: &str) -> Secrets {
    let text = &text[..text.floor_char_boundary(MOST_BYTES)];
    let mut found = Secrets::default();
    if let Some(at) = text.find("-----BEGIN ")
        && text[at..].lines().next().is_some_and(|line| line.contains("PRIVATE KEY-----"))
    {
        found.add(SecretKind::PrivateKey);
    }
    let (mut names_password, mut words_since) = (false, 0);
    for word in text.split(|letter: char| {
        letter.is_whitespace()
            || matches!(letter, '"' | '\'' | '`' | ',' | ';' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}')
    }) {
        if word.is_empty() {
            continue;
        }
        let (label, value) = word.split_once(['=', ':']).unwrap_or(("", word));
        let value = value.trim_matches(['.', '!', '?', ':', '*']);
        match kind_of(value) {
            Some(kind) => found.add(kind),
            None if label.is_empty() && names_password && words_since <= 2 && is_password(value) => {
                found.add(SecretKind::Password);
                names_password = false;
            }
            None if is_password_word(label) && is_password(value) => found.add(SecretKind::Password),
            None => {}
        }
        if is_password_word(word.trim_end_matches([':', '='])) {
            (names_password, words_since) = (true, 0);
        } else {
            words_since += 1;
        }
    }
    numbers(text, &mut found);
    found
}

fn is_password_word(word: &str) -> bool {
    const WORDS: [&str; 12] = [
        "password",
        "passwd",
        "pwd",
        "passwort",
        "kennwort",
        "contraseña",
        "senha",
        "wachtwoord",
        "secret",
        "api_key",
        "apikey",
        "token",
    ];
    WORDS.iter().any(|known| word.len() < 24 && word.to_lowercase().ends_with(known))
}

/// Whether a word is no word of a language: letters and digits, with signs or both cases.
fn is_password(word: &str) -> bool {
    let has = |of: fn(&u8) -> bool| word.bytes().any(|byte| of(&byte));
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let is_odd = has(u8::is_ascii_punctuation) || (has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase));
    (8..=128).contains(&word.len()) && is_mixed && is_odd && !word.contains("://") && !word.contains('/')
}

fn kind_of(word: &str) -> Option<SecretKind> {
    if word.len() < 6 {
        return None;
    }
    if is_service_key(word) {
        return Some(SecretKind::ServiceKey);
    }
    if word.starts_with("eyJ")
        && word.len() >= 40
        && word.split('.').count() == 3
        && word.split('.').nth(1).is_some_and(|claims| claims.starts_with("eyJ"))
    {
        return Some(SecretKind::SignedToken);
    }
    if let Some((name, domain)) = word.split_once('@') {
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._%+-".contains(&byte));
        let is_domain = domain.rsplit_once('.').is_some_and(|(host, top)| {
            !host.is_empty() && top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        });
        return (is_name && is_domain).then_some(SecretKind::Email);
    }
    is_tax_code(word).then_some(SecretKind::NationalNumber)
}

/// Prefixes of keys, and how many letters and digits follow.
const KEYS: [(&str, usize); 20] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 36),
    ("gho_", 36),
    ("ghu_", 36),
    ("ghs_", 36),
    ("ghr_", 36),
    ("github_pat_", 50),
    ("glpat-", 20),
    ("sk-ant-", 30),
    ("sk-proj-", 30),
    ("sk-", 32),
    ("sk_live_", 24),
    ("rk_live_", 24),
    ("xoxb-", 24),
    ("xoxp-", 24),
    ("AIza", 35),
    ("npm_", 36),
    ("hf_", 30),
    ("pypi-", 40),
];

fn is_service_key(word: &str) -> bool {
    KEYS.iter().any(|(prefix, least)| {
        word.strip_prefix(prefix).is_some_and(|rest| {
            let is_plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            rest.len() >= *least && is_plain && bits_a_letter(rest) >= 2.8
        })
    })
}

/// Entropy of the letters of a text; a placeholder such as `xxxxxxxx` has none.
fn bits_a_letter(text: &str) -> f64 {
    let mut counts = [0_u32; 128];
    text.bytes().for_each(|byte| counts[usize::from(byte & 127)] += 1);
    let n = text.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / n)
        .map(|share| -share * share.log2())
        .sum()
}

/// Numbers that may be divided by spaces and dashes.
fn numbers(text: &str, found: &mut Secrets) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let starts = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        if !starts || !(bytes[at].is_ascii_digit() || bytes[at].is_ascii_uppercase() || bytes[at] == b'+') {
            at += 1;
            continue;
        }
        let (kind, length) = number_at(&bytes[at..]);
        if let Some(kind) = kind {
            found.add(kind);
        }
        at += length.max(1);
    }
}

/// The number that bytes begin with, and how many bytes to go on behind.
fn number_at(bytes: &[u8]) -> (Option<SecretKind>, usize) {
    if bytes[0].is_ascii_uppercase() {
        let is_account =
            bytes.len() > 15 && bytes[1].is_ascii_uppercase() && bytes[2].is_ascii_digit() && bytes[3].is_ascii_digit();
        let run = if is_account { compact(bytes, 34, u8::is_ascii_alphanumeric) } else { return (None, 1) };
        return match account(&run.0) {
            Some(digits) => (Some(SecretKind::BankAccount), digits.max(15)),
            // What has the form but does not check is no card either.
            None => (None, if run.0.len() >= 15 { run.1 } else { 2 }),
        };
    }
    let is_abroad = bytes[0] == b'+';
    let (digits, length) = compact(&bytes[usize::from(is_abroad)..], 19, u8::is_ascii_digit);
    if is_abroad {
        let is_phone = (8..=15).contains(&digits.len());
        return (is_phone.then_some(SecretKind::Phone), length + 1);
    }
    let end = bytes.get(length).copied().unwrap_or(b' ');
    let is_dashed = length == 11 && bytes[3] == b'-' && bytes[6] == b'-' && digits.len() == 9;
    if is_dashed && is_social_security(&digits) {
        return (Some(SecretKind::NationalNumber), length);
    }
    let has_decimals = end == b'.' && bytes.get(length + 1).is_some_and(u8::is_ascii_digit);
    if (13..=19).contains(&digits.len()) && !end.is_ascii_alphanumeric() && !has_decimals && is_card(&digits) {
        return (Some(SecretKind::Card), length);
    }
    if digits.len() == 15 && is_french(&digits) {
        return (Some(SecretKind::NationalNumber), length);
    }
    if digits.len() == 8 && length == 8 && end.is_ascii_uppercase() && is_spanish(&digits, end) {
        return (Some(SecretKind::NationalNumber), length + 1);
    }
    (None, length)
}

/// Characters of a kind, with single spaces and dashes left out; and how many bytes they take.
fn compact(bytes: &[u8], most: usize, is_of: fn(&u8) -> bool) -> (Vec<u8>, usize) {
    let (mut kept, mut length) = (Vec::new(), 0);
    for (place, byte) in bytes.iter().enumerate() {
        if is_of(byte) {
            kept.push(*byte);
            length = place + 1;
        } else if !matches!(byte, b' ' | b'-') || place != length {
            break;
        }
        if kept.len() > most {
            break;
        }
    }
    (kept, length)
}

/// Luhn's check, and a first digit that cards have.
fn is_card(digits: &[u8]) -> bool {
    let sum: u32 = (digits.iter().rev().enumerate())
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') << (place % 2);
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    let is_varied = digits.iter().any(|digit| *digit != digits[0]);
    sum.is_multiple_of(10) && is_varied && matches!(digits[0], b'3'..=b'6') && !digits.ends_with(b"00000000")
}

/// Lengths of bank accounts by country.
const ACCOUNTS: [(&[u8; 2], usize); 24] = [
    (b"AT", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"CH", 21),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"EE", 20),
    (b"ES", 24),
    (b"FI", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GR", 27),
    (b"HU", 28),
    (b"IE", 22),
    (b"IT", 27),
    (b"LT", 20),
    (b"LU", 20),
    (b"NL", 18),
    (b"NO", 15),
    (b"PL", 28),
    (b"PT", 25),
    (b"RO", 24),
    (b"SE", 24),
];

/// How long the account is that characters begin with, where its digits check.
fn account(characters: &[u8]) -> Option<usize> {
    let (_, length) = ACCOUNTS.iter().find(|(country, _)| characters.starts_with(*country))?;
    let account = characters.get(..*length)?;
    let rest = account[4..].iter().chain(&account[..4]).try_fold(0_u32, |rest, character| match character {
        b'0'..=b'9' => Some((rest * 10 + u32::from(character - b'0')) % 97),
        b'A'..=b'Z' => Some((rest * 100 + u32::from(character - b'A') + 10) % 97),
        _ => None,
    })?;
    (rest == 1).then_some(*length)
}

fn is_social_security(digits: &[u8]) -> bool {
    let area = &digits[..3];
    area != b"000" && area != b"666" && area[0] != b'9' && &digits[3..5] != b"00" && &digits[5..] != b"0000"
}

/// Spain: eight digits and the letter of their remainder by 23.
fn is_spanish(digits: &[u8], letter: u8) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let number = digits.iter().fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    LETTERS[(number % 23) as usize] == letter
}

/// France: thirteen digits and two that complete them modulo 97.
fn is_french(digits: &[u8]) -> bool {
    let value = |digits: &[u8]| digits.iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    let month = value(&digits[3..5]);
    matches!(digits[0], b'1' | b'2')
        && (1..=12).contains(&month)
        && 97 - value(&digits[..13]) % 97 == value(&digits[13..])
}

/// Italy: sixteen letters and digits, the last a check of the others.
fn is_tax_code(word: &str) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let bytes = word.as_bytes();
    let is_formed = bytes.len() == 16
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            6 | 7 | 9 | 10 | 12..=14 => byte.is_ascii_digit(),
            _ => byte.is_ascii_uppercase(),
        });
    if !is_formed {
        return false;
    }
    let sum: u32 = (bytes[..15].iter().enumerate())
        .map(|(place, byte)| {
            let value = u32::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' });
            if place % 2 == 0 { ODD[value as usize] } else { value }
        })
        .sum();
    u32::from(bytes[15] - b'A') == sum % 26
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<SecretKind> {
        let found = secrets_in(text);
        SecretKind::ALL.into_iter().filter(|kind| found.count(*kind) > 0).collect()
    }

    #[test]
    fn forms_and_check_digits_are_known() {
        for (text, kind) in [
            ("the key is AKIAIOSFODNN7EXAMPLE.", SecretKind::ServiceKey),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", SecretKind::PrivateKey),
            ("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", SecretKind::SignedToken),
            ("password: Tr0ub4dor&3", SecretKind::Password),
            ("card 4111 1111 1111 1111 please", SecretKind::Card),
            ("pay to DE89 3704 0044 0532 0130 00 today", SecretKind::BankAccount),
            ("SSN 078-05-1120", SecretKind::NationalNumber),
            ("DNI 12345678Z", SecretKind::NationalNumber),
            ("RSSMRA85T10A562S", SecretKind::NationalNumber),
            ("write to anna.li@example.org", SecretKind::Email),
            ("call +44 20 7946 0958", SecretKind::Phone),
        ] {
            assert_eq!(kinds(text), [kind], "{text}");
        }
    }

    #[test]
    fn numbers_that_check_by_nothing_are_none() {
        for text in [
            "order 4111 1111 1111 1112 shipped",
            "DE89 3704 0044 0532 0130 01",
            "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "your password was changed yesterday",
            "the year 2026-10-05 and 3.14159265358979",
            "RSSMRA85T10A562T",
            "",
        ] {
            assert_eq!(kinds(text), [], "{text}");
        }
    }
}
