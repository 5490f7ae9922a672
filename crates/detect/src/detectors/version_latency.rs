//! A version is slower than the one that serves beside it.
//!
//! - **Method:** tail coin: one two-arm coin ([`crate::version_pair`]) for each of the learned p50, p90 and
//!   p99 and the objective, averaged. A tolerated ratio of 1.2 leaves room for replicas that differ.
//! - **Fields:** `version`, `latency_ms`.
//! - **False alarms:** at most `version_alpha` (0.01) in one roll-out, however often one looks.
//! - **Severity:** page: a version on trial can be taken back at once.
//! - **Blind spots:** a version that slows the shared hardware for both.
//! - **ATLAS:** none: a symptom of operations.

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind};

use super::{Detector, DetectorBudget, DetectorSpec, saved_whole};
use crate::{
    draft::{draft, sealed},
    evidence,
    model_state::{ModelState, Phase},
    second::Fact,
    version_judge::{VersionJudge, Worse},
    wording::{clock_time, milliseconds, percent},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "version_latency",
    budget_share: 0.1,
    method: "two-arm coin e-processes of slow predictions by version",
    atlas: &[],
    build: |budget: &DetectorBudget| {
        Box::new(VersionLatency { judge: VersionJudge::new(FACTS, budget.version_alpha, 1.2) })
    },
};

const FACTS: [Fact; 4] = [Fact::OverP50, Fact::OverP90, Fact::OverP99, Fact::OverObjective];

#[derive(Serialize, Deserialize)]
struct VersionLatency {
    judge: VersionJudge<4>,
}

impl Detector for VersionLatency {
    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        if state.phase != Phase::Sampling {
            findings.extend(self.judge.on_second(state).iter().map(|worse| finding(state, worse)));
        }
    }

    saved_whole!();
}

fn finding(state: &ModelState, worse: &Worse) -> Finding {
    let now = state.second.start;
    let (trial, standing) = (worse.counts.trial, worse.counts.standing);
    let share = |(n, k): (u32, u32)| f64::from(k) / f64::from(n.max(1));
    let version = state.groups.version_of(worse.trial);
    let other = state.groups.version_of(worse.standing).unwrap_or_default();
    let limit = match worse.fact {
        Fact::OverP50 => state.thresholds[0],
        Fact::OverP90 => state.thresholds[1],
        Fact::OverObjective => state.objective_latency_ms(),
        _ => state.thresholds[2],
    };
    let mine = state.recent.since(worse.first, Some(worse.trial));
    let theirs = state.recent.since(worse.first, Some(worse.standing));
    let quantile = |p: f64| {
        let of = |histogram: &wardline_stats::sketch::LogHistogram| milliseconds(histogram.quantile(p).unwrap_or(0.0));
        format!("{} against {}", of(&mine), of(&theirs))
    };
    let mut finding = draft(state, SPEC.name, FindingKind::Latency, "latency_ms", now);
    finding.onset = worse.first;
    finding.onset_interval = (worse.first, now);
    (finding.observed, finding.expected, finding.unit) = (share(trial), share(standing), "share".to_owned());
    (finding.n_observed, finding.n_expected) = (u64::from(trial.0), u64::from(standing.0));
    finding.effect = share(trial) / share(standing).max(0.5 / f64::from(standing.0.max(1)));
    finding.effect_name = "ratio".to_owned();
    finding.p_value = Some((1.0 / worse.evidence).min(1.0));
    finding.severity = worse.severity;
    finding.title = format!(
        "version {} of {} is slower than {other}: {} of its predictions take longer than {} (n={}), against {} (n={}), since {}; latency p50 {}, p95 {}, p99 {}",
        version.as_deref().unwrap_or_default(),
        state.name,
        percent(share(trial)),
        milliseconds(limit),
        trial.0,
        percent(share(standing)),
        standing.0,
        clock_time(worse.first, now),
        quantile(0.5),
        quantile(0.95),
        quantile(0.99),
    );
    finding.responsible = vec![Carrier {
        name: format!("version={}", version.as_deref().unwrap_or_default()),
        share: 1.0,
        interval: None,
    }];
    finding.version = version;
    let mut both = finding.clone();
    both.version = None;
    finding.evidence = evidence::latency(&both);
    sealed(finding)
}

#[cfg(test)]
mod tests;
