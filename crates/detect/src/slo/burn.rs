//! Whether a pair of windows burns an error budget too fast.

use wardline_domain::{BurnRule, Severity, Span, Timestamp};
use wardline_stats::sequential::{BernoulliE, Direction};

use crate::tails::poisson_at_least;

/// A page must be this sure: the e-value of the long window against the objective itself. A month has 720 hours that
/// do not overlap and 120 times six, so even a model that fails exactly as often as it may pages falsely less than
/// once a month.
const LEAST_EVIDENCE_PAGE: f64 = 1_000.0;
/// A ticket needs no more than this chance of as many at the objective: a service that uses up its budget exactly is
/// worth one anyway.
const MOST_CHANCE_TICKET: f64 = 2e-2;
/// Fewer bad events than this are no trend.
const LEAST_BAD: u64 = 5;

/// A rule that fires.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Burn {
    /// Which one.
    pub(crate) rule: usize,
    /// How many times too fast the long window burns.
    pub(crate) rate: f64,
    /// Events and bad events of the long window.
    pub(crate) long: (u64, u64),
    /// Chance of as much at the objective.
    pub(crate) chance: f64,
}

/// What a judgement rests on.
pub(crate) struct Traffic<'a> {
    /// Share of events that may be bad.
    pub(crate) budget: f64,
    /// Events a second as usual, so that a short history or a quiet night does not make a window look full.
    pub(crate) mean_rate: f64,
    /// Events and bad events of the last stretch.
    pub(crate) within: &'a dyn Fn(Span) -> (u64, u64),
}

/// How many times too fast a stretch burns: none of nothing, never NaN.
pub(crate) fn burn_rate((events, bad): (u64, u64), budget: f64) -> f64 {
    if events == 0 || budget <= 0.0 { 0.0 } else { bad as f64 / (events as f64 * budget) }
}

/// Whether a rule fires: both windows burn as fast, and it is no chance.
pub(crate) fn judge(index: usize, rule: &BurnRule, traffic: &Traffic<'_>) -> Option<Burn> {
    let budget = traffic.budget;
    let (burn, _) = rule.reachable(budget);
    let short = (traffic.within)(rule.short);
    if short.0 == 0 || burn_rate(short, budget) < burn {
        return None;
    }
    let long = (traffic.within)(rule.long);
    let seconds = rule.long as f64 / Timestamp::SECOND as f64;
    let events = (long.0 as f64).max(traffic.mean_rate * seconds);
    let rate = long.1 as f64 / (events * budget);
    if rate < burn || long.1 < LEAST_BAD {
        return None;
    }
    let chance = if rule.severity == Severity::Page {
        let log_evidence = log_evidence(long.1, events as u64, budget);
        (log_evidence >= LEAST_EVIDENCE_PAGE.ln()).then(|| (-log_evidence).exp())?
    } else {
        Some(poisson_at_least(long.1, events * budget)).filter(|chance| *chance <= MOST_CHANCE_TICKET)?
    };
    Some(Burn { rule: index, rate, long, chance })
}

/// Logarithm of the e-value that more than the budget is bad.
pub(crate) fn log_evidence(bad: u64, events: u64, budget: f64) -> f64 {
    BernoulliE::new(budget, Direction::Increase).map_or(0.0, |mut evidence| {
        evidence.observe_counts(bad, events.saturating_sub(bad));
        evidence.log_e()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(n: u64, bad: u64, budget: f64) -> bool {
        let traffic = Traffic { budget, mean_rate: n as f64 / 3_600.0, within: &|_| (n, bad) };
        judge(0, &BurnRule::usual()[0], &traffic).is_some()
    }

    /// Goal: 2 % of a month's budget in one hour pages, and just under it does not.
    /// Method: 100 events a second at 99.99 %, where 518.4 bad ones are the limit.
    #[test]
    fn alerts_at_the_limit() {
        assert!(page(360_000, 519, 1e-4));
        assert!(!page(360_000, 518, 1e-4));
    }

    /// Goal: a thousand times the rate that is allowed is no page where it is one event.
    #[test]
    fn stays_quiet_on_single_events() {
        assert!(!page(10, 1, 1e-4));
        assert!(!page(360, 4, 1e-4));
        assert!(page(360, 5, 1e-4));
    }

    /// Goal: at 90 % a burn of 14.4 would need 144 % of failures; half of them page.
    #[test]
    fn alerts_on_a_loose_target() {
        assert!(page(1_000, 500, 0.1));
        assert!(!page(1_000, 490, 0.1));
    }

    #[test]
    fn nothing_burns_nothing() {
        assert_eq!(burn_rate((0, 0), 0.01), 0.0);
        assert!(!page(0, 0, 1e-4));
    }
}
