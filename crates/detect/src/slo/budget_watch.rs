//! One objective under watch: its counts, and which of its rules was told when.

use serde::{Deserialize, Serialize};
use wardline_domain::{Finding, FindingKind, Severity, Slo, Span, Timestamp};

use super::{
    burn::{Burn, Traffic, judge},
    ledger::Ledger,
};
use crate::{
    rate::RateHistory,
    repeats::Repeats,
    wording::{clock_time, milliseconds, number, percent, span},
};

/// Counts and alarms of one objective.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct BudgetWatch {
    pub(crate) ledger: Ledger,
    history: RateHistory,
    alarms: Vec<Option<Repeats>>,
}

/// What is asked of a judgement besides the counts.
pub(crate) struct Asked {
    pub(crate) now: Timestamp,
    /// Events a second as usual; those of the ledger where nothing better is known.
    pub(crate) mean_rate: Option<f64>,
    /// Share of bad events that is normal, from which on a rise began.
    pub(crate) normal: f64,
}

impl BudgetWatch {
    /// Counts events of now.
    pub(crate) fn count(&mut self, now: Timestamp, events: u32, bad: u32) {
        self.ledger.add(now, events, bad);
        self.history.push(now.micros(), events, bad);
    }

    /// The most urgent rule that fires, where it is due to be told.
    pub(crate) fn judge(&mut self, slo: &Slo, asked: &Asked) -> Option<Burn> {
        let now = asked.now;
        let rules = slo.burn_rules();
        self.alarms.resize(rules.len(), None);
        let mean_rate = asked.mean_rate.or_else(|| self.ledger.mean_rate(now, slo.window()))?;
        let within = |span: Span| self.ledger.within(now, span);
        let traffic = Traffic { budget: slo.budget(), mean_rate, within: &within };
        let mut burns: Vec<Burn> =
            rules.iter().enumerate().filter_map(|(index, rule)| judge(index, rule, &traffic)).collect();
        burns.sort_by_key(|burn| (std::cmp::Reverse(rules[burn.rule].severity), rules[burn.rule].long));
        let mut told = None;
        for (place, burn) in burns.into_iter().enumerate() {
            let is_due = self.is_due(burn.rule, rules[burn.rule].short, asked);
            // A slow window has nothing to add while a faster one burns.
            if place == 0 && is_due {
                told = Some(burn);
            }
        }
        told
    }

    fn is_due(&mut self, rule: usize, short: Span, asked: &Asked) -> bool {
        let now = asked.now;
        let Some(alarm) = self.alarms.get_mut(rule) else { return false };
        if let Some(going) = alarm.as_mut().filter(|going| going.quiet_for(now) <= short) {
            return going.again(now);
        }
        let rise = self.history.rise(asked.normal);
        let moment = Timestamp::from_micros;
        let onset = rise.map_or(now, |rise| moment(rise.onset));
        let interval = rise.map_or((now, now), |rise| (moment(rise.interval.0), moment(rise.interval.1)));
        *alarm = Some(Repeats::begin(now, onset, interval));
        true
    }

    /// Fills a drafted finding with what burns; `whose` is the model or service, as it is named in the title.
    pub(crate) fn fill(&self, finding: &mut Finding, slo: &Slo, burn: &Burn, most: Severity, whose: &str) {
        let now = finding.time;
        let rules = slo.burn_rules();
        let rule = &rules[burn.rule];
        if let Some(alarm) = self.alarms.get(burn.rule).copied().flatten() {
            (finding.onset, finding.onset_interval) = (alarm.onset, alarm.onset_interval);
        }
        let (n, bad) = burn.long;
        finding.kind = FindingKind::SloBurn;
        finding.observed = bad as f64 / n.max(1) as f64;
        (finding.expected, finding.unit) = (slo.budget(), "share".to_owned());
        (finding.n_observed, finding.n_expected) = (n, n);
        (finding.effect, finding.effect_name) = (burn.rate, "burn_rate".to_owned());
        finding.p_value = Some(burn.chance);
        finding.severity = rule.severity.min(most);
        finding.title = self.title(finding, slo, burn, whose, now);
    }

    fn title(&self, finding: &Finding, slo: &Slo, burn: &Burn, whose: &str, now: Timestamp) -> String {
        let rules = slo.burn_rules();
        let rule = &rules[burn.rule];
        let (what, kind) = match slo.indicator {
            wardline_domain::Indicator::Success => ("failed".to_owned(), "error budget"),
            wardline_domain::Indicator::Latency { within_ms } => {
                (format!("took longer than {}", milliseconds(within_ms)), "latency budget")
            }
        };
        let is_implied = slo.name == Slo::SUCCESS || slo.name == Slo::LATENCY;
        let named = if is_implied { String::new() } else { format!(" `{}`", slo.name) };
        let forecast = self.forecast(slo, now);
        let spent = burn.long.1 as f64 / (forecast * slo.budget()).max(f64::MIN_POSITIVE);
        let used = self.ledger.within(now, slo.window()).1 as f64 / (forecast * slo.budget()).max(f64::MIN_POSITIVE);
        let (limit, is_lowered) = rule.reachable(slo.budget());
        let lowered = if is_lowered {
            format!(", lowered from {} which this target cannot reach", number(rule.burn))
        } else {
            String::new()
        };
        format!(
            "{kind}{named} of {whose} burns {} times too fast since {}: {} of {} predictions {what} in the last {} ({}, allowed {}), {} of the {}-day budget, of which {} is left; the windows of {} and {} fired at {} times{lowered}",
            number(burn.rate),
            clock_time(finding.onset, now),
            burn.long.1,
            burn.long.0,
            span(rule.long),
            percent(finding.observed),
            percent(slo.budget()),
            percent(spent.min(9.99)),
            slo.window_days,
            percent((1.0 - used).max(0.0)),
            span(rule.long),
            span(rule.short),
            number(limit),
        )
    }

    /// Events that the budget's window will have held when it is full.
    fn forecast(&self, slo: &Slo, now: Timestamp) -> f64 {
        let seconds = slo.window() as f64 / Timestamp::SECOND as f64;
        let mean = self.ledger.mean_rate(now, slo.window()).unwrap_or(0.0);
        (mean * seconds).max(self.ledger.within(now, slo.window()).0 as f64)
    }
}

#[cfg(test)]
mod tests;
