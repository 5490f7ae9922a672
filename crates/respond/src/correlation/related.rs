//! Which nodes an alert on a node can have to do with, how surely, and after how long.

use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap};

use rustc_hash::FxHashMap;
use wardline_domain::Timestamp;

use super::{CorrelationSettings, spread::Spread};
use crate::lineage::{Edge, EdgeKind, Lag, Lineage, NodeIndex, NodeKind};

/// Most nodes on each side that are looked at: the likeliest ones.
const MAX_SIDE: usize = 128;
/// Most nodes beside a node, below a silent one.
const MAX_BESIDE: usize = 256;
/// Chances below this are not followed.
const LEAST_CHANCE: f64 = 0.02;

/// A node up or down a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Along {
    pub(super) node: NodeIndex,
    pub(super) chance: f64,
    pub(super) spread: Spread,
}

/// A node that a silent node reaches as well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Beside {
    pub(super) node: NodeIndex,
    pub(super) chance: f64,
    /// From the silent node to the other one.
    pub(super) theirs: Spread,
    /// From the silent node to this one.
    pub(super) ours: Spread,
}

/// What a node can have to do with.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Related {
    pub(super) upstream: Vec<Along>,
    pub(super) downstream: Vec<Along>,
    pub(super) beside: Vec<Beside>,
}

impl Related {
    pub(super) fn of(graph: &Lineage, node: NodeIndex, settings: &CorrelationSettings) -> Self {
        let upstream = walk(graph, node, settings, Direction::Up);
        let downstream = walk(graph, node, settings, Direction::Down);
        let mut beside: FxHashMap<NodeIndex, Beside> = FxHashMap::default();
        for source in &upstream {
            let reached = walk(graph, source.node, settings, Direction::Down);
            // A node that many others follow would be told of by many: two of them say the less the more there are.
            let others = reached.len().saturating_sub(1).max(1) as f64;
            for target in reached {
                let chance = source.chance * target.chance * settings.silence / others;
                let better = beside.get(&target.node).is_none_or(|known| known.chance < chance);
                if target.node != node && LEAST_CHANCE * settings.silence < chance * others && better {
                    let (theirs, ours) = (target.spread, source.spread);
                    beside.insert(target.node, Beside { node: target.node, chance, theirs, ours });
                }
            }
        }
        let mut beside: Vec<Beside> = beside.into_values().collect();
        beside.sort_by(|one, other| other.chance.total_cmp(&one.chance).then(one.node.cmp(&other.node)));
        beside.truncate(MAX_BESIDE);
        Self { upstream, downstream, beside }
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Up,
    Down,
}

/// Chance and lag of one edge from a node of a kind. A part and its whole are in trouble together.
fn crossing(from: NodeKind, edge: &Edge, settings: &CorrelationSettings) -> (f64, Spread) {
    match (edge.kind, edge.lag) {
        (EdgeKind::Part, None) => (0.95, Spread::default()),
        (EdgeKind::Part, Some(lag)) => (0.95, Spread::of(lag)),
        (_, lag) => (settings.crossing, Spread::of(lag.unwrap_or_else(|| unknown_lag(from)))),
    }
}

/// What comes in by a channel lands within hours: one, give or take a factor of 4.5, so from 3 minutes to 20 hours.
const ARRIVAL: Lag = Lag { median: Timestamp::HOUR, factor: 4.5 };

fn unknown_lag(from: NodeKind) -> Lag {
    if from == NodeKind::Channel { ARRIVAL } else { Lag::UNKNOWN }
}

fn kind(graph: &Lineage, node: NodeIndex) -> NodeKind {
    graph.node(node).map_or(NodeKind::Dataset, |node| node.kind)
}

/// A place in the queue: the likeliest first, then by node.
struct Queued(Along);

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Queued {}
impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.chance.total_cmp(&other.0.chance).then(other.0.node.cmp(&self.0.node))
    }
}

