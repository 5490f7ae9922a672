//! Takes alerts one at a time, and says what becomes of groups.

use std::{collections::BTreeSet, sync::Arc};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

use super::{
    CorrelationSettings, Origin, SettingsError, Signal,
    background::Background,
    forest::{Forest, Live, Number},
    origin,
    related::{Beside, Related},
    spread::Spread,
};
use crate::lineage::{Lag, Lineage, NodeIndex};

/// Most node names that are known; later ones share their counts with nobody and are related to nothing.
const MAX_NODES: usize = 1_000_000;

/// How often nodes that no path connects are connected all the same: no graph knows everything.
const UNKNOWN_PATH: f64 = 0.1;

/// What became of groups. A group has the id of the alert that opened it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum GroupChange {
    /// Nothing explains an alert: it opens a group.
    Opened {
        /// The group.
        group: String,
        /// The alert.
        alert: String,
    },
    /// An alert joins a group.
    Joined {
        /// The group.
        group: String,
        /// The alert.
        alert: String,
        /// The alert that it goes with.
        with: String,
        /// Chance that it does so by more than chance, 0 to 1.
        confidence: f64,
        /// Why, in a sentence.
        reason: String,
    },
    /// A group turned out to follow from another one.
    Merged {
        /// The group that ends.
        from: String,
        /// The group that goes on.
        into: String,
        /// Chance that it follows.
        confidence: f64,
        /// Why, in a sentence.
        reason: String,
    },
    /// Alerts turned out to follow from another group.
    Moved {
        /// The group that they leave.
        from: String,
        /// The group that they join.
        into: String,
        /// The alerts.
        alerts: Vec<String>,
        /// Why, in a sentence.
        reason: String,
    },
}

/// Joins alerts to groups of one cause.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Correlator {
    settings: CorrelationSettings,
    lineage: Arc<Lineage>,
    forest: Forest,
    background: Background,
    /// Numbers of node names; those of the graph come first, in its order.
    nodes: FxHashMap<String, u32>,
    group_ids: FxHashMap<Number, String>,
    #[serde(skip)]
    related: FxHashMap<NodeIndex, Arc<Related>>,
    now: Timestamp,
}

/// How two alerts go together.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Follows,
    Together,
    Beside,
    Names,
}

/// A link that was weighed: logarithm of its odds.
#[derive(Clone, Copy, Debug)]
struct Weighed {
    with: Number,
    log_odds: f64,
    way: Way,
}

impl Correlator {
    /// A correlator of these settings that knows a graph.
    ///
    /// # Errors
    /// Every setting that is out of its range.
    pub fn new(settings: CorrelationSettings, lineage: Arc<Lineage>) -> Result<Self, Vec<SettingsError>> {
        settings.check()?;
        let mut correlator = Self { settings, ..Self::default() };
        correlator.set_lineage(lineage);
        Ok(correlator)
    }

    /// Takes another graph into use. Alerts that were joined stay joined.
    pub fn set_lineage(&mut self, lineage: Arc<Lineage>) {
        let names: FxHashMap<u32, String> = self.nodes.drain().map(|(name, number)| (number, name)).collect();
        self.nodes = lineage.nodes().iter().enumerate().map(|(at, node)| (node.to_string(), at as u32)).collect();
        self.related.clear();
        self.lineage = lineage;
        let renamed: FxHashMap<u32, u32> = {
            let mut names: Vec<_> = names.into_iter().collect();
            names.sort();
            names.into_iter().map(|(number, name)| (number, self.number_of(&name))).collect()
        };
        self.forest.rename_nodes(&renamed);
        self.background.rename_nodes(&renamed);
    }

    /// The graph in use.
    pub fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// How many alerts still matter.
    pub fn n_alerts(&self) -> usize {
        self.forest.len()
    }

    /// Ids of the alerts of a group that still matter, in the order of arrival.
    pub fn members(&self, group: &str) -> Vec<&str> {
        let number = self.number_of_group(group);
        let members = number.into_iter().flat_map(|number| self.forest.members(number));
        members.map(|(_, live)| live.id.as_str()).collect()
    }

    /// The group of an alert that still matters.
    pub fn group_of(&self, alert: &str) -> Option<&str> {
        let live = self.forest.get(self.forest.find(alert)?)?;
        self.group_ids.get(&live.group).map(String::as_str)
    }

