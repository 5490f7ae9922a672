//! One regression tree on binned features, grown level by level from sums of gradients.

use serde::{Deserialize, Serialize};

use super::bins::BinnedRows;

/// Gradient and weight of a row: `[first derivative, second derivative]` of its loss.
pub(super) type Slope = [f32; 2];

/// Sums of slopes by bin of one column.
type Histogram = [[f64; 2]; 256];

/// What bounds a tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct TreeLimits {
    pub(super) depth: u32,
    pub(super) least_rows: f64,
    pub(super) ridge: f64,
    pub(super) learning_rate: f64,
}

/// A tree; the first node is the root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Node {
    /// The place of the left child, the right one follows; zero for a leaf.
    child: u32,
    feature: u16,
    /// The last bin that goes left.
    bin: u8,
    value: f64,
}

/// A node that may still be split: its rows are a range of the order.
struct Open {
    node: usize,
    first: usize,
    last: usize,
    sums: [f64; 2],
    histograms: Vec<Histogram>,
}

/// The best place to split a node.
struct Split {
    gain: f64,
    feature: usize,
    bin: u8,
    left: [f64; 2],
}

impl Tree {
    /// Grows a tree on the rows in `order`, which it rearranges, and adds its values to `margins`.
    ///
    /// Adds to `importance` the gain of each split, by column.
    pub(super) fn grow(
        rows: &BinnedRows,
        slopes: &[Slope],
        order: &mut [u32],
        limits: TreeLimits,
        margins: &mut [f64],
        importance: &mut [f64],
    ) -> Self {
        let mut tree = Self { nodes: vec![Node { child: 0, feature: 0, bin: 0, value: 0.0 }] };
        let mut spare = Vec::with_capacity(order.len());
        let (histograms, sums) = summed(rows, slopes, order);
        let mut level = vec![Open { node: 0, first: 0, last: order.len(), sums, histograms }];
        for depth in 0..=limits.depth {
            let mut next = Vec::with_capacity(2 * level.len());
            for open in level {
                let split = if depth < limits.depth { best_split(&open, limits) } else { None };
                let Some(split) = split else {
                    tree.close(&open, &order[open.first..open.last], limits, margins);
                    continue;
                };
                importance[split.feature] += split.gain;
                let child = tree.nodes.len();
                tree.nodes[open.node].child = child as u32;
                tree.nodes[open.node].feature = split.feature as u16;
                tree.nodes[open.node].bin = split.bin;
                tree.nodes.extend([Node { child: 0, feature: 0, bin: 0, value: 0.0 }; 2]);
                let middle = open.first + partition(rows, &mut order[open.first..open.last], &split, &mut spare);
                let last_level = depth + 1 == limits.depth;
                next.extend(children(open, child, middle, &split, |range| {
                    // Leaves need no histograms.
                    if last_level { Vec::new() } else { summed(rows, slopes, &order[range]).0 }
                }));
            }
            level = next;
        }
        tree
    }

    fn close(&mut self, open: &Open, rows: &[u32], limits: TreeLimits, margins: &mut [f64]) {
        let weight = open.sums[1] + limits.ridge;
        let value = if weight > 0.0 { -limits.learning_rate * open.sums[0] / weight } else { 0.0 };
        self.nodes[open.node].value = value;
        for row in rows {
            margins[*row as usize] += value;
        }
    }

    /// The value at a row of bins.
    #[inline]
    pub(super) fn value(&self, row: &[u8]) -> f64 {
        let mut node = &self.nodes[0];
        while node.child != 0 {
            let right = row[usize::from(node.feature)] > node.bin;
            node = &self.nodes[node.child as usize + usize::from(right)];
        }
        node.value
    }

