//! Groups of people are decided on unequally, or a version treats a group worse than the version before it.
//!
//! - **Method:** each protected group against everyone else: ratio of the rates of the favourable decision, with
//!   Koopman's interval. A new version against the version that decided on most people before it: its ratio is surely
//!   below that one's (change of the log ratio) and surely below four fifths. Looks are taken each hour when a tenth more
//!   people came; their levels are spent as O'Brien and Fleming do and add up (Lan, DeMets 1983). The level
//!   is shared out to groups by their size in the version before. Within a version, each week against its learning
//!   period. Without a favourable decision in the settings: only whether a version's rates of any decision moved
//!   for one group otherwise than for the others.
//! - **Fields:** `groups` (or what the settings name as `protected`, among `attributes` and `features` too), `decision`,
//!   `version`. Settings: `protected`, `favourable_decision`.
//! - **False alarms:** at most `version_alpha` (0.01) for one version, over all groups, two of them crossed, and looks.
//! - **Least effect:** a ratio that fell by a tenth, 50 people of the group. Pages only below four fifths; an
//!   inequality that was there when the learning ended is one ticket.
//! - **Blind spots:** groups that nobody records; equal rates that are unequally right; people who apply again count
//!   again; crossed groups of more than two attributes.
//! - **ATLAS:** AML.T0048.002 (societal harm).

mod compare;
mod people;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, RecordKind, Severity, Slice, Timestamp};

use self::{
    compare::{FOUR_FIFTHS, LEAST_FALL, LEAST_PEOPLE, Look, Sides, Spending, look},
    people::{Counts, MOST_DECISIONS, People, Stretch},
};
use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole};
use crate::{
    draft::{draft, sealed},
    evidence,
    model_state::{ModelState, Phase},
    wording::{clock_time, number, percent},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "fairness",
    budget_share: 0.05,
    method: "ratio of selection rates by protected group, version against version, by group-sequential tests",
    atlas: &["AML.T0048.002"],
    build: |budget: &DetectorBudget| {
        Box::new(Fairness {
            alpha: budget.version_alpha,
            weekly: budget.weekly.clamp(1e-6, 0.01),
            ..Fairness::default()
        })
    },
};

/// People who decide that it is worth looking again.
const GROWTH: f64 = 1.1;
/// The share of the level that goes to crossed groups.
const CROSSED_SHARE: f64 = 0.2;
/// The least people of a version that others are compared with.
const LEAST_BEFORE: u64 = 300;

/// Most groups of versions that are told.
const MOST_TOLD: usize = 1_000;

/// A group: dimension and cell; and the decision that is looked at.
type Group = (usize, usize, usize);

#[derive(Default, Serialize, Deserialize)]
struct Fairness {
    alpha: f64,
    weekly: f64,
    people: People,
    trials: BTreeMap<String, Trial>,
    next_look: Option<Timestamp>,
    week_ends: Option<Timestamp>,
    told_standing: bool,
    /// By version and group: how severely it was told.
    told: BTreeMap<(String, Group), Severity>,
}

/// A version that is compared with the one before.
#[derive(Serialize, Deserialize)]
struct Trial {
    before: String,
    people: u64,
    spendings: BTreeMap<Group, Spending>,
}

/// A group that is treated worse.
struct Worse {
    group: Group,
    then: Sides,
    now: Sides,
    look: Look,
    severity: Severity,
}

/// How something is told.
struct Telling<'a> {
    version: String,
    onset: Timestamp,
    now: Timestamp,
    /// What the ratio is compared with, in words.
    compared: &'a dyn Fn(&Sides) -> String,
}