    /// Where a group's trouble began, the likeliest first.
    pub fn origin(&mut self, group: &str) -> Option<Origin> {
        let number = self.number_of_group(group)?;
        let members: Vec<Live> = self.forest.members(number).map(|(_, live)| live.clone()).collect();
        let others = self.near_by(&members);
        let (background, settings) = (&self.background, &self.settings);
        origin::find(&members, &others, origin::Known { lineage: &self.lineage, background, settings, now: self.now })
    }

    /// Alerts of other groups on nodes upstream of a group's, since before it began.
    fn near_by(&mut self, members: &[Live]) -> Vec<Live> {
        let nodes: BTreeSet<u32> = members.iter().map(|live| live.node).collect();
        let mut upstream: BTreeSet<u32> = BTreeSet::new();
        for node in nodes {
            let related = self.related_of(node);
            upstream.extend(related.iter().flat_map(|related| &related.upstream).map(|along| along.node));
        }
        let Some(group) = members.first().map(|live| live.group) else { return Vec::new() };
        let of_others = |node: u32| self.forest.of_node(node).filter(|(_, live)| live.group != group);
        upstream.into_iter().flat_map(of_others).map(|(_, live)| live.clone()).collect()
    }

    /// The incident of a group is resolved: nothing joins it any more.
    pub fn close(&mut self, group: &str) {
        if let Some(number) = self.number_of_group(group) {
            self.forest.forget_group(number);
            self.group_ids.remove(&number);
        }
    }

    /// What an alert tells went on until a moment; says whether that is an hour later than was known.
    pub fn went_on(&mut self, alert: &str, until: Timestamp) -> bool {
        self.forest.find(alert).is_some_and(|number| self.forest.went_on(number, until))
    }

    /// Takes an alert. One that is known already changes nothing.
    pub fn observe(&mut self, signal: &Signal) -> Vec<GroupChange> {
        if self.forest.find(&signal.id).is_some() {
            return Vec::new();
        }
        self.now = self.now.max(signal.time);
        self.forest.forget_before(self.now.plus(-self.settings.horizon));
        let forest = &self.forest;
        if 2 * forest.len() + 1_024 < self.group_ids.len() {
            self.group_ids.retain(|group, _| forest.members(*group).next().is_some());
        }
        let alert = self.live_of(signal);
        let related = self.related_of(alert.node);
        let (best, following) = self.weigh(&alert, related.as_deref());
        self.background.add_alert(alert.entities.iter(), self.now);
        let number = self.forest.add(alert);
        self.group_ids.insert(number, signal.id.clone());
        let mut changes = vec![match best {
            Some(best) => self.join(number, signal, best),
            None => self.open(number, signal, &following),
        }];
        for link in following {
            changes.extend(self.take_over(number, link));
        }
        changes
    }

    fn live_of(&mut self, signal: &Signal) -> Live {
        let node = self.number_of(&signal.node);
        let (from, to) = signal.onset_interval;
        let blur = (to.since(from) / 2).clamp(self.settings.onset_blur, 2 * Timestamp::DAY);
        let mut entities: std::collections::BTreeSet<String> =
            signal.entities.iter().take(Signal::MAX_ENTITIES).cloned().collect();
        // The node is an entity that others may name.
        entities.insert(signal.node.clone());
        Live {
            id: signal.id.clone(),
            node,
            about: signal.node.clone(),
            onset: signal.onset.min(signal.time),
            // What is told now goes on now.
            until: signal.time,
            blur,
            entities,
            parent: None,
            surety: 0.0,
            children: Default::default(),
            group: 0,
        }
    }

    fn number_of(&mut self, name: &str) -> u32 {
        if let Some(number) = self.nodes.get(name) {
            return *number;
        }
        let number = self.nodes.len().min(MAX_NODES + self.lineage.nodes().len()) as u32;
        if self.nodes.len() < MAX_NODES + self.lineage.nodes().len() {
            self.nodes.insert(name.to_owned(), number);
        }
        number
    }

    fn number_of_group(&self, group: &str) -> Option<Number> {
        let live = self.forest.find(group).and_then(|number| self.forest.get(number)).map(|live| live.group);
        let named = live.filter(|number| self.group_ids.get(number).is_some_and(|id| id == group));
        named.or_else(|| self.group_ids.iter().find(|(_, id)| *id == group).map(|(number, _)| *number))
    }

