//! Buffers that values are appended to, and that become Arrow arrays without being copied.
//!
//! A row may be appended to some columns before it turns out to be bad, so every column can be cut back
//! to the rows that are kept. A column that a row says nothing about is filled up with nulls later.

mod interner;
mod lists;
mod repeated;
mod text;

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BooleanArray, BooleanBufferBuilder, NullBufferBuilder, PrimitiveArray},
    datatypes::{ArrowPrimitiveType, DataType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType},
};

pub(crate) use lists::{EmbeddingColumn, ItemsColumn, ScoresColumn};
pub(crate) use repeated::{RepeatedColumn, constant};
pub(crate) use text::TextColumn;

/// Values of one fixed width.
#[derive(Debug)]
pub(crate) struct Primitive<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    nulls: NullBufferBuilder,
}

/// Booleans.
#[derive(Debug)]
pub(crate) struct BooleanColumn {
    values: BooleanBufferBuilder,
    nulls: NullBufferBuilder,
}

/// A column being filled.
#[derive(Debug)]
pub(crate) enum Column {
    Time(Primitive<TimestampMicrosecondType>),
    Number(Primitive<Float64Type>),
    Integer(Primitive<Int64Type>),
    Integer32(Primitive<Int32Type>),
    Boolean(BooleanColumn),
    Text(TextColumn),
    Repeated(RepeatedColumn),
    Embedding(EmbeddingColumn),
    Items(ItemsColumn),
    Scores(ScoresColumn),
}

/// Does the same with whichever column it is.
macro_rules! each {
    ($column:expr, $inner:ident => $action:expr) => {
        match $column {
            Column::Time($inner) => $action,
            Column::Number($inner) => $action,
            Column::Integer($inner) => $action,
            Column::Integer32($inner) => $action,
            Column::Boolean($inner) => $action,
            Column::Text($inner) => $action,
            Column::Repeated($inner) => $action,
            Column::Embedding($inner) => $action,
            Column::Items($inner) => $action,
            Column::Scores($inner) => $action,
        }
    };
}

impl Column {
    /// An empty column of a type of the event schema.
    pub(crate) fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::Timestamp(_, _) => Self::Time(Primitive::new()),
            DataType::Float64 => Self::Number(Primitive::new()),
            DataType::Int64 => Self::Integer(Primitive::new()),
            DataType::Int32 => Self::Integer32(Primitive::new()),
            DataType::Boolean => Self::Boolean(BooleanColumn::new()),
            DataType::Utf8 => Self::Text(TextColumn::new()),
            DataType::Dictionary(_, _) => Self::Repeated(RepeatedColumn::new()),
            DataType::List(element) if element.data_type() == &DataType::Float32 => {
                Self::Embedding(EmbeddingColumn::new())
            }
            DataType::List(_) => Self::Items(ItemsColumn::new()),
            DataType::Map(_, _) => Self::Scores(ScoresColumn::new()),
            other => unreachable!("the event schema has no column of type {other}"),
        }
    }

    /// Number of rows, nulls with them.
    pub(crate) fn len(&self) -> usize {
        each!(self, column => column.len())
    }

    /// Makes the next appended value that of row `row`: cuts off what a duplicate key wrote there, and
    /// fills up with nulls what earlier rows left out.
    #[inline]
    pub(crate) fn seek(&mut self, row: usize) {
        each!(self, column => {
            let length = column.len();
            if length != row {
                column.move_to(row);
            }
        });
    }

    /// Cuts off rows from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        if self.len() > rows {
            self.seek(rows);
        }
    }

    /// The array of `rows` rows; the column is empty afterwards.
    pub(crate) fn finish(&mut self, rows: usize, data_type: &DataType) -> ArrayRef {
        if self.len() == 0 {
            return arrow::array::new_null_array(data_type, rows);
        }
        self.seek(rows);
        match self {
            Self::Time(column) => Arc::new(column.finish().with_timezone("UTC")),
            Self::Number(column) => Arc::new(column.finish()),
            Self::Integer(column) => Arc::new(column.finish()),
            Self::Integer32(column) => Arc::new(column.finish()),
            Self::Boolean(column) => Arc::new(column.finish()),
            Self::Text(column) => Arc::new(column.finish()),
            Self::Repeated(column) => Arc::new(column.finish()),
            Self::Embedding(column) => Arc::new(column.finish()),
            Self::Items(column) => Arc::new(column.finish()),
            Self::Scores(column) => Arc::new(column.finish()),
        }
    }
}

