//! What a contaminated node reached, and since when.

use std::{cmp::Reverse, collections::BinaryHeap};

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::{Lineage, Node, NodeIndex, NodeKind};

/// A node that was reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    /// Its place in the graph.
    pub index: NodeIndex,
    /// The node.
    pub node: Node,
    /// Since when it may be contaminated: no path that respects time reaches it earlier.
    pub since: Timestamp,
    /// The node before it on such a path.
    pub via: Option<NodeIndex>,
    /// Number of edges on that path.
    pub n_edges: u32,
    /// Chance that it is affected, where every edge passes on its weight, from nodes that had it before this one;
    /// 1 where nothing was counted.
    pub chance: f64,
}

/// What a contaminated node reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlastRadius {
    /// By the time since when; the origin is first.
    pub reached: Vec<Reached>,
    /// Nodes that edges lead to, and that were not used after the contamination: reached in the drawing only.
    pub unused: Vec<Node>,
    /// People that the reached nodes concern, as far as operators said: the largest node of each kind, because the
    /// same people stand behind several.
    pub people: Option<u64>,
    /// Decisions between the contamination and the moment of asking that rest on reached nodes: operators say it of
    /// one node of a chain, and decisions of several count once each.
    pub decisions: Option<f64>,
    /// What these decisions cost at most, in hundredths of a currency.
    pub cost_hundredths: Option<f64>,
}

impl BlastRadius {
    /// Reached nodes of a kind.
    pub fn of_kind(&self, kind: NodeKind) -> impl Iterator<Item = &Reached> {
        self.reached.iter().filter(move |reached| reached.node.kind == kind)
    }
}

impl Lineage {
    /// What a node that was contaminated at a moment reached until another one, in `O(edges * log(edges))`.
    ///
    /// An edge passes contamination on where it was used at or after the moment at which its source had it:
    /// `t(v) = min over (u, v) of the first use of (u, v) from t(u) on`. Because a later start never arrives earlier,
    /// settling nodes in the order of their times is exact.
    ///
    /// Returns `None` where there is no such node.
    pub fn blast_radius(&self, origin: NodeIndex, since: Timestamp, until: Timestamp) -> Option<BlastRadius> {
        let first = self.node(origin)?.clone();
        let n = self.nodes().len();
        let mut earliest = vec![None::<(Timestamp, u32, Option<NodeIndex>)>; n];
        let mut place_of = vec![None::<usize>; n];
        let mut not_chance = vec![1.0f64; n];
        let mut touched = vec![false; n];
        let mut queue = BinaryHeap::from([Reverse((since, 0u32, origin))]);
        earliest[origin as usize] = Some((since, 0, None));
        not_chance[origin as usize] = 0.0;
        let mut radius = BlastRadius::default();
        while let Some(Reverse((time, n_edges, index))) = queue.pop() {
            if place_of[index as usize].is_some() {
                continue;
            }
            let Some(node) = self.node(index) else { continue };
            place_of[index as usize] = Some(radius.reached.len());
            let via = earliest[index as usize].and_then(|(_, _, via)| via);
            let chance = 1.0 - not_chance[index as usize];
            radius.reached.push(Reached { index, node: node.clone(), since: time, via, n_edges, chance });
            for (to, edge) in self.outgoing(index) {
                touched[to as usize] = true;
                let Some(used) = edge.uses.first_from(time).filter(|used| *used <= until) else { continue };
                // What was settled before cannot have been contaminated by this node: the two would be a circle.
                if place_of[to as usize].is_some() {
                    continue;
                }
                not_chance[to as usize] *= 1.0 - chance * edge.weight.unwrap_or(1.0).clamp(0.0, 1.0);
                let better = earliest[to as usize].is_none_or(|(at, hops, _)| (used, n_edges + 1) < (at, hops));
                if better {
                    earliest[to as usize] = Some((used, n_edges + 1, Some(index)));
                    queue.push(Reverse((used, n_edges + 1, to)));
                }
            }
        }
        if radius.reached.is_empty() {
            return None;
        }
        debug_assert_eq!(radius.reached.first().map(|reached| &reached.node), Some(&first));
        let unused = (0..n).filter(|&index| touched[index] && place_of[index].is_none());
        radius.unused = unused.map(|index| self.nodes()[index].clone()).collect();
        self.count(&mut radius, until);
        Some(radius)
    }

    /// Adds up what operators said of the reached nodes.
    fn count(&self, radius: &mut BlastRadius, until: Timestamp) {
        for reached in &radius.reached {
            let Some(facts) = self.facts(reached.index) else { continue };
            radius.people = radius.people.max(facts.people);
            let Some(per_day) = facts.decisions_per_day else { continue };
            let days = until.since(reached.since).max(0) as f64 / Timestamp::DAY as f64;
            let decisions = per_day * days * reached.chance;
            *radius.decisions.get_or_insert(0.0) += decisions;
            if let Some(cost) = facts.cost_per_decision_hundredths {
                *radius.cost_hundredths.get_or_insert(0.0) += decisions * cost as f64;
            }
        }
    }
}
