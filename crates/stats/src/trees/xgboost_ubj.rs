//! Universal binary JSON, draft 12, as XGBoost writes it: numbers are big-endian.

use serde_json::{Map, Number, Value};

/// Lists within lists, at most.
const MAX_NESTING: usize = 64;

/// One value and nothing after it.
pub(super) fn read(bytes: &[u8]) -> Result<Value, String> {
    let mut reader = Reader { bytes, at: 0 };
    let kind = reader.byte()?;
    let value = reader.value(kind, 0)?;
    if reader.at == bytes.len() { Ok(value) } else { Err(format!("something follows the model at byte {}", reader.at)) }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n_bytes: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(n_bytes);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| format!("it ends within a value at byte {}", self.at))?;
        self.at += n_bytes;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn integer(&mut self, kind: u8) -> Result<i64, String> {
        let (n_bytes, signed) = match kind {
            b'i' => (1, true),
            b'U' => (1, false),
            b'I' => (2, true),
            b'l' => (4, true),
            b'L' => (8, true),
            _ => return Err(format!("no whole number at byte {}", self.at)),
        };
        let bytes = self.take(n_bytes)?;
        let start = if signed && bytes[0] >= 0x80 { -1 } else { 0 };
        Ok(bytes.iter().fold(start, |value: i64, byte| value << 8 | i64::from(*byte)))
    }

    fn length(&mut self) -> Result<usize, String> {
        let kind = self.byte()?;
        let length = self.integer(kind)?;
        // No value is shorter than a byte, so that a length that lies takes no memory.
        let length = usize::try_from(length).ok().filter(|length| *length <= self.bytes.len() - self.at);
        length.ok_or_else(|| format!("a length that the file does not hold at byte {}", self.at))
    }

    fn text(&mut self) -> Result<String, String> {
        let length = self.length()?;
        let text = self.take(length)?.to_vec();
        String::from_utf8(text).map_err(|_| format!("text that is not UTF-8 before byte {}", self.at))
    }

    fn float(&self, value: f64) -> Result<Value, String> {
        let number = Number::from_f64(value).map(Value::Number);
        number.ok_or_else(|| format!("a number that is not finite before byte {}", self.at))
    }

    fn value(&mut self, kind: u8, nesting: usize) -> Result<Value, String> {
        if nesting > MAX_NESTING {
            return Err(format!("lists are nested too deep at byte {}", self.at));
        }
        match kind {
            b'Z' => Ok(Value::Null),
            b'T' => Ok(Value::Bool(true)),
            b'F' => Ok(Value::Bool(false)),
            b'i' | b'U' | b'I' | b'l' | b'L' => Ok(self.integer(kind)?.into()),
            b'd' => {
                let bits = self.take(4)?.iter().fold(0, |bits: u32, byte| bits << 8 | u32::from(*byte));
                self.float(f64::from(f32::from_bits(bits)))
            }
            b'D' => {
                let bits = self.take(8)?.iter().fold(0, |bits: u64, byte| bits << 8 | u64::from(*byte));
                self.float(f64::from_bits(bits))
            }
            b'S' => Ok(Value::String(self.text()?)),
            b'C' => Ok(Value::String(char::from(self.byte()?).to_string())),
            b'[' => self.list(nesting),
            b'{' => self.object(nesting),
            _ => Err(format!("an unknown kind of value before byte {}", self.at)),
        }
    }

    fn list(&mut self, nesting: usize) -> Result<Value, String> {
        let kind = if self.peek() == Some(b'$') {
            self.at += 1;
            Some(self.byte()?)
        } else {
            None
        };
        // A list of a kind that takes no bytes could be as long as it says.
        if kind.is_some_and(|kind| !b"iUIlLdDSC".contains(&kind)) {
            return Err(format!("a list of an unknown kind before byte {}", self.at));
        }
        let mut list = vec![];
        if self.peek() == Some(b'#') {
            self.at += 1;
            for _ in 0..self.length()? {
                let kind = kind.map_or_else(|| self.byte(), Ok)?;
                list.push(self.value(kind, nesting + 1)?);
            }
            return Ok(Value::Array(list));
        }
        if kind.is_some() {
            return Err(format!("a list of one kind without its length before byte {}", self.at));
        }
        loop {
            match self.byte()? {
                b']' => return Ok(Value::Array(list)),
                kind => list.push(self.value(kind, nesting + 1)?),
            }
        }
    }

    fn object(&mut self, nesting: usize) -> Result<Value, String> {
        let mut object = Map::new();
        while self.peek() != Some(b'}') {
            let name = self.text()?;
            let kind = self.byte()?;
            let value = self.value(kind, nesting + 1)?;
            if object.insert(name, value).is_some() {
                return Err(format!("a name that is there twice before byte {}", self.at));
            }
        }
        self.at += 1;
        Ok(Value::Object(object))
    }
}
