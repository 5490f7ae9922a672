//! A change, and the onset that it may explain.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wardline_domain::{Alert, FindingKind, Timestamp};

/// What sort of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Another version serves, or another share of it.
    Deployment,
    /// What a model learns from or reads.
    Data,
    /// How much is asked, or by whom.
    Traffic,
    /// Settings.
    Configuration,
    /// Machines, replicas, loads of models.
    Infrastructure,
}

impl ChangeKind {
    /// The name in JSON and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::Data => "data",
            Self::Traffic => "traffic",
            Self::Configuration => "configuration",
            Self::Infrastructure => "infrastructure",
        }
    }
}

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When.
    pub time: Timestamp,
    /// What sort.
    pub kind: ChangeKind,
    /// The node that changed, as lineage names it: `model=fraud`.
    pub node: String,
    /// What it names.
    pub entities: BTreeSet<String>,
    /// What changed, in a sentence.
    pub what: String,
    /// SQL that shows it.
    pub sql: String,
}

/// When and where something went wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Onset {
    /// When, as far as the data tell.
    pub time: Timestamp,
    /// Between which moments.
    pub interval: (Timestamp, Timestamp),
    /// The node: `model=fraud`.
    pub node: String,
    /// What is wrong.
    pub kind: FindingKind,
    /// What the alert names.
    pub entities: BTreeSet<String>,
}

impl From<&Alert> for Onset {
    fn from(alert: &Alert) -> Self {
        let signal = crate::correlation::Signal::from(alert);
        Self {
            time: signal.onset,
            interval: signal.onset_interval,
            // What was pushed through a channel is explained by what changed before its model.
            node: match alert.kind {
                FindingKind::Poisoning => format!("model={}", alert.model),
                _ => signal.node,
            },
            kind: alert.kind,
            entities: signal.entities,
        }
    }
}
