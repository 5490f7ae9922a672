//! Decodes NDJSON, the native form of telemetry, straight into column buffers.
//!
//! **Invariant:** a record is in exactly one batch, whole, or it is exactly one dead letter and has left
//! nothing behind.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use rustc_hash::FxHashMap;
use ulid::Ulid;
use wardline_domain::{DeadLetter, DeadLetterReason, RecordKind, Timestamp};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::{
    Arrival, Decoded, SchemaRegistry,
    fields::{self, FieldId, N_FIELDS},
    json::{Line, Tape},
    names::Names,
    read,
    record::{NO_FIELD, NOWHERE, Record},
    table::Table,
};

/// What is taken from a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest line, in bytes without its end.
    pub max_line_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_line_bytes: 1 << 20 }
    }
}

/// Text of one column in one batch must stay addressable by 32 bits, so larger input makes several batches.
const MAX_BATCH_BYTES: usize = 1 << 29;
/// How many tables keep their buffers between calls.
const MAX_IDLE_TABLES: usize = 2_048;
/// How many distinct names of fields are remembered.
const MAX_NAMES: usize = 4_096;

/// Decodes NDJSON. It keeps its buffers from call to call; each thread has its own, and all share a registry.
#[derive(Debug)]
pub struct Decoder {
    registry: Arc<SchemaRegistry>,
    generation: u64,
    limits: Limits,
    tape: Tape,
    names: TopNames,
    tables: Vec<Table>,
    places: TablePlaces,
    /// The tables that have rows, in the order of arrival.
    used: Vec<usize>,
    ids: MadeIds,
}

impl Decoder {
    /// A decoder with the usual limits.
    pub fn new(registry: Arc<SchemaRegistry>) -> Self {
        Self::with_limits(registry, Limits::default())
    }

    /// A decoder with limits of its own.
    pub fn with_limits(registry: Arc<SchemaRegistry>, limits: Limits) -> Self {
        // Offsets in a line have 32 bits.
        let limits = Limits { max_line_bytes: limits.max_line_bytes.min(1 << 30) };
        Self {
            generation: registry.generation(),
            registry,
            limits,
            tape: Tape::default(),
            names: TopNames::default(),
            tables: Vec::new(),
            places: TablePlaces::default(),
            used: Vec::new(),
            ids: MadeIds::new(RandomState::new().hash_one("id")),
        }
    }

    /// Makes the same ids for the same predictions each time: for files, which are read more than once.
    #[must_use]
    pub fn with_id_seed(mut self, seed: u64) -> Self {
        self.ids = MadeIds::new(seed);
        self
    }

    /// The registry that it shares.
    pub fn registry(&self) -> &Arc<SchemaRegistry> {
        &self.registry
    }

    /// Decodes whole lines. The last one needs no line end.
    pub fn decode(&mut self, bytes: &[u8], arrival: &Arrival<'_>) -> Decoded {
        self.forget_what_was_reset();
        let mut decoded = Decoded::default();
        // Checking everything at once is several times faster than line by line.
        let text = std::str::from_utf8(bytes).ok();
        let mut start = 0;
        let mut flushed = 0;
        while start < bytes.len() {
            let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length);
            let line = &bytes[start..end];
            if !line.trim_ascii().is_empty() {
                decoded.records += 1;
                let taken = match text {
                    Some(text) => self.take_text(&text[start..end], arrival.received),
                    None => self.take_bytes(line, arrival.received),
                };
                if let Err(reason) = taken {
                    let offset = arrival.offset + start as u64;
                    decoded.dead_letters.push(DeadLetter::new(arrival.received, arrival.source, offset, reason, line));
                }
            }
            start = end + 1;
            if start - flushed > MAX_BATCH_BYTES {
                self.flush(arrival, &mut decoded);
                flushed = start;
            }
        }
        self.flush(arrival, &mut decoded);
        decoded
    }

    fn flush(&mut self, arrival: &Arrival<'_>, decoded: &mut Decoded) {
        for place in self.used.drain(..) {
            decoded.batches.push(self.tables[place].finish(arrival.received, arrival.sender));
        }
        if self.tables.len() > MAX_IDLE_TABLES {
            self.tables.clear();
            self.places = TablePlaces::default();
        }
    }

    /// Tables remember columns, so they go when the registry has forgotten some.
    fn forget_what_was_reset(&mut self) {
        let generation = self.registry.generation();
        if generation != self.generation {
            self.generation = generation;
            self.tables.clear();
            self.places = TablePlaces::default();
        }
    }

    #[cold]
    fn take_bytes(&mut self, line: &[u8], received: Timestamp) -> Result<(), DeadLetterReason> {
        if line.len() > self.limits.max_line_bytes {
            return self.take_text_of_length(line.len());
        }
        match std::str::from_utf8(line) {
            Ok(text) => self.take_text(text, received),
            Err(error) => Err(DeadLetterReason::NotUtf8 { at: error.valid_up_to() as u64 }),
        }
    }

    fn take_text_of_length(&self, length: usize) -> Result<(), DeadLetterReason> {
        if length <= self.limits.max_line_bytes {
            return Ok(());
        }
        Err(DeadLetterReason::TooLong { bytes: length as u64, most: self.limits.max_line_bytes as u64 })
    }

    #[inline]
    fn take_text(&mut self, text: &str, received: Timestamp) -> Result<(), DeadLetterReason> {
        self.take_text_of_length(text.len())?;
        let Self { registry, tape, names, tables, places, used, ids, .. } = self;
        let line = tape.read(text).map_err(|error| DeadLetterReason::NotJson { detail: error.to_string() })?;
        names.look_up(line);
        let mut made_id = [0; ulid::ULID_LEN];
        let mut record = Record { line, ids: &names.ids, places: &names.places, made_id: "" };
        let kind = kind(&record)?;
        if kind == RecordKind::Inference && !record.has(FieldId::ID) {
            record.made_id = ids.next(time_of(&record).unwrap_or(received), &mut made_id);
        }
        let model = match record.value(FieldId::MODEL) {
            Some(model) if kind.is_per_model() => match read::text("model", line, model)? {
                "" => return Err(DeadLetterReason::Missing { field: "model".to_owned() }),
                model => Some(model),
            },
            None if kind.is_per_model() => return Err(first_missing(&record, kind)),
            _ => None,
        };
        let last = used.last().copied();
        let place = match last.filter(|last| tables[*last].kind == kind && tables[*last].model.as_deref() == model) {
            Some(last) => last,
            None => places.find(tables, kind, model),
        };
        let table = &mut tables[place];
        let was_empty = table.rows == 0;
        table.append(&record, registry)?;
        if was_empty {
            used.push(place);
        }
        Ok(())
    }
}

