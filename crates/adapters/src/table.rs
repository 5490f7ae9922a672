//! Rows of one kind and model on their way into a batch.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, TimestampMicrosecondArray},
    datatypes::{Field, FieldRef, Schema, SchemaRef},
};
use wardline_domain::{DeadLetterReason, EventBatch, RecordKind, Timestamp, column};

use crate::{
    SchemaRegistry,
    columns::{Column, constant},
    fields::KindFields,
    json::Member,
    model_columns::ModelColumnSet,
    record::Record,
    registry::NewColumn,
};

/// Columns of one kind and model, and the row that is being appended to them.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) kind: RecordKind,
    pub(crate) model: Option<Arc<str>>,
    pub(crate) fields: &'static KindFields,
    pub(crate) rows: usize,
    pub(crate) base: Vec<Column>,
    pub(crate) features: ModelColumnSet,
    pub(crate) attributes: ModelColumnSet,
    pub(crate) groups: ModelColumnSet,
    /// Length of the model's embeddings, once it is known.
    pub(crate) embedding_length: Option<u32>,
    /// Columns that the row under way would add.
    pub(crate) new: Vec<NewColumn>,
    /// What the row under way has no column for.
    pub(crate) left_over: Vec<Member>,
    /// The JSON of what is left over.
    pub(crate) json: String,
    /// The schema of the last batch; the next one is probably the same.
    last_schema: SchemaRef,
}

/// How often a row is tried again when another decoder adds columns to the same model at the same moment.
const MAX_CONFLICTS: usize = 1_000;

impl Table {
    pub(crate) fn new(kind: RecordKind, model: Option<Arc<str>>) -> Self {
        let fields = KindFields::of(kind);
        Self {
            kind,
            model,
            fields,
            rows: 0,
            base: fields.schema.fields().iter().map(|field| Column::new(field.data_type())).collect(),
            features: ModelColumnSet::new(column::FEATURE_PREFIX),
            attributes: ModelColumnSet::new(column::ATTRIBUTE_PREFIX),
            groups: ModelColumnSet::new(column::GROUP_PREFIX),
            embedding_length: None,
            new: Vec::new(),
            left_over: Vec::new(),
            json: String::new(),
            last_schema: Arc::clone(&fields.schema),
        }
    }

    /// Appends a record: all of it, or nothing.
    ///
    /// # Errors
    /// Why the record is refused.
    pub(crate) fn append(&mut self, record: &Record<'_>, registry: &SchemaRegistry) -> Result<(), DeadLetterReason> {
        let n_columns = (self.features.len(), self.attributes.len(), self.groups.len());
        for _ in 0..MAX_CONFLICTS {
            self.new.clear();
            self.left_over.clear();
            let written = self.write(record, registry);
            if written.is_ok() && (self.new.is_empty() || self.add_columns(registry)) {
                self.rows += 1;
                return Ok(());
            }
            self.cut_back(n_columns);
            written?;
        }
        let detail = format!("the columns of its model changed {MAX_CONFLICTS} times meanwhile: send it again");
        Err(DeadLetterReason::Damaged { detail })
    }

    fn add_columns(&mut self, registry: &SchemaRegistry) -> bool {
        let added = registry.add(self.model.as_deref().unwrap_or_default(), &self.new).is_ok();
        for column in &self.new {
            if let (NewColumn::Embedding(length), true) = (column, added) {
                self.embedding_length = Some(*length);
            }
        }
        added
    }

    #[cold]
    fn cut_back(&mut self, (n_features, n_attributes, n_groups): (usize, usize, usize)) {
        for column in &mut self.base {
            column.truncate(self.rows);
        }
        self.features.truncate(self.rows, n_features);
        self.attributes.truncate(self.rows, n_attributes);
        self.groups.truncate(self.rows, n_groups);
    }

    /// The rows as a batch; the table is empty afterwards.
    pub(crate) fn finish(&mut self, received: Timestamp, sender: &str) -> EventBatch {
        let rows = std::mem::take(&mut self.rows);
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.base.len());
        for (field, column) in self.fields.schema.fields().iter().zip(&mut self.base) {
            columns.push(match (field.name().as_str(), &self.model) {
                ("received", _) => {
                    Arc::new(TimestampMicrosecondArray::from_value(received.micros(), rows).with_timezone("UTC"))
                }
                ("sender", _) => constant(sender, rows),
                ("model", Some(model)) => constant(model, rows),
                _ => column.finish(rows, field.data_type()),
            });
        }
        let mut own = self.features.finish(rows);
        own.append(&mut self.attributes.finish(rows));
        own.append(&mut self.groups.finish(rows));
        let schema = self.schema(
            own.iter()
                .map(|(name, data_type, array)| {
                    columns.push(Arc::clone(array));
                    Field::new(name, data_type.clone(), true)
                })
                .collect(),
        );
        match RecordBatch::try_new(schema, columns) {
            Ok(records) => EventBatch { kind: self.kind, model: self.model.clone(), records },
            Err(error) => unreachable!("every column was filled up to the same length: {error}"),
        }
    }

    /// The schema with the model's own fields behind it; the last one again where nothing changed.
    fn schema(&mut self, own: Vec<Field>) -> SchemaRef {
        let n_base = self.base.len();
        let known = &self.last_schema.fields()[n_base..];
        if known.len() != own.len() || known.iter().zip(&own).any(|(known, own)| known.as_ref() != own) {
            let base = self.fields.schema.fields().iter().map(Arc::clone);
            let fields: Vec<FieldRef> = base.chain(own.into_iter().map(Arc::new)).collect();
            self.last_schema = Arc::new(Schema::new(fields));
        }
        Arc::clone(&self.last_schema)
    }
}
