//! Records that could not be taken in, kept with their reason until someone replays or drops them.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Why a record was refused. The name is stable: people filter and alert on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum DeadLetterReason {
    /// Not one JSON object.
    #[error("not a JSON object: {detail}")]
    NotJson {
        /// What the parser met, and where.
        detail: String,
    },
    /// Bytes that are not UTF-8.
    #[error("not UTF-8: byte {at} of the line starts no character")]
    NotUtf8 {
        /// Offset in the line, in bytes.
        at: u64,
    },
    /// Longer than a line may be.
    #[error(
        "the line has {bytes} bytes and at most {most} are taken: leave raw inputs out, or raise `intake.max_line_bytes`"
    )]
    TooLong {
        /// The line's length.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// A `kind` that is none of the six.
    #[error("unknown kind `{kind}`: write one of inference, outcome, training_row, deployment, metric, log")]
    UnknownKind {
        /// What was written.
        kind: String,
    },
    /// A required field is missing or empty.
    #[error("`{field}` is required and missing")]
    Missing {
        /// The field.
        field: String,
    },
    /// A `time` that cannot be read.
    #[error("`{field}`: {detail}")]
    BadTime {
        /// The field.
        field: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A value of another type than the field has.
    #[error("`{field}` is {found}, and must be {expected}")]
    WrongType {
        /// The field.
        field: String,
        /// The type that was found.
        found: String,
        /// The type that was expected.
        expected: String,
    },
    /// A feature whose type differs from the type its model has used so far.
    #[error(
        "feature `{feature}` of model `{model}` is {found}; it has been {expected} so far: send it as that, or under another name"
    )]
    FeatureChangedType {
        /// The model.
        model: String,
        /// The feature.
        feature: String,
        /// The type that was found.
        found: String,
        /// The type on record.
        expected: String,
    },
    /// More columns than a model may have.
    #[error("model `{model}` would have more than {most} features")]
    TooManyFeatures {
        /// The model.
        model: String,
        /// The limit.
        most: u64,
    },
    /// The table that holds it could not be read, or a record of the journal failed its check.
    #[error("damaged: {detail}")]
    Damaged {
        /// What is wrong.
        detail: String,
    },
}

/// A refused record: what arrived, from where, and why it was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// When it was refused.
    pub time: Timestamp,
    /// Who sent it, or the file it was read from.
    pub source: String,
    /// Where the record starts in its source, in bytes.
    pub offset: u64,
    /// Why.
    #[serde(flatten)]
    pub reason: DeadLetterReason,
    /// The bytes as they arrived; cut at 64 KiB, bytes that are not UTF-8 replaced.
    pub record: String,
}

impl DeadLetter {
    /// The most of a record that a dead letter keeps, in bytes.
    pub const MAX_RECORD_BYTES: usize = 64 * 1024;

    /// Keeps a refused record.
    pub fn new(time: Timestamp, source: &str, offset: u64, reason: DeadLetterReason, record: &[u8]) -> Self {
        let kept = &record[..record.len().min(Self::MAX_RECORD_BYTES)];
        Self { time, source: source.to_owned(), offset, reason, record: String::from_utf8_lossy(kept).into_owned() }
    }

    /// The reason's stable name, such as `bad_time`.
    pub fn reason_name(&self) -> &'static str {
        match self.reason {
            DeadLetterReason::NotJson { .. } => "not_json",
            DeadLetterReason::NotUtf8 { .. } => "not_utf8",
            DeadLetterReason::TooLong { .. } => "too_long",
            DeadLetterReason::UnknownKind { .. } => "unknown_kind",
            DeadLetterReason::Missing { .. } => "missing",
            DeadLetterReason::BadTime { .. } => "bad_time",
            DeadLetterReason::WrongType { .. } => "wrong_type",
            DeadLetterReason::FeatureChangedType { .. } => "feature_changed_type",
            DeadLetterReason::TooManyFeatures { .. } => "too_many_features",
            DeadLetterReason::Damaged { .. } => "damaged",
        }
    }
}
