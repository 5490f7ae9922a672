//! An objective's error budget burns too fast.
//!
//! - **Method:** multi-window, multi-burn-rate. With `budget = 1 - objective`, the burn rate of a window is
//!   `bad / (N budget)`. A rule fires when the long and the short window both exceed its burn rate, with
//!   exact counts of events. For the long window `N` is at least the model's mean traffic over that
//!   length, so that a burn rate of 14.4 over an hour always means 2 % of the 30-day budget, also when the
//!   history is shorter or the night is quiet.
//! - **Fields:** `status` for success; `latency_ms` for the latency objective.
//! - **False alarms:** at least five bad events, and for pages no more than one chance in a
//!   thousand, for tickets one in fifty, of as many at exactly the objective (Poisson).
//! - **Severity:** the fast rules page, the slow ones make a ticket; without an operator's objective a
//!   default of 99 % makes tickets only.
//! - **Blind spots:** failures within budget; the canary's failures diluted by the stable version (that
//!   is `version_errors`).
//! - **ATLAS:** none: a symptom of operations.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wardline_domain::{Finding, FindingKind, Objectives, Severity, Span, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, saved_whole};
use crate::{
    draft::{draft, sealed},
    evidence,
    groups::WHOLE,
    model_state::ModelState,
    rate::RateHistory,
    repeats::Repeats,
    second::Fact,
    tails::poisson_at_least,
    wording::{clock_time, milliseconds, model_and_version, number, percent, span},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "burn_rate",
    budget_share: 0.1,
    method: "multi-window burn rates of the success and the latency objective",
    atlas: &[],
    build: |_: &DetectorBudget| Box::new(BurnRate::default()),
};

/// Success that is expected of a model whose operator set no objective.
const DEFAULT_SUCCESS: f64 = 0.99;
/// Chance of as many bad events at exactly the objective: for pages, and for tickets, where a service
/// that uses up its budget exactly is worth a ticket anyway.
const MOST_CHANCE_PAGE: f64 = 1e-3;
const MOST_CHANCE_TICKET: f64 = 2e-2;
/// Fewer bad events than this are no trend.
const LEAST_BAD: u64 = 5;
/// A burn rate above this share of bad events cannot be required: it would never be reached.
const MOST_SHARE: f64 = 0.5;

struct Rule {
    long: Span,
    short: Span,
    burn: f64,
    severity: Severity,
}

const RULES: [Rule; 4] = [
    Rule { long: Timestamp::HOUR, short: 5 * Timestamp::MINUTE, burn: 14.4, severity: Severity::Page },
    Rule { long: 6 * Timestamp::HOUR, short: 30 * Timestamp::MINUTE, burn: 6.0, severity: Severity::Page },
    Rule { long: Timestamp::DAY, short: 2 * Timestamp::HOUR, burn: 3.0, severity: Severity::Ticket },
    Rule { long: 3 * Timestamp::DAY, short: 6 * Timestamp::HOUR, burn: 1.0, severity: Severity::Ticket },
];

#[derive(Default, Serialize, Deserialize)]
struct BurnRate {
    success: Budget,
    latency: Budget,
}

/// One objective's events.
#[derive(Default, Serialize, Deserialize)]
struct Budget {
    /// By minute: events and bad ones, the last three days.
    minutes: VecDeque<(i64, u32, u32)>,
    history: RateHistory,
    alarms: [Option<Repeats>; RULES.len()],
}

/// What a rule found.
struct Burn {
    rule: usize,
    rate: f64,
    long: (u64, u64),
    /// Share of the whole budget that went in the long window.
    spent: f64,
    chance: f64,
}

impl Detector for BurnRate {
    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        let objectives = state.settings.objectives.unwrap_or_default();
        let success = objectives.success.unwrap_or(DEFAULT_SUCCESS);
        let is_set = state.settings.objectives.is_some();
        if let Some(burn) = self.success.observe(state, Fact::Failed, 1.0 - success) {
            let most = if is_set && objectives.success.is_some() { Severity::Page } else { Severity::Ticket };
            findings.push(self.success.finding(state, Fact::Failed, &objectives, 1.0 - success, &burn, most));
        }
        if objectives.latency_p99_ms.is_some()
            && let Some(burn) = self.latency.observe(state, Fact::OverObjective, objectives.latency_budget)
        {
            findings.push(self.latency.finding(
                state,
                Fact::OverObjective,
                &objectives,
                objectives.latency_budget,
                &burn,
                Severity::Page,
            ));
        }
    }

    saved_whole!();
}

impl Budget {
    fn observe(&mut self, state: &ModelState, fact: Fact, budget: f64) -> Option<Burn> {
        let now = state.second.start;
        let (events, bad) = state.second.whole.share(fact);
        let minute = now.floor(Timestamp::MINUTE).micros();
        match self.minutes.back_mut() {
            Some((open, n, k)) if *open == minute => (*n, *k) = (*n + events, *k + bad),
            _ => self.minutes.push_back((minute, events, bad)),
        }
        while self.minutes.front().is_some_and(|&(start, ..)| minute - start > RULES[3].long) {
            self.minutes.pop_front();
        }
        self.history.push(now.micros(), events, bad);
        if bad == 0 || budget <= 0.0 {
            return None;
        }
        let burns: Vec<Burn> = (0..RULES.len()).filter_map(|rule| self.judge(state, now, budget, rule)).collect();
        // It began where failures became more frequent than was learned, if that is below the objective.
        let normal = state
            .rate(WHOLE, Fact::Failed)
            .filter(|_| fact == Fact::Failed)
            .map_or(budget, |rate| rate.upper.min(budget));
        self.due(burns, now, normal)
    }

