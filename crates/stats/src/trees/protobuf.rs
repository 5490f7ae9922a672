//! As much of Protocol Buffers as ONNX needs: fields of a message, one after the other.

use super::LoadError;

/// A field's content.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field<'a> {
    Number(u64),
    Fixed32(u32),
    Fixed64,
    Bytes(&'a [u8]),
}

/// The fields of a message, with their numbers.
pub(super) struct Message<'a> {
    rest: &'a [u8],
}

fn wrong<T>(what: &str) -> Result<T, LoadError> {
    Err(LoadError::Format { format: "an ONNX model", what: what.to_owned() })
}

impl<'a> Message<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], LoadError> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => wrong("a field is longer than what is left"),
        }
    }

    fn varint(&mut self) -> Result<u64, LoadError> {
        let mut value = 0_u64;
        for place in 0..10 {
            let Some((&byte, rest)) = self.rest.split_first() else { return wrong("it ends within a number") };
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        wrong("a number of more than ten bytes")
    }

    /// The next field; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Field<'a>)>, LoadError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let field = match tag & 7 {
            0 => Field::Number(self.varint()?),
            1 => {
                self.take(8)?;
                Field::Fixed64
            }
            2 => {
                let length = self.varint()?;
                Field::Bytes(self.take(length)?)
            }
            5 => Field::Fixed32(self.take(4)?.try_into().map(u32::from_le_bytes).unwrap_or_default()),
            _ => return wrong("a field of a kind that is not used any more"),
        };
        Ok(Some((tag >> 3, field)))
    }
}

impl<'a> Field<'a> {
    pub(super) fn bytes(self) -> Option<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    pub(super) fn text(self) -> Option<&'a str> {
        self.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// Adds 32-bit floats, one or packed.
    pub(super) fn add_floats(self, to: &mut Vec<f32>) {
        match self {
            Self::Fixed32(bits) => to.push(f32::from_bits(bits)),
            Self::Bytes(bytes) => to.extend(bytes.as_chunks::<4>().0.iter().map(|chunk| f32::from_le_bytes(*chunk))),
            Self::Number(_) | Self::Fixed64 => {}
        }
    }

    /// Adds integers, one or packed.
    pub(super) fn add_integers(self, to: &mut Vec<i64>) -> Result<(), LoadError> {
        match self {
            Self::Number(number) => to.push(number as i64),
            Self::Bytes(bytes) => {
                let mut packed = Message::new(bytes);
                while !packed.rest.is_empty() {
                    to.push(packed.varint()? as i64);
                }
            }
            Self::Fixed32(_) | Self::Fixed64 => {}
        }
        Ok(())
    }
}
