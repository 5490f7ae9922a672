//! The graph: nodes and edges in the order in which they came, so that the same sources give the same graph.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Edge, LineageError, Node, NodeFacts};

/// The place of a node in its graph.
pub type NodeIndex = u32;

/// What flows into what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Listed", into = "Listed")]
pub struct Lineage {
    nodes: Vec<Node>,
    facts: Vec<NodeFacts>,
    index: FxHashMap<Node, NodeIndex>,
    edges: Vec<(NodeIndex, NodeIndex, Edge)>,
    places: FxHashMap<(NodeIndex, NodeIndex), u32>,
    outgoing: Vec<Vec<u32>>,
    incoming: Vec<Vec<u32>>,
}

/// The form in which it is written.
#[derive(Clone, Serialize, Deserialize)]
struct Listed {
    nodes: Vec<(Node, NodeFacts)>,
    edges: Vec<(NodeIndex, NodeIndex, Edge)>,
}

impl From<Lineage> for Listed {
    fn from(graph: Lineage) -> Self {
        Self { nodes: graph.nodes.into_iter().zip(graph.facts).collect(), edges: graph.edges }
    }
}

impl From<Listed> for Lineage {
    /// Edges to nodes that are not there are left out: what was written by this type has none.
    fn from(listed: Listed) -> Self {
        let mut graph = Self::default();
        let nodes: Vec<Option<NodeIndex>> = listed
            .nodes
            .into_iter()
            .map(|(node, facts)| {
                let index = graph.add_node(node).ok()?;
                graph.facts[index as usize] = facts;
                Some(index)
            })
            .collect();
        let known = |index: NodeIndex| nodes.get(index as usize).copied().flatten();
        for (from, to, edge) in listed.edges {
            if let (Some(from), Some(to)) = (known(from), known(to)) {
                let _ = graph.join(from, to, edge);
            }
        }
        graph
    }
}

impl Lineage {
    /// Most nodes.
    pub const MAX_NODES: usize = 1_000_000;
    /// Most edges.
    pub const MAX_EDGES: usize = 4_000_000;

    /// The place of a node, which is added where it is new.
    ///
    /// # Errors
    /// [`LineageError::Full`] where there are too many.
    pub fn add_node(&mut self, node: Node) -> Result<NodeIndex, LineageError> {
        if let Some(index) = self.index.get(&node) {
            return Ok(*index);
        }
        if Self::MAX_NODES <= self.nodes.len() {
            return Err(LineageError::Full { what: "nodes", most: Self::MAX_NODES });
        }
        let index = self.nodes.len() as NodeIndex;
        self.index.insert(node.clone(), index);
        self.nodes.push(node);
        self.facts.push(NodeFacts::default());
        self.outgoing.push(Vec::new());
        self.incoming.push(Vec::new());
        Ok(index)
    }

    /// Adds an edge and its nodes; where there is one already, what both say holds.
    ///
    /// # Errors
    /// [`LineageError::Full`] where there are too many.
    pub fn add_edge(&mut self, from: Node, to: Node, edge: Edge) -> Result<(), LineageError> {
        let from = self.add_node(from)?;
        let to = self.add_node(to)?;
        self.join(from, to, edge)
    }

    fn join(&mut self, from: NodeIndex, to: NodeIndex, edge: Edge) -> Result<(), LineageError> {
        // A table that a job reads and writes is no news about what reaches what.
        if from == to {
            return Ok(());
        }
        if let Some(place) = self.places.get(&(from, to)) {
            self.edges[*place as usize].2.join(edge);
            return Ok(());
        }
        if Self::MAX_EDGES <= self.edges.len() {
            return Err(LineageError::Full { what: "edges", most: Self::MAX_EDGES });
        }
        let place = self.edges.len() as u32;
        self.places.insert((from, to), place);
        self.edges.push((from, to, edge));
        self.outgoing[from as usize].push(place);
        self.incoming[to as usize].push(place);
        Ok(())
    }

    /// Says what is known of a node.
    pub fn set_facts(&mut self, index: NodeIndex, facts: NodeFacts) {
        if let Some(place) = self.facts.get_mut(index as usize) {
            *place = facts;
        }
    }

    /// What is known of a node.
    pub fn facts(&self, index: NodeIndex) -> Option<&NodeFacts> {
        self.facts.get(index as usize)
    }

    /// The place of a node.
    pub fn find(&self, node: &Node) -> Option<NodeIndex> {
        self.index.get(node).copied()
    }

    /// A node by its place.
    pub fn node(&self, index: NodeIndex) -> Option<&Node> {
        self.nodes.get(index as usize)
    }

    /// Its nodes, by place.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Its edges: from, to, and what is known.
    pub fn edges(&self) -> &[(NodeIndex, NodeIndex, Edge)] {
        &self.edges
    }

    /// Edges that leave a node.
    pub fn outgoing(&self, index: NodeIndex) -> impl Iterator<Item = (NodeIndex, &Edge)> {
        let places = self.outgoing.get(index as usize).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.edges[*place as usize]).map(|(_, to, edge)| (*to, edge))
    }

    /// Edges that come into a node.
    pub fn incoming(&self, index: NodeIndex) -> impl Iterator<Item = (NodeIndex, &Edge)> {
        let places = self.incoming.get(index as usize).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.edges[*place as usize]).map(|(from, _, edge)| (*from, edge))
    }

    /// Takes in another graph.
    ///
    /// # Errors
    /// [`LineageError::Full`] where there are too many nodes or edges.
    pub fn absorb(&mut self, other: Self) -> Result<(), LineageError> {
        let mut places = BTreeMap::new();
        for (index, (node, facts)) in other.nodes.into_iter().zip(other.facts).enumerate() {
            let place = self.add_node(node)?;
            if facts != NodeFacts::default() {
                self.facts[place as usize] = facts;
            }
            places.insert(index as NodeIndex, place);
        }
        for (from, to, edge) in other.edges {
            self.join(places[&from], places[&to], edge)?;
        }
        Ok(())
    }
}
