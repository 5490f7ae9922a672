//! Inputs go missing, show categories never seen, or leave the learned range.
//!
//! - **Method:** in each window, the share of events with the defect against the learned share, binomial
//!   tail with the learned share's upper limit.
//! - **Fields:** every input: features, `input_tokens`, `prompt`, `embedding`.
//! - **False alarms:** each window's level is the weekly budget's part, divided by the number of tests.
//!   Slices (as in [`crate::slice_windows`]) have three tenths of it, where the whole shows nothing.
//! - **Least effect:** two per cent of the events, five of a slice's; numbers count as out of range beyond half the learned
//!   width on either side.
//! - **Blind spots:** fields that were already often missing; wrong values within range.
//! - **ATLAS:** none of itself.

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, Severity, Span, Timestamp};

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
    window::{CodeCounts, Table},
    wording::{carried_by, clock_time, model_and_version, percent},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "data_quality",
    budget_share: 0.06,
    method: "binomial tails of missing, new and out-of-range values",
    atlas: &[],
    build: |budget: &DetectorBudget| Box::new(DataQuality { weekly_budget: budget.weekly }),
};

const LEAST_SHARE: f64 = 0.02;
/// So many times the learned share's upper limit is tolerated.
const LEAST_RATIO: f64 = 2.0;
/// A slice has few events, whose defects come in runs of one sender: more is asked of it.
const LEAST_SHARE_OF_SLICE: f64 = 0.05;
const LEAST_RATIO_OF_SLICE: f64 = 3.0;
/// The slices' part of the budget.
const SLICES_PART: f64 = 0.3;
const LEAST_EVENTS: u32 = 50;

/// Events that are judged together: a window of the whole, or of a slice.
struct Sample<'a> {
    group: u16,
    from: Timestamp,
    until: Timestamp,
    events: u32,
    failures: u32,
    counts: &'a dyn Fn(usize) -> CodeCounts,
    least_share: f64,
    least_ratio: f64,
}

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
        self.count_in(&table.of(measure, group), table.events(group).0)
    }

    fn count_in(self, counts: &CodeCounts, events: u32) -> u32 {
        match self {
            Self::Missing => events.saturating_sub(counts[..NONE as usize].iter().sum()),
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
    alpha: f64,
}

impl Detector for DataQuality {
    fn on_window(
        &mut self,
        state: &ModelState,
        window: &ClosedWindow<'_>,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        if state.phase != Phase::Watching {
            return;
        }
        let (events, failures) = window.table.events(WHOLE);
        let whole = Sample {
            group: WHOLE,
            from: window.start,
            until: window.end,
            events,
            failures,
            counts: &|measure| window.table.of(measure, WHOLE),
            least_share: LEAST_SHARE,
            least_ratio: LEAST_RATIO,
        };
        let span = state.scales[window.scale].span;
        let level = (1.0 - SLICES_PART) * self.weekly_budget / state.scales.len() as f64;
        let found = defects(state, &whole, level * weeks(span));
        if !found.is_empty() {
            findings.push(finding(state, window, &whole, &found, now));
            return;
        }
        // A slice adds nothing to what the whole shows already.
        if window.scale == 0 {
            findings.extend(self.worst_slice(state, window, now));
        }
    }

    saved_whole!();
}

impl DataQuality {
    /// The slice with the greatest defect among those whose windows just closed.
    fn worst_slice(&self, state: &ModelState, window: &ClosedWindow<'_>, now: Timestamp) -> Option<Finding> {
        let level = SLICES_PART * self.weekly_budget / state.slices.n_judged().max(1) as f64;
        let mut worst: Option<(f64, Finding)> = None;
        for (group, track) in state.slices.by_name(&state.groups).filter(|(_, track)| track.is_complete) {
            let Some(from) = track.start else { continue };
            let slice = Sample {
                group,
                from,
                until: track.end,
                events: track.events,
                failures: track.failures,
                counts: &|measure| track.counts.get(measure).copied().unwrap_or_default(),
                least_share: LEAST_SHARE_OF_SLICE,
                least_ratio: LEAST_RATIO_OF_SLICE,
            };
            let found = defects(state, &slice, level * weeks(track.end.since(from)));
            if let Some(first) = found.first()
                && worst.as_ref().is_none_or(|(share, _)| first.share > *share)
            {
                worst = Some((first.share, finding(state, window, &slice, &found, now)));
            }
        }
        worst.map(|(_, finding)| finding)
    }
}

/// A span in weeks, at most one.
fn weeks(span: Span) -> f64 {
    (span as f64 / (7 * Timestamp::DAY) as f64).min(1.0)
}

