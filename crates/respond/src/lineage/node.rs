//! A node: something that data flow through.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::LineageError;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// The way data come in: a feed, a partner, a camera.
    Channel,
    /// A table, a file, a topic.
    Dataset,
    /// An input of a model.
    Feature,
    /// A program that makes datasets of datasets.
    Job,
    /// A model.
    Model,
    /// A version of a model.
    Version,
    /// A service that answers.
    Endpoint,
    /// What acts on what a model says: another system, or people.
    System,
}

impl NodeKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Channel,
        Self::Dataset,
        Self::Feature,
        Self::Job,
        Self::Model,
        Self::Version,
        Self::Endpoint,
        Self::System,
    ];

    /// The name in ids and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Dataset => "dataset",
            Self::Feature => "feature",
            Self::Job => "job",
            Self::Model => "model",
            Self::Version => "version",
            Self::Endpoint => "endpoint",
            Self::System => "system",
        }
    }
}

/// A node's identity: `dataset=warehouse/orders`, in the way that alerts write entities.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its name, unique in its kind.
    pub name: String,
}

impl Node {
    /// Most bytes of a name.
    pub const MAX_NAME_BYTES: usize = 400;

    /// A node of a kind.
    ///
    /// # Errors
    /// [`LineageError::Name`] where the name is empty, too long, or has control characters.
    pub fn new(kind: NodeKind, name: impl Into<String>) -> Result<Self, LineageError> {
        let name = name.into();
        if name.is_empty() || Self::MAX_NAME_BYTES < name.len() || name.chars().any(char::is_control) {
            return Err(LineageError::Name(name.chars().take(80).collect()));
        }
        Ok(Self { kind, name })
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.kind.name(), self.name)
    }
}

impl FromStr for Node {
    type Err = LineageError;

    /// Reads what its `Display` writes.
    fn from_str(text: &str) -> Result<Self, LineageError> {
        let unknown = || LineageError::NodeText(text.chars().take(80).collect());
        let (kind, name) = text.split_once('=').ok_or_else(unknown)?;
        let kind = NodeKind::ALL.into_iter().find(|known| known.name() == kind).ok_or_else(unknown)?;
        Self::new(kind, name)
    }
}

/// What is known of a node besides its name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeFacts {
    /// People that it concerns, where an operator said so.
    pub people: Option<u64>,
    /// Decisions a day that rest on it.
    pub decisions_per_day: Option<f64>,
    /// Hundredths of a currency that a wrong decision costs.
    pub cost_per_decision_hundredths: Option<i64>,
    /// The digest of its content: of a dataset, or of a model's file.
    pub digest: Option<String>,
}
