//! Alerts that still matter, each with what it follows from.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    hash::Hash,
};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

use super::correlator::hours;

/// Most alerts that are kept.
const MAX_LIVE: usize = 100_000;
/// Most alerts of one node, or that name one entity, that are looked at: the newest ones.
const MAX_PER_KEY: usize = 24;

/// An alert's number, in the order of arrival.
pub(super) type Number = u64;

/// An alert that still matters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Live {
    pub(super) id: String,
    pub(super) node: u32,
    /// The node's name.
    pub(super) about: String,
    pub(super) onset: Timestamp,
    /// Until when it is known to have gone on.
    pub(super) until: Timestamp,
    pub(super) blur: Span,
    pub(super) entities: BTreeSet<String>,
    pub(super) parent: Option<Number>,
    /// Logarithm of the odds that it follows from its parent.
    pub(super) surety: f64,
    pub(super) children: BTreeSet<Number>,
    pub(super) group: Number,
}

/// What goes on for so long has consequences by itself, and not only by how it began.
const LONG_HOURS: f64 = 24.0;

impl Live {
    /// Density per hour of a consequence that begins at a moment, where `density` is that of its lag in hours; nothing
    /// where the two are further apart than the horizon. What goes on can have consequences for as long as it does, and
    /// the horizon begins at its end.
    pub(super) fn leads_to(&self, onset: Timestamp, horizon: Span, density: impl Fn(f64) -> f64) -> Option<f64> {
        let apart = onset.since(self.onset);
        let after_end = onset.since(self.until);
        if horizon < apart.saturating_abs().min(after_end.saturating_abs()) {
            return None;
        }
        let lasted = hours(self.until.since(self.onset));
        let meanwhile = match after_end {
            _ if lasted < LONG_HOURS || apart <= 0 => 0.0,
            ..=0 => 1.0 / lasted,
            after_end => density(hours(after_end)),
        };
        Some(density(hours(apart)).max(meanwhile / 2.0))
    }
}

/// Alerts that still matter. A group is named by the number of the alert that opened it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Forest {
    live: BTreeMap<Number, Live>,
    of_node: FxHashMap<u32, VecDeque<Number>>,
    of_entity: FxHashMap<String, VecDeque<Number>>,
    of_id: FxHashMap<String, Number>,
    groups: BTreeMap<Number, BTreeSet<Number>>,
    next: Number,
}

impl Forest {
    pub(super) fn get(&self, number: Number) -> Option<&Live> {
        self.live.get(&number)
    }

    pub(super) fn len(&self) -> usize {
        self.live.len()
    }

    /// The newest alerts of a node.
    pub(super) fn of_node(&self, node: u32) -> impl Iterator<Item = (Number, &Live)> {
        self.listed(self.of_node.get(&node))
    }

    /// The newest alerts that name an entity.
    pub(super) fn of_entity(&self, entity: &str) -> impl Iterator<Item = (Number, &Live)> {
        self.listed(self.of_entity.get(entity))
    }