/// Defects of the inputs in a sample, the greatest first; `level` is shared by all tests in it.
fn defects<'a>(state: &'a ModelState, sample: &Sample<'_>, level: f64) -> Vec<Found<'a>> {
    let mut found: Vec<Found<'a>> = Vec::new();
    let Some(learned) = state.learned.as_ref() else { return found };
    let n_reference = learned.reference.events(sample.group).0;
    if sample.events < LEAST_EVENTS || n_reference < LEAST_EVENTS {
        return found;
    }
    let inputs: Vec<(usize, &Measure)> = state
        .measures_by_name()
        .filter(|(_, measure)| measure.role == Role::Input && measure.coding.is_some())
        .collect();
    let alpha = level / (3 * inputs.len().max(1)) as f64;
    for (index, measure) in inputs {
        let counts = (sample.counts)(index);
        for defect in Defect::ALL {
            let bad = defect.count_in(&counts, sample.events);
            // A failed prediction often has no inputs on record: that is the failure's finding.
            if bad == 0 || (defect == Defect::Missing && bad <= sample.failures) {
                continue;
            }
            let learned_bad = f64::from(defect.count(&learned.reference, index, sample.group));
            let normal = learned_bad / f64::from(n_reference);
            let upper = normal + 3.0 * (learned_bad + 1.0).sqrt() / f64::from(n_reference);
            let tolerated = sample.least_ratio * upper;
            let share = f64::from(bad) / f64::from(sample.events);
            let chance = binomial_at_least(u64::from(bad), u64::from(sample.events), tolerated.min(0.99));
            if share >= tolerated && share - normal >= sample.least_share && chance <= alpha {
                found.push(Found { measure, index, defect, share, normal, chance, alpha });
            }
        }
    }
    found.sort_by(|left, right| {
        right.share.total_cmp(&left.share).then_with(|| left.measure.name.cmp(&right.measure.name))
    });
    found
}

fn finding(
    state: &ModelState,
    window: &ClosedWindow<'_>,
    sample: &Sample<'_>,
    found: &[Found<'_>],
    now: Timestamp,
) -> Finding {
    let first = &found[0];
    let events = sample.events;
    let mut finding = draft(state, SPEC.name, FindingKind::DataQuality, &first.measure.name, now);
    finding.slice = state.groups.slice(sample.group);
    finding.onset = sample.from;
    finding.onset_interval = (sample.from, sample.until);
    (finding.observed, finding.expected, finding.unit) = (first.share, first.normal, "share".to_owned());
    finding.n_observed = u64::from(events);
    finding.n_expected = state.learned_events(sample.group);
    (finding.effect, finding.effect_name) = (first.share - first.normal, "difference of shares".to_owned());
    (finding.p_value, finding.p_limit) = (Some(first.chance), Some(first.alpha));
    finding.severity = if state.knows_kind_of_day(sample.from) { Severity::Ticket } else { Severity::Info };
    finding.features = features(found);
    let carriers = || {
        carrier::slices(state, |slice| {
            let events = f64::from(window.table.events(slice).0);
            let bad = f64::from(first.defect.count(window.table, first.index, slice));
            Some(Excess { events, excess: bad - first.normal * events, ordinary: events, variance: bad + 1.0 })
        })
    };
    finding.responsible = if sample.group == WHOLE {
        carriers()
    } else {
        vec![Carrier { name: finding.slice.to_string(), share: 1.0, interval: None }]
    };
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
        "data quality of {}{}: {}{more} since {} (n={events}){}",
        model_and_version(&state.name, None),
        evidence::in_slice(&finding.slice),
        named.join(", "),
        clock_time(sample.from, now),
        if sample.group == WHOLE { carried_by(&finding.responsible) } else { String::new() },
    );
    finding.evidence = match first.defect {
        Defect::Missing => evidence::missing(&finding, &first.measure.name),
        Defect::New | Defect::OutOfRange => {
            evidence::distribution(&finding, &first.measure.name, first.measure.is_numeric())
        }
    };
    sealed(finding)
}

/// The measures that are wrong, each with its part of all that is.
fn features(found: &[Found<'_>]) -> Vec<Carrier> {
    let sum: f64 = found.iter().map(|found| found.share - found.normal).sum();
    let carrier = |found: &Found<'_>| Carrier {
        name: found.measure.label().to_owned(),
        share: (found.share - found.normal) / sum,
        interval: None,
    };
    found.iter().take(10).map(carrier).collect()
}

#[cfg(test)]
mod tests;
