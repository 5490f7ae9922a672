//! Longer inputs as a cause of higher latency.

use wardline_domain::{Carrier, Timestamp};

use crate::{
    carrier::{self, Excess},
    coding::{CODES, Coding},
    groups::WHOLE,
    measure::Role,
    model_state::ModelState,
    noise,
    window::{CodeCounts, Table},
    wording::{carried_by, number, span},
};

/// Lengths must have moved by this share of events to be named as a cause.
const LEAST_SHIFT: f64 = 0.1;

/// Inputs that grew longer.
pub(crate) struct LongerInputs {
    pub(crate) feature: Carrier,
    pub(crate) sentence: String,
}

/// The length of inputs that grew most in a window, if one did.
pub(crate) fn longer_inputs(
    state: &ModelState,
    table: &Table,
    since: Timestamp,
    now: Timestamp,
) -> Option<LongerInputs> {
    let learned = state.learned.as_ref()?;
    let mut best: Option<(f64, usize)> = None;
    for (index, measure) in state.measures_by_name() {
        if measure.role != Role::Input || !is_length(&measure.name) {
            continue;
        }
        let (reference, current) = (learned.reference.of(index, WHOLE), table.of(index, WHOLE));
        let Some(shift) = noise::shift(&reference, &current, true) else { continue };
        let usual = learned
            .noise
            .first()
            .and_then(|noise| noise.get(index).copied().flatten())
            .map_or(0.0, |noise| noise.shift);
        let grew = mean_code(&current) > mean_code(&reference);
        // `input_tokens` is the name that everybody knows: prefer it over a feature that says the same.
        let rank = shift.share + if measure.name == "input_tokens" { 0.1 } else { 0.0 };
        if grew && shift.share >= LEAST_SHIFT.max(1.5 * usual) && best.is_none_or(|(most, _)| rank > most) {
            best = Some((rank, index));
        }
    }
    let (_, index) = best?;
    let measure = &state.measures[index];
    let (reference, current) = (learned.reference.of(index, WHOLE), table.of(index, WHOLE));
    let shift = noise::shift(&reference, &current, true)?;
    let carriers = carrier::slices(state, |group| shifted_upwards(state, table, index, group));
    let (before, after) = (median(measure.coding.as_ref(), &reference)?, median(measure.coding.as_ref(), &current)?);
    Some(LongerInputs {
        feature: Carrier { name: measure.label().to_owned(), share: shift.share, interval: None },
        sentence: format!(
            "longer inputs: {} p50 {} -> {} in the last {}{}",
            measure.label(),
            number(before),
            number(after),
            span(now.since(since)),
            carried_by(&carriers)
        ),
    })
}

/// Names that say how long an input is.
fn is_length(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "length", "len", "chars", "words", "size", "bytes", "pages"].iter().any(|word| name.contains(word))
}

/// A slice's part in a shift: its events in the upper half of the lengths beyond what the reference's mix
/// of slices would put there.
fn shifted_upwards(state: &ModelState, table: &Table, measure: usize, group: u16) -> Option<Excess> {
    let learned = state.learned.as_ref()?;
    let whole = learned.reference.of(measure, WHOLE);
    let middle = median_code(&whole)?;
    let above = |counts: &CodeCounts| f64::from(counts[middle + 1..CODES - 2].iter().sum::<u32>());
    let n_reference = f64::from(learned.reference.events(WHOLE).0).max(1.0);
    let n = f64::from(table.events(WHOLE).0);
    let expected = above(&learned.reference.of(measure, group)) * n / n_reference;
    let seen = above(&table.of(measure, group));
    let events = f64::from(table.events(group).0);
    Some(Excess { events, excess: seen - expected, ordinary: events, variance: seen + expected * n / n_reference })
}

fn mean_code(counts: &CodeCounts) -> f64 {
    let folded = noise::folded(counts);
    let n: f64 = folded.iter().sum();
    folded.iter().enumerate().map(|(code, count)| code as f64 * count).sum::<f64>() / n.max(1.0)
}

fn median_code(counts: &CodeCounts) -> Option<usize> {
    let folded = noise::folded(counts);
    let half = folded.iter().sum::<f64>() / 2.0;
    let mut below = 0.0;
    folded.iter().position(|count| {
        below += count;
        below >= half && half > 0.0
    })
}

/// The median, to the resolution of the codes.
fn median(coding: Option<&Coding>, counts: &CodeCounts) -> Option<f64> {
    let Some(Coding::Numeric(coding)) = coding else { return None };
    let edges = coding.inner_edges();
    let code = median_code(counts)?;
    edges.get(code.saturating_sub(1).min(edges.len().saturating_sub(1))).copied()
}
