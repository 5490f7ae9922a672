//! Brings the columns of a file into the event schema.
//!
//! Rows that are right go over column by column. Rows that are not, and rows with columns that the schema
//! has no place for, are written as NDJSON and take the way of every line: so the same rules hold for both
//! and a dead letter reads the same.

mod as_lines;
mod convert;
mod defaults;
mod own;
mod source_columns;
mod split;

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BooleanArray, RecordBatch, UInt32Array},
    compute::{filter, take_record_batch},
    datatypes::Schema,
    error::ArrowError,
};
use wardline_domain::{EventBatch, RecordKind};

pub(crate) use convert::times;
pub(crate) use source_columns::original_name;

use crate::{Arrival, Decoded, SchemaRegistry, columns::constant, fields::KindFields, ndjson};
use convert::Verdict;
use source_columns::SourceColumns;

/// Decodes rows of a file.
#[derive(Debug)]
pub(crate) struct ColumnDecoder {
    registry: Arc<SchemaRegistry>,
    lines: ndjson::Decoder,
    ids: ndjson::MadeIds,
}

impl ColumnDecoder {
    /// A decoder that makes ids from a seed.
    pub(crate) fn new(registry: Arc<SchemaRegistry>, id_seed: u64) -> Self {
        let lines = ndjson::Decoder::new(Arc::clone(&registry)).with_id_seed(!id_seed);
        Self { registry, lines, ids: ndjson::MadeIds::new(id_seed) }
    }

    /// Decodes rows. Dead letters have the number of their row as offset.
    ///
    /// # Errors
    /// [`ArrowError`] where a column cannot be rearranged.
    pub(crate) fn decode(&mut self, rows: &RecordBatch, arrival: &Arrival<'_>) -> Result<Decoded, ArrowError> {
        let mut decoded = Decoded { records: rows.num_rows() as u64, ..Decoded::default() };
        let columns = SourceColumns::of(rows)?;
        for part in split::by_kind_and_model(&columns, rows.num_rows())? {
            let of_part = match &part.rows {
                Some(picked) => take_record_batch(columns.records(), picked)?,
                None => columns.records().clone(),
            };
            let numbers = part.rows.unwrap_or_else(|| (0..rows.num_rows() as u32).collect());
            let Some(kind) = part.kind else {
                self.as_lines(&of_part, None, &numbers, arrival, &mut decoded)?;
                continue;
            };
            self.decode_part(kind, part.model.as_deref(), &of_part, &numbers, arrival, &mut decoded)?;
        }
        Ok(decoded)
    }

    fn decode_part(
        &mut self,
        kind: RecordKind,
        model: Option<&str>,
        rows: &RecordBatch,
        numbers: &UInt32Array,
        arrival: &Arrival<'_>,
        decoded: &mut Decoded,
    ) -> Result<(), ArrowError> {
        if kind.is_per_model() && model.is_none_or(str::is_empty) {
            return self.as_lines(rows, Some(kind), numbers, arrival, decoded);
        }
        let mut verdict = Verdict::all_good(rows.num_rows());
        let base = convert::base(kind, rows, &mut verdict)?;
        let own = own::columns(kind, model, rows, &self.registry, &mut verdict)?;
        let Some(own) = own else { return self.as_lines(rows, Some(kind), numbers, arrival, decoded) };
        let (schema, columns) = assemble(kind, model, base, own, rows.num_rows(), arrival);
        // Bad rows go first: a row without a time breaks the schema.
        let good = verdict.good();
        let columns = match &good {
            Some(good) => columns.iter().map(|array| filter(array, good)).collect::<Result<_, _>>()?,
            None => columns,
        };
        let records = RecordBatch::try_new(schema, columns)?;
        if records.num_rows() > 0 {
            let records =
                if kind == RecordKind::Inference { defaults::fill(&records, &mut self.ids)? } else { records };
            let model = model.filter(|_| kind.is_per_model()).map(Arc::from);
            decoded.batches.push(EventBatch { kind, model, records });
        }
        match good {
            Some(good) => self.bad_rows(rows, kind, &good, numbers, arrival, decoded),
            None => Ok(()),
        }
    }

    fn bad_rows(
        &mut self,
        rows: &RecordBatch,
        kind: RecordKind,
        good: &BooleanArray,
        numbers: &UInt32Array,
        arrival: &Arrival<'_>,
        decoded: &mut Decoded,
    ) -> Result<(), ArrowError> {
        let picked: UInt32Array = (0..).zip(good.values()).filter(|(_, good)| !*good).map(|(row, _)| row).collect();
        let numbers: UInt32Array = picked.values().iter().map(|row| numbers.value(*row as usize)).collect();
        self.as_lines(&take_record_batch(rows, &picked)?, Some(kind), &numbers, arrival, decoded)
    }

    /// Decodes rows as lines of NDJSON.
    fn as_lines(
        &mut self,
        rows: &RecordBatch,
        kind: Option<RecordKind>,
        numbers: &UInt32Array,
        arrival: &Arrival<'_>,
        decoded: &mut Decoded,
    ) -> Result<(), ArrowError> {
        let (lines, starts) = as_lines::write(rows, kind)?;
        let mut of_lines = self.lines.decode(&lines, &Arrival { offset: 0, ..*arrival });
        for letter in &mut of_lines.dead_letters {
            let row = starts.binary_search(&letter.offset).unwrap_or_else(|place| place.saturating_sub(1));
            letter.offset = arrival.offset + u64::from(numbers.value(row));
        }
        decoded.batches.append(&mut of_lines.batches);
        decoded.dead_letters.append(&mut of_lines.dead_letters);
        Ok(())
    }
}

/// The base columns with what every event has, and the model's own behind them.
fn assemble(
    kind: RecordKind,
    model: Option<&str>,
    base: Vec<ArrayRef>,
    own: Vec<own::OwnColumn>,
    n_rows: usize,
    arrival: &Arrival<'_>,
) -> (Arc<Schema>, Vec<ArrayRef>) {
    let schema = &KindFields::of(kind).schema;
    let mut fields: Vec<_> = schema.fields().iter().map(Arc::clone).collect();
    let mut columns = Vec::with_capacity(base.len() + own.len());
    for (field, array) in fields.iter().zip(base) {
        columns.push(match field.name().as_str() {
            "received" => convert::received(&array, arrival.received),
            "sender" if array.null_count() == n_rows => constant(arrival.sender, n_rows),
            "model" if kind.is_per_model() => constant(model.unwrap_or_default(), n_rows),
            _ => array,
        });
    }
    for column in own {
        fields.push(Arc::new(column.field));
        columns.push(column.array);
    }
    (Arc::new(Schema::new(fields)), columns)
}
