//! The values of a record that go into its model's own columns: features, attributes, protected attributes.

use wardline_domain::{DeadLetterReason, schema};

use crate::{
    FeatureType, SchemaRegistry,
    columns::Column,
    json::{Line, Member, Shape, Value},
    model_columns::ModelColumnSet,
    read,
    registry::NewColumn,
    table::Table,
};

impl Table {
    pub(crate) fn write_features(
        &mut self,
        line: Line<'_>,
        value: Value,
        registry: &SchemaRegistry,
    ) -> Result<(), DeadLetterReason> {
        let mut expected = 0;
        for member in object(line, "features", value)? {
            let name = line.key(member);
            let place = match self.features.find(name, &mut expected) {
                Some(place) => place,
                None => match self.new_feature(line, name, member.value, registry)? {
                    Some(place) => place,
                    None => continue,
                },
            };
            let row = self.rows;
            let Some((known, column)) = self.features.column(place) else { continue };
            if member.value.shape == Shape::Null {
                column.truncate(row);
                continue;
            }
            column.seek(row);
            match (column, member.value.shape) {
                (Column::Number(column), Shape::Integer(number)) => column.push(number as f64),
                (Column::Number(column), Shape::Number(number)) => column.push(number),
                (Column::Boolean(column), Shape::Boolean(value)) => column.push(value),
                (Column::Repeated(column), Shape::Text | Shape::Escaped(..)) => {
                    column.push(line.text(member.value).unwrap_or_default());
                }
                _ => return Err(self.changed_type(line, name, member.value, known)),
            }
        }
        Ok(())
    }

    /// Gives a feature its column; `None` for a null of a feature whose type nobody knows yet.
    #[cold]
    fn new_feature(
        &mut self,
        line: Line<'_>,
        name: &str,
        value: Value,
        registry: &SchemaRegistry,
    ) -> Result<Option<usize>, DeadLetterReason> {
        refuse_empty(name, "features")?;
        let model = self.model.as_deref().unwrap_or_default();
        let known = registry.feature(model, name);
        let found = match value.shape {
            _ if known.is_some() => known,
            Shape::Null => None,
            Shape::Integer(_) | Shape::Number(_) => Some(FeatureType::Number),
            Shape::Boolean(_) => Some(FeatureType::Boolean),
            Shape::Text | Shape::Escaped(..) => Some(FeatureType::Text),
            _ => {
                return Err(read::wrong_type(
                    &format!("features.{name}"),
                    line,
                    value,
                    "a number, a boolean, text or null",
                ));
            }
        };
        let Some(found) = found else { return Ok(None) };
        if known.is_none() {
            let n_new = self.new.iter().filter(|new| matches!(new, NewColumn::Feature(..))).count();
            if registry.n_features(model) + n_new >= schema::MAX_FEATURE_COLUMNS {
                let most = schema::MAX_FEATURE_COLUMNS as u64;
                return Err(DeadLetterReason::TooManyFeatures { model: model.to_owned(), most });
            }
            self.new.push(NewColumn::Feature(name.to_owned(), found));
        }
        Ok(Some(self.features.add(name, Some(found))))
    }

    #[cold]
    fn changed_type(&self, line: Line<'_>, name: &str, value: Value, known: FeatureType) -> DeadLetterReason {
        if matches!(value.shape, Shape::Object(..) | Shape::List(..) | Shape::Deep) {
            return read::wrong_type(&format!("features.{name}"), line, value, "a number, a boolean, text or null");
        }
        DeadLetterReason::FeatureChangedType {
            model: self.model.as_deref().unwrap_or_default().to_owned(),
            feature: name.to_owned(),
            found: line.describe(value),
            expected: known.name().to_owned(),
        }
    }

    pub(crate) fn write_groups(
        &mut self,
        line: Line<'_>,
        value: Value,
        registry: &SchemaRegistry,
    ) -> Result<(), DeadLetterReason> {
        let mut expected = 0;
        for member in object(line, "groups", value)? {
            let name = line.key(member);
            refuse_empty(name, "groups")?;
            if line.label(member.value).is_none() && member.value.shape != Shape::Null {
                return Err(read::wrong_type(&format!("groups.{name}"), line, member.value, "text"));
            }
            let model = self.model.as_deref().unwrap_or_default();
            let is_written =
                write_label(&mut self.groups, &mut self.new, self.rows, line, member, &mut expected, |new| {
                    let n_new = new.iter().filter(|new| matches!(new, NewColumn::Group(_))).count();
                    (registry.group(model, name, n_new), NewColumn::Group(name.to_owned()))
                });
            if !is_written {
                self.left_over.push(*member);
            }
        }
        Ok(())
    }

    pub(crate) fn write_attributes(
        &mut self,
        line: Line<'_>,
        value: Value,
        registry: &SchemaRegistry,
    ) -> Result<(), DeadLetterReason> {
        let mut expected = 0;
        for member in object(line, "attributes", value)? {
            self.write_attribute(line, member, &mut expected, registry)?;
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn write_attribute(
        &mut self,
        line: Line<'_>,
        member: &Member,
        expected: &mut usize,
        registry: &SchemaRegistry,
    ) -> Result<(), DeadLetterReason> {
        let name = line.key(member);
        refuse_empty(name, "attributes")?;
        let is_scalar = member.value.shape == Shape::Null || line.label(member.value).is_some();
        let is_written = match self.model.as_deref() {
            Some(model) if is_scalar => {
                write_label(&mut self.attributes, &mut self.new, self.rows, line, member, expected, |new| {
                    let n_new = new.iter().filter(|new| matches!(new, NewColumn::Attribute(_))).count();
                    (registry.attribute(model, name, n_new), NewColumn::Attribute(name.to_owned()))
                })
            }
            _ => false,
        };
        if !is_written {
            self.left_over.push(*member);
        }
        Ok(())
    }
}

/// Writes a scalar into a text column of its name; whether there is one, or room for one.
#[inline]
fn write_label(
    columns: &mut ModelColumnSet,
    new: &mut Vec<NewColumn>,
    row: usize,
    line: Line<'_>,
    member: &Member,
    expected: &mut usize,
    decide: impl Fn(&[NewColumn]) -> (Option<bool>, NewColumn),
) -> bool {
    let name = line.key(member);
    let place = columns.find(name, expected).unwrap_or_else(|| {
        if member.value.shape == Shape::Null {
            return usize::MAX;
        }
        let (room, column) = decide(new);
        if room == Some(false) {
            new.push(column);
        }
        columns.add(name, room.map(|_| FeatureType::Text))
    });
    if place >= columns.len() {
        // A null says nothing, so it needs no column; whatever else found none goes to the JSON.
        return member.value.shape == Shape::Null;
    }
    let Some((_, column)) = columns.column(place) else { return false };
    match (line.label(member.value), column) {
        (Some(text), column) => {
            column.seek(row);
            if let Column::Repeated(column) = column {
                column.push(text);
            }
        }
        (None, column) => column.truncate(row),
    }
    true
}

fn object<'a>(line: Line<'a>, field: &str, value: Value) -> Result<&'a [Member], DeadLetterReason> {
    match value.shape {
        Shape::Object(first, count) => Ok(line.members(first, count)),
        _ => Err(read::wrong_type(field, line, value, "an object")),
    }
}

fn refuse_empty(name: &str, field: &str) -> Result<(), DeadLetterReason> {
    if !name.is_empty() {
        return Ok(());
    }
    Err(DeadLetterReason::WrongType {
        field: field.to_owned(),
        found: "a value with an empty name".to_owned(),
        expected: "named values".to_owned(),
    })
}
