//! What the correlation sees of an alert.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wardline_domain::{Alert, FindingKind, Timestamp};

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
    /// An alert of ours is about its model; one on a figure of another system is about that, and one on rows that a
    /// channel pushed is about the channel.
    fn from(alert: &Alert) -> Self {
        let version = alert.version.iter().map(|version| format!("version={}@{version}", alert.model));
        let leading = alert.findings.first();
        Self {
            id: alert.id.clone(),
            time: alert.time,
            onset: alert.onset.min(alert.time),
            onset_interval: leading.map_or((alert.onset, alert.onset), |finding| finding.onset_interval),
            node: node_of(alert),
            entities: alert.names().into_iter().chain(version).take(Self::MAX_ENTITIES).collect(),
        }
    }
}

/// The node that an alert is about, as lineage from our own events names it.
fn node_of(alert: &Alert) -> String {
    let mut named = alert.names().into_iter();
    let found = match alert.kind {
        FindingKind::Cascade => named.find(|name| name.starts_with("endpoint=")),
        // What is pushed through a channel began there; the model learns of it later.
        FindingKind::Poisoning => named.find(|name| name.starts_with("channel=")),
        _ => None,
    };
    found.unwrap_or_else(|| format!("model={}", alert.model))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(kind: &str, responsible: &str) -> Alert {
        serde_json::from_value(serde_json::json!({
            "id": "a-1", "time": "2026-11-02T02:00:00Z", "updated": "2026-11-02T02:00:00Z", "status": "open", "kind": kind, "severity": "info",
            "model": "inventory", "version": null, "slice": [],
            "onset": "2026-11-02T01:00:00Z", "title": "", "atlas": [],
            "responsible": [{"name": responsible, "share": 1.0, "interval": null}], "features": [], "n_findings": 1,
            "findings": [],
        }))
        .unwrap()
    }

    #[test]
    fn an_alert_on_a_figure_is_about_the_system_that_has_it() {
        assert_eq!(Signal::from(&alert("cascade", "endpoint=inventory")).node, "endpoint=inventory");
        assert_eq!(Signal::from(&alert("latency", "endpoint=inventory")).node, "model=inventory");
        assert_eq!(Signal::from(&alert("cascade", "instance=a")).node, "model=inventory");
        assert_eq!(Signal::from(&alert("poisoning", "channel=web")).node, "channel=web");
    }
}
