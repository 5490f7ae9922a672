//! What an incident keeps of an alert.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wardline_domain::{Alert, FindingKind, Severity, Timestamp};

/// What an incident keeps of an alert; the alert itself is in the `alert` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertFacts {
    /// The alert's id.
    pub id: String,
    /// When it was raised, on the stream's clock.
    pub time: Timestamp,
    /// When what it tells began.
    pub onset: Timestamp,
    /// The model.
    pub model: String,
    /// The version, where one carries it.
    pub version: Option<String>,
    /// What is wrong.
    pub kind: FindingKind,
    /// How urgent it is.
    pub severity: Severity,
    /// What happened, in one sentence.
    pub title: String,
    /// ATLAS techniques that it may be a sign of.
    pub atlas: BTreeSet<String>,
    /// What it names: `channel=partner-7`, `feature=age`.
    pub entities: BTreeSet<String>,
}

impl AlertFacts {
    /// The most entities that are kept, the most responsible ones.
    pub const MAX_ENTITIES: usize = 64;
    /// The most characters of a name, and five times as many of a title, that are kept.
    pub const MAX_NAME: usize = 120;
}

impl From<&Alert> for AlertFacts {
    fn from(alert: &Alert) -> Self {
        let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
        let name = |text: &String| cut(text, Self::MAX_NAME);
        Self {
            id: alert.id.clone(),
            time: alert.time,
            onset: alert.onset.min(alert.time),
            model: name(&alert.model),
            version: alert.version.as_ref().map(name),
            kind: alert.kind,
            severity: alert.severity,
            title: cut(&alert.title, 5 * Self::MAX_NAME),
            atlas: alert.atlas.iter().take(Self::MAX_ENTITIES).map(name).collect(),
            entities: alert.names().iter().take(Self::MAX_ENTITIES).map(name).collect(),
        }
    }
}
