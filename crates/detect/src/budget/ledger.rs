//! What was raised and held back so far, and the decision on the next finding.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use wardline_domain::{Finding, Severity, Span, Timestamp};

use super::{BudgetCounts, BudgetLine, MONTH, Stake, stake};
use crate::settings::WatchSettings;

/// So many times surer than its share asks, a finding passes whatever was raised before it.
const SURE: f64 = 100.0;
/// Most alerts of the cap's window that are remembered; the cap is never above.
const MOST_RAISED: usize = 10_000;
/// Most findings of one model that are held back and may join an alert later.
const MOST_HELD: usize = 8;
/// A finding that was held back longer ago tells of another time.
const HELD_SPAN: Span = 7 * Timestamp::DAY;
/// Most lines of the account; the earliest months go first.
const MOST_LINES: usize = 20_000;

/// Raised alerts that are not sure, in the order of raising.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Raised {
    times: VecDeque<(Timestamp, String)>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct OfModel {
    /// The largest chance that a detector has told of.
    largest: BTreeMap<String, f64>,
    held: VecDeque<Finding>,
}

/// The account of the budget. Bounds: [`MOST_RAISED`] alerts, [`MOST_LINES`] lines, [`MOST_HELD`] findings a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct BudgetLedger {
    pages: Raised,
    tickets: Raised,
    models: BTreeMap<String, OfModel>,
    lines: BTreeMap<(String, String, String), BudgetCounts>,
}

/// Under what a finding is decided on.
pub(crate) struct Watched<'a> {
    pub(crate) settings: &'a WatchSettings,
    /// The severity of the alert that it would join.
    pub(crate) told: Option<Severity>,
    /// Parts of the budget of the finding's model: pages, tickets.
    pub(crate) parts: (f64, f64),
}

impl BudgetLedger {
    /// The severity that a finding may be told with; [`None`] where it is held back.
    pub(crate) fn admit(&mut self, finding: &Finding, watched: &Watched<'_>) -> Option<Severity> {
        if finding.severity == Severity::Info {
            return Some(Severity::Info);
        }
        let stake = self.note(finding, stake(finding, watched.settings));
        let levels = [(Severity::Page, watched.parts.0), (Severity::Ticket, watched.parts.1)];
        for (level, part) in levels.into_iter().filter(|(level, _)| *level <= finding.severity) {
            if watched.told.is_some_and(|told| level <= told) {
                return Some(level);
            }
            if self.fits(finding, stake, level, part, watched.settings) {
                let lowered = level < finding.severity;
                self.count(finding, |counts| match (stake, level) {
                    (Stake::Set, _) => counts.set += 1,
                    (_, Severity::Page) => counts.pages += 1,
                    _ => {
                        counts.tickets += 1;
                        counts.lowered += u64::from(lowered);
                    }
                });
                return Some(level);
            }
        }
        self.count(finding, |counts| counts.held_back += 1);
        self.hold(finding);
        None
    }

    /// Findings of the model that were held back and are of one cause with one that is told now.
    pub(crate) fn release(&mut self, model: &str, now: Timestamp, belongs: impl Fn(&Finding) -> bool) -> Vec<Finding> {
        let Some(of_model) = self.models.get_mut(model) else { return Vec::new() };
        let (released, kept) = of_model.held.drain(..).partition(|held| belongs(held));
        let released: VecDeque<Finding> = released;
        of_model.held = kept;
        released.into_iter().filter(|held| now.since(held.time) <= HELD_SPAN).collect()
    }

    /// What became of findings, the earliest month first.
    pub(crate) fn lines(&self) -> Vec<BudgetLine> {
        let line = |((month, model, detector), counts): (&(String, String, String), &BudgetCounts)| BudgetLine {
            month: month.clone(),
            model: model.clone(),
            detector: detector.clone(),
            counts: *counts,
        };
        self.lines.iter().map(line).collect()
    }

    /// Raises the detector's limit to the largest chance that it told of.
    fn note(&mut self, finding: &Finding, stake: Stake) -> Stake {
        let Stake::Chance { monthly, weight, limit, p_value } = stake else { return stake };
        let of_model = self.models.entry(finding.model.clone()).or_default();
        let largest = of_model.largest.entry(finding.detector.clone()).or_insert(p_value);
        *largest = largest.max(p_value);
        Stake::Chance { monthly, weight, limit: limit.max(*largest), p_value }
    }

    fn fits(&mut self, finding: &Finding, stake: Stake, level: Severity, part: f64, settings: &WatchSettings) -> bool {
        let is_sure = match stake {
            Stake::Set => return true,
            Stake::Fact => false,
            Stake::Chance { monthly, weight, limit, p_value } => {
                let false_rate = monthly * (p_value / limit).min(1.0);
                if false_rate > part * weight {
                    return false;
                }
                SURE * false_rate <= part * weight
            }
        };
        if is_sure {
            return true;
        }
        let all = settings.budget.all.of(level);
        let own = settings.budget.models.get(&finding.model).map(|own| own.of(level));
        let raised = if level == Severity::Page { &mut self.pages } else { &mut self.tickets };
        if !raised.has_room(finding, all, None) || own.is_some_and(|own| !raised.has_room(finding, own, Some(()))) {
            return false;
        }
        raised.push(finding);
        true
    }

    fn hold(&mut self, finding: &Finding) {
        let held = &mut self.models.entry(finding.model.clone()).or_default().held;
        held.retain(|known| known.id != finding.id);
        held.push_back(finding.clone());
        if held.len() > MOST_HELD {
            held.pop_front();
        }
    }

    fn count(&mut self, finding: &Finding, count: impl FnOnce(&mut BudgetCounts)) {
        let month = finding.time.to_string().get(..7).unwrap_or_default().to_owned();
        count(self.lines.entry((month, finding.model.clone(), BudgetLine::name_of(finding).to_owned())).or_default());
        if self.lines.len() > MOST_LINES {
            let earliest = self.lines.keys().next().map(|(month, ..)| month.clone());
            self.lines.retain(|(month, ..), _| earliest.as_ref() != Some(month));
        }
    }
}

impl Raised {
    /// Whether fewer than a budget were raised in its window before the finding; of its own model alone, where asked.
    fn has_room(&self, finding: &Finding, budget: f64, own: Option<()>) -> bool {
        if budget <= 0.0 {
            return false;
        }
        let most = budget.floor().clamp(1.0, MOST_RAISED as f64);
        // Below one a month, one in as many months.
        let window = (MONTH as f64 * (most / budget).max(1.0)).min(1e17) as Span;
        // Others' alerts of this minute may have come before or after, by how the stream was cut.
        let minute = finding.time.floor(Timestamp::MINUTE);
        let counted = self.times.iter().filter(|(time, model)| {
            let is_own = *model == finding.model;
            finding.time.since(*time) < window && (is_own || own.is_none() && *time < minute)
        });
        (counted.count() as f64) < most
    }

    fn push(&mut self, finding: &Finding) {
        self.times.push_back((finding.time, finding.model.clone()));
        if self.times.len() > MOST_RAISED {
            self.times.pop_front();
        }
    }
}
