//! An incident as it is shown and answered.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wardline_domain::{FindingKind, Span};
use wardline_respond::{
    chain::Head,
    incident::{Class, Clocks, Incident, IncidentSeverity, Incidents},
};

use super::TimelineEntry;

/// An incident, and what follows from its log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IncidentView {
    /// What its log amounts to.
    #[serde(flatten)]
    pub(crate) incident: Incident,
    /// How grave it is.
    pub(crate) severity: IncidentSeverity,
    /// Its class.
    pub(crate) class: Option<Class>,
    /// Outcomes of NIST CSF 2.0 that the work on it serves now.
    pub(crate) csf: Vec<String>,
    /// ATLAS techniques that it may be a sign of.
    pub(crate) atlas: BTreeSet<String>,
    /// Models that its alerts are about.
    pub(crate) models: BTreeSet<String>,
    /// The five moments.
    pub(crate) clocks: Clocks,
    /// How long things took, in microseconds, as far as they are over.
    pub(crate) spans: Spans,
    /// The end of its log: who keeps it elsewhere can tell whether the log was cut off.
    pub(crate) head: Head,
    /// What happened, in order; only of one incident that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) timeline: Vec<TimelineEntry>,
    /// Names of playbooks that are made for this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) playbooks: Vec<String>,
}

/// Every incident, the latest first.
pub(crate) fn views_of(incidents: &Incidents) -> Vec<IncidentView> {
    let mut views: Vec<IncidentView> = incidents.iter().map(|incident| IncidentView::of(incident, incidents)).collect();
    let key = |view: &IncidentView| (view.incident.opened, view.incident.id.clone());
    views.sort_by_key(|view| std::cmp::Reverse(key(view)));
    views
}

/// How long things took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spans {
    pub(crate) to_detect: Option<Span>,
    pub(crate) to_acknowledge: Option<Span>,
    pub(crate) to_mitigate: Option<Span>,
    pub(crate) to_resolve: Option<Span>,
    pub(crate) impact: Option<Span>,
}

impl IncidentView {
    /// The view of an incident.
    pub(super) fn of(incident: &Incident, incidents: &Incidents) -> Self {
        let clocks = incident.clocks();
        Self {
            severity: incident.severity(),
            class: incident.class(),
            csf: incident.status.csf().iter().map(ToString::to_string).collect(),
            atlas: incident.atlas().into_iter().map(str::to_owned).collect(),
            models: incident.models().into_iter().map(str::to_owned).collect(),
            clocks,
            spans: Spans {
                to_detect: clocks.to_detect(),
                to_acknowledge: clocks.to_acknowledge(),
                to_mitigate: clocks.to_mitigate(),
                to_resolve: clocks.to_resolve(),
                impact: clocks.impact(),
            },
            head: incidents.log(&incident.id).map(wardline_respond::chain::Chain::head).unwrap_or_default(),
            timeline: Vec::new(),
            playbooks: playbooks_of(incident),
            incident: incident.clone(),
        }
    }
}

/// Names of shipped playbooks that are made for what the alerts tell, that of the most urgent alert first.
fn playbooks_of(incident: &Incident) -> Vec<String> {
    let mut alerts: Vec<_> = incident.alerts.values().map(|attached| &attached.alert).collect();
    alerts.sort_by_key(|alert| (std::cmp::Reverse(alert.severity), alert.onset));
    let mut names: Vec<String> = Vec::new();
    for name in alerts.into_iter().filter_map(|alert| playbook_for(alert.kind)) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

const fn playbook_for(kind: FindingKind) -> Option<&'static str> {
    Some(match kind {
        FindingKind::DataDrift | FindingKind::PredictionDrift | FindingKind::DataQuality => "drift",
        FindingKind::Performance => "silent_decay",
        FindingKind::Adversarial => "adversarial_input",
        FindingKind::Poisoning | FindingKind::Integrity => "poisoning_by_channel",
        FindingKind::Extraction => "extraction",
        FindingKind::Injection => "prompt_injection",
        FindingKind::Cost => "cost_harvesting",
        FindingKind::Rollback | FindingKind::Errors => "bad_canary",
        FindingKind::Fairness => "fairness_breach",
        FindingKind::Latency | FindingKind::Saturation | FindingKind::SloBurn => "latency",
        FindingKind::Traffic | FindingKind::Cascade | FindingKind::Promote => return None,
    })
}
