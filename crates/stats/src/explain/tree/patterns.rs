//! Shapley values of many rows by one table for each group of leaves.

use super::grown::{Grown, Kind, Node, Splits};
use super::quadrature::Quadrature;
use super::sums::{Cells, Sums};
use super::table::{leaf_pairs, leaf_values, pairs};
use crate::learn::Features;

/// Leaves below a node share a table while it has at most this many conditions: 2 KiB a feature.
const GROUP_CONDITIONS: usize = 8;

/// Rows that are looked up together.
pub(super) const CHUNK: usize = 4_096;

/// A condition of a path: the row goes towards the node at every split on the feature so far.
#[derive(Clone, Copy)]
struct Condition {
    feature: usize,
    /// The share of training rows that do.
    share: f64,
}

/// A node, and which conditions of the path to it each row meets: bit `k` is condition `k`.
struct Spot {
    node: usize,
    path: Vec<Condition>,
    rows: Vec<u16>,
    background: Vec<u16>,
}

/// What a leaf asks of one feature, in bits of the group's pattern.
struct LeafCondition {
    slot: usize,
    mask: usize,
    wanted: usize,
    share: f64,
}

/// Rows of one tree that are explained together.
pub(super) struct Chunk<'a, S> {
    pub(super) tree: &'a Grown,
    pub(super) splits: &'a S,
    pub(super) rows: &'a Features<'a>,
    /// The first row, and how many.
    pub(super) range: (usize, usize),
    /// Rows that features come from where they are not known; else the training rows' shares.
    pub(super) background: Option<&'a Features<'a>>,
    pub(super) rule: &'a Quadrature,
}

impl<S: Splits> Chunk<'_, S> {
    /// Adds the values of the tree to the sums.
    pub(super) fn explain(&self, sums: &mut Sums) {
        let all = (0..self.tree.most_features).fold(0, |all, at| all | 1 << at);
        let background = self.background.map_or(0, Features::rows);
        let root = Spot { node: 0, path: Vec::new(), rows: vec![all; self.range.1], background: vec![all; background] };
        let mut spots = vec![root];
        while let Some(spot) = spots.pop() {
            let grouped = spot.path.len() + self.tree.splits_from(spot.node) <= GROUP_CONDITIONS;
            match self.tree.nodes[spot.node] {
                Node { kind: Kind::Split { right, .. }, .. } if !grouped => {
                    let [left, right] = self.below(&spot, right);
                    let left_is_larger = self.tree.splits_from(left.node) > self.tree.splits_from(right.node);
                    // The smaller side first: then no more spots wait than the logarithm of the nodes.
                    spots.extend(if left_is_larger { [left, right] } else { [right, left] });
                }
                _ => Group::new(self, spot).explain(self, sums),
            }
        }
    }

    /// Which rows go left at a node, as zeros and ones.
    fn decide(&self, node: usize, feature: usize) -> [Vec<u16>; 2] {
        let source = self.tree.nodes[node].source;
        let of = |values: &[f64]| -> Vec<u16> {
            values.iter().map(|value| u16::from(self.splits.goes_left(self.tree.index, source, *value))).collect()
        };
        let (first, count) = self.range;
        let rows = of(&self.rows.columns()[feature][first..first + count]);
        [rows, self.background.map_or_else(Vec::new, |background| of(background.columns()[feature]))]
    }

    fn below(&self, spot: &Spot, right: usize) -> [Spot; 2] {
        let Kind::Split { feature, share_left, .. } = self.tree.nodes[spot.node].kind else {
            return [0, 0].map(|node| Spot { node, path: Vec::new(), rows: Vec::new(), background: Vec::new() });
        };
        let went = self.decide(spot.node, feature);
        let known = spot.path.iter().position(|condition| condition.feature == feature);
        let bit = known.unwrap_or(spot.path.len());
        [(spot.node + 1, 0, share_left), (right, 1, 1.0 - share_left)].map(|(node, unless, share)| {
            let mut path = spot.path.clone();
            match known {
                Some(at) => path[at].share *= share,
                None => path.push(Condition { feature, share }),
            }
            // Bits of conditions that are not asked yet are set, so that meeting one more only clears.
            let meet = |patterns: &[u16], went: &[u16]| -> Vec<u16> {
                patterns.iter().zip(went).map(|(pattern, left)| pattern & !((1 ^ left ^ unless) << bit)).collect()
            };
            Spot { node, path, rows: meet(&spot.rows, &went[0]), background: meet(&spot.background, &went[1]) }
        })
    }
}

