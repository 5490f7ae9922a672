//! Numbers the distinct texts of a column in the order of their arrival.

use arrow::{
    array::StringArray,
    buffer::{Buffer, OffsetBuffer},
};
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Distinct texts; the n-th that arrived has the number n.
#[derive(Debug)]
pub(super) struct Interner {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    numbers: HashTable<i32>,
    /// Differs from process to process, so that nobody can send texts that all collide.
    seed: u64,
}

impl Interner {
    pub(super) fn new(seed: u64) -> Self {
        Self { offsets: vec![0], bytes: Vec::new(), numbers: HashTable::new(), seed }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The bytes of a text.
    #[inline]
    pub(super) fn get(&self, number: i32) -> &[u8] {
        slice(&self.offsets, &self.bytes, number)
    }

    /// The number of a text, and whether it is new.
    #[inline]
    pub(super) fn intern(&mut self, text: &str) -> (i32, bool) {
        let Self { offsets, bytes, numbers, seed } = self;
        let hash = xxh3_64_with_seed(text.as_bytes(), *seed);
        if let Some(number) = numbers.find(hash, |&number| slice(offsets, bytes, number) == text.as_bytes()) {
            return (*number, false);
        }
        let number = (offsets.len() - 1) as i32;
        bytes.extend_from_slice(text.as_bytes());
        offsets.push(bytes.len() as i32);
        numbers.insert_unique(hash, number, |&number| xxh3_64_with_seed(slice(offsets, bytes, number), *seed));
        (number, true)
    }

    /// Forgets the last texts.
    pub(super) fn forget(&mut self, n_last: usize) {
        for _ in 0..n_last {
            let number = (self.len() - 1) as i32;
            let hash = xxh3_64_with_seed(self.get(number), self.seed);
            if let Ok(entry) = self.numbers.find_entry(hash, |&other| other == number) {
                entry.remove();
            }
            self.offsets.pop();
            self.bytes.truncate(self.offsets.last().map_or(0, |&end| end as usize));
        }
    }

    /// The texts; the interner is empty afterwards.
    pub(super) fn finish(&mut self) -> StringArray {
        self.numbers.clear();
        let room = Vec::with_capacity(self.offsets.len());
        let offsets = std::mem::replace(&mut self.offsets, room);
        self.offsets.push(0);
        let bytes = super::take(&mut self.bytes);
        StringArray::new(OffsetBuffer::new(offsets.into()), Buffer::from_vec(bytes), None)
    }
}

#[inline]
fn slice<'a>(offsets: &[i32], bytes: &'a [u8], number: i32) -> &'a [u8] {
    let number = number as usize;
    &bytes[offsets[number] as usize..offsets[number + 1] as usize]
}
