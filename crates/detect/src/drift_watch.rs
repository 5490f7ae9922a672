//! What `prediction_drift` and `data_drift` share: windows against the baseline.
//!
//! Each closed window of each length is compared, version by version and measure by measure
//! ([`crate::noise`]). Over the measures of one window, Benjamini–Hochberg at the level that the weekly
//! budget leaves for a window of that length. What passes must also be of practical effect.

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, Severity, Timestamp};

use crate::{
    carrier::{self, Excess},
    draft::{draft, sealed},
    drift_wording, evidence,
    groups::WHOLE,
    learned::Learned,
    measure::{Measure, Role},
    model_state::{ModelState, Phase},
    model_watch::ClosedWindow,
    noise::{self, Shift},
    slice_drift,
    window::CodeCounts,
    wording::{carried_by, clock_time, model_and_version, percent, span},
};

/// Share of events that must have moved, beyond what chance moves, to be of practical interest.
pub(crate) const LEAST_SHIFT: f64 = 0.1;
/// And so many times what normal windows show.
pub(crate) const LEAST_RATIO: f64 = 1.5;
/// The slices' part of the budget.
const SLICES_PART: f64 = 0.3;
/// Fewer events than this in a window are not judged.
pub(crate) const LEAST_EVENTS: u64 = 100;

/// Watches the measures of one role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DriftWatch {
    role: Role,
    weekly_budget: f64,
    /// By version: since when windows differ without a break.
    since: std::collections::BTreeMap<(u16, usize), Timestamp>,
}

/// A measure that moved.
struct Moved<'a> {
    index: usize,
    measure: &'a Measure,
    shift: Shift,
    p_value: f64,
    reference: CodeCounts,
    current: CodeCounts,
}

/// A window of one version.
struct Judged<'a> {
    state: &'a ModelState,
    learned: &'a Learned,
    window: &'a ClosedWindow<'a>,
    group: u16,
    now: Timestamp,
}

impl DriftWatch {
    pub(crate) const fn new(role: Role, weekly_budget: f64) -> Self {
        Self { role, weekly_budget, since: std::collections::BTreeMap::new() }
    }

    pub(crate) fn on_window(
        &mut self,
        state: &ModelState,
        window: &ClosedWindow<'_>,
        now: Timestamp,
        spec: (&str, FindingKind),
    ) -> Option<Finding> {
        let learned = state.learned.as_ref().filter(|_| state.phase == Phase::Watching)?;
        let mut told: Option<Finding> = None;
        for (_, group) in state.versions_in(window.table) {
            let judged = Judged { state, learned, window, group, now };
            let finding = self.judge(&judged, spec);
            // One finding a window: the version that moved most leads.
            if let Some(finding) = finding
                && told.as_ref().is_none_or(|other| finding.effect > other.effect)
            {
                told = Some(finding);
            }
        }
        // A slice adds nothing to what the whole of a version shows already.
        if told.is_none() && window.scale == 0 && self.since.is_empty() {
            told = slice_drift::on_window(state, self.role, SLICES_PART * self.weekly_budget, now, spec);
        }
        told
    }

    fn judge(&mut self, judged: &Judged<'_>, spec: (&str, FindingKind)) -> Option<Finding> {
        let key = (judged.group, judged.window.scale);
        let (moved, limit) = self.moved(judged);
        if moved.is_empty() {
            self.since.remove(&key);
            return None;
        }
        let onset = *self.since.entry(key).or_insert(judged.window.start);
        Some(Finding { p_limit: Some(limit), ..finding(judged, spec, &moved, onset) })
    }

    /// Measures that moved, those that moved most first; and the chance at which a single one is told.
    fn moved<'a>(&self, judged: &Judged<'a>) -> (Vec<Moved<'a>>, f64) {
        let Judged { state, learned, window, group, .. } = *judged;
        let Some(noises) = learned.noise.get(window.scale) else { return (Vec::new(), 0.0) };
        let mut tested: Vec<Moved<'_>> = Vec::new();
        let mut below_effect = 0_usize;
        for (index, measure) in state.measures_by_name().filter(|(_, measure)| measure.role == self.role) {
            let Some(noise) = noises.get(index).copied().flatten() else { continue };
            let (reference, current) = (learned.reference.of(index, WHOLE), window.table.of(index, group));
            let Some(shift) = noise::shift(&reference, &current, measure.is_numeric()) else { continue };
            if shift.events.0 < LEAST_EVENTS {
                continue;
            }
            if shift.share - shift.by_chance < LEAST_SHIFT || shift.share < LEAST_RATIO * noise.shift {
                below_effect += 1;
                continue;
            }
            tested.push(Moved { index, measure, shift, p_value: noise.p_value(&shift), reference, current });
        }
        let alpha = (1.0 - SLICES_PART)
            * self.weekly_budget
            * (state.scales[window.scale].span as f64 / (7 * Timestamp::DAY) as f64).min(1.0)
            / state.scales.len() as f64;
        let n_tests = tested.len() + below_effect;
        tested.sort_by(|left, right| {
            left.p_value.total_cmp(&right.p_value).then_with(|| left.measure.name.cmp(&right.measure.name))
        });
        let passing = (1..=tested.len())
            .rev()
            .find(|&rank| tested[rank - 1].p_value <= alpha * rank as f64 / n_tests as f64)
            .unwrap_or(0);
        tested.truncate(passing);
        tested.sort_by(|left, right| {
            right.shift.share.total_cmp(&left.shift.share).then_with(|| left.measure.name.cmp(&right.measure.name))
        });
        (tested, alpha / n_tests.max(1) as f64)
    }
}