    /// The most urgent rule that fires and is due to be told.
    fn due(&mut self, burns: Vec<Burn>, now: Timestamp, normal: f64) -> Option<Burn> {
        let mut told = None;
        for burn in burns {
            let short = RULES[burn.rule].short;
            let alarm = &mut self.alarms[burn.rule];
            let is_new = alarm.is_none_or(|alarm| alarm.quiet_for(now) > short);
            let is_due = if is_new {
                let rise = self.history.rise(normal);
                let onset = rise.map_or(now, |rise| Timestamp::from_micros(rise.onset));
                let interval = rise.map_or((now, now), |rise| {
                    (Timestamp::from_micros(rise.interval.0), Timestamp::from_micros(rise.interval.1))
                });
                *alarm = Some(Repeats::begin(now, onset, interval));
                true
            } else {
                alarm.as_mut().is_some_and(|alarm| alarm.again(now))
            };
            if is_due && told.is_none() {
                told = Some(burn);
            }
        }
        told
    }

    fn judge(&self, state: &ModelState, now: Timestamp, budget: f64, rule: usize) -> Option<Burn> {
        let Rule { long, short, burn, severity } = RULES[rule];
        let most_chance = if severity == Severity::Page { MOST_CHANCE_PAGE } else { MOST_CHANCE_TICKET };
        let burn = burn.min(MOST_SHARE / budget);
        let (n_short, bad_short) = self.within(now, short);
        if n_short == 0 || (bad_short as f64) < burn * budget * n_short as f64 {
            return None;
        }
        let (n_long, bad_long) = self.within(now, long);
        let seconds = |span: Span| span as f64 / Timestamp::SECOND as f64;
        let mean_rate = match (&state.learned, state.started) {
            (Some(learned), _) => learned.traffic.mean,
            (None, Some(started)) => state.events as f64 / seconds(now.since(started)).max(600.0),
            _ => return None,
        };
        let n = (n_long as f64).max(mean_rate * seconds(long));
        let rate = bad_long as f64 / (n * budget);
        let chance = poisson_at_least(bad_long, n * budget);
        let window = state.settings.objectives.map_or(30, |objectives| objectives.window_days.max(1));
        let spent = bad_long as f64 / (mean_rate * 86_400.0 * f64::from(window) * budget);
        (rate >= burn && bad_long >= LEAST_BAD && chance <= most_chance).then_some(Burn {
            rule,
            rate,
            long: (n_long, bad_long),
            spent,
            chance,
        })
    }

    fn within(&self, now: Timestamp, span: Span) -> (u64, u64) {
        let from = now.plus(-span).micros();
        self.minutes
            .iter()
            .rev()
            .take_while(|&&(start, ..)| start + Timestamp::MINUTE > from)
            .fold((0, 0), |(n, k), &(_, events, bad)| (n + u64::from(events), k + u64::from(bad)))
    }

    fn finding(
        &self,
        state: &ModelState,
        fact: Fact,
        objectives: &Objectives,
        budget: f64,
        burn: &Burn,
        most: Severity,
    ) -> Finding {
        let now = state.second.start;
        let rule = &RULES[burn.rule];
        let measure = if fact == Fact::Failed { "status" } else { "latency_ms" };
        let mut finding = draft(state, SPEC.name, FindingKind::SloBurn, measure, now);
        finding.version = state.sole_version();
        if let Some(alarm) = self.alarms[burn.rule] {
            (finding.onset, finding.onset_interval) = (alarm.onset, alarm.onset_interval);
        }
        let (n, bad) = burn.long;
        finding.observed = bad as f64 / n.max(1) as f64;
        (finding.expected, finding.unit) = (budget, "share".to_owned());
        (finding.n_observed, finding.n_expected) = (n, n);
        (finding.effect, finding.effect_name) = (burn.rate, "burn_rate".to_owned());
        finding.p_value = Some(burn.chance);
        finding.severity = rule.severity.min(most);
        let what = match (fact, objectives.latency_p99_ms) {
            (Fact::OverObjective, Some(limit)) => format!("took longer than {}", milliseconds(limit)),
            _ => "failed".to_owned(),
        };
        let objective = if fact == Fact::Failed { "error budget" } else { "latency budget" };
        finding.title = format!(
            "{objective} of {} burns {} times too fast since {}: {bad} of {n} predictions {what} in the last {} ({}, allowed {}), {} of the {}-day budget",
            model_and_version(&state.name, finding.version.as_deref()),
            number(burn.rate),
            clock_time(finding.onset, now),
            span(rule.long),
            percent(finding.observed),
            percent(budget),
            percent(burn.spent),
            objectives.window_days,
        );
        finding.evidence = if fact == Fact::Failed { evidence::errors(&finding) } else { evidence::latency(&finding) };
        sealed(finding)
    }
}

#[cfg(test)]
mod tests;
