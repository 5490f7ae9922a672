//! The budget of false alerts: how many false pages and tickets a month are accepted, over all models and detectors together,
//! and which findings become alerts so that it is kept.
//!
//! **Level.** A finding of detector `d` on a model carries the chance `p` of as much by chance alone. `d` tells nothing above a
//! limit `L_d`, and by its settings tells at most `r_d` false findings in 30 days of a model in which nothing changes. Where its
//! chances hold, false findings as sure as this one come at a rate of `f = r_d * p / L_d`. A finding that does not say its limit
//! has the largest chance that the detector has told of here for it: a lower bound, so `f` is never too small. At a time at which
//! `K` models are watched, the share of the budget `B` is `s = B / K * v_d`, where the weights `v_d` of the detectors add up to
//! one. A finding is admitted where `f <= s`.
//!
//! **Guarantee.** At each moment the shares of all models and detectors add up to `B` a month, however many models there are,
//! so that `E[false alerts in a month] <= B` whatever depends on what: expectations add up. No number of models need be known
//! in advance: shares are allotted anew as models come and go, as alpha is spent over an unending stream of tests. The
//! expectation per family (not the share of false discoveries) is what is controlled, as a person's nights are. A model counts
//! from the day after its first event, while it learns, and for 30 days after its last.
//!
//! **Cap.** Should chances be too small, as they are where a model of the noise is wrong, a second gate holds: alerts that are
//! less than a hundredfold surer than their share asks are counted, and no more than `B` of them are raised in any 30 days (one
//! in `30 / B` days where `B` is below one). That needs no assumption. Those of different models within one minute do not see
//! each other. Surer ones pass always: a fault that is plain is never held back for what was raised before it.
//!
//! What is not charged: objectives and rules, which operators set; findings on record only; findings that join an alert. A
//! detector that gives no chance states a fact, for which the cap alone holds. Detectors that compare versions are charged by
//! roll-out, four a month.
//!
//! Sources: Foster and Stine, "α-investing" (JRSS B 70, 2008); Javanmard and Montanari, "Online rules for control of false
//! discovery rate" (Ann. Stat. 46, 2018), on spending a level over tests whose number is not known; Spjøtvoll, "On the
//! optimality of some multiple comparison procedures" (Ann. Math. Stat. 43, 1972), on the expected number of false rejections.

mod ledger;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use wardline_domain::{Finding, Severity, Span, Timestamp};

pub(crate) use self::ledger::{BudgetLedger, Watched};
use crate::{detectors::DETECTORS, settings::WatchSettings};

/// The month that budgets are for.
pub(crate) const MONTH: Span = 30 * Timestamp::DAY;
const MONTH_WEEKS: f64 = 30.0 / 7.0;
/// Roll-outs of a model that are compared in a month.
const ROLL_OUTS: f64 = 4.0;
/// No detector's limit is lower, unless its own is known: five minutes' part of its week, over some thousand tests.
const LEAST_LIMIT: f64 = 1e-9;
const WEEK_SECONDS: f64 = 604_800.0;

/// False alerts that are accepted in 30 days.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, serde::Deserialize)]
pub struct FalseAlerts {
    /// Pages.
    pub pages: f64,
    /// Tickets.
    pub tickets: f64,
}

/// The budget of false alerts in 30 days.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetSettings {
    /// Over all models and detectors together.
    pub all: FalseAlerts,
    /// Of single models, out of the whole; the others share the rest.
    pub models: BTreeMap<String, FalseAlerts>,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self { all: FalseAlerts { pages: 3.0, tickets: 20.0 }, models: BTreeMap::new() }
    }
}

impl FalseAlerts {
    pub(crate) const fn of(&self, severity: Severity) -> f64 {
        if matches!(severity, Severity::Page) { self.pages } else { self.tickets }
    }
}

