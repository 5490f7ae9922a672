//! A tree in the order in which explanations walk it.

use super::model::{TreeModel, TreeNode};

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

/// A node that is to be put in order.
struct Waiting {
    source: usize,
    depth: usize,
    /// The split whose right child it is.
    right_of: Option<usize>,
}

impl Grown {
    /// A tree of a model, checked; `None` if it is not one, or if it has no covers and they are needed.
    pub(super) fn new(model: &impl TreeModel, index: usize, with_covers: bool) -> Option<Self> {
        let most = model.nodes(index);
        let mut nodes: Vec<Node> = Vec::new();
        let mut ends: Vec<(usize, &[f64])> = Vec::new();
        let mut path: Vec<usize> = Vec::new();
        // How often each feature is on the path, and how many are.
        let (mut on_path, mut different) = (vec![0_u32; model.features()], 0);
        let (mut most_features, mut depth) = (0, 0);
        let mut waiting = vec![Waiting { source: 0, depth: 0, right_of: None }];
        while let Some(next) = waiting.pop() {
            let at = nodes.len();
            // More nodes than there are: some node was reached twice.
            if at >= most || next.source >= most {
                return None;
            }
            if let Some(Node { kind: Kind::Split { right, .. }, .. }) =
                next.right_of.and_then(|split| nodes.get_mut(split))
            {
                *right = at;
            }
            for feature in path.drain(next.depth..) {
                on_path[feature] -= 1;
                different -= usize::from(on_path[feature] == 0);
            }
            depth = depth.max(next.depth);
            let kind = match model.node(index, next.source) {
                TreeNode::Leaf { output, values } => {
                    let last = output.checked_add(values.len())?;
                    if last > model.base_margins().len() || values.iter().any(|value| !value.is_finite()) {
                        return None;
                    }
                    ends.push((output, values));
                    Kind::Leaf(ends.len() - 1)
                }
                TreeNode::Split { feature, left, right } => {
                    different += usize::from(*on_path.get(feature)? == 0);
                    on_path[feature] += 1;
                    path.push(feature);
                    most_features = most_features.max(different);
                    waiting.push(Waiting { source: right, depth: next.depth + 1, right_of: Some(at) });
                    waiting.push(Waiting { source: left, depth: next.depth + 1, right_of: None });
                    let share_left = if with_covers { share(model, index, [left, right])? } else { 0.5 };
                    Kind::Split { feature, right: 0, share_left }
                }
            };
            nodes.push(Node { source: next.source, kind, end: at + 1 });
        }
        for at in (0..nodes.len()).rev() {
            if let Kind::Split { right, .. } = nodes[at].kind {
                nodes[at].end = nodes[right].end;
            }
        }
        let (outputs, leaves) = by_output(&ends, model);
        Some(Self { index, nodes, outputs, leaves, most_features, depth })
    }
}

/// The share of training rows that went left; an even split where no row came.
fn share(model: &impl TreeModel, tree: usize, children: [usize; 2]) -> Option<f64> {
    if children.iter().any(|child| *child >= model.nodes(tree)) {
        return None;
    }
    let [left, right] = children.map(|child| model.cover(tree, child));
    let (left, both) = (left?, left? + right?);
    if !(0.0 <= left && left <= both && both.is_finite()) {
        return None;
    }
    Some(if both > 0.0 { left / both } else { 0.5 })
}

/// The outputs that some leaf changes, and the values of all leaves for each.
fn by_output(ends: &[(usize, &[f64])], model: &impl TreeModel) -> (Vec<usize>, Vec<Vec<f64>>) {
    let first = ends.iter().map(|(output, _)| *output).min().unwrap_or(0);
    let last = ends.iter().map(|(output, values)| output + values.len()).max().unwrap_or(0);
    let weight = model.tree_weight();
    let column = |output: usize| -> Vec<f64> {
        let value = |(first, values): &(usize, &[f64])| {
            output.checked_sub(*first).and_then(|at| values.get(at)).map_or(0.0, |value| weight * value)
        };
        ends.iter().map(value).collect()
    };
    (first..last)
        .map(|output| (output, column(output)))
        .filter(|(_, values)| values.iter().any(|value| *value != 0.0))
        .unzip()
}

impl<M: TreeModel> Splits for M {
    fn goes_left(&self, tree: usize, node: usize, value: f64) -> bool {
        TreeModel::goes_left(self, tree, node, value)
    }
}
