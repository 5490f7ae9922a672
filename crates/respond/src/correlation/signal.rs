//! What the correlation sees of an alert.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wardline_domain::{Alert, Timestamp};

/// What the correlation sees of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// The alert's id.
    pub id: String,
    /// When it was raised.
    pub time: Timestamp,
    /// When what it tells began.
    pub onset: Timestamp,
    /// Between which moments it began.
    pub onset_interval: (Timestamp, Timestamp),
    /// The node that it is about, as lineage names it: `model=fraud`.
    pub node: String,
    /// What it names: `channel=partner-7`.
    pub entities: BTreeSet<String>,
}

impl Signal {
    /// The most entities that are looked at.
    pub const MAX_ENTITIES: usize = 32;
}

impl From<&Alert> for Signal {
    /// An alert of ours is about its model.
    fn from(alert: &Alert) -> Self {
        let conditions = alert.slice.conditions().iter().map(|(dimension, value)| format!("{dimension}={value}"));
        let responsible = alert.responsible.iter().map(|carrier| carrier.name.clone());
        let features = alert.features.iter().map(|carrier| format!("feature={}", carrier.name));
        let version = alert.version.iter().map(|version| format!("version={}@{version}", alert.model));
        let leading = alert.findings.first();
        Self {
            id: alert.id.clone(),
            time: alert.time,
            onset: alert.onset.min(alert.time),
            onset_interval: leading.map_or((alert.onset, alert.onset), |finding| finding.onset_interval),
            node: format!("model={}", alert.model),
            entities: conditions.chain(responsible).chain(features).chain(version).take(Self::MAX_ENTITIES).collect(),
        }
    }
}
