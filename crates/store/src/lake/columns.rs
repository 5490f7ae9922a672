//! The columns of a table: which there are, and where an incoming column goes.
//!
//! A table's columns only ever grow. Delta compares names without regard to case, and older readers
//! refuse some characters, so a column may be stored under a name a little different from the one it
//! came with; the field's metadata keep that one. A column that comes with another type than before
//! gets a column of its own, so that nothing is lost.

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use rustc_hash::FxHashMap;
use wardline_domain::{RecordKind, schema};

use super::TableName;

/// Key of a field's metadata: the name that the column came with, where it is stored under another.
pub(super) const ORIGINAL_NAME: &str = "wardline.name";

/// The columns of one table.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    schema: SchemaRef,
    /// Positions by the name that a column comes with; more than one where its type has changed.
    by_name: FxHashMap<Box<str>, Vec<usize>>,
}

impl Columns {
    /// The columns that every table of a kind has.
    pub(super) fn base(name: &TableName) -> Self {
        let base = match name.kind() {
            Some(kind) => plain_base(kind),
            None => super::finding_rows::schema(),
        };
        Self::of(&base)
    }

    /// The columns of a schema as the log has it.
    pub(super) fn of(schema: &SchemaRef) -> Self {
        let mut by_name: FxHashMap<Box<str>, Vec<usize>> = FxHashMap::default();
        for (position, field) in schema.fields().iter().enumerate() {
            by_name.entry(original_name(field).into()).or_default().push(position);
        }
        Self { schema: Arc::clone(schema), by_name }
    }

    /// The table's schema: plain types, every column nullable.
    pub(super) const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds the columns of another schema of the same table, as another writer left it.
    pub(super) fn merge(&mut self, other: &SchemaRef) {
        let missing: Vec<FieldRef> =
            other.fields().iter().filter(|field| self.schema.field_with_name(field.name()).is_err()).cloned().collect();
        if !missing.is_empty() {
            let fields: Fields = self.schema.fields().iter().cloned().chain(missing).collect();
            *self = Self::of(&Arc::new(Schema::new(fields)));
        }
    }

    /// Gives every incoming column the name it is stored under, and makes room for new ones.
    pub(super) fn place(&mut self, incoming: &Schema) -> SchemaRef {
        let fields: Fields = incoming
            .fields()
            .iter()
            .map(|field| {
                let stored = self.stored_name(field);
                if stored == *field.name() {
                    Arc::clone(field)
                } else {
                    Arc::new(field.as_ref().clone().with_name(stored))
                }
            })
            .collect();
        Arc::new(Schema::new(fields))
    }

    fn stored_name(&mut self, field: &Field) -> String {
        let data_type = schema::table_type(field.data_type());
        let known = self.by_name.get(field.name().as_str()).into_iter().flatten();
        let fields = self.schema.fields();
        if let Some(&position) = known.clone().find(|&&position| same_type(fields[position].data_type(), &data_type)) {
            return fields[position].name().clone();
        }
        let wanted = match known.count() {
            0 => stored_column(field.name()),
            _ => format!("{}_as_{}", stored_column(field.name()), type_word(&data_type)),
        };
        self.add(field.name(), wanted, data_type)
    }

    fn add(&mut self, original: &str, wanted: String, data_type: DataType) -> String {
        let taken = |name: &str| self.schema.fields().iter().any(|field| field.name().eq_ignore_ascii_case(name));
        let mut stored = wanted.clone();
        let mut number = 2;
        while taken(&stored) {
            stored = format!("{wanted}_{number}");
            number += 1;
        }
        let mut field = Field::new(&stored, data_type, true);
        if stored != original {
            field = field.with_metadata(HashMap::from([(ORIGINAL_NAME.to_owned(), original.to_owned())]));
        }
        let fields: Fields = self.schema.fields().iter().cloned().chain([Arc::new(field)]).collect();
        self.by_name.entry(original.into()).or_default().push(fields.len() - 1);
        self.schema = Arc::new(Schema::new(fields));
        stored
    }
}

/// The name that a column is stored under, unless that is taken: characters that a Delta reader may
/// refuse or that SQL needs for itself become `_`.
pub fn stored_column(name: &str) -> String {
    name.chars()
        .map(|letter| match letter {
            ' ' | ',' | ';' | '{' | '}' | '(' | ')' | '=' | '.' | '"' | '`' => '_',
            other if other.is_control() => '_',
            other => other,
        })
        .collect()
}

/// The fixed columns of a kind as a table has them.
fn plain_base(kind: RecordKind) -> SchemaRef {
    let fields: Fields = schema::base(kind)
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), schema::table_type(field.data_type()), true))
        .collect();
    Arc::new(Schema::new(fields))
}

fn original_name(field: &Field) -> &str {
    field.metadata().get(ORIGINAL_NAME).unwrap_or_else(|| field.name())
}

/// Nested types differ in names and nullability of their elements between writers; their kind decides.
fn same_type(stored: &DataType, incoming: &DataType) -> bool {
    match (stored, incoming) {
        (DataType::List(left), DataType::List(right)) => same_type(left.data_type(), right.data_type()),
        (DataType::Map(_, _), DataType::Map(_, _)) => true,
        (
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8,
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8,
        ) => true,
        (left, right) => left == right,
    }
}

const fn type_word(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Float64 | DataType::Float32 => "number",
        DataType::Int64 | DataType::Int32 => "integer",
        DataType::Boolean => "boolean",
        DataType::Utf8 | DataType::Utf8View => "text",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(columns: &mut Columns, fields: Vec<Field>) -> Vec<String> {
        columns.place(&Schema::new(fields)).fields().iter().map(|field| field.name().clone()).collect()
    }

    #[test]
    fn columns_grow_and_keep_their_place() {
        let mut columns = Columns::base(&TableName::Inference("m".into()));
        let before = columns.schema().fields().len();
        let age = || Field::new("feature_age", DataType::Float64, true);
        assert_eq!(placed(&mut columns, vec![age()]), ["feature_age"]);
        assert_eq!(placed(&mut columns, vec![age()]), ["feature_age"]);
        assert_eq!(columns.schema().fields().len(), before + 1);
    }

    /// Goal: what Delta would take for the same column, or refuse, is stored apart and found again.
    #[test]
    fn names_that_delta_would_confuse_are_kept_apart() {
        let mut columns = Columns::base(&TableName::Inference("m".into()));
        let number = |name: &str| Field::new(name, DataType::Float64, true);
        let incoming = || vec![number("feature_Age"), number("feature_age"), number("feature_income (eur)")];
        let expected = ["feature_Age", "feature_age_2", "feature_income__eur_"];
        assert_eq!(placed(&mut columns, incoming()), expected);
        let mut reopened = Columns::of(columns.schema());
        assert_eq!(placed(&mut reopened, incoming()), expected);
    }

    #[test]
    fn a_column_that_changes_type_gets_a_second_one() {
        let mut columns = Columns::base(&TableName::Inference("m".into()));
        placed(&mut columns, vec![Field::new("feature_age", DataType::Float64, true)]);
        let text = || vec![Field::new("feature_age", schema::repeated_text(), true)];
        assert_eq!(placed(&mut columns, text()), ["feature_age_as_text"]);
        assert_eq!(placed(&mut columns, text()), ["feature_age_as_text"]);
    }
}
