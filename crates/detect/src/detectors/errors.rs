//! A model's error rate rises above what was learned, without any objective set.
//!
//! - **Method:** Shiryaev–Roberts e-detectors per second ([`crate::rate`]) on the whole traffic, each
//!   version and each slice, against the learned rate with its uncertainty, clumping and wander.
//! - **Fields:** `status` (or `http_status`, `error`, which set it).
//! - **False alarms:** the mean run to a false alarm is at least one week over the detector's budget.
//! - **Least effect:** odds of failure doubled.
//! - **Blind spots:** a service that failed all through its learning period; rates that rise so slowly
//!   that the learning already wandered as far.
//! - **ATLAS:** none: a symptom of operations.

use serde::{Deserialize, Serialize};
use wardline_domain::{Finding, FindingKind, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, saved_whole};
use crate::{
    draft::{draft, sealed},
    evidence,
    model_state::{ModelState, Phase},
    rise_watch::{RiseReport, RiseWatch, WatchedFact},
    second::Fact,
    wording::{carried_by, clock_time, model_and_version, percent},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "errors",
    budget_share: 0.1,
    method: "e-detector of a rise of the error rate against the learned one",
    atlas: &[],
    build: |budget: &DetectorBudget| Box::new(Errors { watch: RiseWatch::new(&FACTS, budget.weekly) }),
};

const FACTS: [WatchedFact; 1] = [WatchedFact { fact: Fact::Failed, odds_ratio: 2.0 }];

#[derive(Serialize, Deserialize)]
struct Errors {
    watch: RiseWatch,
}

impl Detector for Errors {
    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        if state.phase == Phase::Watching
            && let Some(report) = self.watch.on_second(state, &state.second)
        {
            findings.push(finding(state, &report));
        }
    }

    saved_whole!();
}

fn finding(state: &ModelState, report: &RiseReport) -> Finding {
    let now = state.second.start;
    let rise = &report.rise;
    let observed = rise.yes as f64 / rise.events.max(1) as f64;
    let onset = Timestamp::from_micros(rise.onset);
    let mut finding = draft(state, SPEC.name, FindingKind::Errors, "status", now);
    finding.version = report.version.clone().or_else(|| state.groups.version_of(report.group));
    finding.slice = state.groups.slice(report.group);
    finding.onset = onset;
    finding.onset_interval = (Timestamp::from_micros(rise.interval.0), Timestamp::from_micros(rise.interval.1));
    (finding.observed, finding.expected, finding.unit) = (observed, report.rate.share, "share".to_owned());
    (finding.n_observed, finding.n_expected) = (rise.events, report.rate.events);
    finding.effect = observed / report.rate.share.max(1e-9);
    finding.effect_name = "ratio".to_owned();
    finding.responsible = report.carriers.clone();
    finding.title = format!(
        "error rate of {}{} rose from {} to {} since {} ({} of {} predictions failed){}",
        model_and_version(&state.name, finding.version.as_deref()),
        evidence::in_slice(&finding.slice),
        percent(report.rate.share),
        percent(observed),
        clock_time(onset, now),
        rise.yes,
        rise.events,
        carried_by(&report.carriers),
    );
    finding.p_value = Some(report.p_value);
    finding.evidence = evidence::errors(&finding);
    sealed(finding)
}

#[cfg(test)]
mod tests;