    /// Whether every walk ends: children lie behind their parents and within, features within `width`.
    pub(super) fn is_sound(&self, width: usize) -> bool {
        let within = |(at, node): (usize, &Node)| {
            let child = node.child as usize;
            let ends = child == 0 || at < child && child + 1 < self.nodes.len();
            ends && usize::from(node.feature) < width && node.value.is_finite()
        };
        !self.nodes.is_empty() && self.nodes.iter().enumerate().all(within)
    }
}

/// Both halves of a node. The smaller one is summed, the other is the rest of the parent.
fn children(
    open: Open,
    child: usize,
    middle: usize,
    split: &Split,
    sum: impl Fn(std::ops::Range<usize>) -> Vec<Histogram>,
) -> [Open; 2] {
    let right_sums = [open.sums[0] - split.left[0], open.sums[1] - split.left[1]];
    let left_is_small = middle - open.first <= open.last - middle;
    let small = sum(if left_is_small { open.first..middle } else { middle..open.last });
    let mut large = open.histograms;
    if small.is_empty() {
        large = Vec::new();
    }
    for (large, small) in large.iter_mut().zip(&small) {
        for (large, small) in large.iter_mut().zip(small) {
            large[0] -= small[0];
            large[1] -= small[1];
        }
    }
    let (left, right) = if left_is_small { (small, large) } else { (large, small) };
    [
        Open { node: child, first: open.first, last: middle, sums: split.left, histograms: left },
        Open { node: child + 1, first: middle, last: open.last, sums: right_sums, histograms: right },
    ]
}

fn summed(rows: &BinnedRows, slopes: &[Slope], order: &[u32]) -> (Vec<Histogram>, [f64; 2]) {
    let mut histograms = vec![[[0.0; 2]; 256]; rows.width()];
    let mut sums = [0.0; 2];
    for at in order {
        let [gradient, hessian] = slopes[*at as usize].map(f64::from);
        sums[0] += gradient;
        sums[1] += hessian;
        for (histogram, bin) in histograms.iter_mut().zip(rows.row(*at as usize)) {
            let slot = &mut histogram[usize::from(*bin)];
            slot[0] += gradient;
            slot[1] += hessian;
        }
    }
    (histograms, sums)
}

fn best_split(open: &Open, limits: TreeLimits) -> Option<Split> {
    let [gradient, hessian] = open.sums;
    let rows = (open.last - open.first) as f64;
    if rows < 2.0 * limits.least_rows || hessian <= 0.0 {
        return None;
    }
    // Rows are counted by their share of the weight, so that bins need not keep a third sum.
    let least_hessian = hessian * limits.least_rows / rows;
    let score = |gradient: f64, hessian: f64| gradient * gradient / (hessian + limits.ridge);
    let whole = score(gradient, hessian);
    let mut best: Option<Split> = None;
    for (feature, histogram) in open.histograms.iter().enumerate() {
        let mut left = [0.0; 2];
        for (bin, slot) in histogram[..255].iter().enumerate() {
            if slot[1] <= 0.0 {
                continue;
            }
            left[0] += slot[0];
            left[1] += slot[1];
            let right = hessian - left[1];
            if left[1] < least_hessian {
                continue;
            }
            if right < least_hessian {
                break;
            }
            let gain = score(left[0], left[1]) + score(gradient - left[0], right) - whole;
            if gain > 1e-9 * (1.0 + whole) && best.as_ref().is_none_or(|best| gain > best.gain) {
                best = Some(Split { gain, feature, bin: bin as u8, left });
            }
        }
    }
    best
}

/// Puts the rows that go left first, both sides in their order; returns how many go left.
fn partition(rows: &BinnedRows, order: &mut [u32], split: &Split, spare: &mut Vec<u32>) -> usize {
    spare.clear();
    let mut left = 0;
    for at in 0..order.len() {
        let row = order[at];
        if rows.row(row as usize)[split.feature] <= split.bin {
            order[left] = row;
            left += 1;
        } else {
            spare.push(row);
        }
    }
    order[left..].copy_from_slice(spare);
    left
}
