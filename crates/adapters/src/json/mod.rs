//! Reads one JSON object into a flat list of members that is reused from line to line.
//!
//! The object and what it directly holds are laid out; deeper values are checked, and kept as text.
//! Nothing is copied but text that has escapes, and nothing is allocated once the lists have grown.

mod number;
mod scanner;

#[cfg(test)]
mod tests;

use scanner::{JsonResult, Scanner};

/// What a value is. Offsets are into [`Line`]'s lists.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    Null,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    /// Text without escapes: it stands in the line as it is.
    Text,
    /// Text with escapes: it stands decoded in the line's scratch, from here for so many bytes.
    Escaped(u32, u32),
    /// Members of the line from here, so many.
    Object(u32, u32),
    /// Elements of the line from here, so many.
    List(u32, u32),
    /// An object or a list too deep to be laid out: only its text counts.
    Deep,
}

/// A value, and where it stands in the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) shape: Shape,
}

/// A name and its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) key: Value,
    pub(crate) value: Value,
}

/// The lists that a line is read into.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    top: Vec<Member>,
    members: Vec<Member>,
    elements: Vec<Value>,
    scratch: String,
}

/// A line that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    text: &'a str,
    tape: &'a Tape,
}

impl Tape {
    /// Reads a line.
    ///
    /// # Errors
    /// `JsonError` where the line is not one JSON object.
    pub(crate) fn read<'a>(&'a mut self, text: &'a str) -> JsonResult<Line<'a>> {
        self.top.clear();
        self.members.clear();
        self.elements.clear();
        self.scratch.clear();
        Scanner::new(text).object_line(self)?;
        Ok(Line { text, tape: self })
    }
}

impl<'a> Line<'a> {
    /// The members of the line's object.
    pub(crate) fn top(self) -> &'a [Member] {
        &self.tape.top
    }

    /// The members of an object that the line's object holds.
    pub(crate) fn members(self, first: u32, count: u32) -> &'a [Member] {
        &self.tape.members[first as usize..(first + count) as usize]
    }

    /// The elements of a list that the line's object holds.
    pub(crate) fn elements(self, first: u32, count: u32) -> &'a [Value] {
        &self.tape.elements[first as usize..(first + count) as usize]
    }

    /// The value as it is written.
    #[inline]
    pub(crate) fn raw(self, value: Value) -> &'a str {
        &self.text[value.start as usize..value.end as usize]
    }

    /// The value's text, where it is text.
    #[inline]
    pub(crate) fn text(self, value: Value) -> Option<&'a str> {
        match value.shape {
            Shape::Text => Some(&self.text[value.start as usize + 1..value.end as usize - 1]),
            Shape::Escaped(start, length) => Some(&self.tape.scratch[start as usize..(start + length) as usize]),
            _ => None,
        }
    }

    /// The value's text, or how a number or a boolean is written.
    #[inline]
    pub(crate) fn label(self, value: Value) -> Option<&'a str> {
        match value.shape {
            Shape::Integer(_) | Shape::Number(_) | Shape::Boolean(_) => Some(self.raw(value)),
            _ => self.text(value),
        }
    }

    /// The name of a member.
    #[inline]
    pub(crate) fn key(self, member: &Member) -> &'a str {
        self.text(member.key).unwrap_or_default()
    }

    /// What a value is, in words, for a message.
    pub(crate) fn describe(self, value: Value) -> String {
        match value.shape {
            Shape::Null => "null".to_owned(),
            Shape::Boolean(value) => format!("the boolean {value}"),
            Shape::Integer(_) | Shape::Number(_) => format!("the number {}", shorten(self.raw(value))),
            Shape::Text | Shape::Escaped(..) => format!("the text `{}`", shorten(self.text(value).unwrap_or_default())),
            Shape::Object(..) => "an object".to_owned(),
            Shape::List(..) => "a list".to_owned(),
            Shape::Deep if self.raw(value).starts_with('[') => "a list".to_owned(),
            Shape::Deep => "an object".to_owned(),
        }
    }
}

/// The first 40 characters.
fn shorten(text: &str) -> &str {
    text.char_indices().nth(40).map_or(text, |(end, _)| &text[..end])
}
