//! A model's own columns: features, attributes and protected attributes of a file.

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Field},
    error::ArrowError,
};
use wardline_domain::{RecordKind, column, schema};

use super::convert::{self, Verdict};
use crate::{
    FeatureType, SchemaRegistry,
    fields::{self, KindFields, Target},
    registry::NewColumn,
};

/// A column of the model.
pub(super) struct OwnColumn {
    pub(super) field: Field,
    pub(super) array: ArrayRef,
}

/// The model's own columns, by prefix and name; `None` where a column has no place but in JSON.
pub(super) fn columns(
    kind: RecordKind,
    model: Option<&str>,
    rows: &RecordBatch,
    registry: &SchemaRegistry,
    verdict: &mut Verdict,
) -> Result<Option<Vec<OwnColumn>>, ArrowError> {
    let model = model.unwrap_or_default();
    let (mut own, mut new) = (Vec::new(), Vec::new());
    for (field, array) in rows.schema_ref().fields().iter().zip(rows.columns()) {
        let name = field.name().as_str();
        // A column without a value says nothing: it is another model's, or nobody's.
        if is_field(kind, name) || array.logical_null_count() == array.len() {
            continue;
        }
        if !kind.is_per_model() {
            return Ok(None);
        }
        let is_inference = kind == RecordKind::Inference;
        let column = match (column::feature_of(name), column::group_of(name).filter(|_| is_inference)) {
            (Some(feature), _) => self::feature(feature, name, array, model, registry, &mut new, verdict)?,
            (None, Some(group)) => {
                let room = registry.group(model, group, count(&new, |new| matches!(new, NewColumn::Group(_))));
                label(name, array, room, NewColumn::Group(group.to_owned()), &mut new)?
            }
            (None, None) => {
                let attribute = column::attribute_of(name).unwrap_or(name);
                let room =
                    registry.attribute(model, attribute, count(&new, |new| matches!(new, NewColumn::Attribute(_))));
                let name = format!("{}{attribute}", column::ATTRIBUTE_PREFIX);
                label(&name, array, room, NewColumn::Attribute(attribute.to_owned()), &mut new)?
            }
        };
        let Some(column) = column else { return Ok(None) };
        own.extend(column);
    }
    embedding(kind, rows, model, registry, &mut new, verdict)?;
    if verdict.good().is_some_and(|good| good.true_count() == 0)
        || (!new.is_empty() && registry.add(model, &new).is_err())
    {
        return Ok(None);
    }
    own.sort_by_key(|column| order(column.field.name()));
    own.dedup_by(|later, earlier| later.field.name() == earlier.field.name());
    Ok(Some(own))
}

fn count(new: &[NewColumn], is_such: impl Fn(&NewColumn) -> bool) -> usize {
    new.iter().filter(|new| is_such(new)).count()
}

/// Features first, then attributes, then protected attributes, each by name.
fn order(name: &str) -> (u8, String) {
    let group = match name {
        name if name.starts_with(column::FEATURE_PREFIX) => 0,
        name if name.starts_with(column::ATTRIBUTE_PREFIX) => 1,
        _ => 2,
    };
    (group, name.to_owned())
}

fn is_field(kind: RecordKind, name: &str) -> bool {
    if matches!(name, "received" | "sender" | "kind") {
        return true;
    }
    let target = fields::field(name).map(|id| KindFields::of(kind).targets[id.0 as usize]);
    match target {
        Some(Target::Column { .. } | Target::Chosen) => true,
        // The JSON of what has no column.
        Some(Target::Attributes) => true,
        _ => false,
    }
}

/// A feature's column; `Some(None)` where no row has one that fits, `None` where it must go to JSON.
fn feature(
    feature: &str,
    name: &str,
    array: &ArrayRef,
    model: &str,
    registry: &SchemaRegistry,
    new: &mut Vec<NewColumn>,
    verdict: &mut Verdict,
) -> Result<Option<Option<OwnColumn>>, ArrowError> {
    let (Some(found), false) = (FeatureType::of(array.data_type()), feature.is_empty()) else { return Ok(None) };
    let known = registry.feature(model, feature);
    if known.is_some_and(|known| known != found) {
        verdict.refuse_values(array)?;
        return Ok(Some(None));
    }
    let array = match found {
        FeatureType::Number => convert::numbers(array)?,
        FeatureType::Boolean => cast(array, &DataType::Boolean)?,
        FeatureType::Text => convert::text(array)?,
    };
    if array.null_count() == array.len() {
        return Ok(Some(None));
    }
    if known.is_none() {
        new.push(NewColumn::Feature(feature.to_owned(), found));
    }
    Ok(Some(Some(OwnColumn { field: Field::new(name, found.data_type(), true), array })))
}

fn label(
    name: &str,
    array: &ArrayRef,
    room: Option<bool>,
    column: NewColumn,
    new: &mut Vec<NewColumn>,
) -> Result<Option<Option<OwnColumn>>, ArrowError> {
    let is_named = !matches!(&column, NewColumn::Attribute(name) | NewColumn::Group(name) if name.is_empty());
    let (Some(_), Some(is_known), true) = (FeatureType::of(array.data_type()), room, is_named) else { return Ok(None) };
    if !is_known {
        new.push(column);
    }
    let array = convert::text(array)?;
    Ok(Some(Some(OwnColumn { field: Field::new(name, schema::repeated_text(), true), array })))
}

/// All embeddings of a model have one length.
fn embedding(
    kind: RecordKind,
    rows: &RecordBatch,
    model: &str,
    registry: &SchemaRegistry,
    new: &mut Vec<NewColumn>,
    verdict: &mut Verdict,
) -> Result<(), ArrowError> {
    let Some(array) = rows.column_by_name("embedding").filter(|_| kind.is_per_model()) else { return Ok(()) };
    let Ok(lists) = cast(array, &schema::embedding()) else { return Ok(()) };
    let lists: &ListArray = lists.as_list();
    let mut known = registry.embedding_length(model);
    let wrong: Vec<bool> = (0..lists.len())
        .map(|row| {
            if lists.is_null(row) {
                return false;
            }
            let length = lists.value_length(row) as u32;
            *known.get_or_insert_with(|| {
                new.push(NewColumn::Embedding(length));
                length
            }) != length
                || lists.value(row).null_count() > 0
        })
        .collect();
    verdict.refuse(&wrong.into())
}
