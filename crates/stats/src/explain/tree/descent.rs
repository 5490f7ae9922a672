//! Path-dependent Shapley values of one row by one walk of a tree, however deep it is.

use super::grown::{Grown, Kind, Splits};
use super::quadrature::Quadrature;

/// How a node is reached.
#[derive(Clone, Copy, Debug)]
struct Step {
    depth: usize,
    feature: usize,
    is_left: bool,
    /// The depth of the closest step above on the same feature.
    before: Option<usize>,
    /// The share of training rows that meet all splits on the feature so far.
    share: f64,
}

/// A tree prepared for walks.
///
/// Below a node, a leaf's worth is a product of one factor for each feature, `met t + share (1 - t)`, where `t`
/// is the chance that the feature is known. The walk carries the product down and the leaves' sum up at the
/// points of a quadrature that is exact for these polynomials; all factors lie in `0..=1` and none is
/// subtracted, so that depth costs no digits. Cost of a row: `O(nodes * features on a path / 2)`.
/// Reference: Yu, Bifet, Read, Xu, "Linear tree shap", NeurIPS (2022), with points of Gauss and Legendre
/// in place of the interpolation, which loses all digits on deep trees.
pub(super) struct Descent<'a> {
    tree: &'a Grown,
    rule: &'a Quadrature,
    steps: Vec<Step>,
    place: Vec<Place>,
    /// By depth: factor, product from the root, and sum of the leaves below, at each point.
    factors: Vec<f64>,
    products: Vec<f64>,
    sums: Vec<f64>,
    /// The open nodes, from the root.
    open: Vec<usize>,
}

/// What a row met on the way to the open node of a depth.
#[derive(Clone, Copy)]
struct Place {
    met: bool,
    goes_left: bool,
    /// The held feature's `met - share`.
    held: f64,
}

impl<'a> Descent<'a> {
    pub(super) fn new(tree: &'a Grown, rule: &'a Quadrature) -> Self {
        let root = Step { depth: 0, feature: usize::MAX, is_left: false, before: None, share: 1.0 };
        let mut steps = vec![root; tree.nodes.len()];
        // The nodes on the path to the current one.
        let mut path: Vec<usize> = Vec::new();
        for at in 0..tree.nodes.len() {
            path.truncate(steps[at].depth);
            path.push(at);
            let Kind::Split { feature, right, share_left } = tree.nodes[at].kind else { continue };
            let depth = path.len();
            let before = (1..depth).rev().find(|depth| steps[path[*depth]].feature == feature);
            let known = before.map_or(1.0, |depth| steps[path[depth]].share);
            let step = Step { depth, feature, is_left: true, before, share: known * share_left };
            steps[at + 1] = step;
            steps[right] = Step { is_left: false, share: known * (1.0 - share_left), ..step };
        }
        let room = (tree.depth + 1) * rule.points.len();
        let place = Place { met: true, goes_left: false, held: 1.0 };
        Self {
            tree,
            rule,
            steps,
            place: vec![place; tree.depth + 1],
            factors: vec![1.0; room],
            products: vec![0.0; room],
            sums: vec![0.0; room],
            open: Vec::with_capacity(tree.depth + 1),
        }
    }

    /// Adds, for one of the tree's outputs, each feature's part to `parts`.
    ///
    /// With a `held` feature: the parts of the difference between knowing it and not knowing it.
    pub(super) fn walk(
        &mut self,
        splits: &impl Splits,
        value: impl Fn(usize) -> f64,
        output: usize,
        held: Option<usize>,
        parts: &mut [f64],
    ) {
        let points = self.rule.points.len();
        self.place[0] = Place { met: true, goes_left: false, held: if held.is_some() { 0.0 } else { 1.0 } };
        self.products[..points].copy_from_slice(&self.rule.weights);
        self.open.clear();
        let mut at = 0;
        while at < self.tree.nodes.len() {
            while self.open.len() > self.steps[at].depth {
                self.leave(held, parts);
            }
            let node = self.tree.nodes[at];
            if at > 0 && !self.enter(at, held) {
                at = node.end;
                continue;
            }
            let depth = self.steps[at].depth;
            let range = depth * points..(depth + 1) * points;
            self.open.push(at);
            match node.kind {
                Kind::Leaf(leaf) => {
                    let scale = self.tree.leaves[output][leaf] * self.place[depth].held;
                    for (sum, product) in self.sums[range.clone()].iter_mut().zip(&self.products[range]) {
                        *sum = scale * product;
                    }
                }
                Kind::Split { feature, .. } => {
                    self.sums[range].fill(0.0);
                    self.place[depth].goes_left = splits.goes_left(self.tree.index, node.source, value(feature));
                }
            }
            at += 1;
        }
        while self.open.len() > 1 {
            self.leave(held, parts);
        }
    }

    /// Goes down to a node; `false` if nothing below it matters: neither the row nor any training row
    /// gets there through this feature.
    fn enter(&mut self, at: usize, held: Option<usize>) -> bool {
        let step = self.steps[at];
        let above = self.place[step.depth - 1];
        let met = above.goes_left == step.is_left && step.before.is_none_or(|depth| self.place[depth].met);
        if !met && step.share == 0.0 {
            return false;
        }
        let is_held = held == Some(step.feature);
        let known = f64::from(u8::from(met));
        self.place[step.depth] =
            Place { met, goes_left: false, held: if is_held { known - step.share } else { above.held } };
        let points = self.rule.points.len();
        let start = step.depth * points;
        let (upper, lower) = self.products.split_at_mut(start);
        let (upper, lower) = (&upper[start - points..], &mut lower[..points]);
        if is_held {
            lower.copy_from_slice(upper);
            return true;
        }
        let (factors_above, factors) = self.factors.split_at_mut(start);
        let factors = &mut factors[..points];
        for (factor, t) in factors.iter_mut().zip(&self.rule.points) {
            *factor = step.share * (1.0 - t) + known * t;
        }
        match step.before {
            None => {
                for ((lower, upper), factor) in lower.iter_mut().zip(upper).zip(factors) {
                    *lower = upper * *factor;
                }
            }
            Some(depth) => {
                let before = &factors_above[depth * points..(depth + 1) * points];
                for (((lower, upper), factor), before) in lower.iter_mut().zip(upper).zip(factors).zip(before) {
                    *lower = upper * (*factor / before);
                }
            }
        }
        true
    }

    /// Goes up from the last open node: its leaves' sum goes to its feature and to the node above.
    fn leave(&mut self, held: Option<usize>, parts: &mut [f64]) {
        let Some(at) = self.open.pop() else { return };
        let step = self.steps[at];
        let points = self.rule.points.len();
        let start = step.depth * points;
        let (upper, lower) = self.sums.split_at_mut(start);
        let (upper, lower) = (&mut upper[start - points..], &lower[..points]);
        if held != Some(step.feature) {
            let part = |depth: usize, share: f64| {
                let known = f64::from(u8::from(self.place[depth].met));
                let factors = &self.factors[depth * points..(depth + 1) * points];
                (known - share) * lower.iter().zip(factors).map(|(sum, factor)| sum / factor).sum::<f64>()
            };
            parts[step.feature] += part(step.depth, step.share);
            if let Some(before) = step.before {
                // The step above counts these leaves too, with the share that it knew.
                parts[step.feature] -= part(before, self.steps[self.open[before]].share);
            }
        }
        upper.iter_mut().zip(lower).for_each(|(upper, lower)| *upper += lower);
    }
}
