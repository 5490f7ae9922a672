//! Where the trouble of a group began.
//!
//! Each member began by itself, or follows from another member, or from a node upstream that raised no alert; each way
//! has its intensity, as in the module above it. Every member gives its share to whatever it follows from, in
//! proportion, until all shares lie where something began by itself. A node's confidence is the share that lies there.
//!
//! A silent node pays for its silence, and for every node right behind it that is silent too; it gains by every other
//! member that its trouble, at the time that fits, explains better, and by every member that names it.

use std::{collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::{
    CorrelationSettings,
    background::Background,
    correlator::hours,
    forest::{Live, Number},
    related::{Along, Related},
    spread::Spread,
};
use crate::lineage::{EdgeKind, Lineage, NodeIndex};

/// Most members that are weighed: those that began first.
const MAX_MEMBERS: usize = 200;
/// The most that other members, or names in alerts, can say for a silent node.
const MOST_GAIN: f64 = 1e6;
/// Most steps that a share takes.
const MAX_STEPS: usize = 200;

/// A node where it may have begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The node.
    pub node: String,
    /// Its earliest alert of the group; nothing where it raised none.
    pub alert: Option<String>,
    /// When it began there.
    pub onset: Timestamp,
    /// Chance that it began there, among the candidates.
    pub confidence: f64,
    /// How many alerts of the group name the node.
    pub n_named: u32,
}

/// Where the trouble of a group began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The likeliest first; at most ten.
    pub candidates: Vec<Candidate>,
}

impl Origin {
    /// The likeliest node.
    pub fn likeliest(&self) -> Option<&Candidate> {
        self.candidates.first()
    }
}

/// What a member may follow from.
struct Ways {
    /// Intensity of beginning by itself.
    itself: f64,
    /// Other members, by their place, and intensities.
    members: Vec<(usize, f64)>,
    /// Silent nodes and intensities.
    silent: Vec<(NodeIndex, f64)>,
}

impl Ways {
    /// Intensity of all ways.
    fn total(&self) -> f64 {
        self.known() + self.silent.iter().map(|(_, intensity)| intensity).sum::<f64>()
    }

    /// Intensity of all ways but silent nodes.
    fn known(&self) -> f64 {
        self.itself + self.members.iter().map(|(_, intensity)| intensity).sum::<f64>()
    }
}

struct Group<'a> {
    members: Vec<&'a Live>,
    upstream: Vec<Option<Arc<Related>>>,
    lineage: &'a Lineage,
    background: &'a Background,
    settings: &'a CorrelationSettings,
    now: Timestamp,
}

pub(super) fn find(
    members: &[(Number, Live)],
    lineage: &Lineage,
    related: &FxHashMap<NodeIndex, Arc<Related>>,
    background: &Background,
    settings: &CorrelationSettings,
    now: Timestamp,
) -> Option<Origin> {
    let mut sorted: Vec<&Live> = members.iter().map(|(_, live)| live).collect();
    sorted.sort_by(|one, other| (one.onset, &one.id).cmp(&(other.onset, &other.id)));
    sorted.truncate(MAX_MEMBERS);
    let upstream = sorted.iter().map(|live| related.get(&live.node).cloned()).collect();
    let group = Group { members: sorted, upstream, lineage, background, settings, now };
    let mut ways: Vec<Ways> = (0..group.members.len()).map(|child| group.known_ways(child)).collect();
    let mut onsets = BTreeMap::new();
    let mut silent = Vec::new();
    for (node, children) in group.silent_candidates() {
        if let Some((child, intensity, onset)) = group.silent_way(node, &children, &ways) {
            onsets.insert(node, onset);
            silent.push((node, children, (child, intensity, onset)));
        }
    }
    for (node, _, (child, intensity, _)) in &silent {
        ways[*child].silent.push((*node, *intensity));
    }
    // Of several silent nodes that may be behind one member, one is: what it is sure of decides for the others. One that
    // nobody names is a guess about one member, and is held to be behind no other.
    let totals: Vec<f64> = ways.iter().map(Ways::total).collect();
    for (node, children, (child, intensity, onset)) in silent.iter().filter(|(node, ..)| 0 < group.named(*node).1) {
        group.share_out(*node, children, (*child, intensity / totals[*child], *onset), &mut ways);
    }
    Some(Origin { candidates: group.candidates(&settled(&ways), &onsets) })
}

