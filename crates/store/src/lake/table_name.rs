//! Which table: a kind of record and, where the kind has one, a model.

use std::{fmt, sync::Arc};

use wardline_domain::{EventBatch, RecordKind};

use super::{LakeError, slug};

/// A table of the lake.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TableName {
    /// Predictions of one model.
    Inference(Arc<str>),
    /// Training rows of one model.
    TrainingRow(Arc<str>),
    /// Outcomes of all models.
    Outcome,
    /// Deployments.
    Deployment,
    /// Samples from the serving stack.
    Metric,
    /// Log lines.
    Log,
    /// Findings of the detectors.
    Finding,
}

impl TableName {
    /// The table that a batch belongs to.
    pub(super) fn of(batch: &EventBatch) -> Result<Self, LakeError> {
        let model = || batch.model.clone().ok_or(LakeError::NoModel { kind: batch.kind.name() });
        Ok(match batch.kind {
            RecordKind::Inference => Self::Inference(model()?),
            RecordKind::TrainingRow => Self::TrainingRow(model()?),
            RecordKind::Outcome => Self::Outcome,
            RecordKind::Deployment => Self::Deployment,
            RecordKind::Metric => Self::Metric,
            RecordKind::Log => Self::Log,
        })
    }

    /// The kind of its records; `None` for findings.
    pub const fn kind(&self) -> Option<RecordKind> {
        Some(match self {
            Self::Inference(_) => RecordKind::Inference,
            Self::TrainingRow(_) => RecordKind::TrainingRow,
            Self::Outcome => RecordKind::Outcome,
            Self::Deployment => RecordKind::Deployment,
            Self::Metric => RecordKind::Metric,
            Self::Log => RecordKind::Log,
            Self::Finding => return None,
        })
    }

    /// Its model, where it has one.
    pub fn model(&self) -> Option<&str> {
        match self {
            Self::Inference(model) | Self::TrainingRow(model) => Some(model),
            _ => None,
        }
    }

    /// The name of its kind.
    pub fn kind_name(&self) -> &'static str {
        self.kind().map_or("finding", RecordKind::name)
    }

    /// Its folder below the lake's location.
    pub fn folder(&self) -> String {
        match self.model() {
            Some(model) => format!("{}/{}", self.kind_name(), slug::to_slug(model)),
            None => self.kind_name().to_owned(),
        }
    }

    /// The table of a kind and, for a per-model kind, the folder of its model. A folder whose name was
    /// cut is taken by its own name until the table's metadata says better.
    pub(super) fn from_folder(kind: &str, model_folder: Option<&str>) -> Option<Self> {
        let model = || -> Option<Arc<str>> {
            let folder = model_folder?;
            Some(slug::from_slug(folder).unwrap_or_else(|| folder.to_owned()).into())
        };
        Some(match kind {
            "inference" => Self::Inference(model()?),
            "training_row" => Self::TrainingRow(model()?),
            "outcome" => Self::Outcome,
            "deployment" => Self::Deployment,
            "metric" => Self::Metric,
            "log" => Self::Log,
            "finding" => Self::Finding,
            _ => return None,
        })
    }

    /// The same kind for another model.
    pub(super) fn with_model(&self, model: &str) -> Self {
        match self {
            Self::Inference(_) => Self::Inference(model.into()),
            Self::TrainingRow(_) => Self::TrainingRow(model.into()),
            other => other.clone(),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.model() {
            Some(model) => write!(f, "{} of {model}", self.kind_name()),
            None => f.write_str(self.kind_name()),
        }
    }
}