impl Detector for Fairness {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, _findings: &mut Vec<Finding>) {
        if rows.batch.kind == RecordKind::Inference {
            let is_learning = state.phase != Phase::Watching;
            self.people.observe(rows, &state.settings, is_learning, state.second.start);
        }
    }

    fn on_time(&mut self, state: &ModelState, now: Timestamp, findings: &mut Vec<Finding>) {
        if self.people.dimensions.is_empty() || state.phase != Phase::Watching {
            return;
        }
        if self.next_look.is_some_and(|next| now < next) {
            return;
        }
        self.next_look = Some(now.floor(Timestamp::HOUR).plus(Timestamp::HOUR));
        let is_favourable = state.settings.favourable_decision.is_some();
        if is_favourable && !std::mem::replace(&mut self.told_standing, true) {
            self.tell_standing(state, now, findings);
        }
        self.judge_versions(state, now, findings);
        let week_ends = *self.week_ends.get_or_insert(now.plus(7 * Timestamp::DAY));
        if now >= week_ends {
            self.judge_week(state, now, findings);
            self.people.versions.iter_mut().for_each(people::VersionPeople::end_week);
            self.week_ends = Some(now.plus(7 * Timestamp::DAY));
        }
    }

    saved_whole!();
}

impl Fairness {
    /// The decisions that are looked at.
    fn decisions(&self, state: &ModelState) -> usize {
        if state.settings.favourable_decision.is_some() {
            1
        } else {
            self.people.decisions.len().min(MOST_DECISIONS - 1)
        }
    }

    fn judge_versions(&mut self, state: &ModelState, now: Timestamp, findings: &mut Vec<Finding>) {
        for place in 0..self.people.versions.len() {
            let version = &self.people.versions[place];
            let (name, people) = (version.name.clone(), version.people);
            let known = self.trials.get(&name);
            let is_due =
                known.map_or(people >= 2 * LEAST_PEOPLE, |trial| people as f64 >= GROWTH * trial.people as f64);
            if !is_due {
                continue;
            }
            let mut trial = match self.trials.remove(&name) {
                Some(trial) => trial,
                None => match self.begin(state, place) {
                    Some(trial) => trial,
                    None => continue,
                },
            };
            trial.people = people;
            let before = self.people.versions.iter().position(|version| version.name == trial.before);
            if let Some(before) = before.filter(|_| !state.retirements.is_retired(&name, now)) {
                self.judge_version(state, (place, before), &mut trial, now, findings);
            }
            self.trials.insert(name, trial);
        }
        let served: BTreeSet<&str> = self.people.versions.iter().map(|version| version.name.as_str()).collect();
        self.trials.retain(|name, _| served.contains(name.as_str()));
    }

    /// Begins the comparison of a version with the one that decided on most people before it.
    fn begin(&self, state: &ModelState, place: usize) -> Option<Trial> {
        let earlier = self.people.versions[..place].iter().filter(|version| version.people >= LEAST_BEFORE);
        let before = earlier.max_by_key(|version| (version.people, version.first))?;
        let levels = self.levels(|dimension| before.counts(dimension, Stretch::All), self.alpha, self.decisions(state));
        let spendings = levels.into_iter().map(|(group, level)| (group, Spending::new(level))).collect();
        Some(Trial { before: before.name.clone(), people: 0, spendings })
    }

    /// The level of each group: by its size, crossed groups apart.
    fn levels(&self, counts: impl Fn(usize) -> Counts, alpha: f64, decisions: usize) -> BTreeMap<Group, f64> {
        let mut weights: BTreeMap<Group, f64> = BTreeMap::new();
        let mut sums = [0.0_f64; 2];
        for (place, dimension) in self.people.dimensions.iter().enumerate() {
            let counts = counts(place);
            for cell in 0..dimension.cells() {
                let (n, others) = (counts.of(cell, 0).0, counts.of_others(cell, 0).0);
                if n.min(others) < LEAST_PEOPLE {
                    continue;
                }
                let weight = n.min(others) as f64;
                sums[usize::from(dimension.is_crossed())] += weight * decisions as f64;
                (0..decisions).for_each(|decision| {
                    weights.insert((place, cell, decision), weight);
                });
            }
        }
        let crossed = if sums[1] > 0.0 { CROSSED_SHARE } else { 0.0 };
        let is_crossed = |group: &Group| self.people.dimensions[group.0].is_crossed();
        for (group, weight) in &mut weights {
            let (share, sum) = if is_crossed(group) { (crossed, sums[1]) } else { (1.0 - crossed, sums[0]) };
            *weight *= alpha * share / sum.max(1.0);
        }
        weights
    }

