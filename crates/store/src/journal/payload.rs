//! What a record of the journal holds: batches as Arrow IPC streams, each with its rows' fingerprints.
//!
//! Columns that are null throughout are left out, as most of a model's are; reading puts those of the
//! event schema back. All numbers are little-endian:
//! `n_batches: u32`, then for each `kind: u8, model_bytes: u32 (all ones for none), model, n_rows: u32,
//! fingerprints: [u64; n_rows], ipc_bytes: u32, ipc`.

use std::{collections::HashMap, io::Cursor, sync::Arc};

use arrow::{
    array::{Array, AsArray, RecordBatch, new_null_array},
    datatypes::Schema,
    error::ArrowError,
    ipc::{
        MetadataVersion,
        reader::StreamReader,
        writer::{IpcWriteOptions, StreamWriter},
    },
};
use wardline_domain::{EventBatch, RecordKind, schema};

use super::record::MAX_PAYLOAD_BYTES;

const NO_MODEL: u32 = u32::MAX;

/// Why a payload could not be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PayloadError {
    /// Arrow could not carry it out.
    #[error("the events are no Arrow stream: {0}")]
    Arrow(#[from] ArrowError),
    /// The payload ends early, or counts more than it holds.
    #[error("the record says that it holds more than it does")]
    Short,
    /// A kind that this version does not know.
    #[error("kind {0} is none of the six: a newer version may have written it")]
    UnknownKind(u8),
    /// More than one record holds.
    #[error("the events take {0} bytes, which is more than one record holds")]
    TooLong(usize),
    /// Text that is not UTF-8.
    #[error("a model's name is not UTF-8")]
    NotUtf8,
}

/// Appends batches, with a fingerprint for each row, to a buffer.
///
/// # Errors
/// [`PayloadError::Arrow`] where a column has a type that no stream can hold.
pub(crate) fn write(buffer: &mut Vec<u8>, batches: &[(&EventBatch, &[u64])]) -> Result<(), PayloadError> {
    let payload_start = buffer.len();
    buffer.extend_from_slice(&(batches.len() as u32).to_le_bytes());
    for (batch, fingerprints) in batches {
        assert_eq!(batch.len(), fingerprints.len(), "each row has its fingerprint");
        buffer.push(code_of(batch.kind));
        match &batch.model {
            Some(model) => {
                buffer.extend_from_slice(&(model.len() as u32).to_le_bytes());
                buffer.extend_from_slice(model.as_bytes());
            }
            None => buffer.extend_from_slice(&NO_MODEL.to_le_bytes()),
        }
        buffer.extend_from_slice(&(batch.len() as u32).to_le_bytes());
        for fingerprint in *fingerprints {
            buffer.extend_from_slice(&fingerprint.to_le_bytes());
        }
        let start = buffer.len();
        buffer.extend_from_slice(&[0; 4]);
        write_stream(buffer, &without_null_columns(&batch.records)?)?;
        let ipc_bytes = (buffer.len() - start - 4) as u32;
        buffer[start..start + 4].copy_from_slice(&ipc_bytes.to_le_bytes());
    }
    let bytes = buffer.len() - payload_start;
    if bytes > MAX_PAYLOAD_BYTES { Err(PayloadError::TooLong(bytes)) } else { Ok(()) }
}

fn write_stream(buffer: &mut Vec<u8>, records: &RecordBatch) -> Result<(), ArrowError> {
    // Eight bytes of alignment, not 64: most of a small batch would be padding.
    let options = IpcWriteOptions::try_new(8, false, MetadataVersion::V5)?;
    let mut writer = StreamWriter::try_new_with_options(buffer, records.schema_ref(), options)?;
    writer.write(records)?;
    writer.finish()
}

fn without_null_columns(records: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let kept: Vec<usize> = (0..records.num_columns())
        .filter(|&index| {
            let array = records.column(index);
            !records.schema_ref().field(index).is_nullable() || array.null_count() < array.len()
        })
        .collect();
    if kept.len() == records.num_columns() { Ok(records.clone()) } else { records.project(&kept) }
}

