//! The fields of the event schema: which kind has which, how each is read, and which are required.

use std::sync::LazyLock;

use arrow::datatypes::{DataType, SchemaRef};
use rustc_hash::FxHashMap;
use wardline_domain::{RecordKind, schema};

/// How a field of a record is read into its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// RFC 3339 or an epoch number.
    Time,
    /// Text.
    Text,
    /// Text, or a number or a boolean as it is written: people number their users and classes.
    Label,
    /// A number, or text that is one.
    Number,
    /// A whole number, or text that is one.
    Integer,
    /// A whole number of 32 bits.
    Integer32,
    /// A list of numbers.
    Embedding,
    /// A list of labels.
    Items,
    /// An object of numbers.
    Scores,
}

/// Where the value of a field goes, for records of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Into a column of the schema.
    Column {
        /// Its place in the schema.
        index: usize,
        /// How it is read.
        reads: Reads,
    },
    /// Into the columns of the model's features.
    Features,
    /// Into the columns of the model's protected attributes.
    Groups,
    /// Into the columns of the model's attributes, or the JSON of all that have none.
    Attributes,
    /// Nowhere: it chose the table.
    Chosen,
    /// The kind has no such field: an attribute of that name.
    Unknown,
}

/// Every name that is a field of some kind.
const NAMES: [&str; N_FIELDS] = [
    "kind",
    "time",
    "model",
    "version",
    "id",
    "status",
    "decision",
    "items",
    "http_status",
    "error",
    "features",
    "groups",
    "attributes",
    "role",
    "service",
    "environment",
    "instance",
    "latency_ms",
    "queue_ms",
    "ttft_ms",
    "batch_size",
    "input_tokens",
    "output_tokens",
    "embedding",
    "prompt",
    "output",
    "score",
    "scores",
    "prediction",
    "user",
    "session",
    "api_key",
    "client_ip",
    "tenant",
    "channel",
    "trace_id",
    "span_id",
    "label",
    "value",
    "feedback",
    "source",
    "dataset",
    "dataset_version",
    "row_id",
    "action",
    "weight",
    "commit",
    "committed_at",
    "by",
    "name",
    "severity",
    "body",
];

/// How many there are.
pub(crate) const N_FIELDS: usize = 52;

/// Fields that senders often number or make booleans: kept as they are written.
const LABELS: [&str; 19] = [
    "id",
    "version",
    "row_id",
    "user",
    "session",
    "api_key",
    "tenant",
    "channel",
    "instance",
    "decision",
    "label",
    "items",
    "dataset",
    "dataset_version",
    "commit",
    "by",
    "error",
    "span_id",
    "trace_id",
];

/// A field of some kind: its place among all the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FieldId(pub(crate) u8);

impl FieldId {
    pub(crate) const KIND: Self = Self(0);
    pub(crate) const TIME: Self = Self(1);
    pub(crate) const MODEL: Self = Self(2);
    pub(crate) const VERSION: Self = Self(3);
    pub(crate) const ID: Self = Self(4);
    pub(crate) const STATUS: Self = Self(5);
    pub(crate) const DECISION: Self = Self(6);
    pub(crate) const ITEMS: Self = Self(7);
    pub(crate) const HTTP_STATUS: Self = Self(8);
    pub(crate) const ERROR: Self = Self(9);

    /// The name in telemetry.
    pub(crate) fn name(self) -> &'static str {
        NAMES[self.0 as usize]
    }
}

static IDS: LazyLock<FxHashMap<&'static str, FieldId>> =
    LazyLock::new(|| NAMES.iter().enumerate().map(|(place, name)| (*name, FieldId(place as u8))).collect());

static KINDS: LazyLock<[KindFields; 6]> = LazyLock::new(|| RecordKind::ALL.map(KindFields::new));

/// The field of a name; `None` for names that no kind has.
pub(crate) fn field(name: &str) -> Option<FieldId> {
    IDS.get(name).copied()
}