    fn sides(&self, version: usize, stretch: Stretch, group: Group) -> Sides {
        let counts = self.people.versions[version].counts(group.0, stretch);
        Sides { group: counts.of(group.1, group.2), others: counts.of_others(group.1, group.2) }
    }

    fn judge_version(
        &mut self,
        state: &ModelState,
        (version, before): (usize, usize),
        trial: &mut Trial,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        let is_favourable = state.settings.favourable_decision.is_some();
        let mut worse = Vec::new();
        for (&group, spending) in &mut trial.spendings {
            let (then, current) = (self.sides(before, Stretch::All, group), self.sides(version, Stretch::All, group));
            let Some(look) = look(&then, &current, spending).filter(|look| look.is_worse) else { continue };
            let severity = if look.is_below && is_favourable { Severity::Page } else { Severity::Ticket };
            worse.push(Worse { group, then, now: current, look, severity });
        }
        let people = &self.people.versions[version];
        let compared = |then: &Sides| format!("where version {} had {}", trial.before, number(then.ratio()));
        let told = Telling { version: people.name.clone(), onset: people.first, now, compared: &compared };
        self.tell(state, &told, worse, findings);
    }

    /// A week of a version against its own learning period.
    fn judge_week(&mut self, state: &ModelState, now: Timestamp, findings: &mut Vec<Finding>) {
        if state.settings.favourable_decision.is_none() {
            return;
        }
        for version in 0..self.people.versions.len() {
            let people = &self.people.versions[version];
            let levels = self.levels(|place| people.counts(place, Stretch::Learned), self.weekly, 1);
            let mut worse = Vec::new();
            for (group, level) in levels {
                let (then, current) =
                    (self.sides(version, Stretch::Learned, group), self.sides(version, Stretch::Week, group));
                if let Some(look) = compare::once(&then, &current, level).filter(|look| look.is_worse) {
                    worse.push(Worse { group, then, now: current, look, severity: Severity::Ticket });
                }
            }
            let compared = |then: &Sides| format!("this week, where it was {} before", number(then.ratio()));
            let onset = now.plus(-7 * Timestamp::DAY);
            let told = Telling { version: people.name.clone(), onset, now, compared: &compared };
            self.tell(state, &told, worse, findings);
        }
    }

    /// What is unequal when the learning ends is told once.
    fn tell_standing(&mut self, state: &ModelState, now: Timestamp, findings: &mut Vec<Finding>) {
        for version in 0..self.people.versions.len() {
            let people = &self.people.versions[version];
            let levels = self.levels(|place| people.counts(place, Stretch::Learned), self.alpha, 1);
            let mut unequal = Vec::new();
            for (group, level) in levels {
                let sides = self.sides(version, Stretch::Learned, group);
                let impact = sides.impact(1.0 - 2.0 * level).filter(|_| sides.are_enough());
                if let Some(impact) = impact.filter(|impact| impact.ratio_interval.high < FOUR_FIFTHS) {
                    let then = Sides { group: sides.others, others: sides.others };
                    let look = Look { is_worse: false, is_below: true, p_value: impact.p_value };
                    unequal.push(Worse { group, then, now: sides, look, severity: Severity::Ticket });
                }
            }
            let compared = |_: &Sides| "from before it was watched".to_owned();
            let told = Telling { version: people.name.clone(), onset: people.first, now, compared: &compared };
            self.tell(state, &told, unequal, findings);
        }
    }

    /// Tells what was not yet told as severely.
    fn tell(&mut self, state: &ModelState, told: &Telling<'_>, worse: Vec<Worse>, findings: &mut Vec<Finding>) {
        for worse in self.told_apart(worse) {
            let key = (told.version.clone(), worse.group);
            let is_told = self.told.get(&key).is_some_and(|severity| *severity >= worse.severity);
            if !is_told && self.told.len() < MOST_TOLD {
                self.told.insert(key, worse.severity);
                findings.push(self.finding(state, told, &worse));
            }
        }
    }

