//! Walks over the text of a line. Every loop ends with the line, and depth is bounded.

use super::{
    Member, Shape, Tape, Value,
    number::{self, NumberProblem},
};

/// How deep values may nest; records are two deep, and what senders add is rarely deeper than ten.
const MAX_DEPTH: usize = 64;

/// Why a line is not one JSON object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    /// Something else stands where this should.
    #[error("expected {expected} at byte {at}, found {found}")]
    Expected {
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
        /// Offset in the line, in bytes.
        at: usize,
    },
    /// `NaN`, `Infinity` or `-Infinity`.
    #[error("NaN and Infinity are not JSON (byte {at}): leave the field out, or write null")]
    NotFinite {
        /// Offset in the line, in bytes.
        at: usize,
    },
    /// A number that is larger than every double.
    #[error("the number at byte {at} is too large for a 64-bit float")]
    TooLarge {
        /// Offset in the line, in bytes.
        at: usize,
    },
    /// A backslash that starts no escape.
    #[error("unknown escape at byte {at}")]
    BadEscape {
        /// Offset in the line, in bytes.
        at: usize,
    },
    /// A control character in text.
    #[error("control character in text at byte {at}: write it as an escape")]
    ControlCharacter {
        /// Offset in the line, in bytes.
        at: usize,
    },
    /// Values nest too deep.
    #[error("values nest deeper than {MAX_DEPTH} at byte {at}")]
    TooDeep {
        /// Offset in the line, in bytes.
        at: usize,
    },
}

/// Errors are boxed: they are rare, and a small result stays in registers.
pub(super) type JsonResult<T> = Result<T, Box<JsonError>>;

