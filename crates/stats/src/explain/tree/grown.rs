//! A tree in the order in which explanations walk it.

/// How a tree decides; the tree's own numbers of nodes.
pub(super) trait Splits {
    /// Whether a value goes left at a node of a tree.
    fn goes_left(&self, tree: usize, node: usize, value: f64) -> bool;
}

/// A node; its left child is the next one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Node {
    /// The number of the node in its tree.
    pub(super) source: usize,
    pub(super) kind: Kind,
    /// The node after the last one below this one.
    pub(super) end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// Where the right child is, and the share of training rows that went left.
    Split { feature: usize, right: usize, share_left: f64 },
    /// Which leaf it is.
    Leaf(usize),
}

/// A tree in preorder.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grown {
    /// Its number in the ensemble.
    pub(super) index: usize,
    pub(super) nodes: Vec<Node>,
    /// The outputs that some leaf changes.
    pub(super) outputs: Vec<usize>,
    /// For each of them, the value of each leaf.
    pub(super) leaves: Vec<Vec<f64>>,
    /// The most different features on a path.
    pub(super) most_features: usize,
    /// The most splits on a path.
    pub(super) depth: usize,
}

impl Grown {
    /// The features that are split on, each once, in order.
    pub(super) fn features(&self) -> Vec<usize> {
        let of = |node: &Node| match node.kind {
            Kind::Split { feature, .. } => Some(feature),
            Kind::Leaf(_) => None,
        };
        let mut features: Vec<usize> = self.nodes.iter().filter_map(of).collect();
        features.sort_unstable();
        features.dedup();
        features
    }

    /// The number of splits below and at a node.
    pub(super) fn splits_from(&self, node: usize) -> usize {
        (self.nodes[node].end - node - 1) / 2
    }

    /// The value of each leaf times the chance to get there, summed, for each of the outputs.
    pub(super) fn expected(&self) -> Vec<f64> {
        let mut reach = vec![1.0; self.nodes.len()];
        let mut sums = vec![0.0; self.outputs.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            match node.kind {
                Kind::Split { right, share_left, .. } => {
                    reach[at + 1] = reach[at] * share_left;
                    reach[right] = reach[at] * (1.0 - share_left);
                }
                Kind::Leaf(leaf) => {
                    for (sum, values) in sums.iter_mut().zip(&self.leaves) {
                        *sum += reach[at] * values[leaf];
                    }
                }
            }
        }
        sums
    }

    /// The leaf of a row.
    pub(super) fn leaf(&self, splits: &impl Splits, value: impl Fn(usize) -> f64) -> usize {
        let mut at = 0;
        loop {
            match self.nodes[at].kind {
                Kind::Leaf(leaf) => return leaf,
                Kind::Split { feature, right, .. } => {
                    let left = splits.goes_left(self.index, self.nodes[at].source, value(feature));
                    at = if left { at + 1 } else { right };
                }
            }
        }
    }
}