fn finding(judged: &Judged<'_>, spec: (&str, FindingKind), moved: &[Moved<'_>], onset: Timestamp) -> Finding {
    let Judged { state, learned, window, group, now } = *judged;
    let (name, kind) = spec;
    let first = &moved[0];
    let mut finding = draft(state, name, kind, &first.measure.name, now);
    finding.version = state.groups.version_of(group);
    finding.onset = onset;
    finding.onset_interval =
        (onset.plus(-state.scales[window.scale].span), onset.plus(state.scales[window.scale].span));
    finding.observed = first.shift.share;
    finding.expected = learned
        .noise
        .get(window.scale)
        .and_then(|noise| noise.get(first.index).copied().flatten())
        .map_or(0.0, |noise| noise.shift);
    finding.unit = "share of events that moved".to_owned();
    (finding.n_observed, finding.n_expected) = first.shift.events;
    (finding.effect, finding.effect_name) = (first.shift.share, "shift".to_owned());
    finding.p_value = Some(moved.iter().map(|moved| moved.p_value).fold(1.0, f64::min));
    let is_known_day = state.knows_kind_of_day(window.start);
    finding.severity = if is_known_day { Severity::Ticket } else { Severity::Info };
    finding.atlas = if kind == FindingKind::PredictionDrift { vec!["AML.T0031".to_owned()] } else { Vec::new() };
    finding.features = features(moved);
    finding.responsible = carried_by_version(judged, onset)
        .into_iter()
        .chain(carrier::slices(state, |slice| moved_by_slice(judged, first, slice)))
        .collect();
    finding.title = title(judged, kind, moved, &finding, is_known_day);
    finding.evidence = evidence::distribution(&finding, &first.measure.name, first.measure.is_numeric());
    sealed(finding)
}

/// Measures with their part of the whole movement.
fn features(moved: &[Moved<'_>]) -> Vec<Carrier> {
    let sum: f64 = moved.iter().map(|moved| moved.shift.share).sum();
    moved
        .iter()
        .take(10)
        .map(|moved| Carrier {
            name: moved.measure.label().to_owned(),
            share: moved.shift.share / sum.max(1e-9),
            interval: None,
        })
        .collect()
}

/// A slice's part in a shift. With `d` the direction in which each code moved, the parts
/// `sum d (c_slice / n - r_slice / N)` of all slices of a dimension add up to the whole's, whether the mix
/// of slices changed or what happens within them. Slices are not counted by version, so all traffic of the
/// window counts.
fn moved_by_slice(judged: &Judged<'_>, moved: &Moved<'_>, slice: u16) -> Option<Excess> {
    let (reference, current) = (noise::folded(&moved.reference), noise::folded(&moved.current));
    let (n_reference, n_current) = (reference.iter().sum::<f64>().max(1.0), current.iter().sum::<f64>().max(1.0));
    let n = noise::folded(&judged.window.table.of(moved.index, WHOLE)).iter().sum::<f64>().max(1.0);
    let mine = noise::folded(&judged.window.table.of(moved.index, slice));
    let learned = noise::folded(&judged.learned.reference.of(moved.index, slice));
    let mut part = 0.0;
    for code in 0..mine.len() {
        let direction = (current[code] / n_current - reference[code] / n_reference).signum();
        part += 0.5 * direction * (mine[code] / n - learned[code] / n_reference);
    }
    // The traffic that the slice would have in the learned mix: a slice that grew is the cause, not one that
    // others pushed aside. One that is smaller by chance keeps its part.
    let events = mine.iter().sum::<f64>();
    let usual = learned.iter().sum::<f64>() / n_reference * n;
    let is_pushed_aside = events < 0.8 * usual - 3.0 * usual.sqrt();
    Some(Excess {
        events: usual.max(1.0),
        excess: if is_pushed_aside { 0.0 } else { part * n },
        ordinary: usual,
        variance: 0.25 * (events + usual * n / n_reference) + 1.0,
    })
}

/// The version, where the shift came with it: learning did not see it, and it differed from its first
/// windows on.
fn carried_by_version(judged: &Judged<'_>, onset: Timestamp) -> Option<Carrier> {
    let Judged { state, learned, window, group, .. } = *judged;
    let span = state.scales[window.scale].span;
    let is_fresh = learned.reference.events(group).0 == 0
        && state.groups.get(group).first_seen.is_some_and(|first| onset.since(first) <= 2 * span);
    let version = state.groups.version_of(group)?;
    is_fresh.then(|| Carrier { name: format!("version={version}"), share: 1.0, interval: None })
}

fn title(judged: &Judged<'_>, kind: FindingKind, moved: &[Moved<'_>], finding: &Finding, is_known_day: bool) -> String {
    let Judged { state, window, now, .. } = *judged;
    let what = if kind == FindingKind::DataDrift { "data drift: inputs" } else { "prediction drift: answers" };
    let named: Vec<String> = moved
        .iter()
        .take(3)
        .map(|moved| {
            format!(
                "{} ({}, {} of events moved)",
                moved.measure.label(),
                drift_wording::change(moved.measure, &moved.reference, &moved.current),
                percent(moved.shift.share)
            )
        })
        .collect();
    let more = if moved.len() > 3 { format!(" and {} more", moved.len() - 3) } else { String::new() };
    let unseen = if is_known_day { "" } else { "; the baseline holds no such day of the week" };
    format!(
        "{what} of {} moved since {}: {}{more}; {} window, n={}, normally up to {}{unseen}{}",
        model_and_version(&state.name, finding.version.as_deref()),
        clock_time(finding.onset, now),
        named.join(", "),
        span(state.scales[window.scale].span),
        finding.n_observed,
        percent(finding.expected),
        carried_by(&finding.responsible),
    )
}
