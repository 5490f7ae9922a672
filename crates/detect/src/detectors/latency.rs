//! Latency rises above what was learned.
//!
//! - **Method:** three thresholds are frozen from the learning period (p50, p90, p99); e-detectors per
//!   second ([`crate::rate`]) watch the share of predictions beyond each, in the whole traffic, each
//!   version and each slice. If a length of the input moved upwards in a window of the rise, by a tenth
//!   of the events and 1.5 times what normal windows show, the finding names it: longer inputs.
//! - **Fields:** `latency_ms`; `input_tokens` or a feature that goes with latency, for the cause.
//! - **False alarms:** the mean run to a false alarm is at least one week over the detector's budget.
//! - **Least effect:** odds of being beyond the median times 1.5, beyond p90 times 1.7, beyond p99 times 2.
//! - **Blind spots:** slowness that the learning period already had; a rise slower than its wander. Longer inputs are named because
//!   both moved at once; latencies of equal length are not compared, so a server that slowed at the same
//!   time is not told apart.
//! - **ATLAS:** none: a symptom of operations.

use serde::{Deserialize, Serialize};
use wardline_domain::{Finding, FindingKind, Timestamp};
use wardline_stats::sketch::LogHistogram;

use super::{Detector, DetectorBudget, DetectorSpec, saved_whole};
use crate::{
    draft::{draft, sealed},
    evidence, length_mix,
    model_state::{ModelState, Phase},
    model_watch::ClosedWindow,
    rise_watch::{RiseReport, RiseWatch, WatchedFact},
    second::Fact,
    wording::{carried_by, clock_time, milliseconds, model_and_version},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "latency",
    budget_share: 0.1,
    method: "e-detectors of the shares beyond the learned p50, p90 and p99",
    atlas: &[],
    build: |budget: &DetectorBudget| Box::new(Latency { watch: RiseWatch::new(&FACTS, budget.weekly), last: None }),
};

const FACTS: [WatchedFact; 3] = [
    WatchedFact { fact: Fact::OverP50, odds_ratio: 1.5 },
    WatchedFact { fact: Fact::OverP90, odds_ratio: 1.7 },
    WatchedFact { fact: Fact::OverP99, odds_ratio: 2.0 },
];

#[derive(Serialize, Deserialize)]
struct Latency {
    watch: RiseWatch,
    /// What was told last, so that a closing window can add the inputs' part in it.
    last: Option<Finding>,
}

impl Detector for Latency {
    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        if state.phase == Phase::Watching
            && let Some(report) = self.watch.on_second(state, &state.second)
        {
            let finding = finding(state, &report);
            self.last = Some(finding.clone());
            findings.push(finding);
        }
    }

    fn on_window(
        &mut self,
        state: &ModelState,
        window: &ClosedWindow<'_>,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        let Some(since) = self.watch.going_on_since() else { return };
        let Some(last) = self.last.clone() else { return };
        // Only a window that lies in the rise tells of it.
        if window.scale != 0 || since.since(window.start) * 2 > window.end.since(window.start) {
            return;
        }
        let Some(longer) = length_mix::longer_inputs(state, window.table, since, now) else { return };
        if last.features.iter().any(|feature| feature.name == longer.feature.name) {
            return;
        }
        let mut told = last;
        told.time = now;
        told.title = format!("{}; {}", told.title, longer.sentence);
        told.features = vec![longer.feature];
        self.last = Some(told.clone());
        findings.push(told);
    }

    saved_whole!();
}

fn finding(state: &ModelState, report: &RiseReport) -> Finding {
    let now = state.second.start;
    let rise = &report.rise;
    let onset = Timestamp::from_micros(rise.onset);
    let version = report.version.clone().or_else(|| state.groups.version_of(report.group));
    let version_group = version.as_deref().and_then(|version| state.groups.version(version));
    let current = latencies_since(state, onset, version_group);
    let empty = LogHistogram::new();
    let reference = state.measure_index.get("latency_ms").map_or(&empty, |&index| &state.measures[index].histogram);
    let (name, p) = match report.fact {
        Fact::OverP50 => ("p50", 0.5),
        Fact::OverP90 => ("p90", 0.9),
        _ => ("p99", 0.99),
    };
    let quantiles = |histogram: &LogHistogram, p: f64| histogram.quantile(p).unwrap_or(0.0);
    let mut finding = draft(state, SPEC.name, FindingKind::Latency, "latency_ms", now);
    finding.version = version;
    finding.slice = state.groups.slice(report.group);
    finding.onset = onset;
    finding.onset_interval = (Timestamp::from_micros(rise.interval.0), Timestamp::from_micros(rise.interval.1));
    (finding.observed, finding.expected, finding.unit) =
        (quantiles(&current, p), quantiles(reference, p), "ms".to_owned());
    (finding.n_observed, finding.n_expected) = (rise.events, report.rate.events);
    finding.effect = finding.observed / finding.expected.max(1e-9);
    finding.effect_name = "ratio".to_owned();
    finding.responsible = report.carriers.clone();
    let pair =
        |p: f64| format!("{} (was {})", milliseconds(quantiles(&current, p)), milliseconds(quantiles(reference, p)));
    finding.title = format!(
        "latency {name} of {}{} rose from {} to {} since {} (n={}; p50 {}, p95 {}, p99 {}){}",
        model_and_version(&state.name, finding.version.as_deref()),
        evidence::in_slice(&finding.slice),
        milliseconds(finding.expected),
        milliseconds(finding.observed),
        clock_time(onset, now),
        current.count(),
        pair(0.5),
        pair(0.95),
        pair(0.99),
        carried_by(&report.carriers),
    );
    finding.p_value = Some(report.p_value);
    finding.evidence = evidence::latency(&finding);
    sealed(finding)
}

/// Latencies since a moment; of a distant one all versions together, as minutes are kept only for a while.
fn latencies_since(state: &ModelState, onset: Timestamp, version: Option<u16>) -> LogHistogram {
    if state.recent.begins().is_some_and(|first| first <= onset) {
        return state.recent.since(onset, version);
    }
    let mut merged = LogHistogram::new();
    for cell in state.series.cells.iter().rev().take_while(|cell| cell.start.plus(state.series.width) > onset) {
        merged.merge(&cell.latency_ms);
    }
    merged
}

#[cfg(test)]
mod tests;
