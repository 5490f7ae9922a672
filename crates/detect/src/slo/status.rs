//! How an objective stands: how much of its budget is left, and which windows burn.

use serde::{Deserialize, Serialize};
use wardline_domain::{Severity, Slo, Span, Timestamp};

use super::{
    burn::{Traffic, burn_rate, judge},
    ledger::LEAST_SECONDS,
};

/// How an objective stands at a moment. No number in it is ever NaN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SloStatus {
    /// The objective.
    pub slo: Slo,
    /// Events of the budget's window.
    pub events: u64,
    /// How many of them were bad.
    pub bad: u64,
    /// Share of good events; 1 where there were none.
    pub good_share: f64,
    /// Bad events over those that the requests so far allow: 1 is a budget that is used up.
    pub used_so_far: f64,
    /// Events that the window will have held when it is full, at the mean rate so far.
    pub forecast_events: u64,
    /// Bad events over those that the forecast allows.
    pub used_of_forecast: f64,
    /// Bad events that the forecast still allows; below zero where the budget is overdrawn.
    pub bad_events_left: f64,
    /// Each pair of windows.
    pub windows: Vec<WindowStatus>,
}

/// How a pair of windows stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowStatus {
    /// The long window, in microseconds.
    pub long: Span,
    /// The short one.
    pub short: Span,
    /// How many times too fast each burns.
    pub long_burn: f64,
    /// See `long_burn`.
    pub short_burn: f64,
    /// At how much both together fire.
    pub limit: f64,
    /// Whether that is less than the rule asks for, because the target cannot burn as fast.
    pub is_lowered: bool,
    /// What it asks of a person.
    pub severity: Severity,
    /// Whether it fires.
    pub fires: bool,
}

impl SloStatus {
    /// How an objective stands by its counts: `within` tells events and bad events of the last stretch, `since` when
    /// the first event of the window was.
    pub fn new(slo: &Slo, since: Option<Timestamp>, now: Timestamp, within: &dyn Fn(Span) -> (u64, u64)) -> Self {
        let budget = slo.budget();
        let (events, bad) = within(slo.window());
        let seconds = |span: Span| span as f64 / Timestamp::SECOND as f64;
        let seen = since.map_or(0, |since| now.since(since)).clamp(0, slo.window());
        let mean_rate = events as f64 / seconds(seen).max(LEAST_SECONDS);
        let forecast = (mean_rate * seconds(slo.window())).max(events as f64);
        let traffic = Traffic { budget, mean_rate, within };
        let rules = slo.burn_rules();
        let windows = rules.iter().enumerate().map(|(index, rule)| {
            let (limit, is_lowered) = rule.reachable(budget);
            WindowStatus {
                long: rule.long,
                short: rule.short,
                long_burn: burn_rate(within(rule.long), budget),
                short_burn: burn_rate(within(rule.short), budget),
                limit,
                is_lowered,
                severity: rule.severity,
                fires: judge(index, rule, &traffic).is_some(),
            }
        });
        Self {
            events,
            bad,
            good_share: if events == 0 { 1.0 } else { (events - bad.min(events)) as f64 / events as f64 },
            used_so_far: burn_rate((events, bad), budget),
            forecast_events: forecast as u64,
            used_of_forecast: if forecast > 0.0 { bad as f64 / (forecast * budget) } else { 0.0 },
            bad_events_left: forecast * budget - bad as f64,
            windows: windows.collect(),
            slo: slo.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use wardline_domain::{BurnRule, Indicator};

    use super::*;

    fn slo(target: f64) -> Slo {
        Slo {
            name: "success".into(),
            service: "fraud".into(),
            description: String::new(),
            models: vec!["fraud".into()],
            indicator: Indicator::Success,
            target,
            window_days: 30,
            rules: Vec::new(),
            metric: None,
        }
    }

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-02T00:00:00Z").unwrap()
    }

    #[test]
    fn an_idle_model_has_its_whole_budget_and_no_nan() {
        let status = SloStatus::new(&slo(0.9999), None, now(), &|_| (0, 0));
        assert_eq!((status.good_share, status.used_so_far, status.used_of_forecast), (1.0, 0.0, 0.0));
        assert!(status.windows.iter().all(|window| window.long_burn == 0.0 && !window.fires));
    }

    /// Goal: bad over total, however the traffic is spread. Method: a million by day without a failure, ten thousand by
    /// night with a tenth failing: 0.099 % of all, where the mean of five-minute shares would say 5 %.
    #[test]
    fn events_weigh_the_same_by_day_and_by_night() {
        let status =
            SloStatus::new(&slo(0.999), Some(now().plus(-30 * Timestamp::DAY)), now(), &|_| (1_010_000, 1_000));
        assert!((status.used_so_far - 1_000.0 / 1_010.0).abs() < 1e-9, "{status:?}");
    }

    #[test]
    fn on_the_first_day_the_forecast_and_the_requests_so_far_differ() {
        let status = SloStatus::new(&slo(0.999), Some(now().plus(-Timestamp::DAY)), now(), &|_| (100_000, 50));
        assert!((status.used_so_far - 0.5).abs() < 1e-9);
        assert!((status.used_of_forecast - 0.5 / 30.0).abs() < 1e-9);
        assert_eq!(status.forecast_events, 3_000_000);
    }

    /// Goal: a target below 93.06 % can page, and it is said that the limit was lowered.
    #[test]
    fn a_loose_target_says_that_its_limit_was_lowered() {
        let status = SloStatus::new(&slo(0.9), Some(now().plus(-30 * Timestamp::DAY)), now(), &|span| {
            let n = (span / Timestamp::SECOND) as u64;
            (n, n * 6 / 10)
        });
        assert!(status.windows[0].is_lowered && status.windows[0].fires, "{status:?}");
        assert!((status.windows[0].limit - BurnRule::MOST_SHARE / 0.1).abs() < 1e-9);
        assert!(!status.windows[3].is_lowered);
    }
}