impl<T: ArrowPrimitiveType> Primitive<T> {
    fn new() -> Self {
        Self { values: Vec::new(), nulls: NullBufferBuilder::new(0) }
    }

    #[inline]
    fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    pub(crate) fn push(&mut self, value: T::Native) {
        self.values.push(value);
        self.nulls.append_non_null();
    }

    fn move_to(&mut self, rows: usize) {
        move_nulls(&mut self.nulls, self.values.len(), rows);
        self.values.resize(rows, T::Native::default());
    }

    fn finish(&mut self) -> PrimitiveArray<T> {
        PrimitiveArray::new(take(&mut self.values).into(), self.nulls.finish())
    }
}

impl BooleanColumn {
    fn new() -> Self {
        Self { values: BooleanBufferBuilder::new(0), nulls: NullBufferBuilder::new(0) }
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    pub(crate) fn push(&mut self, value: bool) {
        self.values.append(value);
        self.nulls.append_non_null();
    }

    fn move_to(&mut self, rows: usize) {
        let length = self.values.len();
        move_nulls(&mut self.nulls, length, rows);
        if rows < length {
            self.values.truncate(rows);
        } else {
            self.values.append_n(rows - length, false);
        }
    }

    fn finish(&mut self) -> BooleanArray {
        BooleanArray::new(self.values.finish(), self.nulls.finish())
    }
}

/// Cuts off, or fills up with nulls.
fn move_nulls(nulls: &mut NullBufferBuilder, length: usize, rows: usize) {
    if rows < length {
        nulls.truncate(rows);
    } else {
        nulls.append_n_nulls(rows - length);
    }
}

/// Takes a buffer away, and leaves one that has room for as much: batches of a stream are alike.
fn take<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len());
    std::mem::replace(values, room)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use wardline_domain::schema;

    use super::*;

    #[test]
    fn rows_that_were_skipped_are_null_and_rows_that_were_cut_are_gone() {
        let mut column = Column::new(&DataType::Float64);
        for (row, value) in [(1, 1.0), (1, 2.0), (4, 3.0)] {
            column.seek(row);
            let Column::Number(numbers) = &mut column else { panic!() };
            numbers.push(value);
        }
        column.truncate(4);
        let array = column.finish(6, &DataType::Float64);
        let values: Vec<Option<f64>> = array.as_primitive::<Float64Type>().iter().collect();
        assert_eq!(values, [None, Some(2.0), None, None, None, None]);
        assert_eq!(column.len(), 0);
    }

    #[test]
    fn a_dictionary_forgets_what_a_cut_row_brought() {
        let mut column = Column::new(&schema::repeated_text());
        for (row, value) in [(0, "a"), (1, "b"), (2, "bad"), (2, "worse")] {
            column.seek(row);
            let Column::Repeated(texts) = &mut column else { panic!() };
            texts.push(value);
        }
        column.truncate(2);
        column.seek(2);
        let Column::Repeated(texts) = &mut column else { panic!() };
        texts.push("c");
        texts.push("a");
        let array = column.finish(4, &schema::repeated_text());
        let dictionary = array.as_dictionary::<Int32Type>();
        let values: Vec<&str> = dictionary.values().as_string::<i32>().iter().flatten().collect();
        assert_eq!(values, ["a", "b", "c"]);
        assert_eq!(dictionary.keys().values(), &[0, 1, 2, 0]);
    }

    #[test]
    fn every_type_of_the_schema_can_be_empty_short_and_full() {
        for kind in wardline_domain::RecordKind::ALL {
            for field in schema::base(kind).fields() {
                let mut column = Column::new(field.data_type());
                assert_eq!(column.finish(3, field.data_type()).null_count(), 3, "{}", field.name());
                column.seek(2);
                let array = column.finish(5, field.data_type());
                assert_eq!((array.len(), array.null_count()), (5, 5), "{}", field.name());
                assert_eq!(array.data_type(), field.data_type());
            }
        }
    }
}
