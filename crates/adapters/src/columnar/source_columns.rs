//! The columns of a file under the names of the event schema.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StructArray},
    compute::kernels::nullif::nullif,
    datatypes::{DataType, Field, Schema},
    error::ArrowError,
};
use wardline_domain::{RecordKind, column};

/// Key of a field's metadata: the name that the column came with, where a table keeps it under another.
const ORIGINAL_NAME: &str = "wardline.name";

/// Objects of the event schema, and the prefixes of their columns.
const OBJECTS: [(&str, &str); 3] =
    [("features", column::FEATURE_PREFIX), ("attributes", column::ATTRIBUTE_PREFIX), ("groups", column::GROUP_PREFIX)];

/// The name that a column came with.
pub(crate) fn original_name(field: &Field) -> &str {
    field.metadata().get(ORIGINAL_NAME).map_or(field.name().as_str(), String::as_str)
}

/// Columns whose objects have been flattened: `features.age`, and `age` of `features`, are `feature_age`.
pub(super) struct SourceColumns(RecordBatch);

impl SourceColumns {
    pub(super) fn of(rows: &RecordBatch) -> Result<Self, ArrowError> {
        let (mut fields, mut arrays): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
        let mut push = |name: String, array: &ArrayRef| {
            // The first of two columns of one name counts; a table that keeps a feature's older type has such.
            if !fields.iter().any(|field| *field.name() == name) {
                fields.push(Field::new(name, array.data_type().clone(), true));
                arrays.push(Arc::clone(array));
            }
        };
        for (field, array) in rows.schema_ref().fields().iter().zip(rows.columns()) {
            let name = original_name(field);
            let object = OBJECTS.iter().find(|(object, _)| *object == name);
            match (object, array.as_struct_opt()) {
                (Some((_, prefix)), Some(members)) => {
                    for (member, array) in members_of(members)? {
                        push(format!("{prefix}{member}"), &array);
                    }
                }
                _ => push(flat_name(name), array),
            }
        }
        Ok(Self(RecordBatch::try_new_with_options(
            Arc::new(Schema::new(fields)),
            arrays,
            &arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.num_rows())),
        )?))
    }

    pub(super) fn records(&self) -> &RecordBatch {
        &self.0
    }

    /// The kind of a file that does not say it: from the columns that only one kind has.
    pub(super) fn guess_kind(&self) -> RecordKind {
        let has = |name: &str| self.0.column_by_name(name).is_some();
        match () {
            () if has("dataset") || has("row_id") => RecordKind::TrainingRow,
            () if has("action") && !has("latency_ms") => RecordKind::Deployment,
            () if has("name") && has("value") && !has("model") => RecordKind::Metric,
            () if has("body") && !has("model") => RecordKind::Log,
            () if has("id") && !has("model") => RecordKind::Outcome,
            () => RecordKind::Inference,
        }
    }
}

fn flat_name(name: &str) -> String {
    OBJECTS
        .iter()
        .find_map(|(object, prefix)| Some(format!("{prefix}{}", name.strip_prefix(object)?.strip_prefix('.')?)))
        .unwrap_or_else(|| name.to_owned())
}

/// Members of an object, null where the object is.
fn members_of(members: &StructArray) -> Result<Vec<(String, ArrayRef)>, ArrowError> {
    let is_null = arrow::compute::is_null(members)?;
    let named = members.fields().iter().zip(members.columns());
    named
        .map(|(field, array)| {
            let array = match field.data_type() {
                DataType::Null => Arc::clone(array),
                _ if members.null_count() == 0 => Arc::clone(array),
                _ => nullif(array, &is_null)?,
            };
            Ok((field.name().clone(), array))
        })
        .collect()
}