/// The leaves below a node, with one table for each feature that they ask about.
struct Group {
    spot: Spot,
    /// The features, those of the path first.
    slots: Vec<usize>,
    /// The splits below, in order: the bit of each is after those of the path.
    splits: Vec<usize>,
    bits: usize,
}

impl Group {
    fn new<S: Splits>(chunk: &Chunk<'_, S>, mut spot: Spot) -> Self {
        let mut slots: Vec<usize> = spot.path.iter().map(|condition| condition.feature).collect();
        let mut splits = Vec::new();
        let of_path = (1_u16 << spot.path.len()) - 1;
        spot.rows.iter_mut().chain(&mut spot.background).for_each(|pattern| *pattern &= of_path);
        for at in spot.node..chunk.tree.nodes[spot.node].end {
            let Kind::Split { feature, .. } = chunk.tree.nodes[at].kind else { continue };
            let bit = spot.path.len() + splits.len();
            splits.push(at);
            if !slots.contains(&feature) {
                slots.push(feature);
            }
            let [rows, background] = chunk.decide(at, feature);
            let set = |patterns: &mut [u16], went: &[u16]| {
                patterns.iter_mut().zip(went).for_each(|(pattern, left)| *pattern |= left << bit);
            };
            set(&mut spot.rows, &rows);
            set(&mut spot.background, &background);
        }
        let bits = spot.path.len() + splits.len();
        Self { spot, slots, splits, bits }
    }

    fn explain<S: Splits>(&self, chunk: &Chunk<'_, S>, sums: &mut Sums) {
        let shares = chunk.background.map(|background| self.shares_of(background.rows()));
        let slots = self.slots.len();
        let tables = if sums.of_pairs { slots * (slots + 1) / 2 } else { slots };
        let outputs = chunk.tree.outputs.len();
        let mut table = vec![0.0; (outputs * tables) << self.bits];
        for at in self.spot.node..chunk.tree.nodes[self.spot.node].end {
            if let Kind::Leaf(leaf) = chunk.tree.nodes[at].kind {
                self.add_leaf(
                    chunk,
                    &self.conditions(chunk.tree, at),
                    leaf,
                    shares.as_deref(),
                    &mut table,
                    sums.of_pairs,
                );
            }
        }
        let mut tables = table.chunks_exact(1 << self.bits);
        for output in &chunk.tree.outputs {
            for (slot, table) in self.slots.iter().zip(&mut tables) {
                look_up(
                    &self.spot.rows,
                    table,
                    sums.cells(Cells { output: *output, pair: (*slot, *slot) }, chunk.range),
                );
            }
            if sums.of_pairs {
                for ((i, j), table) in pairs(slots).zip(&mut tables) {
                    let pair = (self.slots[i], self.slots[j]);
                    look_up(&self.spot.rows, table, sums.cells(Cells { output: *output, pair }, chunk.range));
                }
            }
        }
    }

    /// The share of background rows by pattern.
    fn shares_of(&self, rows: usize) -> Vec<f64> {
        let mut shares = vec![0.0; 1 << self.bits];
        for pattern in &self.spot.background {
            shares[usize::from(*pattern)] += 1.0;
        }
        shares.iter_mut().for_each(|share| *share /= rows as f64);
        shares
    }

