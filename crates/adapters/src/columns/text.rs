//! Text that is different in every row.

use arrow::{
    array::{NullBufferBuilder, StringArray},
    buffer::{Buffer, OffsetBuffer},
};

/// Texts end to end.
#[derive(Debug)]
pub(crate) struct TextColumn {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    nulls: NullBufferBuilder,
}

impl TextColumn {
    pub(super) fn new() -> Self {
        Self { offsets: vec![0], bytes: Vec::new(), nulls: NullBufferBuilder::new(0) }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    #[inline]
    pub(crate) fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.offsets.push(self.bytes.len() as i32);
        self.nulls.append_non_null();
    }

    pub(super) fn move_to(&mut self, rows: usize) {
        let length = self.len();
        super::move_nulls(&mut self.nulls, length, rows);
        let end = self.offsets.get(rows).map_or(self.bytes.len(), |&end| end as usize);
        self.bytes.truncate(end);
        self.offsets.resize(rows + 1, end as i32);
    }

    pub(super) fn finish(&mut self) -> StringArray {
        let room = Vec::with_capacity(self.offsets.len());
        let offsets = std::mem::replace(&mut self.offsets, room);
        self.offsets.push(0);
        let bytes = super::take(&mut self.bytes);
        StringArray::new(OffsetBuffer::new(offsets.into()), Buffer::from_vec(bytes), self.nulls.finish())
    }
}