fn kind(record: &Record<'_>) -> Result<RecordKind, DeadLetterReason> {
    let Some(value) = record.value(FieldId::KIND) else { return Ok(RecordKind::Inference) };
    let name = read::text("kind", record.line, value)?;
    name.parse().map_err(|_| DeadLetterReason::UnknownKind { kind: name.chars().take(80).collect() })
}

/// The first required field that is missing, in the order of the schema.
fn first_missing(record: &Record<'_>, kind: RecordKind) -> DeadLetterReason {
    let required = fields::KindFields::of(kind).required;
    let missing = required.iter().copied().find(|id| !record.has(*id)).unwrap_or(FieldId::MODEL);
    DeadLetterReason::Missing { field: missing.name().to_owned() }
}

/// Where the table of each kind and model is.
#[derive(Debug, Default)]
struct TablePlaces {
    of_models: [FxHashMap<Arc<str>, usize>; RecordKind::ALL.len()],
    of_kinds: [Option<usize>; RecordKind::ALL.len()],
}

impl TablePlaces {
    /// The place of a table, which is made where there is none yet.
    fn find(&mut self, tables: &mut Vec<Table>, kind: RecordKind, model: Option<&str>) -> usize {
        let found = match model {
            Some(model) => self.of_models[kind as usize].get(model).copied(),
            None => self.of_kinds[kind as usize],
        };
        found.unwrap_or_else(|| {
            let place = tables.len();
            let model: Option<Arc<str>> = model.map(Arc::from);
            match &model {
                Some(model) => drop(self.of_models[kind as usize].insert(Arc::clone(model), place)),
                None => self.of_kinds[kind as usize] = Some(place),
            }
            tables.push(Table::new(kind, model));
            place
        })
    }
}

/// Which names of a line are which fields.
#[derive(Debug)]
struct TopNames {
    names: Names,
    /// The field of each name.
    fields: Vec<u8>,
    ids: Vec<u8>,
    places: [u32; N_FIELDS],
}

impl Default for TopNames {
    fn default() -> Self {
        Self { names: Names::default(), fields: Vec::new(), ids: Vec::new(), places: [NOWHERE; N_FIELDS] }
    }
}

impl TopNames {
    #[inline]
    fn look_up(&mut self, line: Line<'_>) {
        self.ids.clear();
        self.places = [NOWHERE; N_FIELDS];
        let mut expected = 0;
        for (place, member) in line.top().iter().enumerate() {
            let name = line.key(member);
            let id = match self.names.find(name, &mut expected) {
                Some(known) => self.fields[known],
                None => self.learn(name),
            };
            self.ids.push(id);
            if let Some(there) = self.places.get_mut(id as usize) {
                *there = place as u32;
            }
        }
    }

    #[cold]
    fn learn(&mut self, name: &str) -> u8 {
        let id = fields::field(name).map_or(NO_FIELD, |id| id.0);
        if id != NO_FIELD || self.names.len() < MAX_NAMES {
            self.names.add(name);
            self.fields.push(id);
        }
        id
    }
}

/// When a prediction was served, where that can be read.
fn time_of(record: &Record<'_>) -> Option<Timestamp> {
    read::time("time", record.line, record.value(FieldId::TIME)?).ok().map(Timestamp::from_micros)
}

/// Makes ids for predictions that came without one.
#[derive(Debug)]
pub(crate) struct MadeIds {
    seed: u64,
    count: u64,
}

impl MadeIds {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    /// A ULID: it sorts by the prediction's time, and is unique.
    pub(crate) fn next<'a>(&mut self, time: Timestamp, text: &'a mut [u8; ulid::ULID_LEN]) -> &'a str {
        self.count += 1;
        let millis = u64::try_from(time.micros() / 1_000).unwrap_or(0);
        let random = xxh3_128_with_seed(&self.count.to_le_bytes(), self.seed);
        Ulid::from_parts(millis, random).array_to_str(text)
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