    /// What a leaf asks: what the path asks, and the splits below on the way to it.
    fn conditions(&self, tree: &Grown, leaf: usize) -> Vec<LeafCondition> {
        let of_path = |(slot, condition): (usize, &Condition)| LeafCondition {
            slot,
            mask: 1 << slot,
            wanted: 1 << slot,
            share: condition.share,
        };
        let mut conditions: Vec<LeafCondition> = self.spot.path.iter().enumerate().map(of_path).collect();
        for (order, at) in self.splits.iter().enumerate() {
            let Kind::Split { feature, right, share_left } = tree.nodes[*at].kind else { continue };
            if !(*at < leaf && leaf < tree.nodes[*at].end) {
                continue;
            }
            let mask = 1 << (self.spot.path.len() + order);
            let (wanted, share) = if leaf < right { (mask, share_left) } else { (0, 1.0 - share_left) };
            match conditions.iter_mut().find(|condition| self.slots[condition.slot] == feature) {
                Some(known) => {
                    known.mask |= mask;
                    known.wanted |= wanted;
                    known.share *= share;
                }
                None => {
                    let slot = self.slots.iter().position(|slot| *slot == feature).unwrap_or(0);
                    conditions.push(LeafCondition { slot, mask, wanted, share });
                }
            }
        }
        conditions
    }

    /// Adds one leaf to the tables of the group.
    fn add_leaf<S>(
        &self,
        chunk: &Chunk<'_, S>,
        conditions: &[LeafCondition],
        leaf: usize,
        shares: Option<&[f64]>,
        table: &mut [f64],
        of_pairs: bool,
    ) {
        let features = conditions.len();
        let met_by = |pattern: usize| {
            let bit = |(at, asked): (usize, &LeafCondition)| usize::from(pattern & asked.mask == asked.wanted) << at;
            conditions.iter().enumerate().map(bit).sum::<usize>()
        };
        let met: Vec<usize> = (0..1_usize << self.bits).map(met_by).collect();
        let mut chances = vec![0.0; 1 << features];
        match shares {
            Some(shares) => met.iter().zip(shares).for_each(|(met, share)| chances[*met] += share),
            None => independent(conditions, &mut chances),
        }
        let values = leaf_values(features, &chances, chunk.rule);
        let of_pair = if of_pairs { leaf_pairs(features, &chances, chunk.rule) } else { Vec::new() };
        let slots = self.slots.len();
        let tables = if of_pairs { slots * (slots + 1) / 2 } else { slots };
        for (output, leaves) in table.chunks_exact_mut(tables << self.bits).zip(&chunk.tree.leaves) {
            let mut add = |number: usize, values: &[f64], scale: f64| {
                let cells = &mut output[number << self.bits..(number + 1) << self.bits];
                cells.iter_mut().zip(&met).for_each(|(cell, met)| *cell += scale * values[*met]);
            };
            let value = leaves[leaf];
            if value == 0.0 {
                continue;
            }
            for (condition, values) in conditions.iter().zip(&values) {
                add(condition.slot, values, value);
            }
            for ((i, j), values) in pairs(features).zip(&of_pair) {
                let (i, j) = (conditions[i].slot, conditions[j].slot);
                let (low, high) = (i.min(j), i.max(j));
                add(slots + low * (2 * slots - low - 1) / 2 + high - low - 1, values, value);
                add(i, values, -value);
                add(j, values, -value);
            }
        }
    }
}

/// The chance of each pattern where conditions are met independently.
fn independent(conditions: &[LeafCondition], chances: &mut [f64]) {
    chances[0] = 1.0;
    for (at, condition) in conditions.iter().enumerate() {
        let (known, new) = chances[..2 << at].split_at_mut(1 << at);
        for (known, new) in known.iter_mut().zip(new) {
            *new = *known * condition.share;
            *known *= 1.0 - condition.share;
        }
    }
}

fn look_up(patterns: &[u16], table: &[f64], sums: &mut [f64]) {
    for (sum, pattern) in sums.iter_mut().zip(patterns) {
        *sum += table[usize::from(*pattern)];
    }
}
