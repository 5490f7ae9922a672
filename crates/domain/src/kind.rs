//! The six kinds of record that Wardline takes in.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Which record a line is. A line without `kind` is an [`RecordKind::Inference`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// One prediction.
    Inference,
    /// What turned out to be true of a prediction, or what people thought of it.
    Outcome,
    /// A row that entered a training set.
    TrainingRow,
    /// A change to what serves.
    Deployment,
    /// A sample from the serving stack.
    Metric,
    /// A line from a model server or another system.
    Log,
}

/// A `kind` that is none of the six.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind `{0}`: write one of inference, outcome, training_row, deployment, metric, log")]
pub struct UnknownKind(pub String);

impl RecordKind {
    /// Every kind, in the order of the schema document.
    pub const ALL: [Self; 6] =
        [Self::Inference, Self::Outcome, Self::TrainingRow, Self::Deployment, Self::Metric, Self::Log];

    /// The name in telemetry, in SQL and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inference => "inference",
            Self::Outcome => "outcome",
            Self::TrainingRow => "training_row",
            Self::Deployment => "deployment",
            Self::Metric => "metric",
            Self::Log => "log",
        }
    }

    /// Whether records of this kind live in one table per model, with the model's own typed columns.
    pub const fn is_per_model(self) -> bool {
        matches!(self, Self::Inference | Self::TrainingRow)
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RecordKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}
