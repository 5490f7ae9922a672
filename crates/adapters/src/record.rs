//! One record on its way into a table: which value goes into which column.

use wardline_domain::{DeadLetterReason, RecordKind};

use crate::{
    SchemaRegistry,
    columns::Column,
    fields::{FieldId, N_FIELDS, Reads, Target},
    json::{Line, Shape, Value},
    read,
    registry::NewColumn,
    table::Table,
};

/// The number that stands for "no field has this name".
pub(crate) const NO_FIELD: u8 = u8::MAX;
/// The place of a field that the record does not have.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// A line whose names have been looked up.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) line: Line<'a>,
    /// The field of each member, or [`NO_FIELD`].
    pub(crate) ids: &'a [u8],
    /// The member that holds each field, the last where a name is there twice, or [`NOWHERE`].
    pub(crate) places: &'a [u32; N_FIELDS],
    /// The id of a prediction that came without one.
    pub(crate) made_id: &'a str,
}

impl Record<'_> {
    /// A field's value; `None` where it is missing or null.
    #[inline]
    pub(crate) fn value(&self, id: FieldId) -> Option<Value> {
        let member = self.line.top().get(self.places[id.0 as usize] as usize)?;
        (member.value.shape != Shape::Null).then_some(member.value)
    }

    /// Whether a field is there and not empty.
    pub(crate) fn has(&self, id: FieldId) -> bool {
        self.value(id).is_some_and(|value| self.line.text(value) != Some(""))
    }

    /// Whether the record says that the prediction failed.
    fn has_failed(&self) -> bool {
        let failed_by_status = self
            .value(FieldId::HTTP_STATUS)
            .is_some_and(|value| read::number("http_status", self.line, value).is_ok_and(|status| status >= 500.0));
        failed_by_status
            || (self.has(FieldId::ERROR)
                && self.value(FieldId::ERROR).map(|value| value.shape) != Some(Shape::Boolean(false)))
    }
}

impl Table {
    /// Writes a record behind the rows. What it wrote must be cut back where it fails.
    pub(crate) fn write(&mut self, record: &Record<'_>, registry: &SchemaRegistry) -> Result<(), DeadLetterReason> {
        for id in self.fields.required {
            if !record.has(*id) {
                return Err(DeadLetterReason::Missing { field: id.name().to_owned() });
            }
        }
        let line = record.line;
        let mut expected_attribute = 0;
        for (place, (member, id)) in line.top().iter().zip(record.ids).enumerate() {
            if *id == NO_FIELD {
                self.write_attribute(line, member, &mut expected_attribute, registry)?;
                continue;
            }
            let is_last = record.places[*id as usize] == place as u32;
            if !is_last || member.value.shape == Shape::Null {
                continue;
            }
            match self.fields.targets[*id as usize] {
                Target::Column { index, reads } => {
                    self.write_column(FieldId(*id), index, reads, line, member.value, registry)?
                }
                Target::Features => self.write_features(line, member.value, registry)?,
                Target::Groups => self.write_groups(line, member.value, registry)?,
                Target::Attributes => self.write_attributes(line, member.value, registry)?,
                Target::Chosen => {}
                Target::Unknown => self.write_attribute(line, member, &mut expected_attribute, registry)?,
            }
        }
        if self.kind == RecordKind::Inference {
            self.write_defaults(record)?;
        }
        self.write_left_over(line);
        Ok(())
    }

    fn write_column(
        &mut self,
        id: FieldId,
        index: usize,
        reads: Reads,
        line: Line<'_>,
        value: Value,
        registry: &SchemaRegistry,
    ) -> Result<(), DeadLetterReason> {
        let name = id.name();
        let row = self.rows;
        let column = &mut self.base[index];
        column.seek(row);
        match (column, reads) {
            (Column::Repeated(column), Reads::Text) => column.push(read::text(name, line, value)?),
            (Column::Repeated(column), _) => {
                // `"error": false` is how some say that there was none.
                if id != FieldId::ERROR || value.shape != Shape::Boolean(false) {
                    column.push(read::label(name, line, value)?);
                }
            }
            (Column::Number(column), _) => column.push(read::number(name, line, value)?),
            (Column::Text(column), Reads::Text) => column.push(read::text(name, line, value)?),
            (Column::Text(column), _) => column.push(read::label(name, line, value)?),
            (Column::Time(column), _) => column.push(read::time(name, line, value)?),
            (Column::Integer(column), _) => column.push(read::integer(name, line, value)?),
            (Column::Integer32(column), _) => column.push(read::integer32(name, line, value)?),
            (Column::Items(column), _) => {
                let Shape::List(first, count) = value.shape else {
                    return Err(read::wrong_type(name, line, value, "a list of text"));
                };
                for item in line.elements(first, count) {
                    read::label("items[]", line, *item)?;
                }
                column.push(line.elements(first, count).iter().filter_map(|item| line.label(*item)));
            }
            (Column::Scores(_), _) => return self.write_scores(name, index, line, value),
            (Column::Embedding(_), _) => return self.write_embedding(name, index, line, value, registry),
            (Column::Boolean(_), _) => unreachable!("no field of the schema is a boolean"),
        }
        Ok(())
    }

