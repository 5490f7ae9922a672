//! Inputs go missing, show categories never seen, or leave the learned range.
//!
//! - **Method:** in each window, the share of events with the defect against the learned share, binomial
//!   tail with the learned share's upper limit.
//! - **Fields:** every input: features, `input_tokens`, `prompt`, `embedding`.
//! - **False alarms:** each window's level is the weekly budget's part, divided by the number of tests.
//! - **Least effect:** two per cent of the events; numbers count as out of range beyond half the learned
//!   width on either side.
//! - **Blind spots:** fields that were already often missing; wrong values within range.
//! - **ATLAS:** none of itself.

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, Severity, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, saved_whole};
use crate::{
    carrier::{self, Excess},
    coding::{ABOVE, BELOW, NEW, NONE},
    draft::{draft, sealed},
    evidence,
    groups::WHOLE,
    measure::{Measure, Role},
    model_state::{ModelState, Phase},
    model_watch::ClosedWindow,
    tails::binomial_at_least,
    window::Table,
    wording::{carried_by, clock_time, model_and_version, percent},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "data_quality",
    budget_share: 0.06,
    method: "binomial tails of missing, new and out-of-range values",
    build: |budget: &DetectorBudget| Box::new(DataQuality { weekly_budget: budget.weekly }),
};

const LEAST_SHARE: f64 = 0.02;
const LEAST_EVENTS: u32 = 50;

#[derive(Serialize, Deserialize)]
struct DataQuality {
    weekly_budget: f64,
}

/// What can be wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Defect {
    Missing,
    New,
    OutOfRange,
}

impl Defect {
    const ALL: [Self; 3] = [Self::Missing, Self::New, Self::OutOfRange];

    const fn words(self) -> &'static str {
        match self {
            Self::Missing => "missing values",
            Self::New => "categories never seen before",
            Self::OutOfRange => "values out of the learned range",
        }
    }

    /// How many events of a group have it.
    fn count(self, table: &Table, measure: usize, group: u16) -> u32 {
        let counts = table.of(measure, group);
        match self {
            Self::Missing => table.events(group).0.saturating_sub(counts[..NONE as usize].iter().sum()),
            Self::New => counts[NEW as usize],
            Self::OutOfRange => counts[BELOW as usize] + counts[ABOVE as usize],
        }
    }
}

/// A defect of a measure.
struct Found<'a> {
    measure: &'a Measure,
    index: usize,
    defect: Defect,
    share: f64,
    normal: f64,
    chance: f64,
}

impl Detector for DataQuality {
    fn on_window(
        &mut self,
        state: &ModelState,
        window: &ClosedWindow<'_>,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        let Some(learned) = state.learned.as_ref().filter(|_| state.phase == Phase::Watching) else { return };
        let (events, failures) = window.table.events(WHOLE);
        let n_reference = learned.reference.events(WHOLE).0;
        if events < LEAST_EVENTS || n_reference < LEAST_EVENTS {
            return;
        }
        let inputs: Vec<(usize, &Measure)> = state
            .measures_by_name()
            .filter(|(_, measure)| measure.role == Role::Input && measure.coding.is_some())
            .collect();
        let span = state.scales[window.scale].span as f64 / (7 * Timestamp::DAY) as f64;
        let alpha = self.weekly_budget * span.min(1.0) / (state.scales.len() * 3 * inputs.len().max(1)) as f64;
        let mut found: Vec<Found<'_>> = Vec::new();
        for (index, measure) in inputs {
            for defect in Defect::ALL {
                let bad = defect.count(window.table, index, WHOLE);
                // A failed prediction often has no inputs on record: that is the failure's finding.
                if bad == 0 || (defect == Defect::Missing && bad <= failures) {
                    continue;
                }
                let learned_bad = f64::from(defect.count(&learned.reference, index, WHOLE));
                let normal = learned_bad / f64::from(n_reference);
                let upper = normal + 3.0 * (learned_bad + 1.0).sqrt() / f64::from(n_reference);
                let share = f64::from(bad) / f64::from(events);
                let chance = binomial_at_least(u64::from(bad), u64::from(events), (2.0 * upper).min(0.99));
                if share >= upper * 2.0 && share - normal >= LEAST_SHARE && chance <= alpha {
                    found.push(Found { measure, index, defect, share, normal, chance });
                }
            }
        }
        found.sort_by(|left, right| {
            right.share.total_cmp(&left.share).then_with(|| left.measure.name.cmp(&right.measure.name))
        });
        if !found.is_empty() {
            findings.push(finding(state, window, &found, now));
        }
    }

    saved_whole!();
}

fn finding(state: &ModelState, window: &ClosedWindow<'_>, found: &[Found<'_>], now: Timestamp) -> Finding {
    let first = &found[0];
    let events = window.table.events(WHOLE).0;
    let mut finding = draft(state, SPEC.name, FindingKind::DataQuality, &first.measure.name, now);
    finding.onset = window.start;
    finding.onset_interval = (window.start, window.end);
    (finding.observed, finding.expected, finding.unit) = (first.share, first.normal, "share".to_owned());
    finding.n_observed = u64::from(events);
    finding.n_expected = state.learned_events(WHOLE);
    (finding.effect, finding.effect_name) = (first.share - first.normal, "difference of shares".to_owned());
    finding.p_value = Some(first.chance);
    finding.severity = if state.knows_kind_of_day(window.start) { Severity::Ticket } else { Severity::Info };
    let sum: f64 = found.iter().map(|found| found.share - found.normal).sum();
    finding.features = found
        .iter()
        .take(10)
        .map(|found| Carrier {
            name: found.measure.label().to_owned(),
            share: (found.share - found.normal) / sum,
            interval: None,
        })
        .collect();
    finding.responsible = carrier::slices(state, |slice| {
        let events = f64::from(window.table.events(slice).0);
        let bad = f64::from(first.defect.count(window.table, first.index, slice));
        Some(Excess { events, excess: bad - first.normal * events, ordinary: events, variance: bad + 1.0 })
    });
    let named: Vec<String> = found
        .iter()
        .take(3)
        .map(|found| {
            format!(
                "{} of {} ({}, normally {})",
                found.defect.words(),
                found.measure.label(),
                percent(found.share),
                percent(found.normal)
            )
        })
        .collect();
    let more = if found.len() > 3 { format!(" and {} more", found.len() - 3) } else { String::new() };
    finding.title = format!(
        "data quality of {}: {}{more} since {} (n={events}){}",
        model_and_version(&state.name, None),
        named.join(", "),
        clock_time(window.start, now),
        carried_by(&finding.responsible),
    );
    finding.evidence = match first.defect {
        Defect::Missing => evidence::missing(&finding, &first.measure.name),
        Defect::New | Defect::OutOfRange => {
            evidence::distribution(&finding, &first.measure.name, first.measure.is_numeric())
        }
    };
    sealed(finding)
}

#[cfg(test)]
mod tests;
