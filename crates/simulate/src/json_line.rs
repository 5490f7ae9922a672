//! Writes one JSON object as one line.

use std::{fmt::Write as _, io::Write as _};

use wardline_domain::Timestamp;

/// One JSON object that is being written.
#[derive(Debug, Default)]
pub(crate) struct JsonLine {
    bytes: Vec<u8>,
}

impl JsonLine {
    /// Starts a record with its time.
    pub(crate) fn new(time: Timestamp) -> Self {
        let mut bytes = Vec::with_capacity(640);
        bytes.push(b'{');
        let mut line = Self { bytes };
        line.key("time");
        let _ = write!(line.bytes, "\"{time}\"");
        line
    }

    /// A text field.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.key(name);
        self.quoted(value);
    }

    /// A whole number.
    pub(crate) fn integer(&mut self, name: &str, value: i64) {
        self.key(name);
        let _ = write!(self.bytes, "{value}");
    }

    /// A number with at most so many decimals. JSON has no NaN and no infinity: those become null.
    pub(crate) fn number(&mut self, name: &str, value: f64, decimals: usize) {
        self.key(name);
        if !value.is_finite() {
            self.bytes.extend_from_slice(b"null");
            return;
        }
        let start = self.bytes.len();
        let _ = write!(self.bytes, "{value:.decimals$}");
        if decimals > 0 {
            while self.bytes.len() > start + 1 && self.bytes.ends_with(b"0") {
                self.bytes.pop();
            }
            if self.bytes.ends_with(b".") {
                self.bytes.pop();
            }
        }
    }

    /// True or false.
    pub(crate) fn flag(&mut self, name: &str, value: bool) {
        self.key(name);
        self.bytes.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// Null.
    pub(crate) fn null(&mut self, name: &str) {
        self.key(name);
        self.bytes.extend_from_slice(b"null");
    }

    /// An object inside.
    pub(crate) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        self.key(name);
        self.bytes.push(b'{');
        fill(self);
        self.bytes.push(b'}');
    }

    /// The finished line, without a line feed.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(b'}');
        self.bytes
    }

    fn key(&mut self, name: &str) {
        if self.bytes.last() != Some(&b'{') {
            self.bytes.push(b',');
        }
        self.quoted(name);
        self.bytes.push(b':');
    }

    fn quoted(&mut self, text: &str) {
        self.bytes.push(b'"');
        if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.bytes.extend_from_slice(text.as_bytes());
        } else {
            let mut escaped = String::with_capacity(text.len() + 8);
            for character in text.chars() {
                match character {
                    '"' | '\\' => escaped.extend(['\\', character]),
                    control if u32::from(control) < 0x20 => {
                        let _ = write!(escaped, "\\u{:04x}", u32::from(control));
                    }
                    other => escaped.push(other),
                }
            }
            self.bytes.extend_from_slice(escaped.as_bytes());
        }
        self.bytes.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time() -> Timestamp {
        Timestamp::parse("2026-11-02T06:36:05.995Z").unwrap()
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        let mut line = JsonLine::new(time());
        line.number("a", 12.5, 3);
        line.number("b", 100.0, 2);
        line.number("c", f64::NAN, 2);
        line.number("d", 1200.0, 0);
        line.object("e", |inside| inside.flag("f", true));
        let text = String::from_utf8(line.finish()).unwrap();
        assert_eq!(text, r#"{"time":"2026-11-02T06:36:05.995Z","a":12.5,"b":100,"c":null,"d":1200,"e":{"f":true}}"#);
    }

    proptest! {
        #[test]
        fn any_text_survives(name in "\\PC{1,12}", value in "(\\PC|[\\x00-\\x1f\"\\\\]){0,24}") {
            let mut line = JsonLine::new(time());
            line.object("inside", |inside| inside.text(&name, &value));
            let read: serde_json::Value = serde_json::from_slice(&line.finish()).unwrap();
            prop_assert_eq!(read["inside"][&name].as_str(), Some(value.as_str()));
        }
    }
}