/// The fingerprints of all rows, without reading the events; `None` where the payload is damaged.
pub(crate) fn fingerprints(payload: &[u8]) -> Option<Vec<u64>> {
    let mut reader = Reader { rest: payload };
    let mut all = Vec::new();
    for _ in 0..reader.u32()? {
        let part = Part::read(&mut reader).ok()?;
        all.extend(part.fingerprints());
    }
    Some(all)
}

/// Reads the batches of a payload.
///
/// # Errors
/// Where the payload does not hold what it says.
pub(crate) fn read(payload: &[u8]) -> Result<Vec<EventBatch>, PayloadError> {
    let mut reader = Reader { rest: payload };
    let mut batches = Vec::new();
    let mut bases: HashMap<RecordKind, Arc<Schema>> = HashMap::new();
    for _ in 0..reader.u32().ok_or(PayloadError::Short)? {
        let part = Part::read(&mut reader)?;
        let base = bases.entry(part.kind).or_insert_with(|| schema::base(part.kind));
        let stream = StreamReader::try_new(Cursor::new(part.ipc), None)?;
        for records in stream {
            let records = with_null_columns(&records?, base)?;
            batches.push(EventBatch { kind: part.kind, model: part.model.clone(), records });
        }
    }
    Ok(batches)
}

/// The event schema's columns first, null where they were left out, then the model's own.
fn with_null_columns(records: &RecordBatch, base: &Schema) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::with_capacity(base.fields().len());
    let mut columns = Vec::with_capacity(base.fields().len());
    for field in base.fields() {
        match records.schema_ref().column_with_name(field.name()) {
            Some((index, written)) => {
                fields.push(Arc::new(written.clone()));
                columns.push(Arc::clone(records.column(index)));
            }
            None => {
                fields.push(Arc::clone(field));
                columns.push(new_null_array(field.data_type(), records.num_rows()));
            }
        }
    }
    for (field, column) in records.schema_ref().fields().iter().zip(records.columns()) {
        if base.column_with_name(field.name()).is_none() {
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(column));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// One batch of a payload, not decoded.
struct Part<'a> {
    kind: RecordKind,
    model: Option<Arc<str>>,
    fingerprint_bytes: &'a [u8],
    ipc: &'a [u8],
}

impl<'a> Part<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, PayloadError> {
        let code = *reader.take(1).and_then(<[u8]>::first).ok_or(PayloadError::Short)?;
        let kind =
            RecordKind::ALL.into_iter().find(|&kind| code_of(kind) == code).ok_or(PayloadError::UnknownKind(code))?;
        let model = match reader.u32().ok_or(PayloadError::Short)? {
            NO_MODEL => None,
            length => {
                let bytes = reader.take(length as usize).ok_or(PayloadError::Short)?;
                Some(Arc::from(std::str::from_utf8(bytes).map_err(|_| PayloadError::NotUtf8)?))
            }
        };
        let rows = reader.u32().ok_or(PayloadError::Short)? as usize;
        let fingerprint_bytes = reader.take(rows.saturating_mul(8)).ok_or(PayloadError::Short)?;
        let ipc_bytes = reader.u32().ok_or(PayloadError::Short)? as usize;
        let ipc = reader.take(ipc_bytes).ok_or(PayloadError::Short)?;
        Ok(Self { kind, model, fingerprint_bytes, ipc })
    }

    fn fingerprints(&self) -> impl Iterator<Item = u64> {
        numbers(self.fingerprint_bytes)
    }
}

/// The numbers that bytes hold, eight bytes each.
pub(crate) fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Takes bytes off the front.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
}

/// On disk for ever: a new kind takes a new number.
const fn code_of(kind: RecordKind) -> u8 {
    match kind {
        RecordKind::Inference => 1,
        RecordKind::Outcome => 2,
        RecordKind::TrainingRow => 3,
        RecordKind::Deployment => 4,
        RecordKind::Metric => 5,
        RecordKind::Log => 6,
    }
}

/// About how many bytes a batch takes in a record.
pub(crate) fn estimated_bytes(batch: &EventBatch) -> usize {
    let columns: usize = batch
        .records
        .columns()
        .iter()
        .filter(|array| array.null_count() < array.len())
        .map(|array| match array.as_any_dictionary_opt() {
            Some(dictionary) => 4 * array.len() + dictionary.values().get_array_memory_size(),
            None => array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size()),
        })
        .sum();
    columns + batch.len() * 8 + batch.records.num_columns() * 64
}
