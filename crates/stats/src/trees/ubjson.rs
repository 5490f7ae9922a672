//! UBJSON as XGBoost writes it, read into JSON values.

use serde_json::{Map, Number, Value};

use super::LoadError;

/// Objects and lists within each other, at most.
const DEEPEST: usize = 64;

/// Reads a document.
pub(super) fn read(bytes: &[u8]) -> Result<Value, LoadError> {
    let mut reader = Reader { bytes, at: 0 };
    let kind = reader.byte()?;
    reader.value(kind, 0)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn wrong<T>(&self, what: impl Into<String>) -> Result<T, LoadError> {
        Err(LoadError::Format { format: "UBJSON", what: format!("{} at byte {}", what.into(), self.at) })
    }

    fn take(&mut self, count: usize) -> Result<&[u8], LoadError> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let Some(end) = end else { return self.wrong("the file ends early") };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], LoadError> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, LoadError> {
        Ok(self.array::<1>()?[0])
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn integer(&mut self, kind: u8) -> Result<i64, LoadError> {
        Ok(match kind {
            b'i' => i64::from(i8::from_be_bytes(self.array()?)),
            b'U' => i64::from(self.byte()?),
            b'I' => i64::from(i16::from_be_bytes(self.array()?)),
            b'l' => i64::from(i32::from_be_bytes(self.array()?)),
            b'L' => i64::from_be_bytes(self.array()?),
            other => return self.wrong(format!("`{}` where an integer should be", char::from(other))),
        })
    }

    fn length(&mut self) -> Result<usize, LoadError> {
        let kind = self.byte()?;
        let length = self.integer(kind)?;
        // Every element takes a byte at least.
        match usize::try_from(length) {
            Ok(length) if length <= self.bytes.len() => Ok(length),
            _ => self.wrong(format!("a length of {length}")),
        }
    }

    fn text(&mut self) -> Result<String, LoadError> {
        let length = self.length()?;
        let bytes = self.take(length)?.to_vec();
        String::from_utf8(bytes).or_else(|_| self.wrong("text that is not UTF-8"))
    }

    fn number(&self, value: f64) -> Result<Value, LoadError> {
        match Number::from_f64(value) {
            Some(number) => Ok(Value::Number(number)),
            None => self.wrong(format!("the number {value}")),
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<Value, LoadError> {
        if depth > DEEPEST {
            return self.wrong(format!("more than {DEEPEST} lists within each other"));
        }
        match kind {
            b'Z' => Ok(Value::Null),
            b'T' => Ok(Value::Bool(true)),
            b'F' => Ok(Value::Bool(false)),
            b'd' => {
                let value = f32::from_be_bytes(self.array()?);
                self.number(f64::from(value))
            }
            b'D' => {
                let value = f64::from_be_bytes(self.array()?);
                self.number(value)
            }
            b'S' => Ok(Value::String(self.text()?)),
            b'C' => Ok(Value::String(char::from(self.byte()?).to_string())),
            b'[' => self.list(depth),
            b'{' => self.object(depth),
            _ => Ok(Value::Number(self.integer(kind)?.into())),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, LoadError> {
        let kind = if self.peek() == Some(b'$') {
            self.at += 1;
            let kind = self.byte()?;
            if !b"iUIlLdD".contains(&kind) {
                return self.wrong(format!("a list of `{}`", char::from(kind)));
            }
            Some(kind)
        } else {
            None
        };
        let count = if self.peek() == Some(b'#') {
            self.at += 1;
            Some(self.length()?)
        } else if kind.is_some() {
            return self.wrong("a list of one type without a length");
        } else {
            None
        };
        let mut items = Vec::new();
        while count.is_none_or(|count| items.len() < count) {
            let kind = match kind {
                Some(kind) => kind,
                None => self.byte()?,
            };
            if count.is_none() && kind == b']' {
                break;
            }
            items.push(self.value(kind, depth + 1)?);
        }
        Ok(Value::Array(items))
    }

    fn object(&mut self, depth: usize) -> Result<Value, LoadError> {
        let mut items = Map::new();
        loop {
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(Value::Object(items));
            }
            let name = self.text()?;
            let kind = self.byte()?;
            items.insert(name, self.value(kind, depth + 1)?);
        }
    }
}
