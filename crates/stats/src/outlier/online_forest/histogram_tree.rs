//! One random histogram of the rows in a window.

use serde::{Deserialize, Serialize};

use crate::random::SplitMix;

/// No child.
const NONE: u32 = u32::MAX;

/// When leaves split.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    /// Rows at which the root splits.
    pub(super) leaf: u32,
    /// No node lies deeper.
    pub(super) deepest: u32,
}

impl Growth {
    fn limit(self, depth: u32) -> u64 {
        u64::from(self.leaf) << depth.min(31)
    }

    /// No node counts more. The root counts what is remembered and one row more; a child begins with at most what its
    /// parent counts, of drawn rows, and gains at most those that are remembered.
    pub(super) fn most_counted(self, window: u32) -> u64 {
        (u64::from(window) + 1) * (u64::from(self.deepest) + 1)
    }
}

/// A tree of nodes; the first is the root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct HistogramTree {
    nodes: Vec<Node>,
    /// Lowest and highest value by column of each node; those of leaves are kept up to date.
    boxes: Vec<[f64; 2]>,
    free: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Node {
    count: u64,
    left: u32,
    right: u32,
    column: u32,
    threshold: f64,
}

const LEAF: Node = Node { count: 0, left: NONE, right: NONE, column: 0, threshold: 0.0 };
const EMPTY: [f64; 2] = [f64::MAX, f64::MIN];

impl Node {
    fn is_leaf(&self) -> bool {
        self.left == NONE
    }

    #[inline]
    fn child(&self, row: &[f64]) -> usize {
        (if row[self.column as usize] <= self.threshold { self.left } else { self.right }) as usize
    }
}

impl HistogramTree {
    pub(super) fn new(width: usize) -> Self {
        Self { nodes: vec![LEAF], boxes: vec![EMPTY; width], free: Vec::new() }
    }

    /// Counts a row, and splits its leaf where that is full.
    pub(super) fn learn(&mut self, row: &[f64], growth: Growth, random: &mut SplitMix) {
        let (mut at, mut depth) = (0, 0);
        self.nodes[0].count += 1;
        while !self.nodes[at].is_leaf() {
            at = self.nodes[at].child(row);
            self.nodes[at].count += 1;
            depth += 1;
        }
        for (side, value) in self.boxes[at * row.len()..].iter_mut().zip(row) {
            *side = [side[0].min(*value), side[1].max(*value)];
        }
        if self.nodes[at].count >= growth.limit(depth) && depth < growth.deepest {
            self.split(at, row.len(), random);
        }
    }

    /// Takes a row out again; nodes that hold too little become leaves.
    pub(super) fn forget(&mut self, row: &[f64], growth: Growth) {
        let (mut at, mut depth) = (0, 0);
        loop {
            let node = &mut self.nodes[at];
            node.count = node.count.saturating_sub(1);
            if node.is_leaf() {
                return;
            }
            if node.count < growth.limit(depth) {
                self.join(at, row.len());
                return;
            }
            at = node.child(row);
            depth += 1;
        }
    }

    /// The depth of a row's leaf, and how much deeper it would be for what the leaf holds.
    #[inline]
    pub(super) fn depth(&self, row: &[f64], leaf: f64) -> f64 {
        let (mut node, mut depth) = (&self.nodes[0], 0.0);
        while !node.is_leaf() {
            node = &self.nodes[node.child(row)];
            depth += 1.0;
        }
        let held = node.count as f64 / leaf;
        depth + if held > 1.0 { held.log(4.0) } else { 0.0 }
    }

    /// Divides a leaf at random. The rows that it counted are not kept: as many drawn evenly within its box stand for
    /// them.
    fn split(&mut self, at: usize, width: usize, random: &mut SplitMix) {
        let whole: Vec<[f64; 2]> = self.boxes[at * width..(at + 1) * width].to_vec();
        let column = random.below(width);
        let [low, high] = whole[column];
        let threshold = low + random.unit() * (high - low);
        if !(low <= threshold && threshold < high) {
            return;
        }
        let children = [self.add(width), self.add(width)];
        let drawn = self.nodes[at].count;
        let mut point = vec![0.0; width];
        for _ in 0..drawn {
            for (value, [low, high]) in point.iter_mut().zip(&whole) {
                *value = low + random.unit() * (high - low);
            }
            let child = children[usize::from(point[column] > threshold)];
            self.nodes[child].count += 1;
            for (side, value) in self.boxes[child * width..(child + 1) * width].iter_mut().zip(&point) {
                *side = [side[0].min(*value), side[1].max(*value)];
            }
        }
        let node = &mut self.nodes[at];
        node.left = children[0] as u32;
        node.right = children[1] as u32;
        node.column = column as u32;
        node.threshold = threshold;
    }

    /// Makes a node a leaf, of the box of all leaves below it.
    fn join(&mut self, at: usize, width: usize) {
        let mut below = vec![self.nodes[at].left, self.nodes[at].right];
        self.boxes[at * width..(at + 1) * width].fill(EMPTY);
        while let Some(child) = below.pop() {
            let node = self.nodes[child as usize];
            if node.is_leaf() {
                for column in 0..width {
                    let [low, high] = self.boxes[child as usize * width + column];
                    let side = &mut self.boxes[at * width + column];
                    *side = [side[0].min(low), side[1].max(high)];
                }
            } else {
                below.extend([node.left, node.right]);
            }
            self.nodes[child as usize] = LEAF;
            self.free.push(child);
        }
        self.nodes[at] = Node { count: self.nodes[at].count, ..LEAF };
    }

    fn add(&mut self, width: usize) -> usize {
        match self.free.pop() {
            Some(at) => {
                let at = at as usize;
                self.nodes[at] = LEAF;
                self.boxes[at * width..(at + 1) * width].fill(EMPTY);
                at
            }
            None => {
                self.nodes.push(LEAF);
                self.boxes.resize(self.nodes.len() * width, EMPTY);
                self.nodes.len() - 1
            }
        }
    }

    /// Whether every node is either free or reached once from the root, and all numbers are within.
    pub(super) fn is_sound(&self, width: usize, most_counted: u64) -> bool {
        let count = self.nodes.len();
        if count == 0 || self.boxes.len() != count * width {
            return false;
        }
        let mut reached = vec![false; count];
        let mut open = vec![0_u32];
        open.extend(&self.free);
        while let Some(at) = open.pop() {
            match reached.get_mut(at as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return false,
            }
            let node = self.nodes[at as usize];
            let halves = node.is_leaf() == (node.right == NONE);
            if !halves || node.count > most_counted || node.column as usize >= width || !node.threshold.is_finite() {
                return false;
            }
            if !node.is_leaf() {
                open.extend([node.left, node.right]);
            }
        }
        reached.iter().all(|seen| *seen) && self.boxes.iter().flatten().all(|side| !side.is_nan())
    }
}
