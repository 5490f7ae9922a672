//! Much more, much less, or no traffic at all.
//!
//! - **Method:** counts in windows of about 60 events against the learned rate for that hour of the week,
//!   as negative binomial with the learned stray ([`crate::traffic_baseline`]). A surge is judged while
//!   its window is open, a drop when it closes. Silence: no event for ten times the longest learned gap
//!   and for as long as fifty events should have taken.
//! - **Fields:** `time` alone.
//! - **False alarms:** each window's chance is the weekly budget times its length in weeks.
//! - **Least effect:** 1.5 times as many or as few is on record (`info`); a ticket from 3 times. Silence of
//!   a model that was steadily busy pages.
//! - **Blind spots:** hours that the learning has not seen are judged leniently; a share of users that
//!   stays away.
//! - **ATLAS:** AML.T0029 (denial of AI service) and AML.T0034.000 (excessive queries) for surges.

use serde::{Deserialize, Serialize};
use wardline_domain::{Finding, FindingKind, Severity, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, saved_whole};
use crate::{
    draft::{draft, sealed},
    evidence,
    model_state::{ModelState, Phase},
    repeats::Repeats,
    tails::{overdispersed_at_least, overdispersed_at_most},
    traffic_baseline::TrafficBaseline,
    wording::{clock_time, number, span},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "traffic",
    budget_share: 0.1,
    method: "negative binomial counts against the hour of the week, and silence",
    atlas: &["AML.T0029", "AML.T0034.000"],
    build: |budget: &DetectorBudget| {
        Box::new(Traffic {
            weekly_budget: budget.weekly,
            window: None,
            events: 0,
            is_whole: false,
            surge: None,
            drop: None,
            is_silent: false,
        })
    },
};

/// Ratio from which a change is on record, and from which it is a ticket.
const NOTABLE: f64 = 1.5;
const LARGE: f64 = 3.0;
/// Silence is as long as so many events should have taken, and so many times the longest learned gap.
const SILENT_EVENTS: f64 = 50.0;
const SILENT_GAPS: i64 = 10;
/// A model is steadily busy when silence of this length is already beyond what it does.
const STEADY_GAP: i64 = 10 * Timestamp::MINUTE;

#[derive(Serialize, Deserialize)]
struct Traffic {
    weekly_budget: f64,
    /// The open window, its events, and whether it was seen from its start.
    window: Option<Timestamp>,
    events: u64,
    is_whole: bool,
    surge: Option<Repeats>,
    drop: Option<Repeats>,
    is_silent: bool,
}

/// A count against what is normal.
struct Count {
    from: Timestamp,
    events: u64,
    expected: f64,
    chance: f64,
    alpha: f64,
}

impl Detector for Traffic {
    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        let Some(learned) = state.learned.as_ref().filter(|_| state.phase == Phase::Watching) else { return };
        self.is_silent = false;
        let now = state.second.start;
        self.move_to(state, &learned.traffic, now, findings);
        self.events += u64::from(state.second.whole.events());
        let Some(from) = self.window else { return };
        let expected = learned.traffic.expected(from, from.plus(learned.traffic.width));
        if (self.events as f64) < NOTABLE * expected || self.events < 20 {
            return;
        }
        let chance = overdispersed_at_least(self.events, expected, learned.traffic.dispersion(from, expected));
        let alpha = self.alpha(&learned.traffic);
        if chance <= alpha {
            let count = Count { from, events: self.events, expected, chance, alpha };
            self.surge = tell(self.surge, now, from, 2 * learned.traffic.width, || {
                findings.push(finding(state, &learned.traffic, &count, now))
            });
        }
    }

    fn on_time(&mut self, state: &ModelState, now: Timestamp, findings: &mut Vec<Finding>) {
        let Some(learned) = state.learned.as_ref().filter(|_| state.phase == Phase::Watching) else { return };
        self.move_to(state, &learned.traffic, now, findings);
        if !self.is_silent && is_silence(state, &learned.traffic, now) {
            self.is_silent = true;
            findings.push(silence(state, &learned.traffic, now));
        }
    }

    saved_whole!();
}

impl Traffic {
    fn alpha(&self, traffic: &TrafficBaseline) -> f64 {
        // Two sides share it.
        0.5 * self.weekly_budget * (traffic.width as f64 / (7 * Timestamp::DAY) as f64).min(1.0)
    }

    /// Opens the window of a moment; judges the one that is left for a drop.
    fn move_to(&mut self, state: &ModelState, traffic: &TrafficBaseline, now: Timestamp, findings: &mut Vec<Finding>) {
        let start = now.floor(traffic.width);
        let Some(from) = self.window else {
            (self.window, self.events, self.is_whole) = (Some(start), 0, false);
            return;
        };
        if start == from {
            return;
        }
        let expected = traffic.expected(from, from.plus(traffic.width));
        if self.is_whole && (self.events as f64) * NOTABLE < expected {
            let chance = overdispersed_at_most(self.events, expected, traffic.dispersion(from, expected));
            let alpha = self.alpha(traffic);
            if chance <= alpha {
                let count = Count { from, events: self.events, expected, chance, alpha };
                self.drop = tell(self.drop, now, from, 2 * traffic.width, || {
                    findings.push(finding(state, traffic, &count, now))
                });
            }
        }
        (self.window, self.events, self.is_whole) = (Some(start), 0, true);
    }
}

