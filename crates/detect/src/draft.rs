//! Beginnings of findings, filled as far as every detector fills them alike.

use wardline_domain::{Finding, FindingKind, Severity, Slice, Timestamp};

use crate::model_state::ModelState;

/// A finding with neutral values, for a detector to fill.
pub(crate) fn draft(state: &ModelState, detector: &str, kind: FindingKind, measure: &str, time: Timestamp) -> Finding {
    draft_of(&state.name, detector, kind, measure, time)
}

/// The same for a model by its name.
pub(crate) fn draft_of(model: &str, detector: &str, kind: FindingKind, measure: &str, time: Timestamp) -> Finding {
    Finding {
        id: String::new(),
        time,
        kind,
        detector: detector.to_owned(),
        measure: measure.to_owned(),
        model: model.to_owned(),
        version: None,
        slice: Slice::whole(),
        onset: time,
        onset_interval: (time, time),
        observed: 0.0,
        expected: 0.0,
        unit: String::new(),
        n_observed: 0,
        n_expected: 0,
        effect: 0.0,
        effect_name: String::new(),
        p_value: None,
        severity: Severity::Ticket,
        atlas: Vec::new(),
        responsible: Vec::new(),
        features: Vec::new(),
        title: String::new(),
        evidence: String::new(),
        held_back: None,
    }
}

/// Gives a finding its id. What it tells of began before it was made, however coarse the windows were.
pub(crate) fn sealed(finding: Finding) -> Finding {
    let measure = finding.measure.clone();
    sealed_as(finding, &measure)
}

/// The same where the measure alone does not tell findings of one detector apart.
pub(crate) fn sealed_as(mut finding: Finding, what: &str) -> Finding {
    let (earliest, latest) = finding.onset_interval;
    finding.onset_interval = (earliest.min(finding.onset), latest.min(finding.time).max(finding.onset));
    finding.id = Finding::identify(
        &finding.detector,
        what,
        &finding.model,
        finding.version.as_deref(),
        &finding.slice,
        finding.onset,
    );
    finding
}
