//! How well groups match causes, and whether origins are right.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use wardline_domain::Timestamp;
use wardline_respond::{
    correlation::{CorrelationSettings, Correlator, GroupChange},
    lineage::Lineage,
};

use crate::estate::{Estate, Told};

/// Which group each alert is in, and the origin that is named for each group.
pub struct Grouped {
    groups: Vec<String>,
    origins: BTreeMap<String, String>,
    /// How sure it is of each origin.
    confidences: BTreeMap<String, f64>,
}

/// Counts over estates.
#[derive(Default)]
pub struct Score {
    precision: f64,
    recall: f64,
    n_alerts: f64,
    cascade_precision: f64,
    cascade_recall: f64,
    n_cascade_alerts: f64,
    origins: u32,
    origins_right: u32,
    silent: u32,
    silent_right: u32,
    /// Sum of the confidences in the origins that were named.
    confidence: f64,
    n_groups: u32,
    n_causes: u32,
}

/// What the product answers.
pub fn correlated(estate: &Estate) -> Grouped {
    answered(estate, &estate.lineage, CorrelationSettings::default())
}

/// What it would answer if it were told everything that was drawn but the troubles themselves.
pub fn told_the_truth(estate: &Estate) -> Grouped {
    let (lineage, settings) = &estate.truth;
    answered(estate, lineage, settings.clone())
}

fn answered(estate: &Estate, lineage: &Lineage, settings: CorrelationSettings) -> Grouped {
    let mut correlator = Correlator::new(settings, Arc::new(lineage.clone())).expect("settings are in their ranges");
    let (mut origins, mut confidences) = (BTreeMap::new(), BTreeMap::new());
    let mut group_of: BTreeMap<String, String> = BTreeMap::new();
    for told in &estate.told {
        let changes = correlator.observe(&told.signal);
        for change in &changes {
            follow(&mut group_of, change);
        }
        // As a person asks who looks when something joins: the answer of the last time counts.
        for change in changes {
            let group = group_of.get(subject(&change)).cloned().unwrap_or_default();
            if let Some(origin) = correlator.origin(&group).as_ref().and_then(|origin| origin.likeliest()) {
                confidences.insert(group.clone(), origin.confidence);
                origins.insert(group, origin.node.clone());
            }
        }
    }
    let groups = estate.told.iter().map(|told| group_of[&told.signal.id].clone()).collect();
    Grouped { groups, origins, confidences }
}

fn subject(change: &GroupChange) -> &str {
    match change {
        GroupChange::Opened { alert, .. } | GroupChange::Joined { alert, .. } => alert,
        GroupChange::Merged { into, .. } | GroupChange::Moved { into, .. } => into,
    }
}

/// What a reader of the changes knows: this is all that incidents are made from.
fn follow(group_of: &mut BTreeMap<String, String>, change: &GroupChange) {
    match change {
        GroupChange::Opened { group, alert } | GroupChange::Joined { group, alert, .. } => {
            group_of.insert(alert.clone(), group.clone());
        }
        GroupChange::Merged { from, into, .. } => {
            for group in group_of.values_mut().filter(|group| *group == from) {
                group.clone_from(into);
            }
        }
        GroupChange::Moved { into, alerts, .. } => {
            for alert in alerts {
                group_of.insert(alert.clone(), into.clone());
            }
        }
    }
}

/// What usual tools do: one service, and no more than a quarter of an hour since its last alert.
pub fn fifteen_minutes_same_service(estate: &Estate) -> Grouped {
    let mut open: BTreeMap<&str, (Timestamp, String)> = BTreeMap::new();
    let mut origins = BTreeMap::new();
    let mut groups = Vec::new();
    for Told { signal, service, .. } in &estate.told {
        let last = open.get(service.as_str()).filter(|(last, _)| signal.time.since(*last) <= 15 * Timestamp::MINUTE);
        let group = last.map_or_else(|| signal.id.clone(), |(_, group)| group.clone());
        origins.entry(group.clone()).or_insert_with(|| signal.node.clone());
        open.insert(service, (signal.time, group.clone()));
        groups.push(group);
    }
    Grouped { groups, origins, confidences: BTreeMap::new() }
}

impl Score {
    /// Adds an estate.
    pub fn add(&mut self, estate: &Estate, grouped: &Grouped) {
        let causes: Vec<usize> = estate.told.iter().map(|told| told.cause).collect();
        let cascades: BTreeSet<usize> = estate.cascades.iter().map(|cascade| cascade.cause).collect();
        let mut by_group: BTreeMap<&str, BTreeMap<usize, u32>> = BTreeMap::new();
        let mut by_cause: BTreeMap<usize, u32> = BTreeMap::new();
        for (group, cause) in grouped.groups.iter().zip(&causes) {
            *by_group.entry(group).or_default().entry(*cause).or_default() += 1;
            *by_cause.entry(*cause).or_default() += 1;
        }
        for (group, cause) in grouped.groups.iter().zip(&causes) {
            let members = &by_group[group.as_str()];
            let together = f64::from(members[cause]);
            let precision = together / f64::from(members.values().sum::<u32>());
            let recall = together / f64::from(by_cause[cause]);
            self.precision += precision;
            self.recall += recall;
            self.n_alerts += 1.0;
            if cascades.contains(cause) {
                self.cascade_precision += precision;
                self.cascade_recall += recall;
                self.n_cascade_alerts += 1.0;
            }
        }
        self.n_groups += by_group.len() as u32;
        self.n_causes += by_cause.len() as u32;
        for cascade in &estate.cascades {
            // Of a single alert there is nothing to join.
            if by_cause.get(&cascade.cause).is_none_or(|n_alerts| *n_alerts < 2) {
                continue;
            }
            let largest = by_group.iter().max_by_key(|(name, members)| (members.get(&cascade.cause).copied(), *name));
            let named = largest.and_then(|(group, _)| grouped.origins.get(*group));
            let right = u32::from(named == Some(&cascade.origin));
            let confidence = largest.and_then(|(group, _)| grouped.confidences.get(*group));
            self.confidence += confidence.copied().unwrap_or_default();
            self.origins += 1;
            self.origins_right += right;
            if !cascade.origin_told {
                self.silent += 1;
                self.silent_right += right;
            }
        }
    }

    /// B-cubed F1 over all alerts.
    pub fn f1(&self) -> f64 {
        harmonic(self.precision, self.recall, self.n_alerts)
    }

    /// B-cubed F1 over the alerts of cascades alone.
    pub fn cascade_f1(&self) -> f64 {
        harmonic(self.cascade_precision, self.cascade_recall, self.n_cascade_alerts)
    }

    /// Share of cascades whose origin is named first.
    pub fn top_1(&self) -> f64 {
        f64::from(self.origins_right) / f64::from(self.origins)
    }

    /// A row of the table of figures.
    pub fn row(&self, name: &str) -> String {
        format!(
            "| {name} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} ({}/{}) | {}/{} | {:.3} | {} groups of {} causes |",
            self.f1(),
            self.precision / self.n_alerts,
            self.recall / self.n_alerts,
            self.cascade_f1(),
            self.top_1(),
            self.origins_right,
            self.origins,
            self.silent_right,
            self.silent,
            self.confidence / f64::from(self.origins),
            self.n_groups,
            self.n_causes,
        )
    }
}

fn harmonic(precision: f64, recall: f64, n: f64) -> f64 {
    let (precision, recall) = (precision / n, recall / n);
    2.0 * precision * recall / (precision + recall)
}
