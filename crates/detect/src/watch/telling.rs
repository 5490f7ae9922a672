//! From findings to alerts: silences, deployments that are known, the budget of false alerts, then grouping.

use wardline_domain::{Finding, FindingKind, HeldBack, Severity, Timestamp};

use super::{Observed, Watch, window_of};
use crate::{
    budget::{BudgetReport, FalseAlerts, MONTH, Watched},
    risk::{EntityRisk, MOST_LISTED},
};

impl Watch {
    /// Tells findings of a model, and closes its alerts that were quiet for long.
    pub(super) fn group(&mut self, model: &str, findings: Vec<Finding>, observed: &mut Observed) {
        for mut finding in findings {
            self.deployments.name_in(&mut finding);
            let risen = self.risks.take(&finding);
            self.tell_one(finding, observed);
            if let Some(risen) = risen {
                self.tell_one(risen, observed);
            }
        }
        let now = self.models.get(model).and_then(|watch| watch.state.clock.now());
        if let Some(now) = now {
            observed.alerts.extend(self.grouping.close_quiet(model, now));
        }
    }

    fn tell_one(&mut self, mut finding: Finding, observed: &mut Observed) {
        let window = match finding.kind {
            // A shift that lasts is told again when it is twice as old.
            FindingKind::Cascade => finding.time.since(finding.onset) / 2,
            _ => self.models.get(&finding.model).map_or(0, |watch| window_of(&watch.state, &finding)),
        };
        if let Some(silence) = self.settings.silences.iter().find(|silence| silence.fits(&finding)) {
            finding.held_back = Some(HeldBack::Silence(silence.name.clone()));
            observed.findings.push(finding);
            return;
        }
        let told = self.grouping.told_of(&finding);
        let parts = if finding.severity == Severity::Info { (0.0, 0.0) } else { self.parts(&finding) };
        let watched = Watched { settings: &self.settings, told, parts };
        let admitted = self.budget.admit(&finding, &watched);
        if admitted != Some(finding.severity) {
            finding.held_back = Some(HeldBack::Budget);
        }
        if let Some(severity) = admitted {
            let mut taken = finding.clone();
            taken.severity = severity;
            observed.alerts.extend(self.grouping.take(&taken, window));
            if severity > Severity::Info && told.is_none_or(|told| told < severity) {
                let of_one_cause = |held: &Finding| crate::grouping::are_of_one_cause(&taken, held);
                for mut held in self.budget.release(&finding.model, finding.time, of_one_cause) {
                    held.severity = held.severity.min(severity);
                    observed.alerts.extend(self.grouping.take(&held, window));
                }
            }
        }
        observed.findings.push(finding);
    }

    /// The parts of the budget, pages and tickets, that the finding's model has on the finding's day.
    fn parts(&self, finding: &Finding) -> (f64, f64) {
        let day = finding.time.floor(Timestamp::DAY);
        let part = |severity| {
            let names = self.counted_models(day, &finding.model);
            self.settings.budget.part(&finding.model, severity, names)
        };
        (part(Severity::Page), part(Severity::Ticket))
    }

    /// Models that share the budget on a day: those that began before it and were not silent for a month.
    fn counted_models<'a>(&'a self, day: Timestamp, always: &'a str) -> impl Iterator<Item = &'a str> {
        let is_counted = move |state: &crate::model_state::ModelState| {
            let has_begun = state.started.is_some_and(|started| started < day);
            has_begun && state.last_event.is_none_or(|last| day.since(last) < MONTH)
        };
        let others = self.models.iter().filter(move |(name, watch)| *name != always && is_counted(&watch.state));
        std::iter::once(always).chain(others.map(|(name, _)| name.as_str()))
    }

    /// What the budget promises, and what came of it.
    pub fn budget(&self) -> BudgetReport {
        let latest = self.models.values().filter_map(|watch| watch.state.clock.now()).max();
        let day = latest.map_or(Timestamp::from_micros(0), |now| now.floor(Timestamp::DAY).plus(Timestamp::DAY));
        let part_of = |name: &str| {
            let part = |severity| {
                let names = self.counted_models(day, name);
                self.settings.budget.part(name, severity, names)
            };
            FalseAlerts { pages: part(Severity::Page), tickets: part(Severity::Ticket) }
        };
        // Every model's part takes a look at all models, so a long list has those with an own part and the first of the rest.
        let models = self.models.keys().take(500).map(|name| (name.clone(), part_of(name))).collect();
        BudgetReport { promised: self.settings.budget.all, models, lines: self.budget.lines() }
    }

    /// Users, keys, channels and the like that findings name, the riskiest first.
    pub fn entities(&self, now: Timestamp) -> Vec<EntityRisk> {
        let mut listed = self.risks.listed(now);
        listed.truncate(MOST_LISTED);
        listed
    }

    /// The latest time that any model has seen.
    pub fn latest(&self) -> Option<Timestamp> {
        self.models.values().filter_map(|watch| watch.state.clock.now()).max()
    }
}