/// Tells at the start and now and then; a new start after it was quiet for a while.
fn tell(
    repeats: Option<Repeats>,
    now: Timestamp,
    onset: Timestamp,
    quiet: i64,
    mut push: impl FnMut(),
) -> Option<Repeats> {
    match repeats {
        Some(mut going) if going.quiet_for(now) <= quiet.max(30 * Timestamp::MINUTE) => {
            if going.again(now) {
                push();
            }
            Some(going)
        }
        _ => {
            push();
            Some(Repeats::begin(now, onset, (onset, now)))
        }
    }
}

fn finding(state: &ModelState, traffic: &TrafficBaseline, count: &Count, now: Timestamp) -> Finding {
    let is_surge = count.events as f64 > count.expected;
    let ratio = count.events as f64 / count.expected.max(1e-9);
    let measure = if is_surge { "surge" } else { "drop" };
    let mut finding = draft(state, SPEC.name, FindingKind::Traffic, measure, now);
    finding.onset = count.from;
    finding.onset_interval = (count.from.plus(-traffic.width), now);
    (finding.observed, finding.expected) = (count.events as f64, count.expected);
    finding.unit = format!("events/{}", span(traffic.width));
    (finding.n_observed, finding.n_expected) = (count.events, state.learned_events(0));
    (finding.effect, finding.effect_name) = (ratio, "ratio".to_owned());
    (finding.p_value, finding.p_limit) = (Some(count.chance), Some(count.alpha));
    // The ratio that the count does not exclude at 95 %: a quiet hour has few events and strays much.
    let beyond_chance = traffic.dispersion(count.from, count.expected) * count.expected * count.expected;
    let doubt = 1.645 * (count.expected.max(count.events as f64) + beyond_chance).sqrt();
    let (least, most) = (count.events as f64 - doubt, count.events as f64 + doubt);
    let is_large = least >= LARGE * count.expected || most <= count.expected / LARGE;
    finding.severity = if is_large && traffic.knows(count.from) { Severity::Ticket } else { Severity::Info };
    if is_surge {
        finding.atlas = vec!["AML.T0029".to_owned(), "AML.T0034.000".to_owned()];
    }
    let unseen = if traffic.knows(count.from) { "" } else { "; the baseline has not seen this hour" };
    finding.title = format!(
        "traffic of {} {} to {} events in {} since {} (normal for this hour: {}{unseen})",
        state.name,
        if is_surge { "rose" } else { "fell" },
        count.events,
        span(now.since(count.from).clamp(Timestamp::SECOND, traffic.width)),
        clock_time(count.from, now),
        number(count.expected),
    );
    finding.evidence = evidence::traffic(&finding);
    sealed(finding)
}

fn is_silence(state: &ModelState, traffic: &TrafficBaseline, now: Timestamp) -> bool {
    let Some(last) = state.last_event else { return false };
    let gap = now.since(last);
    gap > SILENT_GAPS * traffic.longest_gap.max(Timestamp::SECOND) && {
        // Hours that the learning has not seen may be quiet ones: the least rate is what counts.
        let expected = if traffic.knows(now) { traffic.expected(last, now) } else { 0.2 * traffic.expected(last, now) };
        expected >= SILENT_EVENTS
    }
}

fn silence(state: &ModelState, traffic: &TrafficBaseline, now: Timestamp) -> Finding {
    let last = state.last_event.unwrap_or(now);
    let expected = traffic.expected(last, now);
    let mut finding = draft(state, SPEC.name, FindingKind::Traffic, "silence", now);
    finding.onset = last;
    finding.onset_interval = (last, last.plus(traffic.longest_gap.max(Timestamp::SECOND)));
    (finding.observed, finding.expected, finding.unit) = (0.0, expected, "events".to_owned());
    finding.n_expected = state.learned_events(0);
    (finding.effect, finding.effect_name) = (0.0, "ratio".to_owned());
    let is_steady = SILENT_GAPS * traffic.longest_gap <= STEADY_GAP && traffic.knows(now);
    finding.severity = if is_steady { Severity::Page } else { Severity::Ticket };
    finding.title = format!(
        "silence: no traffic of {} since {} ({} without an event, {} were expected; the longest gap learned is {})",
        state.name,
        clock_time(last, now),
        span(now.since(last)),
        number(expected),
        span(traffic.longest_gap.max(Timestamp::SECOND)),
    );
    finding.evidence = evidence::traffic(&finding);
    sealed(finding)
}

#[cfg(test)]
mod tests;
