//! 64 bits of what makes an event itself.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use wardline_domain::{EventBatch, RecordKind, TextColumn, column};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Columns that make an outcome itself.
const OUTCOME: &[&str] = &["sender", "id", "time", "label", "value", "feedback", "source"];
/// Columns that make a training row itself, where it has a `row_id`.
const TRAINING_ROW: &[&str] = &["sender", "model", "dataset", "dataset_version", "row_id"];

/// Makes fingerprints. Those of one seed are comparable with each other only.
#[derive(Clone, Copy, Debug)]
pub struct Fingerprinter {
    seed: u64,
}

impl Fingerprinter {
    /// With the seed of a store.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// A fingerprint for each row; 0 for a row without identity, which has no duplicate.
    pub fn fingerprints(&self, batch: &EventBatch) -> Vec<u64> {
        match batch.kind {
            RecordKind::Inference => self.by_id(batch),
            RecordKind::Outcome => self.by_columns(batch, |name| OUTCOME.contains(&name)),
            RecordKind::TrainingRow => self.training_rows(batch),
            RecordKind::Deployment | RecordKind::Metric | RecordKind::Log => self.by_all_columns(batch),
        }
    }

    fn by_id(&self, batch: &EventBatch) -> Vec<u64> {
        let Some(ids) = batch.text(column::ID) else { return vec![0; batch.len()] };
        let seeds = SenderSeeds::new(self.seed_of(batch), batch.text(column::SENDER));
        (0..batch.len())
            .map(|row| ids.get(row).map_or(0, |id| not_zero(xxh3_64_with_seed(id.as_bytes(), seeds.get(row)))))
            .collect()
    }

    fn training_rows(&self, batch: &EventBatch) -> Vec<u64> {
        let by_row_id = self.by_columns(batch, |name| TRAINING_ROW.contains(&name));
        let row_ids = batch.column("row_id");
        if row_ids.is_some_and(|ids| ids.null_count() == 0) {
            return by_row_id;
        }
        let by_all = self.by_all_columns(batch);
        let has_row_id = |row| row_ids.is_some_and(|ids| ids.is_valid(row));
        (0..batch.len()).map(|row| if has_row_id(row) { by_row_id[row] } else { by_all[row] }).collect()
    }

    fn by_all_columns(&self, batch: &EventBatch) -> Vec<u64> {
        self.by_columns(batch, |name| name != column::RECEIVED)
    }

    fn by_columns(&self, batch: &EventBatch, is_part: impl Fn(&str) -> bool) -> Vec<u64> {
        let schema = batch.records.schema_ref();
        let mut columns: Vec<(&str, &ArrayRef)> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .zip(batch.records.columns())
            .filter(|(name, array)| is_part(name) && array.null_count() < array.len())
            .collect();
        // The order in which a model's columns were met differs from run to run.
        columns.sort_by_key(|(name, _)| *name);
        let seed = self.seed_of(batch);
        let mut identity = Vec::new();
        (0..batch.len())
            .map(|row| {
                identity.clear();
                for (name, array) in columns.iter().filter(|(_, array)| !is_null(array, row)) {
                    push_bytes(&mut identity, name.as_bytes());
                    push_value(&mut identity, array, row);
                }
                not_zero(xxh3_64_with_seed(&identity, seed))
            })
            .collect()
    }

    /// Kinds and models do not share identities.
    fn seed_of(&self, batch: &EventBatch) -> u64 {
        let seed = xxh3_64_with_seed(batch.kind.name().as_bytes(), self.seed);
        match (&batch.model, batch.kind) {
            (Some(model), RecordKind::TrainingRow) => xxh3_64_with_seed(model.as_bytes(), seed),
            _ => seed,
        }
    }
}

const fn not_zero(fingerprint: u64) -> u64 {
    if fingerprint == 0 { 1 } else { fingerprint }
}

fn is_null(array: &ArrayRef, row: usize) -> bool {
    match array.as_dictionary_opt::<Int32Type>() {
        Some(dictionary) => match dictionary.key(row) {
            Some(key) => dictionary.values().is_null(key),
            None => true,
        },
        None => array.is_null(row),
    }
}

/// A seed for each sender, so that two senders may use the same ids.
enum SenderSeeds<'a> {
    Dictionary(TextColumn<'a>, Vec<u64>),
    Each(Option<TextColumn<'a>>, u64),
}

impl<'a> SenderSeeds<'a> {
    fn new(seed: u64, senders: Option<TextColumn<'a>>) -> Self {
        match senders {
            Some(senders @ TextColumn::Dictionary(_, values)) => {
                let seeds = values.iter().map(|sender| seed_of_sender(sender, seed)).collect();
                Self::Dictionary(senders, seeds)
            }
            other => Self::Each(other, seed),
        }
    }

    fn get(&self, row: usize) -> u64 {
        match self {
            Self::Dictionary(senders, seeds) => senders.code(row).map_or(0, |code| seeds[code]),
            Self::Each(senders, seed) => seed_of_sender(senders.and_then(|senders| senders.get(row)), *seed),
        }
    }
}

fn seed_of_sender(sender: Option<&str>, seed: u64) -> u64 {
    sender.map_or(seed, |sender| xxh3_64_with_seed(sender.as_bytes(), seed))
}

/// With its length, so that `ab` and `c` are not `a` and `bc`.
fn push_bytes(identity: &mut Vec<u8>, bytes: &[u8]) {
    identity.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    identity.extend_from_slice(bytes);
}

/// Writes a value that is not null; the same whether text is dictionary-encoded or plain.
fn push_value(identity: &mut Vec<u8>, array: &ArrayRef, row: usize) {
    match array.data_type() {
        DataType::Utf8 => push_bytes(identity, array.as_string::<i32>().value(row).as_bytes()),
        DataType::Dictionary(key, _) if **key == DataType::Int32 => {
            let dictionary = array.as_dictionary::<Int32Type>();
            if let Some(key) = dictionary.key(row) {
                push_value(identity, dictionary.values(), key);
            }
        }
        DataType::Boolean => identity.push(u8::from(array.as_boolean().value(row))),
        DataType::Int32 => identity.extend_from_slice(&array.as_primitive::<Int32Type>().value(row).to_le_bytes()),
        DataType::Int64 => identity.extend_from_slice(&array.as_primitive::<Int64Type>().value(row).to_le_bytes()),
        DataType::Float32 => identity.extend_from_slice(&array.as_primitive::<Float32Type>().value(row).to_le_bytes()),
        DataType::Float64 => identity.extend_from_slice(&array.as_primitive::<Float64Type>().value(row).to_le_bytes()),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            identity.extend_from_slice(&array.as_primitive::<TimestampMicrosecondType>().value(row).to_le_bytes());
        }
        DataType::List(_) => {
            let values = array.as_list::<i32>().value(row);
            identity.extend_from_slice(&(values.len() as u32).to_le_bytes());
            for at in 0..values.len() {
                identity.push(u8::from(!is_null(&values, at)));
                if !is_null(&values, at) {
                    push_value(identity, &values, at);
                }
            }
        }
        _ => {
            // Types that the event schema does not have; their text tells them apart as well.
            let text = ArrayFormatter::try_new(array, &FormatOptions::default())
                .map(|formatter| formatter.value(row).to_string())
                .unwrap_or_default();
            push_bytes(identity, text.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
