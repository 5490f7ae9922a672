//! An objective's error budget burns too fast.
//!
//! - **Method:** multi-window, multi-burn-rate. With `budget = 1 - objective`, the burn rate of a window is
//!   `bad / (N budget)`. A rule fires when the long and the short window both exceed its burn rate, with
//!   exact counts of events at the times at which they happened. For the long window `N` is at least the model's mean
//!   traffic over that length, so that a burn rate of 14.4 over an hour always means 2 % of the 30-day budget, also when
//!   the history is shorter or the night is quiet. Each objective of a model is watched by itself, and those of services
//!   over all their models. A burn rate that would need more than half of all events to be bad is lowered to that, and
//!   the finding says so.
//! - **Fields:** `status` for success; `latency_ms` for latency objectives.
//! - **False alarms:** at least five bad events. A page needs an e-value of 1,000 against the objective itself in the
//!   long window: a month has 840 windows of an hour and of six, so that a model that fails exactly as often as it may
//!   pages falsely less than once a month, however little traffic it has. A ticket needs no more than one chance in
//!   fifty of as many (Poisson).
//! - **Severity:** the fast rules page, the slow ones make a ticket and are silent while a faster one fires; without an
//!   operator's objective a default of 99 % makes tickets only.
//! - **Blind spots:** failures within budget; the canary's failures diluted by the stable version (that
//!   is `version_errors`).
//! - **ATLAS:** none: a symptom of operations.

use std::collections::BTreeMap;

use arrow::array::Array as _;
use serde::{Deserialize, Serialize};
use wardline_domain::{Finding, FindingKind, Indicator, RecordKind, Severity, Slo, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, EventRows};
use crate::{
    draft::{draft, sealed, sealed_as},
    evidence,
    groups::WHOLE,
    model_state::ModelState,
    second::Fact,
    slo::{Asked, BudgetWatch, Burn, SloCount, is_bad},
    wording::model_and_version,
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "burn_rate",
    budget_share: 0.1,
    method: "multi-window burn rates of every objective",
    atlas: &[],
    build: |_: &DetectorBudget| Box::new(BurnRate::default()),
};

/// Success that is expected of a model whose operator set no objective.
const DEFAULT_SUCCESS: f64 = 0.99;
/// Events that happened so long before the second that is open count in their own minute.
const LATE: i64 = Timestamp::MINUTE;

#[derive(Default)]
struct BurnRate {
    budgets: BTreeMap<String, BudgetWatch>,
    /// What the second that is open holds besides its own counts.
    open: Open,
    /// Made from the settings when they are first needed.
    watched: Option<Vec<Watched>>,
}

/// What the rows of the second that is open said.
#[derive(Default, Serialize, Deserialize)]
struct Open {
    /// Late events: minute, failed, latency.
    late: Vec<(Timestamp, bool, Option<f64>)>,
    /// By objective that the second does not count itself: events and bad ones.
    counted: BTreeMap<String, (u32, u32)>,
}

/// An objective, and how its events are counted.
struct Watched {
    slo: Slo,
    /// What every second counts anyway; none for objectives whose rows are looked at.
    fact: Option<Fact>,
    most: Severity,
}

/// A late event that has no place among more than so many is counted when it comes.
const MOST_LATE: usize = 100_000;

impl Detector for BurnRate {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, _findings: &mut Vec<Finding>) {
        let Ok(times) = rows.batch.times() else { return };
        if rows.batch.kind != RecordKind::Inference {
            return;
        }
        let watched = self.watched.get_or_insert_with(|| watched(state));
        let by_row: Vec<&Slo> = watched.iter().filter(|one| one.fact.is_none()).map(|one| &one.slo).collect();
        let earliest = state.second.start.plus(-LATE).micros();
        let has_late = times.values()[rows.range.clone()].iter().any(|&time| time < earliest);
        if by_row.is_empty() && !has_late {
            return;
        }
        let latency = rows.batch.number("latency_ms");
        let status = rows.batch.text("status");
        for row in rows.range.clone() {
            let failed = status.as_ref().is_some_and(|status| status.get(row) == Some("error"));
            let latency_ms = latency.filter(|array| array.is_valid(row)).map(|array| array.value(row));
            let time = times.value(row);
            if time < earliest && self.open.late.len() < MOST_LATE {
                let minute = Timestamp::from_micros(time).floor(Timestamp::MINUTE);
                self.open.late.push((minute, failed, latency_ms));
                continue;
            }
            for slo in &by_row {
                let Some(is_bad) = is_bad(slo.indicator, failed, latency_ms) else { continue };
                let (events, bad) = self.open.counted.entry(slo.name.clone()).or_default();
                (*events, *bad) = (*events + 1, *bad + u32::from(is_bad));
            }
        }
    }

    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        let open = std::mem::take(&mut self.open);
        let watched = self.watched.get_or_insert_with(|| watched(state));
        for one in watched.iter() {
            let budget = self.budgets.entry(one.slo.name.clone()).or_default();
            if let Some(burn) = observe(budget, one, state, &open) {
                findings.push(finding(budget, one, state, &burn));
            }
        }
    }

    fn slo_counts(&self, state: &ModelState) -> Vec<SloCount> {
        let set = Slo::of_model(&state.name, &state.settings);
        let count = |slo: Slo| {
            let (events, bad) = self.budgets.get(&slo.name).map_or((0, 0), |budget| budget.ledger.total());
            SloCount { service: slo.service, slo: slo.name, events, bad }
        };
        set.into_iter().map(count).collect()
    }

    fn save(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_stdvec(&(&self.budgets, &self.open))
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), postcard::Error> {
        (self.budgets, self.open) = postcard::from_bytes(bytes)?;
        Ok(())
    }
}

