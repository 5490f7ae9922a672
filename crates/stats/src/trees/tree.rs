//! One decision tree, and where a value goes in it.

/// Splits from the root to a leaf, at most.
pub const MAX_DEPTH: usize = 1_024;

/// Which values of a feature count as missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// NaN.
    Nan,
    /// NaN and everything within `1e-35` (as `f32`) of zero.
    NanOrZero,
    /// Nothing: NaN is read as zero.
    Never,
}

/// What sends a value left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// `value <= threshold`. A split at `value < threshold` has its threshold moved to the number before.
    AtMost(f64),
    /// `value == number`.
    Equals(f64),
    /// The category, which is the value without its fraction, is in the tree's set of this index.
    In(u32),
}

/// An inner node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// Which feature is looked at.
    pub feature: u32,
    /// The index of the node that follows if the rule holds.
    pub left: u32,
    /// The index of the node that follows otherwise.
    pub right: u32,
    /// What sends a value left.
    pub rule: Rule,
    /// Which values are missing.
    pub missing: Missing,
    /// Whether missing values go left.
    pub missing_left: bool,
}

/// A node of a tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    /// An end; the index of its values, in units of the values of one leaf.
    Leaf(u32),
    /// A question.
    Split(Split),
}

/// What a tree is made of. The root is node 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TreeParts {
    /// All nodes; those that the root does not lead to are never looked at.
    pub nodes: Vec<Node>,
    /// The training weight (rows or sum of hessians) of each node, if it is known.
    pub covers: Option<Vec<f64>>,
    /// The output that the leaves' one value is added to; if `None`, a leaf has a value for each output.
    pub output: Option<u32>,
    /// The values of the leaves, one after another.
    pub leaf_values: Vec<f64>,
    /// Sets of categories: category `c` is bit `c % 32` of word `c / 32`.
    pub categories: Vec<Vec<u32>>,
}

/// Why parts are not a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsoundTree {
    /// There is no root.
    #[error("it has no nodes")]
    Empty,
    /// A node leads to one that there is not.
    #[error("node {node} leads to node {child}, and there are {nodes}")]
    NoSuchNode {
        /// The parent.
        node: usize,
        /// What it leads to.
        child: u32,
        /// How many nodes there are.
        nodes: usize,
    },
    /// Two ways lead to a node, or a circle.
    #[error("more than one way leads to node {0}")]
    ReachedTwice(usize),
    /// Deeper than [`MAX_DEPTH`].
    #[error("it is deeper than {MAX_DEPTH} splits")]
    TooDeep,
    /// A split at a feature that there is not.
    #[error("node {node} splits feature {feature}, and there are {features}")]
    NoSuchFeature {
        /// The node.
        node: usize,
        /// Its feature.
        feature: u32,
        /// How many features there are.
        features: usize,
    },
    /// A threshold is NaN.
    #[error("the threshold of node {0} is not a number")]
    BadThreshold(usize),
    /// A set of categories that there is not.
    #[error("node {0} asks for a set of categories that there is not")]
    NoSuchCategories(usize),
    /// A leaf without values.
    #[error("leaf {0} has no values")]
    NoLeafValues(usize),
    /// A leaf's value is not finite.
    #[error("a value of leaf {0} is not finite")]
    BadLeafValue(usize),
    /// An output that there is not.
    #[error("it adds to output {output}, and there are {outputs}")]
    NoSuchOutput {
        /// The output.
        output: u32,
        /// How many outputs there are.
        outputs: usize,
    },
    /// Covers are as many as nodes, finite and not negative.
    #[error("its covers are not one finite weight for each node")]
    BadCovers,
}

/// A sound tree: every way from the root ends at a leaf within [`MAX_DEPTH`] splits.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    parts: TreeParts,
    width: usize,
    depth: usize,
    /// Whether values are rounded to `f32` before they are compared.
    single: bool,
}

/// Below this a value is zero to `Missing::NanOrZero`.
const ZERO: f64 = 1e-35_f32 as f64;

impl Tree {
    pub(super) fn new(
        parts: TreeParts,
        n_features: usize,
        n_outputs: usize,
        single: bool,
    ) -> Result<Self, UnsoundTree> {
        if let Some(output) = parts.output
            && output as usize >= n_outputs
        {
            return Err(UnsoundTree::NoSuchOutput { output, outputs: n_outputs });
        }
        let covers_hold = |covers: &Vec<f64>| {
            covers.len() == parts.nodes.len() && covers.iter().all(|cover| cover.is_finite() && *cover >= 0.0)
        };
        if !parts.covers.as_ref().is_none_or(covers_hold) {
            return Err(UnsoundTree::BadCovers);
        }
        let width = if parts.output.is_some() { 1 } else { n_outputs };
        let depth = check_nodes(&parts, n_features, width)?;
        Ok(Self { parts, width, depth, single })
    }