/// A place in a line.
pub(super) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0 }
    }

    /// Reads the line's object, and checks that nothing follows it.
    pub(super) fn object_line(&mut self, tape: &mut Tape) -> JsonResult<()> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            return Err(self.expected("`{`"));
        }
        self.at += 1;
        if !self.closes(b'}') {
            loop {
                let key = self.key(tape)?;
                let value = self.laid_out(tape)?;
                tape.top.push(Member { key, value });
                if self.ends(b'}', "`,` or `}`")? {
                    break;
                }
            }
        }
        self.skip_space();
        if self.at < self.bytes.len() { Err(self.expected("the end of the line")) } else { Ok(()) }
    }

    /// A value of the line's object: objects and lists are laid out one level deep.
    #[inline]
    fn laid_out(&mut self, tape: &mut Tape) -> JsonResult<Value> {
        self.skip_space();
        let start = self.at;
        let shape = match self.peek() {
            Some(b'{') => {
                let first = tape.members.len();
                self.at += 1;
                if !self.closes(b'}') {
                    loop {
                        let key = self.key(tape)?;
                        let value = self.value(tape)?;
                        tape.members.push(Member { key, value });
                        if self.ends(b'}', "`,` or `}`")? {
                            break;
                        }
                    }
                }
                Shape::Object(first as u32, (tape.members.len() - first) as u32)
            }
            Some(b'[') => {
                let first = tape.elements.len();
                self.at += 1;
                if !self.closes(b']') {
                    loop {
                        let value = self.value(tape)?;
                        tape.elements.push(value);
                        if self.ends(b']', "`,` or `]`")? {
                            break;
                        }
                    }
                }
                Shape::List(first as u32, (tape.elements.len() - first) as u32)
            }
            _ => return self.scalar(tape),
        };
        Ok(Value { start: start as u32, end: self.at as u32, shape })
    }

    /// A value whose own values are only checked.
    #[inline]
    fn value(&mut self, tape: &mut Tape) -> JsonResult<Value> {
        self.skip_space();
        match self.peek() {
            Some(b'{' | b'[') => {
                let start = self.at;
                self.skip_nested()?;
                Ok(Value { start: start as u32, end: self.at as u32, shape: Shape::Deep })
            }
            _ => self.scalar(tape),
        }
    }

    /// Steps over an object or a list, checking its grammar.
    fn skip_nested(&mut self) -> JsonResult<()> {
        // Innermost last: whether each open value is an object.
        let mut open = [false; MAX_DEPTH];
        let mut depth = 0;
        // Decoded text of a deep value is needed by nobody, so it goes to a tape that is thrown away.
        let mut ignored = Tape::default();
        loop {
            self.skip_space();
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    if depth == MAX_DEPTH {
                        return Err(Box::new(JsonError::TooDeep { at: self.at }));
                    }
                    let is_object = bracket == b'{';
                    self.at += 1;
                    if !self.closes(if is_object { b'}' } else { b']' }) {
                        open[depth] = is_object;
                        depth += 1;
                        if is_object {
                            self.key(&mut ignored)?;
                        }
                        continue;
                    }
                }
                _ => {
                    self.scalar(&mut ignored)?;
                }
            }
            ignored.scratch.clear();
            loop {
                let Some(&is_object) = depth.checked_sub(1).and_then(|innermost| open.get(innermost)) else {
                    return Ok(());
                };
                let (bracket, expected) = if is_object { (b'}', "`,` or `}`") } else { (b']', "`,` or `]`") };
                if !self.ends(bracket, expected)? {
                    if is_object {
                        self.key(&mut ignored)?;
                    }
                    break;
                }
                depth -= 1;
            }
        }
    }

    #[inline(always)]
    fn scalar(&mut self, tape: &mut Tape) -> JsonResult<Value> {
        let start = self.at;
        let shape = match self.peek() {
            Some(b'"') => return self.quoted(tape),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Shape::Boolean(true))?,
            Some(b'f') => self.word("false", Shape::Boolean(false))?,
            Some(b'n') => self.word("null", Shape::Null)?,
            Some(b'N' | b'I') => return Err(self.not_finite_or("a value")),
            _ => return Err(self.expected("a value")),
        };
        Ok(Value { start: start as u32, end: self.at as u32, shape })
    }

    #[inline]
    fn number(&mut self) -> JsonResult<Shape> {
        match number::read(self.text, self.at) {
            Ok((shape, length)) => {
                self.at += length;
                Ok(shape)
            }
            Err(NumberProblem::TooLarge) => Err(Box::new(JsonError::TooLarge { at: self.at })),
            Err(NumberProblem::Malformed(length)) => {
                self.at += length;
                Err(self.not_finite_or("a digit"))
            }
        }
    }

    fn word(&mut self, word: &'static str, shape: Shape) -> JsonResult<Shape> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(shape);
        }
        Err(self.not_finite_or("a value"))
    }

    #[inline(always)]
    fn key(&mut self, tape: &mut Tape) -> JsonResult<Value> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(self.expected("a name in quotes"));
        }
        let key = self.quoted(tape)?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.expected("`:`"));
        }
        self.at += 1;
        Ok(key)
    }

    /// Text, from its opening quote.
    #[inline(always)]
    fn quoted(&mut self, tape: &mut Tape) -> JsonResult<Value> {
        let start = self.at;
        self.at = plain_end(self.bytes, start + 1);
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Value { start: start as u32, end: self.at as u32, shape: Shape::Text });
        }
        self.quoted_with_escapes(start, tape)
    }

    /// Text from its opening quote at `start`, of which all before `at` is plain.
    #[cold]
    fn quoted_with_escapes(&mut self, start: usize, tape: &mut Tape) -> JsonResult<Value> {
        let from = tape.scratch.len();
        let mut plain = start + 1;
        loop {
            tape.scratch.push_str(&self.text[plain..self.at]);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => tape.scratch.push(self.escape()?),
                Some(_) => return Err(Box::new(JsonError::ControlCharacter { at: self.at })),
                None => return Err(self.expected("`\"`")),
            }
            plain = self.at;
            self.at = plain_end(self.bytes, plain);
        }
        self.at += 1;
        let shape = Shape::Escaped(from as u32, (tape.scratch.len() - from) as u32);
        Ok(Value { start: start as u32, end: self.at as u32, shape })
    }

    fn escape(&mut self) -> JsonResult<char> {
        let at = self.at;
        let bad = || Box::new(JsonError::BadEscape { at });
        self.at += 2;
        Ok(match self.bytes.get(at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let unit = self.hexadecimal().ok_or_else(bad)?;
                let code = match unit {
                    0xD800..=0xDBFF => {
                        if self.bytes.get(self.at..self.at + 2) != Some(b"\\u".as_slice()) {
                            return Err(bad());
                        }
                        self.at += 2;
                        let low = self.hexadecimal().filter(|low| (0xDC00..=0xDFFF).contains(low)).ok_or_else(bad)?;
                        0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
                    }
                    unit => unit,
                };
                char::from_u32(code).ok_or_else(bad)?
            }
            _ => return Err(bad()),
        })
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// Whether an object or a list that has just been opened is empty; steps over its end.
    #[inline]
    fn closes(&mut self, bracket: u8) -> bool {
        self.skip_space();
        let closed = self.peek() == Some(bracket);
        self.at += usize::from(closed);
        closed
    }

    /// Whether an object or a list ends after a value; steps over the comma or the bracket.
    #[inline]
    fn ends(&mut self, bracket: u8, expected: &'static str) -> JsonResult<bool> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            Some(byte) if byte == bracket => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.expected(expected)),
        }
    }

    #[cold]
    fn expected(&self, expected: &'static str) -> Box<JsonError> {
        let found = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        let found = found.map_or_else(
            || "the end of the line".to_owned(),
            |found| match found {
                '"' => "a quote".to_owned(),
                found => format!("`{}`", found.escape_debug()),
            },
        );
        Box::new(JsonError::Expected { expected, found, at: self.at })
    }

    #[cold]
    fn not_finite_or(&self, expected: &'static str) -> Box<JsonError> {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        let words: [&[u8]; 4] = [b"NaN", b"nan", b"Infinity", b"inf"];
        if words.iter().any(|word| rest.starts_with(word)) {
            return Box::new(JsonError::NotFinite { at: self.at });
        }
        self.expected(expected)
    }
}

/// Where text that stands as it is ends: at a quote, a backslash, a control character, or the line's end.
#[inline]
fn plain_end(bytes: &[u8], from: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut at = from;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let quotes = zeros(word ^ (ONES * b'"' as u64));
        let backslashes = zeros(word ^ (ONES * b'\\' as u64));
        let controls = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (quotes | backslashes | controls) & HIGHS;
        if found != 0 {
            // Borrows may mark bytes behind a true one, never one before it.
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
        at += 1;
    }
    at
}