    fn listed<'a>(&'a self, list: Option<&'a VecDeque<Number>>) -> impl Iterator<Item = (Number, &'a Live)> {
        list.into_iter().flatten().filter_map(|number| Some((*number, self.live.get(number)?)))
    }

    /// Members of a group.
    pub(super) fn members(&self, group: Number) -> impl Iterator<Item = (Number, &Live)> {
        let members = self.groups.get(&group).into_iter().flatten();
        members.filter_map(|number| Some((*number, self.live.get(number)?)))
    }

    /// Adds an alert as a group of its own.
    pub(super) fn add(&mut self, mut alert: Live) -> Number {
        let number = self.next;
        self.next += 1;
        alert.group = number;
        push(self.of_node.entry(alert.node).or_default(), number);
        for entity in &alert.entities {
            push(self.of_entity.entry(entity.clone()).or_default(), number);
        }
        self.groups.insert(number, [number].into());
        self.of_id.insert(alert.id.clone(), number);
        self.live.insert(number, alert);
        number
    }

    /// Puts an alert and all that follows from it below another one, and into its group.
    pub(super) fn put_below(&mut self, child: Number, parent: Number, surety: f64) {
        let Some(group) = self.live.get(&parent).map(|live| live.group) else { return };
        let before = self.live.get(&child).and_then(|live| live.parent);
        if let Some(before) = before.and_then(|before| self.live.get_mut(&before)) {
            before.children.remove(&child);
        }
        if let Some(live) = self.live.get_mut(&child) {
            live.parent = Some(parent);
            live.surety = surety;
        }
        if let Some(live) = self.live.get_mut(&parent) {
            live.children.insert(child);
        }
        self.set_group(&self.subtree(child), group);
    }

    /// An alert and all that follows from it.
    pub(super) fn subtree(&self, top: Number) -> Vec<Number> {
        let mut found = vec![top];
        let mut at = 0;
        while let Some(number) = found.get(at) {
            found.extend(self.live.get(number).into_iter().flat_map(|live| &live.children));
            at += 1;
        }
        found
    }

    /// Moves alerts into a group, whether or not it has any yet.
    pub(super) fn set_group(&mut self, alerts: &[Number], group: Number) {
        for number in alerts {
            let Some(live) = self.live.get_mut(number) else { continue };
            if let Some(members) = self.groups.get_mut(&live.group) {
                members.remove(number);
                if members.is_empty() {
                    self.groups.remove(&live.group);
                }
            }
            live.group = group;
            self.groups.entry(group).or_default().insert(*number);
        }
    }

    /// A group goes on under another number.
    pub(super) fn rename_group(&mut self, group: Number, number: Number) {
        if group != number {
            let members: Vec<Number> = self.groups.get(&group).into_iter().flatten().copied().collect();
            self.set_group(&members, number);
        }
    }

    /// An alert went on until a moment, where that is an hour later than was known.
    pub(super) fn went_on(&mut self, number: Number, until: Timestamp) -> bool {
        let later = self.live.get_mut(&number).filter(|live| live.until.plus(Timestamp::HOUR) <= until);
        later.map(|live| live.until = until).is_some()
    }

    /// The alert of an id.
    pub(super) fn find(&self, id: &str) -> Option<Number> {
        self.of_id.get(id).copied()
    }

    /// Nodes have other numbers in another graph.
    pub(super) fn rename_nodes(&mut self, numbers: &FxHashMap<u32, u32>) {
        let of_node = std::mem::take(&mut self.of_node);
        let renamed = |node: &u32| numbers.get(node).copied().unwrap_or(*node);
        self.of_node = of_node.into_iter().map(|(node, list)| (renamed(&node), list)).collect();
        self.live.values_mut().for_each(|live| live.node = renamed(&live.node));
    }

    /// Forgets a group: nothing joins it any more.
    pub(super) fn forget_group(&mut self, group: Number) {
        for number in self.groups.remove(&group).unwrap_or_default() {
            self.remove(number);
        }
    }

    /// Forgets groups of which nothing began after a moment, and the oldest ones where there are too many.
    pub(super) fn forget_before(&mut self, moment: Timestamp) {
        while let Some((_, oldest)) = self.live.first_key_value() {
            let group = oldest.group;
            let is_over = self.members(group).all(|(_, live)| live.until < moment);
            if !is_over && self.live.len() <= MAX_LIVE {
                break;
            }
            self.forget_group(group);
        }
    }

    fn remove(&mut self, number: Number) {
        let Some(live) = self.live.remove(&number) else { return };
        self.of_id.remove(&live.id);
        take_out(&mut self.of_node, &live.node, number);
        for entity in &live.entities {
            take_out(&mut self.of_entity, entity, number);
        }
    }
}

fn push(list: &mut VecDeque<Number>, number: Number) {
    list.push_back(number);
    if MAX_PER_KEY < list.len() {
        list.pop_front();
    }
}

fn take_out<K: Hash + Eq>(lists: &mut FxHashMap<K, VecDeque<Number>>, key: &K, number: Number) {
    let Some(numbers) = lists.get_mut(key) else { return };
    numbers.retain(|other| *other != number);
    if numbers.is_empty() {
        lists.remove(key);
    }
}
