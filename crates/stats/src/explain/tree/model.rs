//! What explanations ask of a model of trees.

use crate::trees::{Ensemble, Node};

/// A node of a tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TreeNode<'a> {
    /// A question about one feature, and the nodes that follow.
    Split {
        /// The number of the feature.
        feature: usize,
        /// The node where [`TreeModel::goes_left`].
        left: usize,
        /// The other node.
        right: usize,
    },
    /// What is added to some outputs that follow each other.
    Leaf {
        /// The first of the outputs.
        output: usize,
        /// One number for each.
        values: &'a [f64],
    },
}

/// A sum of trees: each row adds the values of one leaf of each tree to the outputs.
///
/// Node zero is the root. What is answered here is checked before it is used: a cycle, a child or a
/// feature out of range, or a number that is not finite makes the explanation `None`.
pub trait TreeModel {
    /// How many features a row has.
    fn features(&self) -> usize;

    /// What each output starts from; as many as there are outputs.
    fn base_margins(&self) -> &[f64];

    /// What the values of all leaves are multiplied by: below one where trees are averaged.
    fn tree_weight(&self) -> f64 {
        1.0
    }

    /// How many trees there are.
    fn trees(&self) -> usize;

    /// How many nodes a tree has.
    fn nodes(&self, tree: usize) -> usize;

    /// A node of a tree.
    fn node(&self, tree: usize, node: usize) -> TreeNode<'_>;

    /// How many training rows (or how much of their weight) came to a node, if that is known.
    fn cover(&self, tree: usize, node: usize) -> Option<f64>;

    /// Whether a value goes left at a split; NaN is a missing value.
    fn goes_left(&self, tree: usize, node: usize, value: f64) -> bool;
}

impl TreeModel for Ensemble {
    fn features(&self) -> usize {
        self.width()
    }

    fn base_margins(&self) -> &[f64] {
        self.base()
    }

    fn tree_weight(&self) -> f64 {
        Self::tree_weight(self)
    }

    fn trees(&self) -> usize {
        Self::trees(self).len()
    }

    fn nodes(&self, tree: usize) -> usize {
        Self::trees(self)[tree].nodes().len()
    }

    fn node(&self, tree: usize, node: usize) -> TreeNode<'_> {
        match &Self::trees(self)[tree].nodes()[node] {
            Node::Split { split, left, right } => {
                TreeNode::Split { feature: split.feature(), left: *left as usize, right: *right as usize }
            }
            Node::Leaf { output, values } => TreeNode::Leaf { output: *output as usize, values },
        }
    }

    fn cover(&self, tree: usize, node: usize) -> Option<f64> {
        Self::trees(self)[tree].cover(node)
    }

    fn goes_left(&self, tree: usize, node: usize, value: f64) -> bool {
        match &Self::trees(self)[tree].nodes()[node] {
            Node::Split { split, .. } => split.goes_left(value),
            Node::Leaf { .. } => false,
        }
    }
}