    /// All nodes; the root is the first.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.parts.nodes
    }

    /// The training weight of each node, if it is known.
    #[must_use]
    pub fn covers(&self) -> Option<&[f64]> {
        self.parts.covers.as_deref()
    }

    /// The output that the leaves' one value is added to; if `None`, a leaf has a value for each output.
    #[must_use]
    pub fn output(&self) -> Option<usize> {
        self.parts.output.map(|output| output as usize)
    }

    /// The most splits from the root to a leaf.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The values of a leaf of this tree: one, or one for each output.
    #[must_use]
    pub fn leaf_values(&self, leaf: u32) -> &[f64] {
        let first = leaf as usize * self.width;
        self.parts.leaf_values.get(first..first + self.width).unwrap_or(&[])
    }

    /// The node that a value leads to, rounded first if the library does so.
    #[must_use]
    pub fn decide(&self, split: &Split, value: f64) -> u32 {
        let value = if self.single { f64::from(value as f32) } else { value };
        self.follow(split, value)
    }

    /// As `decide`, for a value that is rounded already.
    #[inline]
    fn follow(&self, split: &Split, value: f64) -> u32 {
        if self.goes_left(split, value) { split.left } else { split.right }
    }

    #[inline]
    fn goes_left(&self, split: &Split, mut value: f64) -> bool {
        match split.missing {
            Missing::Nan if value.is_nan() => return split.missing_left,
            Missing::NanOrZero if value.is_nan() || value.abs() <= ZERO => return split.missing_left,
            Missing::Never if value.is_nan() => value = 0.0,
            _ => {}
        }
        match split.rule {
            Rule::AtMost(threshold) => value <= threshold,
            Rule::Equals(number) => value == number,
            Rule::In(set) => self.contains(set, value),
        }
    }

    /// The number of a category is below `2^31`. Libraries of `f32` know no category below zero; to those
    /// of `f64`, everything above -1 is cut to 0.
    fn contains(&self, set: u32, value: f64) -> bool {
        let least = if self.single { value >= 0.0 } else { value > -1.0 };
        if !least || value >= 2_147_483_648.0 {
            return false;
        }
        let category = value as usize;
        let words = self.parts.categories.get(set as usize);
        words.and_then(|words| words.get(category / 32)).is_some_and(|word| word >> (category % 32) & 1 == 1)
    }

    /// The leaf that a row, rounded already, ends in.
    #[inline]
    pub(super) fn leaf_of(&self, row: &[f64]) -> u32 {
        let mut at = 0;
        loop {
            match &self.parts.nodes[at as usize] {
                Node::Leaf(leaf) => return *leaf,
                Node::Split(split) => at = self.follow(split, row[split.feature as usize]),
            }
        }
    }
}

/// The depth of a sound tree.
fn check_nodes(parts: &TreeParts, n_features: usize, width: usize) -> Result<usize, UnsoundTree> {
    let nodes = &parts.nodes;
    if nodes.is_empty() {
        return Err(UnsoundTree::Empty);
    }
    let mut seen = vec![false; nodes.len()];
    let mut open = vec![(0_usize, 0_usize)];
    let mut deepest = 0;
    while let Some((at, depth)) = open.pop() {
        if std::mem::replace(&mut seen[at], true) {
            return Err(UnsoundTree::ReachedTwice(at));
        }
        if depth > MAX_DEPTH {
            return Err(UnsoundTree::TooDeep);
        }
        deepest = deepest.max(depth);
        match &nodes[at] {
            Node::Leaf(leaf) => check_leaf(parts, at, *leaf, width)?,
            Node::Split(split) => {
                check_split(parts, at, split, n_features)?;
                for child in [split.right, split.left] {
                    if child as usize >= nodes.len() {
                        return Err(UnsoundTree::NoSuchNode { node: at, child, nodes: nodes.len() });
                    }
                    open.push((child as usize, depth + 1));
                }
            }
        }
    }
    Ok(deepest)
}

fn check_leaf(parts: &TreeParts, node: usize, leaf: u32, width: usize) -> Result<(), UnsoundTree> {
    let first = (leaf as usize).checked_mul(width).ok_or(UnsoundTree::NoLeafValues(node))?;
    let values = first
        .checked_add(width)
        .and_then(|end| parts.leaf_values.get(first..end))
        .ok_or(UnsoundTree::NoLeafValues(node))?;
    if values.iter().all(|value| value.is_finite()) { Ok(()) } else { Err(UnsoundTree::BadLeafValue(node)) }
}

fn check_split(parts: &TreeParts, node: usize, split: &Split, n_features: usize) -> Result<(), UnsoundTree> {
    let feature = split.feature;
    if feature as usize >= n_features {
        return Err(UnsoundTree::NoSuchFeature { node, feature, features: n_features });
    }
    match split.rule {
        Rule::AtMost(number) | Rule::Equals(number) if number.is_nan() => Err(UnsoundTree::BadThreshold(node)),
        Rule::In(set) if set as usize >= parts.categories.len() => Err(UnsoundTree::NoSuchCategories(node)),
        _ => Ok(()),
    }
}