    fn write_scores(&mut self, name: &str, index: usize, line: Line<'_>, value: Value) -> Result<(), DeadLetterReason> {
        let Shape::Object(first, count) = value.shape else {
            return Err(read::wrong_type(name, line, value, "an object of class and probability"));
        };
        let members = line.members(first, count);
        for member in members.iter().filter(|member| member.value.shape != Shape::Null) {
            read::number(name, line, member.value)?;
        }
        let repeats =
            |place: usize| members[place + 1..].iter().any(|later| line.key(later) == line.key(&members[place]));
        // A map with a key twice is refused by some readers; the last one counts. Slates of classes are short.
        let kept = members.iter().enumerate().filter(|(place, _)| members.len() > 1_024 || !repeats(*place));
        if let Column::Scores(column) = &mut self.base[index] {
            column.push(kept.map(|(_, member)| (line.key(member), read::number(name, line, member.value).ok())));
        }
        Ok(())
    }

    fn write_embedding(
        &mut self,
        name: &str,
        index: usize,
        line: Line<'_>,
        value: Value,
        registry: &SchemaRegistry,
    ) -> Result<(), DeadLetterReason> {
        let Shape::List(first, count) = value.shape else {
            return Err(read::wrong_type(name, line, value, "a list of numbers"));
        };
        let numbers = line.elements(first, count);
        for number in numbers {
            read::number("embedding[]", line, *number)?;
        }
        let model = self.model.as_deref().unwrap_or_default();
        if self.embedding_length.is_none() {
            self.embedding_length = registry.embedding_length(model);
        }
        match self.embedding_length {
            Some(length) if length != count => {
                return Err(DeadLetterReason::WrongType {
                    field: name.to_owned(),
                    found: format!("a list of {count} numbers"),
                    expected: format!("a list of {length} numbers, as the model has had so far"),
                });
            }
            Some(_) => {}
            None => self.new.push(NewColumn::Embedding(count)),
        }
        if let Column::Embedding(column) = &mut self.base[index] {
            column.push(numbers.iter().map(|number| read::number(name, line, *number).unwrap_or_default() as f32));
        }
        Ok(())
    }

    /// What an inference has though nobody wrote it.
    fn write_defaults(&mut self, record: &Record<'_>) -> Result<(), DeadLetterReason> {
        let row = self.rows;
        let mut push = |id: FieldId, text: &str| {
            let Some(column) = self.fields.column(id).and_then(|index| self.base.get_mut(index)) else { return };
            column.seek(row);
            match column {
                Column::Repeated(column) => column.push(text),
                Column::Text(column) => column.push(text),
                _ => {}
            }
        };
        match record.value(FieldId::STATUS) {
            None => push(FieldId::STATUS, if record.has_failed() { "error" } else { "ok" }),
            Some(status) if !matches!(record.line.text(status), Some("ok" | "error")) => {
                return Err(read::wrong_type("status", record.line, status, "`ok` or `error`"));
            }
            Some(_) => {}
        }
        if !record.has(FieldId::ID) {
            push(FieldId::ID, record.made_id);
        }
        if record.value(FieldId::DECISION).is_none()
            && let Some(Value { shape: Shape::List(first, count), .. }) = record.value(FieldId::ITEMS)
            && let Some(item) = record.line.elements(first, count).first().and_then(|item| record.line.label(*item))
        {
            push(FieldId::DECISION, item);
        }
        Ok(())
    }

    /// Writes what found no column as one JSON object.
    fn write_left_over(&mut self, line: Line<'_>) {
        let left_over = std::mem::take(&mut self.left_over);
        if !left_over.is_empty() {
            crate::left_over::write(line, &left_over, &mut self.json);
            let row = self.rows;
            if let Some(column) = self.base.last_mut() {
                column.seek(row);
                if let Column::Text(column) = column {
                    column.push(&self.json);
                }
            }
        }
        self.left_over = left_over;
    }
}
