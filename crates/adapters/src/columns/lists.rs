//! Columns that hold several values a row: embeddings, slates and class probabilities.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Float32Array, Float64Array, ListArray, MapArray, NullBufferBuilder, StructArray},
    buffer::OffsetBuffer,
    datatypes::{DataType, Field, FieldRef, Float64Type},
};
use wardline_domain::schema;

use super::{Primitive, TextColumn};

/// Where each row's values end.
#[derive(Debug)]
struct Ends {
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Ends {
    fn new() -> Self {
        Self { offsets: vec![0], nulls: NullBufferBuilder::new(0) }
    }

    fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    fn push(&mut self, end: usize) {
        self.offsets.push(end as i32);
        self.nulls.append_non_null();
    }

    /// Cuts off, or fills up with nulls; gives where the values end then.
    fn move_to(&mut self, rows: usize, end: usize) -> usize {
        let length = self.len();
        super::move_nulls(&mut self.nulls, length, rows);
        let end = self.offsets.get(rows).map_or(end, |&end| end as usize);
        self.offsets.resize(rows + 1, end as i32);
        end
    }

    fn finish(&mut self) -> OffsetBuffer<i32> {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        OffsetBuffer::new(offsets.into())
    }
}

/// Embeddings.
#[derive(Debug)]
pub(crate) struct EmbeddingColumn {
    ends: Ends,
    values: Vec<f32>,
}

/// Slates.
#[derive(Debug)]
pub(crate) struct ItemsColumn {
    ends: Ends,
    values: TextColumn,
}

/// Probabilities of classes.
#[derive(Debug)]
pub(crate) struct ScoresColumn {
    ends: Ends,
    classes: TextColumn,
    values: Primitive<Float64Type>,
}

impl EmbeddingColumn {
    pub(super) fn new() -> Self {
        Self { ends: Ends::new(), values: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn push(&mut self, values: impl Iterator<Item = f32>) {
        self.values.extend(values);
        self.ends.push(self.values.len());
    }

    pub(super) fn move_to(&mut self, rows: usize) {
        let end = self.ends.move_to(rows, self.values.len());
        self.values.truncate(end);
    }

    pub(super) fn finish(&mut self) -> ListArray {
        let values: ArrayRef = Arc::new(Float32Array::new(super::take(&mut self.values).into(), None));
        ListArray::new(element(&schema::embedding()), self.ends.finish(), values, self.ends.nulls.finish())
    }
}

impl ItemsColumn {
    pub(super) fn new() -> Self {
        Self { ends: Ends::new(), values: TextColumn::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn push<'a>(&mut self, items: impl Iterator<Item = &'a str>) {
        for item in items {
            self.values.push(item);
        }
        self.ends.push(self.values.len());
    }

    pub(super) fn move_to(&mut self, rows: usize) {
        let end = self.ends.move_to(rows, self.values.len());
        self.values.move_to(end);
    }

    pub(super) fn finish(&mut self) -> ListArray {
        let values: ArrayRef = Arc::new(self.values.finish());
        ListArray::new(element(&schema::items()), self.ends.finish(), values, self.ends.nulls.finish())
    }
}

impl ScoresColumn {
    pub(super) fn new() -> Self {
        Self { ends: Ends::new(), classes: TextColumn::new(), values: Primitive::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn push<'a>(&mut self, scores: impl Iterator<Item = (&'a str, Option<f64>)>) {
        for (class, score) in scores {
            self.classes.push(class);
            match score {
                Some(score) => self.values.push(score),
                None => self.values.move_to(self.classes.len()),
            }
        }
        self.ends.push(self.classes.len());
    }

    pub(super) fn move_to(&mut self, rows: usize) {
        let end = self.ends.move_to(rows, self.classes.len());
        self.classes.move_to(end);
        self.values.move_to(end);
    }

    pub(super) fn finish(&mut self) -> MapArray {
        let classes: ArrayRef = Arc::new(self.classes.finish());
        let values: Float64Array = self.values.finish();
        let entry = element(&schema::scores());
        let DataType::Struct(fields) = entry.data_type() else { unreachable!("a map's entry is a struct") };
        let entries = StructArray::new(fields.clone(), vec![classes, Arc::new(values)], None);
        MapArray::new(entry, self.ends.finish(), entries, self.ends.nulls.finish(), false)
    }
}

fn element(data_type: &DataType) -> FieldRef {
    match data_type {
        DataType::List(element) | DataType::Map(element, _) => Arc::clone(element),
        _ => Arc::new(Field::new("element", DataType::Null, true)),
    }
}
