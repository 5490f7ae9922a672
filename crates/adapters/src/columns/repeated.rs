//! Text that repeats, dictionary-encoded.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, LazyLock},
};

use arrow::{
    array::{ArrayRef, DictionaryArray, Int32Array, NullBufferBuilder, StringArray},
    datatypes::Int32Type,
};

use super::interner::Interner;

static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("wardline"));

/// Keys into a dictionary that grows with the column.
#[derive(Debug)]
pub(crate) struct RepeatedColumn {
    keys: Vec<i32>,
    nulls: NullBufferBuilder,
    interner: Interner,
    /// The key of the last value, or -1; the next value is often the same.
    last: i32,
    /// How many values `fresh_row` brought to the dictionary.
    fresh: usize,
    fresh_row: usize,
}

impl RepeatedColumn {
    pub(super) fn new() -> Self {
        Self {
            keys: Vec::new(),
            nulls: NullBufferBuilder::new(0),
            interner: Interner::new(*SEED),
            last: -1,
            fresh: 0,
            fresh_row: 0,
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    #[inline]
    pub(crate) fn push(&mut self, text: &str) {
        if self.last < 0 || self.interner.get(self.last) != text.as_bytes() {
            let (key, is_new) = self.interner.intern(text);
            self.last = key;
            if is_new {
                let row = self.keys.len();
                self.fresh = if self.fresh_row == row { self.fresh + 1 } else { 1 };
                self.fresh_row = row;
            }
        }
        self.keys.push(self.last);
        self.nulls.append_non_null();
    }

    pub(super) fn move_to(&mut self, rows: usize) {
        super::move_nulls(&mut self.nulls, self.keys.len(), rows);
        if rows < self.keys.len() && rows <= self.fresh_row {
            self.interner.forget(self.fresh);
            self.fresh = 0;
            self.last = -1;
        }
        self.keys.resize(rows, 0);
    }

    pub(super) fn finish(&mut self) -> DictionaryArray<Int32Type> {
        (self.last, self.fresh, self.fresh_row) = (-1, 0, 0);
        let keys = Int32Array::new(super::take(&mut self.keys).into(), self.nulls.finish());
        dictionary(keys, self.interner.finish())
    }
}

/// A column that has the same text in every row.
pub(crate) fn constant(text: &str, rows: usize) -> ArrayRef {
    let keys = Int32Array::new(vec![0; rows].into(), None);
    Arc::new(dictionary(keys, StringArray::from(vec![text])))
}

fn dictionary(keys: Int32Array, values: StringArray) -> DictionaryArray<Int32Type> {
    match DictionaryArray::try_new(keys, Arc::new(values)) {
        Ok(array) => array,
        Err(error) => unreachable!("every key was given out by the interner that holds its text: {error}"),
    }
}