impl BudgetSettings {
    /// A model's part, where `names` are watched; itself among them.
    pub(crate) fn part<'a>(&self, model: &str, severity: Severity, names: impl Iterator<Item = &'a str>) -> f64 {
        let (mut fixed, mut others) = (0.0, 0_usize);
        for name in names {
            match self.models.get(name) {
                Some(own) => fixed += own.of(severity),
                None => others += 1,
            }
        }
        let all = self.all.of(severity);
        match self.models.get(model) {
            Some(own) if fixed > all => own.of(severity) * all / fixed,
            Some(own) => own.of(severity),
            None => (all - fixed).max(0.0) / others.max(1) as f64,
        }
    }
}

/// What a finding puts at stake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stake {
    /// An operator set what is told; it is no false alarm of a statistic.
    Set,
    /// A statement without a chance.
    Fact,
    /// A chance: false findings of the detector in a month of one model, its weight among detectors, and its limit.
    Chance { monthly: f64, weight: f64, limit: f64, p_value: f64 },
}

/// Detectors whose budget is one comparison of versions.
const BY_ROLL_OUT: [&str; 5] =
    ["version_errors", "version_latency", "version_scores", "fairness", "recommendation_shift"];
/// Detectors of what operators set.
const SET: [&str; 1] = ["burn_rate"];

/// What a finding puts at stake.
pub(crate) fn stake(finding: &Finding, settings: &WatchSettings) -> Stake {
    let name = finding.detector.as_str();
    if name == crate::risk::DETECTOR {
        return Stake::Fact;
    }
    let Some(spec) = DETECTORS.iter().find(|spec| spec.name == name) else { return Stake::Set };
    if SET.contains(&name) {
        return Stake::Set;
    }
    let Some(p_value) = finding.p_value.filter(|p_value| p_value.is_finite()) else { return Stake::Fact };
    let weight = spec.budget_share / DETECTORS.iter().map(|spec| spec.budget_share).sum::<f64>();
    let weekly = settings.false_alerts_per_week * weight;
    if BY_ROLL_OUT.contains(&name) {
        let alpha = settings.version_alpha;
        return Stake::Chance { monthly: ROLL_OUTS * alpha, weight, limit: alpha, p_value };
    }
    let limit = match name {
        "errors" | "latency" => weekly / WEEK_SECONDS,
        // Days to a false alarm, shared by at most some hundred groups.
        "accuracy" | "feedback" => weekly / 700.0,
        _ => LEAST_LIMIT,
    };
    let limit = finding.p_limit.filter(|limit| limit.is_finite()).unwrap_or(limit);
    Stake::Chance { monthly: weekly * MONTH_WEEKS, weight, limit, p_value }
}

/// What was promised and what came of it, in one month, of one model and detector.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BudgetLine {
    /// Calendar month, such as `2026-11`.
    pub month: String,
    /// The model.
    pub model: String,
    /// The detector, or the rule.
    pub detector: String,
    /// What became of its findings.
    #[serde(flatten)]
    pub counts: BudgetCounts,
}

impl BudgetLine {
    /// Under which name a finding is accounted for: its detector's, or its rule's.
    pub fn name_of(finding: &Finding) -> &str {
        if finding.detector == crate::rules::DETECTOR { &finding.measure } else { &finding.detector }
    }
}

/// What became of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct BudgetCounts {
    /// Pages that were raised on a chance or a statement, and are charged.
    pub pages: u64,
    /// Tickets likewise.
    pub tickets: u64,
    /// Findings that were held back, as no surer ones had room.
    pub held_back: u64,
    /// Pages that were raised as tickets.
    pub lowered: u64,
    /// Alerts that operators' objectives and rules raised; not charged.
    pub set: u64,
}

impl BudgetCounts {
    /// Adds others.
    pub const fn add(&mut self, others: &Self) {
        self.pages += others.pages;
        self.tickets += others.tickets;
        self.held_back += others.held_back;
        self.lowered += others.lowered;
        self.set += others.set;
    }
}

/// The budget and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BudgetReport {
    /// False alerts in 30 days that are accepted, over everything.
    pub promised: FalseAlerts,
    /// Each model's part now.
    pub models: BTreeMap<String, FalseAlerts>,
    /// By month, model and detector, the earliest first.
    pub lines: Vec<BudgetLine>,
}
