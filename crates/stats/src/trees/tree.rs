//! One tree.

use serde::{Deserialize, Serialize};

use super::Split;

/// The most nodes from the root to a leaf.
pub(crate) const DEEPEST: usize = 4_096;

/// A node of a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Node {
    /// Asks a feature; children lie behind their parent.
    Split {
        /// What is asked.
        split: Split,
        /// The node on the left.
        left: u32,
        /// The node on the right.
        right: u32,
    },
    /// Adds values to outputs that follow each other.
    Leaf {
        /// The first of them.
        output: u32,
        /// What is added to each.
        values: Vec<f64>,
    },
}

/// A tree; the first node is the root, and children lie behind their parents, so that every walk ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    pub(super) nodes: Vec<Node>,
    /// Weight of the training rows that reached each node; empty where the file does not say it.
    pub(super) covers: Vec<f64>,
}

impl Tree {
    /// A tree of nodes, with the cover of each or none at all.
    ///
    /// `None` where a child does not lie behind its parent or is shared, a node cannot be reached, covers are
    /// negative, infinite, or neither none nor one a node, a value is not finite, or it is deeper than 4,096.
    #[must_use]
    pub fn new(nodes: Vec<Node>, covers: Vec<f64>) -> Option<Self> {
        let tree = Self { nodes, covers };
        tree.depth().is_some().then_some(tree)
    }

    /// The nodes, the root first.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The weight of the training rows that reached a node, where the file says it.
    #[must_use]
    pub fn cover(&self, node: usize) -> Option<f64> {
        self.covers.get(node).copied()
    }

    /// The first output of the leaf that a row reaches, and what is added to it and those that follow.
    #[must_use]
    pub fn leaf(&self, row: &[f64]) -> (usize, &[f64]) {
        let mut at = 0;
        loop {
            match &self.nodes[at] {
                Node::Leaf { output, values } => return (*output as usize, values),
                Node::Split { split, left, right } => {
                    at = (if split.goes_left(row[split.feature()]) { *left } else { *right }) as usize;
                }
            }
        }
    }

    /// Splits from the root to the deepest leaf; `None` unless the tree is sound.
    pub(super) fn depth(&self) -> Option<usize> {
        let count = self.nodes.len();
        let covers = self.covers.is_empty() || self.covers.len() == count;
        if count == 0 || !covers || self.covers.iter().any(|cover| !(0.0 <= *cover && cover.is_finite())) {
            return None;
        }
        // Every node but the root is the child of one node before it.
        let mut depths: Vec<Option<usize>> = vec![None; count];
        depths[0] = Some(0);
        let mut deepest = 0;
        for (at, node) in self.nodes.iter().enumerate() {
            let depth = depths[at]?;
            deepest = deepest.max(depth);
            match node {
                Node::Leaf { values, .. } => {
                    if values.iter().any(|value| !value.is_finite()) {
                        return None;
                    }
                }
                Node::Split { left, right, .. } => {
                    for child in [*left as usize, *right as usize] {
                        let free = child > at && child < count && depths[child].is_none();
                        if !free || depth >= DEEPEST {
                            return None;
                        }
                        depths[child] = Some(depth + 1);
                    }
                }
            }
        }
        Some(deepest)
    }
}
