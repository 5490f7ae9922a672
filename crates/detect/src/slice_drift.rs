//! Drift within one slice: what the whole's windows hardly show, as it has a part of the traffic only.

use wardline_domain::{Carrier, Finding, FindingKind, Severity, Timestamp};

use crate::{
    draft::{draft, sealed},
    drift_watch::{LEAST_EVENTS, LEAST_RATIO, LEAST_SHIFT},
    drift_wording, evidence,
    measure::{Measure, Role},
    model_state::ModelState,
    noise::{self, Noise, Shift},
    slice_windows::SliceTrack,
    wording::{clock_time, percent},
};

/// A measure that moved in a slice.
struct Moved<'a> {
    group: u16,
    track: &'a SliceTrack,
    index: usize,
    measure: &'a Measure,
    noise: Noise,
    shift: Shift,
    p_value: f64,
    alpha: f64,
}

/// The slice that moved most among those whose windows just closed; the weekly budget is shared by all
/// slices, and by each slice's measures (Bonferroni).
pub(crate) fn on_window(
    state: &ModelState,
    role: Role,
    weekly_budget: f64,
    now: Timestamp,
    spec: (&str, FindingKind),
) -> Option<Finding> {
    let learned = state.learned.as_ref()?;
    let n_slices = state.slices.n_judged().max(1) as f64;
    let measures: Vec<(usize, &Measure)> =
        state.measures_by_name().filter(|(_, measure)| measure.role == role).collect();
    let mut most: Option<Moved<'_>> = None;
    for (group, track) in state.slices.by_name(&state.groups).filter(|(_, track)| track.is_complete) {
        let Some(start) = track.start else { continue };
        let weeks = (track.end.since(start) as f64 / (7 * Timestamp::DAY) as f64).min(1.0);
        let alpha = weekly_budget * weeks / n_slices / measures.len().max(1) as f64;
        for &(index, measure) in &measures {
            let Some(noise) = track.noise.get(index).copied().flatten() else { continue };
            let (reference, current) = (learned.reference.of(index, group), track.counts[index]);
            let Some(shift) = noise::shift(&reference, &current, measure.is_numeric()) else { continue };
            let is_practical = shift.share - shift.by_chance >= LEAST_SHIFT && shift.share >= LEAST_RATIO * noise.shift;
            if shift.events.0 < LEAST_EVENTS || !is_practical {
                continue;
            }
            let p_value = noise.p_value(&shift);
            if p_value <= alpha && most.as_ref().is_none_or(|most| shift.share > most.shift.share) {
                most = Some(Moved { group, track, index, measure, noise, shift, p_value, alpha });
            }
        }
    }
    most.map(|moved| finding(state, &moved, now, spec))
}

fn finding(state: &ModelState, moved: &Moved<'_>, now: Timestamp, spec: (&str, FindingKind)) -> Finding {
    let (name, kind) = spec;
    let start = moved.track.start.unwrap_or(now);
    let mut finding = draft(state, name, kind, &moved.measure.name, now);
    finding.version = state.sole_version();
    finding.slice = state.groups.slice(moved.group);
    finding.onset = start;
    finding.onset_interval = (start, moved.track.end);
    (finding.observed, finding.expected) = (moved.shift.share, moved.noise.shift);
    finding.unit = "share of events that moved".to_owned();
    (finding.n_observed, finding.n_expected) = moved.shift.events;
    (finding.effect, finding.effect_name) = (moved.shift.share, "shift".to_owned());
    (finding.p_value, finding.p_limit) = (Some(moved.p_value), Some(moved.alpha));
    let is_known_day = state.knows_kind_of_day(start);
    finding.severity = if is_known_day { Severity::Ticket } else { Severity::Info };
    finding.atlas = if kind == FindingKind::PredictionDrift { vec!["AML.T0031".to_owned()] } else { Vec::new() };
    finding.features = vec![Carrier { name: moved.measure.label().to_owned(), share: 1.0, interval: None }];
    finding.responsible = vec![Carrier { name: finding.slice.to_string(), share: 1.0, interval: None }];
    let reference = state.learned.as_ref().map(|learned| learned.reference.of(moved.index, moved.group));
    let change = drift_wording::change(moved.measure, &reference.unwrap_or_default(), &moved.track.counts[moved.index]);
    finding.title = format!(
        "{} of {}{} moved since {}: {} ({change}, {} of its events moved); n={}, normally up to {}",
        if kind == FindingKind::DataDrift { "data drift: inputs" } else { "prediction drift: answers" },
        state.name,
        evidence::in_slice(&finding.slice),
        clock_time(start, now),
        moved.measure.label(),
        percent(moved.shift.share),
        finding.n_observed,
        percent(finding.expected),
    );
    finding.evidence = evidence::distribution(&finding, &moved.measure.name, moved.measure.is_numeric());
    sealed(finding)
}
