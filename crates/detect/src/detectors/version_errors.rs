//! A version fails more often than the one that serves beside it.
//!
//! - **Method:** two-arm coin e-process over bad events ([`crate::version_pair`]), tolerated ratio 1.
//! - **Fields:** `version`, `status`; `role` and the operator's list of canaries where there are any.
//! - **False alarms:** at most `version_alpha` (0.01) in one roll-out, however often one looks.
//! - **Severity:** page: a version on trial can be taken back at once.
//! - **Blind spots:** an outage that both share (that is `errors` and `burn_rate`); routing that depends on
//!   the request; failures in runs of one session.
//! - **ATLAS:** none: a symptom of operations.

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind};

use super::{Detector, DetectorBudget, DetectorSpec, saved_whole};
use crate::{
    draft::{draft, sealed},
    evidence,
    model_state::ModelState,
    second::Fact,
    version_judge::{VersionJudge, Worse},
    wording::{clock_time, percent},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "version_errors",
    budget_share: 0.1,
    method: "two-arm coin e-process of failures by version",
    atlas: &[],
    build: |budget: &DetectorBudget| {
        Box::new(VersionErrors { judge: VersionJudge::new([Fact::Failed], budget.version_alpha, 1.0) })
    },
};

#[derive(Serialize, Deserialize)]
struct VersionErrors {
    judge: VersionJudge<1>,
}

impl Detector for VersionErrors {
    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        findings.extend(self.judge.on_second(state).iter().map(|worse| finding(state, worse)));
    }

    saved_whole!();
}

fn finding(state: &ModelState, worse: &Worse) -> Finding {
    let now = state.second.start;
    let (trial, standing) = (worse.counts.trial, worse.counts.standing);
    let share = |(n, k): (u32, u32)| f64::from(k) / f64::from(n.max(1));
    let version = state.groups.version_of(worse.trial);
    let other = state.groups.version_of(worse.standing).unwrap_or_default();
    let mut finding = draft(state, SPEC.name, FindingKind::Errors, "status", now);
    finding.onset = worse.first;
    finding.onset_interval = (worse.first, now);
    (finding.observed, finding.expected, finding.unit) = (share(trial), share(standing), "share".to_owned());
    (finding.n_observed, finding.n_expected) = (u64::from(trial.0), u64::from(standing.0));
    finding.effect = share(trial) / share(standing).max(0.5 / f64::from(standing.0.max(1)));
    finding.effect_name = "ratio".to_owned();
    finding.p_value = Some((1.0 / worse.evidence).min(1.0));
    finding.severity = worse.severity;
    finding.title = format!(
        "version {} of {} fails more often than {other}: error rate {} ({} of {}) against {} ({} of {}) since {}",
        version.as_deref().unwrap_or_default(),
        state.name,
        percent(share(trial)),
        trial.1,
        trial.0,
        percent(share(standing)),
        standing.1,
        standing.0,
        clock_time(worse.first, now),
    );
    finding.responsible = vec![Carrier {
        name: format!("version={}", version.as_deref().unwrap_or_default()),
        share: 1.0,
        interval: None,
    }];
    finding.version = version;
    let mut both = finding.clone();
    both.version = None;
    finding.evidence = evidence::errors(&both);
    sealed(finding)
}

#[cfg(test)]
mod tests;