    /// A crossed group that is no more than part of a group stays untold, and a group that is worse only because of one
    /// that is crossed from it.
    fn told_apart(&self, mut worse: Vec<Worse>) -> Vec<Worse> {
        let is_crossed = |group: Group| self.people.dimensions[group.0].is_crossed();
        let is_part_of = |part: Group, whole: Group| {
            let of_part = self.people.conditions(part.0, part.1);
            is_crossed(part)
                && !is_crossed(whole)
                && part.2 == whole.2
                && self.people.conditions(whole.0, whole.1).iter().all(|condition| of_part.contains(condition))
        };
        let parts: Vec<(Group, Sides, Sides)> = worse
            .iter()
            .filter(|found| is_crossed(found.group))
            .map(|found| (found.group, found.then, found.now))
            .collect();
        worse.retain(|whole| {
            let explains = |(group, then, now): &(Group, Sides, Sides)| {
                let fall = whole.now.without(now).ratio() / whole.then.without(then).ratio();
                is_part_of(*group, whole.group) && fall > LEAST_FALL
            };
            !parts.iter().any(explains)
        });
        let wholes: Vec<Group> = worse.iter().map(|found| found.group).collect();
        worse.retain(|part| !wholes.iter().any(|whole| is_part_of(part.group, *whole)));
        worse
    }

    fn finding(&self, state: &ModelState, told: &Telling<'_>, worse: &Worse) -> Finding {
        let now = told.now;
        let mut finding = draft(state, SPEC.name, FindingKind::Fairness, "selection_rate", now);
        let conditions = self.people.conditions(worse.group.0, worse.group.1);
        finding.slice = conditions.iter().fold(Slice::whole(), |slice, (name, value)| slice.and(name, value));
        finding.version = Some(told.version.clone()).filter(|version| !version.is_empty());
        finding.onset = told.onset;
        finding.onset_interval = (told.onset, now);
        (finding.observed, finding.expected, finding.unit) =
            (worse.now.ratio(), worse.then.ratio(), "ratio of rates".to_owned());
        (finding.n_observed, finding.n_expected) = (worse.now.group.0, worse.now.others.0);
        (finding.effect, finding.effect_name) = (worse.now.ratio(), "impact ratio".to_owned());
        finding.p_value = Some(worse.look.p_value);
        finding.severity = worse.severity;
        finding.atlas = vec!["AML.T0048.002".to_owned()];
        let whom = finding.slice.to_string().replace("group_", "");
        let mut names: Vec<String> = Vec::new();
        if let Some(version) = &finding.version {
            names.push(format!("version={version}"));
        }
        names.push(finding.slice.to_string());
        finding.responsible = names.into_iter().map(|name| Carrier { name, share: 1.0, interval: None }).collect();
        let decision = match &state.settings.favourable_decision {
            Some(favourable) => favourable.clone(),
            None => self.people.decisions.get(worse.group.2).cloned().unwrap_or_default(),
        };
        finding.title = title(state, told, worse, (&whom, &decision));
        finding.evidence = evidence::selection(&finding, &decision);
        sealed(finding)
    }
}

fn title(state: &ModelState, told: &Telling<'_>, worse: &Worse, (whom, decision): (&str, &str)) -> String {
    let rate = |(n, k): (u64, u64)| format!("{} of {n}", percent(k as f64 / n.max(1) as f64));
    let who = if told.version.is_empty() {
        state.name.clone()
    } else {
        format!("version {} of {}", told.version, state.name)
    };
    let impact = worse.now.impact(0.95);
    let interval = impact.map_or_else(String::new, |impact| {
        format!(", 95 % interval {} to {}", number(impact.ratio_interval.low), number(impact.ratio_interval.high))
    });
    let shortfall = impact.filter(|impact| impact.shortfall >= 1.0 && state.settings.favourable_decision.is_some());
    let affected = shortfall.map_or_else(String::new, |impact| {
        format!("; {:.0} of them more would have it at the others' rate", impact.shortfall)
    });
    let rule = if worse.look.is_below && state.settings.favourable_decision.is_some() {
        "; surely below four fifths"
    } else {
        ""
    };
    format!(
        "{who} decides {decision} for {whom} at {} of the others' rate ({} against {}{interval}), {}, since {}{rule}{affected} (fairness)",
        number(worse.now.ratio()),
        rate(worse.now.group),
        rate(worse.now.others),
        (told.compared)(&worse.then),
        clock_time(told.onset, told.now),
    )
}

#[cfg(test)]
mod tests;
