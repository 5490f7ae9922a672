//! Service level objectives: which share of which events must be good, over how long, and when to say so.

use serde::{Deserialize, Serialize};

use crate::{ModelSettings, Severity, Span, Timestamp};

/// One objective of one model, or of several that make up a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slo {
    /// Its name, once in a service.
    pub name: String,
    /// The service that it belongs to; a model's own name where none was given.
    pub service: String,
    /// What it is for, in a sentence; may be empty.
    pub description: String,
    /// The models whose predictions are counted.
    pub models: Vec<String>,
    /// What makes a prediction good.
    pub indicator: Indicator,
    /// Share of predictions that must be good, `0 < target && target < 1`.
    pub target: f64,
    /// Length of the error budget's window, in days.
    pub window_days: u32,
    /// When to say that the budget burns too fast; empty for [`BurnRule::usual`].
    pub rules: Vec<BurnRule>,
    /// What Prometheus counts instead of Wardline, in exported rules.
    pub metric: Option<SloMetric>,
}

/// What makes a prediction good.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Indicator {
    /// It succeeded.
    Success,
    /// It took no longer than this; predictions without a latency are not counted.
    Latency {
        /// The limit, in ms.
        within_ms: f64,
    },
}

/// A pair of windows that must both burn as fast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BurnRule {
    /// The window that says how much of the budget is at stake.
    pub long: Span,
    /// The window that says that it still goes on.
    pub short: Span,
    /// How many times faster than allowed.
    pub burn: f64,
    /// What a person should do about it.
    pub severity: Severity,
}

/// What Prometheus counts: a selector of a counter, or an expression in which `{{.window}}` stands for the window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SloMetric {
    /// Good events.
    pub good: Option<String>,
    /// Bad events.
    pub bad: Option<String>,
    /// All events.
    pub total: Option<String>,
    /// The share of bad events, ready made.
    pub bad_share: Option<String>,
}

impl BurnRule {
    /// A burn rate that needs more than this share of bad events would hardly ever be reached.
    pub const MOST_SHARE: f64 = 0.5;

    /// 2 % of a 30-day budget in an hour and 5 % in six page; 10 % in a day and in three make a ticket.
    pub const fn usual() -> [Self; 4] {
        [
            Self { long: Timestamp::HOUR, short: 5 * Timestamp::MINUTE, burn: 14.4, severity: Severity::Page },
            Self { long: 6 * Timestamp::HOUR, short: 30 * Timestamp::MINUTE, burn: 6.0, severity: Severity::Page },
            Self { long: Timestamp::DAY, short: 2 * Timestamp::HOUR, burn: 3.0, severity: Severity::Ticket },
            Self { long: 3 * Timestamp::DAY, short: 6 * Timestamp::HOUR, burn: 1.0, severity: Severity::Ticket },
        ]
    }

    /// The burn rate that is asked for, no more than what can be reached with a budget, and whether it had to be lowered.
    pub fn reachable(&self, budget: f64) -> (f64, bool) {
        let most = Self::MOST_SHARE / budget;
        if self.burn > most { (most, true) } else { (self.burn, false) }
    }
}

impl Slo {
    /// Names of the objectives that `[objectives]` stands for.
    pub const SUCCESS: &'static str = "success";
    /// See [`Self::SUCCESS`].
    pub const LATENCY: &'static str = "latency";

    /// Share of predictions that may be bad.
    pub fn budget(&self) -> f64 {
        1.0 - self.target
    }

    /// Length of the budget's window.
    pub const fn window(&self) -> Span {
        self.window_days as Span * Timestamp::DAY
    }

    /// The rules that hold.
    pub fn burn_rules(&self) -> Vec<BurnRule> {
        if self.rules.is_empty() { BurnRule::usual().to_vec() } else { self.rules.clone() }
    }

    /// Every objective that is set for a model alone: those that `[objectives]` stands for, then the named ones.
    pub fn of_model(model: &str, settings: &ModelSettings) -> Vec<Self> {
        let mut slos = Vec::new();
        if let Some(objectives) = settings.objectives {
            let implied = |name: &str, indicator, target| Self {
                name: name.to_owned(),
                service: model.to_owned(),
                description: String::new(),
                models: vec![model.to_owned()],
                indicator,
                target,
                window_days: objectives.window_days,
                rules: Vec::new(),
                metric: None,
            };
            slos.extend(objectives.success.map(|target| implied(Self::SUCCESS, Indicator::Success, target)));
            slos.extend(objectives.latency_p99_ms.map(|within_ms| {
                implied(Self::LATENCY, Indicator::Latency { within_ms }, 1.0 - objectives.latency_budget)
            }));
        }
        slos.extend(settings.slos.iter().cloned());
        slos
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Objectives;

    #[test]
    fn a_burn_rate_that_cannot_be_reached_is_lowered() {
        let page = BurnRule::usual()[0];
        assert_eq!(page.reachable(0.001), (14.4, false));
        let (burn, lowered) = page.reachable(0.1);
        assert!(lowered && (burn - 5.0).abs() < 1e-12);
    }

    #[test]
    fn objectives_and_named_ones_stand_side_by_side() {
        let objectives = Objectives { success: Some(0.999), latency_p99_ms: Some(150.0), ..Objectives::default() };
        let settings = ModelSettings { objectives: Some(objectives), ..ModelSettings::default() };
        let slos = Slo::of_model("fraud", &settings);
        assert_eq!(slos.iter().map(|slo| slo.name.as_str()).collect::<Vec<_>>(), ["success", "latency"]);
        assert!((slos[1].target - 0.99).abs() < 1e-12);
    }
}