/// The objectives of a model; a default for success where none is set.
fn watched(state: &ModelState) -> Vec<Watched> {
    let mut slos = Slo::of_model(&state.name, &state.settings);
    let mut most = vec![Severity::Page; slos.len()];
    if !slos.iter().any(|slo| slo.indicator == Indicator::Success) {
        slos.push(Slo {
            name: Slo::SUCCESS.to_owned(),
            service: state.name.clone(),
            description: String::new(),
            models: vec![state.name.clone()],
            indicator: Indicator::Success,
            target: DEFAULT_SUCCESS,
            window_days: state.settings.objectives.unwrap_or_default().window_days,
            rules: Vec::new(),
            metric: None,
        });
        most.push(Severity::Ticket);
    }
    let counted_limit = state.settings.objectives.and_then(|objectives| objectives.latency_p99_ms);
    slos.into_iter()
        .zip(most)
        .map(|(slo, most)| {
            let fact = match slo.indicator {
                Indicator::Success => Some(Fact::Failed),
                Indicator::Latency { within_ms } if Some(within_ms) == counted_limit => Some(Fact::OverObjective),
                Indicator::Latency { .. } => None,
            };
            Watched { slo, fact, most }
        })
        .collect()
}

/// Counts the second's events, each at its own time, and judges.
fn observe(budget: &mut BudgetWatch, one: &Watched, state: &ModelState, open: &Open) -> Option<Burn> {
    let now = state.second.start;
    let slo = &one.slo;
    let mut late = (0, 0);
    for &(minute, failed, latency_ms) in &open.late {
        if let Some(is_bad) = is_bad(slo.indicator, failed, latency_ms) {
            budget.ledger.add(minute, 1, u32::from(is_bad));
            late = (late.0 + 1, late.1 + u32::from(is_bad));
        }
    }
    let (events, bad) = match one.fact {
        Some(fact) => {
            let (events, bad) = state.second.whole.share(fact);
            (events.saturating_sub(late.0), bad.saturating_sub(late.1))
        }
        None => open.counted.get(&slo.name).copied().unwrap_or_default(),
    };
    budget.count(now, events, bad);
    budget.ledger.forget(now, slo.window());
    if bad == 0 {
        return None;
    }
    // It began where failures became more frequent than was learned, if that is below the objective.
    let normal = state
        .rate(WHOLE, Fact::Failed)
        .filter(|_| slo.indicator == Indicator::Success)
        .map_or(slo.budget(), |rate| rate.upper.min(slo.budget()));
    let mean_rate = state.learned.as_ref().map(|learned| learned.traffic.mean);
    budget.judge(slo, &Asked { now, mean_rate, normal })
}

fn finding(budget: &BudgetWatch, one: &Watched, state: &ModelState, burn: &Burn) -> Finding {
    let slo = &one.slo;
    let is_success = slo.indicator == Indicator::Success;
    let measure = if is_success { "status" } else { "latency_ms" };
    let mut finding = draft(state, SPEC.name, FindingKind::SloBurn, measure, state.second.start);
    finding.version = state.sole_version();
    let whose = model_and_version(&state.name, finding.version.as_deref());
    budget.fill(&mut finding, slo, burn, one.most, &whose);
    finding.evidence = if is_success { evidence::errors(&finding) } else { evidence::latency(&finding) };
    let is_named = slo.name != Slo::SUCCESS && slo.name != Slo::LATENCY;
    if is_named { sealed_as(finding, &format!("{measure} {}", slo.name)) } else { sealed(finding) }
}

#[cfg(test)]
mod tests;
