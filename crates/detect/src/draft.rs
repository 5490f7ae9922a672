//! Beginnings of findings, filled as far as every detector fills them alike.

use wardline_domain::{Finding, FindingKind, Timestamp};

use crate::model_state::ModelState;

/// A finding with neutral values, for a detector to fill.
pub(crate) fn draft(state: &ModelState, detector: &str, kind: FindingKind, measure: &str, time: Timestamp) -> Finding {
    Finding::draft(&state.name, detector, kind, measure, time)
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