/// Where shares come to lie: by member, and by silent node.
struct Shares {
    members: Vec<f64>,
    silent: BTreeMap<NodeIndex, f64>,
}

fn settled(ways: &[Ways]) -> Shares {
    let n = ways.len();
    let mut shares = Shares { members: vec![0.0; n], silent: BTreeMap::new() };
    let mut moving = vec![1.0 / n as f64; n];
    for _ in 0..MAX_STEPS {
        let mut next = vec![0.0; n];
        for (child, way) in ways.iter().enumerate().filter(|(child, _)| 0.0 < moving[*child]) {
            let members: f64 = way.members.iter().map(|(_, intensity)| intensity).sum();
            let silent: f64 = way.silent.iter().map(|(_, intensity)| intensity).sum();
            let each = moving[child] / (way.itself + members + silent);
            shares.members[child] += each * way.itself;
            way.members.iter().for_each(|(parent, intensity)| next[*parent] += each * intensity);
            for (node, intensity) in &way.silent {
                *shares.silent.entry(*node).or_default() += each * intensity;
            }
        }
        moving = next;
        if moving.iter().sum::<f64>() < 1e-9 {
            break;
        }
    }
    shares
}

impl Group<'_> {
    fn rate(&self, node: NodeIndex) -> f64 {
        self.background.rate(node, self.now, self.settings.background)
    }

    fn path(&self, child: usize, source: NodeIndex) -> Option<&Along> {
        let upstream = &self.upstream.get(child)?.as_ref()?.upstream;
        upstream.iter().find(|along| along.node == source)
    }

    /// How a member may have begun: by itself, or from other members.
    fn known_ways(&self, child: usize) -> Ways {
        let live = self.members[child];
        let mut members = Vec::new();
        for (at, other) in self.members.iter().enumerate().filter(|(at, _)| *at != child) {
            let (after, blur) = apart(other, live);
            let intensity = if other.node == live.node {
                // Of two alerts on one node the later one follows from the earlier one.
                if at < child { 0.95 * Spread::default().density(after, blur) } else { 0.0 }
            } else {
                self.path(child, other.node).map_or(0.0, |along| along.chance * along.spread.density(after, blur))
            };
            if 0.0 < intensity {
                let both = live.entities.intersection(&other.entities);
                let both = both.filter(|name| live.node != other.node || **name != live.about);
                members.push((at, intensity * self.background.shared(both, self.now)));
            }
        }
        Ways { itself: self.rate(live.node), members, silent: Vec::new() }
    }

    /// Nodes upstream that raised no alert, each with the members that it reaches.
    fn silent_candidates(&self) -> BTreeMap<NodeIndex, Vec<(usize, Along)>> {
        let mut candidates: BTreeMap<NodeIndex, Vec<(usize, Along)>> = BTreeMap::new();
        for (child, related) in self.upstream.iter().enumerate() {
            for along in related.iter().flat_map(|related| &related.upstream) {
                candidates.entry(along.node).or_default().push((child, *along));
            }
        }
        candidates
            .retain(|node, _| self.members.iter().all(|live| live.node != *node && !self.is_part(*node, live.node)));
        candidates
    }

    /// Whether a node is a part of another one: a version of a model raises no alert of its own, and its model's alerts
    /// name it as a matter of course.
    fn is_part(&self, node: NodeIndex, whole: NodeIndex) -> bool {
        self.lineage.outgoing(node).any(|(target, edge)| target == whole && edge.kind == EdgeKind::Part)
    }

    /// The member that a silent node explains first, with what intensity, and when it would have begun there.
    ///
    /// Nobody saw it begin. One member fixes the moment, and its lag is summed over; other members are held against it.
    fn silent_way(
        &self,
        node: NodeIndex,
        children: &[(usize, Along)],
        ways: &[Ways],
    ) -> Option<(usize, f64, Timestamp)> {
        let explained = |child: usize| ways[child].known();
        let alone = self.rate(node) * self.settings.silence * self.absent(node) * self.named(node).0;
        let mut best: Option<(usize, f64, Timestamp)> = None;
        for (first, reference) in children.iter().take(16) {
            let lag = (reference.spread.median() * Timestamp::HOUR as f64) as i64;
            let onset = self.members[*first].onset.plus(-lag);
            let others = children.iter().filter(|(child, _)| child != first);
            let gain: f64 = others
                .map(|(child, along)| {
                    let live = self.members[*child];
                    let after = hours(live.onset.since(onset));
                    let intensity = along.chance * along.spread.density(after, hours(2 * live.blur));
                    (intensity / explained(*child)).max(1.0)
                })
                .product();
            let intensity = alone * reference.chance * gain.min(MOST_GAIN);
            // How much of the member's share it would take decides which member it explains.
            let share = |child: usize, intensity: f64| intensity / (explained(child) + intensity);
            if best.is_none_or(|(child, known, _)| share(child, known) < share(*first, intensity)) {
                best = Some((*first, intensity, onset));
            }
        }
        best
    }

    /// The other members follow from a silent node as far as it is sure that it is in trouble.
    fn share_out(
        &self,
        node: NodeIndex,
        children: &[(usize, Along)],
        (first, surety, onset): (usize, f64, Timestamp),
        ways: &mut [Ways],
    ) {
        for (child, along) in children.iter().filter(|(child, _)| *child != first) {
            let live = self.members[*child];
            let density = along.spread.density(hours(live.onset.since(onset)), hours(2 * live.blur));
            ways[*child].silent.push((node, surety * along.chance * density));
        }
    }

    /// How likely it is that nodes right behind a silent one are silent too.
    fn absent(&self, node: NodeIndex) -> f64 {
        let heard = self.settings.crossing * (1.0 - self.settings.silence);
        let is_member = |target: NodeIndex| self.members.iter().any(|live| live.node == target);
        let absent = self.lineage.outgoing(node).filter(|(target, _)| !is_member(*target)).count();
        (1.0 - heard).powi(absent.min(64) as i32)
    }

    /// What it says for a node that members name it, and how many do.
    fn named(&self, node: NodeIndex) -> (f64, u32) {
        let name = self.lineage.node(node).map(ToString::to_string).unwrap_or_default();
        let n_named = self.n_named(&name);
        let evidence = self.background.evidence(&name, self.now).powi(n_named.min(8) as i32);
        (evidence.min(MOST_GAIN), n_named)
    }

    /// How many members name a node. A node's own alerts do as a matter of course.
    fn n_named(&self, name: &str) -> u32 {
        self.members.iter().filter(|live| live.about != name && live.entities.contains(name)).count() as u32
    }

    /// Shares of nodes, the largest first.
    fn candidates(&self, shares: &Shares, onsets: &BTreeMap<NodeIndex, Timestamp>) -> Vec<Candidate> {
        let mut found: BTreeMap<u32, Candidate> = BTreeMap::new();
        for (live, share) in self.members.iter().zip(&shares.members) {
            let candidate = found.entry(live.node).or_insert_with(|| Candidate {
                node: live.about.clone(),
                alert: Some(live.id.clone()),
                onset: live.onset,
                confidence: 0.0,
                n_named: self.n_named(&live.about),
            });
            candidate.confidence += share;
        }
        let silent = shares.silent.iter().filter_map(|(index, share)| {
            let node = self.lineage.node(*index)?.to_string();
            let n_named = self.n_named(&node);
            Some(Candidate { node, alert: None, onset: *onsets.get(index)?, confidence: *share, n_named })
        });
        let mut candidates: Vec<Candidate> = found.into_values().chain(silent).collect();
        candidates
            .sort_by(|one, other| other.confidence.total_cmp(&one.confidence).then_with(|| one.node.cmp(&other.node)));
        candidates.truncate(10);
        candidates
    }
}

fn apart(from: &Live, to: &Live) -> (f64, f64) {
    (hours(to.onset.since(from.onset)), hours(from.blur.saturating_add(to.blur)))
}