    fn related_of(&mut self, node: u32) -> Option<Arc<Related>> {
        self.lineage.node(node)?;
        let (lineage, settings) = (&self.lineage, &self.settings);
        let related = self.related.entry(node).or_insert_with(|| Arc::new(Related::of(lineage, node, settings)));
        Some(Arc::clone(related))
    }

    /// What explains an alert best, and which alerts it would explain itself.
    fn weigh(&self, alert: &Live, related: Option<&Related>) -> (Option<Weighed>, Vec<Weighed>) {
        let mut best: Option<Weighed> = None;
        let mut following = Vec::new();
        let mut consider = |weighed: Option<Weighed>| {
            let Some(weighed) = weighed else { return };
            if best.is_none_or(|best| best.log_odds < weighed.log_odds) {
                best = Some(weighed);
            }
        };
        for (number, other) in self.forest.of_node(alert.node) {
            consider(
                self.link(number, other, alert, Way::Together, 0.95, |after, blur| {
                    Spread::default().density(after, blur)
                }),
            );
        }
        for along in related.into_iter().flat_map(|related| &related.upstream) {
            for (number, other) in self.forest.of_node(along.node) {
                let density = |after, blur| along.spread.density(after, blur);
                consider(self.link(number, other, alert, Way::Follows, along.chance, density));
            }
        }
        for beside in related.into_iter().flat_map(|related| &related.beside) {
            for (number, other) in self.forest.of_node(beside.node) {
                consider(self.link_beside(number, other, alert, beside));
            }
        }
        for name in &alert.entities {
            for (number, other) in self.forest.of_entity(name) {
                if other.node != alert.node {
                    consider(self.link_by_names(number, other, alert));
                }
            }
        }
        for along in related.into_iter().flat_map(|related| &related.downstream) {
            for (number, other) in self.forest.of_node(along.node) {
                let density = |before: f64, blur| along.spread.density(-before, blur);
                let rate = self.log_rate(other.node);
                let link = self.link_at(number, other, alert, Way::Follows, along.chance, rate, density);
                following.extend(link);
            }
        }
        following
            .sort_by(|one: &Weighed, other| other.log_odds.total_cmp(&one.log_odds).then(one.with.cmp(&other.with)));
        (best, following)
    }

    fn link(
        &self,
        number: Number,
        other: &Live,
        alert: &Live,
        way: Way,
        chance: f64,
        density: impl Fn(f64, f64) -> f64,
    ) -> Option<Weighed> {
        self.link_at(number, other, alert, way, chance, self.log_rate(alert.node), density)
    }

    /// Weighs a link: `after` is how much later the alert began than the other one, in hours.
    #[expect(clippy::too_many_arguments, reason = "the terms of one product")]
    fn link_at(
        &self,
        number: Number,
        other: &Live,
        alert: &Live,
        way: Way,
        chance: f64,
        log_rate: f64,
        density: impl Fn(f64, f64) -> f64,
    ) -> Option<Weighed> {
        let blur = hours(alert.blur.saturating_add(other.blur));
        let density = other.leads_to(alert.onset, self.settings.horizon, |after| density(after, blur))?;
        // The name of the node that both are about says nothing more than that they are.
        let both = alert
            .entities
            .intersection(&other.entities)
            .filter(|name| alert.node != other.node || **name != alert.about);
        let evidence = self.background.shared(both, self.now);
        let log_odds = chance.ln() + density.ln() + evidence.ln() - log_rate;
        (self.settings.odds.ln() < log_odds).then_some(Weighed { with: number, log_odds, way })
    }

    fn link_beside(&self, number: Number, other: &Live, alert: &Live, beside: &Beside) -> Option<Weighed> {
        let density = |after, blur| beside.ours.density_beside(beside.theirs, after, blur);
        self.link(number, other, alert, Way::Beside, beside.chance, density)
    }

    /// Alerts that no known path connects, and that name the same: the graph may not know everything.
    fn link_by_names(&self, number: Number, other: &Live, alert: &Live) -> Option<Weighed> {
        let unknown = Spread::of(Lag::UNKNOWN);
        let chance = UNKNOWN_PATH * self.settings.silence * self.settings.crossing;
        let density = |after, blur| 0.5 * (unknown.density(after, blur) + unknown.density(-after, blur));
        self.link(number, other, alert, Way::Names, chance, density)
    }

    fn log_rate(&self, node: u32) -> f64 {
        self.background.rate(node, self.now, self.settings.background).ln()
    }