/// What a kind of record does with every field.
#[derive(Debug)]
pub(crate) struct KindFields {
    /// The kind's columns.
    pub(crate) schema: SchemaRef,
    /// Where each field goes.
    pub(crate) targets: [Target; N_FIELDS],
    /// What a record must have.
    pub(crate) required: &'static [FieldId],
}

impl KindFields {
    /// The fields of a kind.
    pub(crate) fn of(kind: RecordKind) -> &'static Self {
        &KINDS[kind as usize]
    }

    fn new(kind: RecordKind) -> Self {
        let schema = schema::base(kind);
        let is_inference = kind == RecordKind::Inference;
        let targets = NAMES.map(|name| match name {
            "kind" => Target::Chosen,
            "model" if kind.is_per_model() => Target::Chosen,
            "features" if kind.is_per_model() => Target::Features,
            "groups" if is_inference => Target::Groups,
            "attributes" => Target::Attributes,
            name => schema.index_of(name).map_or(Target::Unknown, |index| Target::Column {
                index,
                reads: reads(name, schema.field(index).data_type()),
            }),
        });
        Self { targets, required: required(kind), schema }
    }

    /// The place of a column in the schema; `None` where the kind has none of that name.
    pub(crate) fn column(&self, id: FieldId) -> Option<usize> {
        match self.targets[id.0 as usize] {
            Target::Column { index, .. } => Some(index),
            _ => None,
        }
    }
}

fn reads(name: &str, data_type: &DataType) -> Reads {
    match data_type {
        DataType::Timestamp(_, _) => Reads::Time,
        DataType::Float64 => Reads::Number,
        DataType::Int64 => Reads::Integer,
        DataType::Int32 => Reads::Integer32,
        DataType::Map(_, _) => Reads::Scores,
        DataType::List(element) if element.data_type() == &DataType::Float32 => Reads::Embedding,
        DataType::List(_) => Reads::Items,
        _ if LABELS.contains(&name) => Reads::Label,
        _ => Reads::Text,
    }
}

fn required(kind: RecordKind) -> &'static [FieldId] {
    const TIME: FieldId = FieldId::TIME;
    const MODEL: FieldId = FieldId::MODEL;
    const SERVICE: FieldId = FieldId(14);
    const VALUE: FieldId = FieldId(38);
    const NAME: FieldId = FieldId(49);
    const BODY: FieldId = FieldId(51);
    match kind {
        RecordKind::Inference => &[TIME, MODEL, FieldId::VERSION],
        RecordKind::Outcome => &[TIME, FieldId::ID],
        RecordKind::TrainingRow | RecordKind::Deployment => &[TIME, MODEL],
        RecordKind::Metric => &[TIME, SERVICE, NAME, VALUE],
        RecordKind::Log => &[TIME, SERVICE, BODY],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_every_kind_can_be_filled() {
        for kind in RecordKind::ALL {
            let fields = KindFields::of(kind);
            for column in fields.schema.fields() {
                let made_here = ["received", "sender"].contains(&column.name().as_str());
                assert!(made_here || field(column.name()).is_some(), "{kind}: {}", column.name());
            }
        }
    }

    #[test]
    fn the_named_places_are_those_of_their_names() {
        let named = [
            (FieldId::KIND, "kind"),
            (FieldId::TIME, "time"),
            (FieldId::MODEL, "model"),
            (FieldId::VERSION, "version"),
            (FieldId::ID, "id"),
            (FieldId::STATUS, "status"),
            (FieldId::DECISION, "decision"),
            (FieldId::ITEMS, "items"),
            (FieldId::HTTP_STATUS, "http_status"),
            (FieldId::ERROR, "error"),
        ];
        for (id, name) in named {
            assert_eq!(id.name(), name);
        }
        let required: Vec<Vec<&str>> =
            RecordKind::ALL.map(|kind| KindFields::of(kind).required.iter().map(|id| id.name()).collect()).to_vec();
        assert_eq!(required[0], ["time", "model", "version"]);
        assert_eq!(required[4], ["time", "service", "name", "value"]);
        assert_eq!(required[5], ["time", "service", "body"]);
    }
}