/// The likeliest paths from a node, one for each node that it reaches.
fn walk(graph: &Lineage, start: NodeIndex, settings: &CorrelationSettings, direction: Direction) -> Vec<Along> {
    let mut settled: FxHashMap<NodeIndex, ()> = FxHashMap::default();
    let mut found = Vec::new();
    let mut queue = BinaryHeap::from([Queued(Along { node: start, chance: 1.0, spread: Spread::default() })]);
    while let Some(Queued(along)) = queue.pop() {
        if settled.insert(along.node, ()).is_some() {
            continue;
        }
        if along.node != start {
            found.push(along);
        }
        if MAX_SIDE <= found.len() {
            break;
        }
        let mut push = |node: NodeIndex, edge: &Edge| {
            let source = match direction {
                Direction::Up => node,
                Direction::Down => along.node,
            };
            let (chance, spread) = crossing(kind(graph, source), edge, settings);
            let next = Along { node, chance: along.chance * chance, spread: along.spread.then(spread) };
            if LEAST_CHANCE <= next.chance && !settled.contains_key(&node) {
                queue.push(Queued(next));
            }
        };
        match direction {
            Direction::Up => graph.incoming(along.node).for_each(|(node, edge)| push(node, edge)),
            Direction::Down => graph.outgoing(along.node).for_each(|(node, edge)| push(node, edge)),
        }
    }
    found
}

/// Nodes right behind a node.
pub(super) fn next_to(graph: &Lineage, node: NodeIndex, settings: &CorrelationSettings) -> Vec<Along> {
    let along = |(target, edge): (NodeIndex, &Edge)| {
        let (chance, spread) = crossing(kind(graph, node), edge, settings);
        Along { node: target, chance, spread }
    };
    graph.outgoing(node).map(along).take(MAX_SIDE).collect()
}

/// Nodes from which trouble reaches a node.
pub(super) fn upstream(graph: &Lineage, node: NodeIndex, settings: &CorrelationSettings) -> Vec<Along> {
    walk(graph, node, settings, Direction::Up)
}

/// The likeliest paths from a node to nodes that raised alerts, through nodes that raised none. A node on the way is
/// counted as silent by whoever asks; that it was reached and silent replaces that.
pub(super) fn through_silent(
    graph: &Lineage,
    start: NodeIndex,
    settings: &CorrelationSettings,
    loud: &BTreeSet<NodeIndex>,
) -> Vec<Along> {
    if graph.node(start).is_none() {
        return Vec::new();
    }
    let mut settled: FxHashMap<NodeIndex, ()> = FxHashMap::default();
    let mut found = Vec::new();
    let mut queue = BinaryHeap::from([Queued(Along { node: start, chance: 1.0, spread: Spread::default() })]);
    while let Some(Queued(along)) = queue.pop() {
        if settled.insert(along.node, ()).is_some() {
            continue;
        }
        if along.node != start && loud.contains(&along.node) {
            found.push(along);
        }
        if MAX_SIDE <= settled.len() {
            break;
        }
        for (node, edge) in graph.outgoing(along.node) {
            let (chance, spread) = crossing(kind(graph, along.node), edge, settings);
            let silent = if along.node == start {
                1.0
            } else {
                settings.silence / (1.0 - settings.crossing * (1.0 - settings.silence))
            };
            let next = Along { node, chance: along.chance * silent * chance, spread: along.spread.then(spread) };
            if LEAST_CHANCE * settings.silence <= next.chance && !settled.contains_key(&node) {
                queue.push(Queued(next));
            }
        }
    }
    found
}

/// Chance, for each node upstream, that its trouble reaches a node.
pub(crate) fn chances_upstream(
    graph: &Lineage,
    node: NodeIndex,
    settings: &CorrelationSettings,
) -> Vec<(NodeIndex, f64)> {
    walk(graph, node, settings, Direction::Up).into_iter().map(|along| (along.node, along.chance)).collect()
}