    fn join(&mut self, number: Number, signal: &Signal, best: Weighed) -> GroupChange {
        let reason = self.reason(number, best);
        self.forest.put_below(number, best.with, best.log_odds);
        self.group_ids.remove(&number);
        self.joined(number, signal, best, reason)
    }

    /// An alert that nothing before explains: it opens a group, or it is what a group that is there began with.
    fn open(&mut self, number: Number, signal: &Signal, following: &[Weighed]) -> GroupChange {
        if let Some(node) = self.forest.get(number).map(|live| live.node) {
            self.background.add_root(node, self.now);
        }
        let is_root = |link: &&Weighed| self.forest.get(link.with).is_some_and(|live| live.parent.is_none());
        let Some(link) = following.iter().find(is_root).copied() else {
            return GroupChange::Opened { group: signal.id.clone(), alert: signal.id.clone() };
        };
        let reason = self.reason(number, link);
        let group = self.forest.get(link.with).map_or(number, |live| live.group);
        self.forest.put_below(link.with, number, link.log_odds);
        self.forest.rename_group(number, group);
        self.group_ids.remove(&number);
        self.joined(number, signal, link, reason)
    }

    fn joined(&self, number: Number, signal: &Signal, link: Weighed, reason: String) -> GroupChange {
        let alert = signal.id.clone();
        let with = self.forest.get(link.with).map(|live| live.id.clone()).unwrap_or_default();
        let group = self.forest.get(number).and_then(|live| self.group_ids.get(&live.group)).cloned();
        let group = group.unwrap_or_else(|| alert.clone());
        GroupChange::Joined { group, alert, with, confidence: confidence(link.log_odds), reason }
    }

    /// An alert explains another one better than what explained it until now.
    fn take_over(&mut self, number: Number, link: Weighed) -> Option<GroupChange> {
        let child = self.forest.get(link.with)?;
        let (theirs, is_root) = (child.group, child.parent.is_none());
        let ours = self.forest.get(number)?.group;
        if theirs == ours || (!is_root && link.log_odds < child.surety + self.settings.takeover.ln()) {
            return None;
        }
        let reason = self.reason(link.with, Weighed { with: number, ..link });
        let moved = self.forest.subtree(link.with);
        self.forest.put_below(link.with, number, link.log_odds);
        let name = |group: Number| self.group_ids.get(&group).cloned().unwrap_or_default();
        if is_root {
            // The group that was there first goes on: people may be at work on it.
            let (ends, goes_on) = (theirs.max(ours), theirs.min(ours));
            let (from, into) = (name(ends), name(goes_on));
            self.forest.rename_group(ours, goes_on);
            self.group_ids.remove(&ends);
            return Some(GroupChange::Merged { from, into, confidence: confidence(link.log_odds), reason });
        }
        let mut alerts: Vec<String> =
            moved.iter().filter_map(|number| Some(self.forest.get(*number)?.id.clone())).collect();
        alerts.sort();
        Some(GroupChange::Moved { from: name(theirs), into: name(ours), alerts, reason })
    }

    /// Why an alert goes with another one.
    fn reason(&self, number: Number, link: Weighed) -> String {
        let (Some(alert), Some(other)) = (self.forest.get(number), self.forest.get(link.with)) else {
            return String::new();
        };
        let after = alert.onset.since(other.onset);
        let when = if 0 <= after { format!("{} after", length(after)) } else { format!("{} before", length(-after)) };
        let names: Vec<&str> = alert.entities.intersection(&other.entities).take(3).map(String::as_str).collect();
        let both = if names.is_empty() { String::new() } else { format!("; both name {}", names.join(", ")) };
        match link.way {
            Way::Together => format!("it began on the same node {when} {}{both}", other.id),
            Way::Follows => {
                format!("{} lies behind {}, and it began {when} {}{both}", alert.about, other.about, other.id)
            }
            Way::Beside => format!(
                "{} and {} lie behind one node, and it began {when} {}{both}",
                alert.about, other.about, other.id
            ),
            Way::Names => format!("it began {when} {}{both}", other.id),
        }
    }
}

fn confidence(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

pub(super) fn hours(span: Span) -> f64 {
    span as f64 / Timestamp::HOUR as f64
}

fn length(span: Span) -> String {
    let minutes = span / Timestamp::MINUTE;
    match minutes {
        0..120 => format!("{minutes} min"),
        120..2_880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}
