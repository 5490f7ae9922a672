//! One isolation tree, laid out as a complete one: the children of node `i` are `2 i` and `2 i + 1`.

use serde::{Deserialize, Serialize};

use super::super::path_length::mean_path_length;
use super::Part;
use crate::random::SplitMix;

/// The deepest tree, that of a sample of 4,096 rows.
pub(super) const DEEPEST: u32 = 12;

/// A split; the left side takes what is at most the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Split {
    pub(super) threshold: f32,
    pub(super) feature: u32,
}

/// Where a row goes left without being asked.
const NOWHERE: Split = Split { threshold: f32::MAX, feature: 0 };

/// A tree of `2^depth` places a level; a leaf higher up fills all places below it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    /// From place one on; `2^depth` of them.
    pub(super) splits: Vec<Split>,
    /// The depth at which a row is isolated, for each place of the lowest level.
    pub(super) depths: Vec<f64>,
}

/// Rows of single precision, one after the other.
pub(super) struct Sample<'a> {
    pub(super) values: &'a [f32],
    pub(super) width: usize,
}

impl Tree {
    fn empty(depth: u32) -> Self {
        Self { splits: vec![NOWHERE; 1 << depth], depths: vec![0.0; 1 << depth] }
    }

    pub(super) fn depth(&self) -> u32 {
        self.depths.len().trailing_zeros()
    }

    /// Grows a tree on the rows in `order`, which it rearranges.
    pub(super) fn grow(sample: &Sample<'_>, order: &mut [u32], depth: u32, random: &mut SplitMix) -> Self {
        let mut tree = Self::empty(depth);
        // Places, with the range of the order that reached them.
        let mut open = vec![(1_usize, 0_u32, 0_usize, order.len())];
        while let Some((place, level, first, last)) = open.pop() {
            let rows = &mut order[first..last];
            let split = if level < depth { random_split(sample, rows, random) } else { None };
            let Some(split) = split else {
                tree.close(place, level, rows.len());
                continue;
            };
            tree.splits[place] = split;
            let middle = first + partition(sample, rows, split);
            open.push((2 * place, level + 1, first, middle));
            open.push((2 * place + 1, level + 1, middle, last));
        }
        tree
    }

    /// Lays out a tree that was grown elsewhere; `None` unless every walk from the first part ends within `depth`.
    pub(super) fn from_parts(parts: &[Part], depth: u32, width: usize) -> Option<Self> {
        let mut tree = Self::empty(depth);
        let mut open = vec![(1_usize, 0_u32, 0_usize)];
        while let Some((place, level, at)) = open.pop() {
            match *parts.get(at)? {
                Part::Leaf { rows } => tree.close(place, level, rows),
                Part::Split { feature, threshold, left, right } => {
                    if level >= depth || feature >= width || threshold.is_nan() {
                        return None;
                    }
                    tree.splits[place] = Split { threshold: at_most(threshold), feature: feature as u32 };
                    open.push((2 * place, level + 1, left));
                    open.push((2 * place + 1, level + 1, right));
                }
            }
        }
        Some(tree)
    }

    fn close(&mut self, place: usize, level: u32, rows: usize) {
        let below = self.depth() - level;
        let first = (place << below) - self.depths.len();
        self.depths[first..first + (1 << below)].fill(f64::from(level) + mean_path_length(rows));
    }

    /// Whether every walk stays within.
    pub(super) fn is_sound(&self, width: usize) -> bool {
        let sized = self.depths.len().is_power_of_two() && self.depth() <= DEEPEST;
        sized
            && self.splits.len() == self.depths.len()
            && self.splits.iter().all(|split| (split.feature as usize) < width && !split.threshold.is_nan())
            && self.depths.iter().all(|depth| depth.is_finite() && 0.0 <= *depth)
    }
}

/// The greatest number of single precision that is not above: for values of single precision they decide alike.
fn at_most(threshold: f64) -> f32 {
    let near = threshold as f32;
    if f64::from(near) > threshold { near.next_down() } else { near }
}

/// A feature that is not constant and a place within its range, both at random.
fn random_split(sample: &Sample<'_>, rows: &[u32], random: &mut SplitMix) -> Option<Split> {
    if rows.len() < 2 {
        return None;
    }
    let range = |feature: usize| {
        let start = (f32::INFINITY, f32::NEG_INFINITY);
        rows.iter().fold(start, |(low, high), row| {
            let value = sample.values[*row as usize * sample.width + feature];
            (low.min(value), high.max(value))
        })
    };
    // Features are drawn until one is not constant; each is looked at once.
    let mut left: Vec<u32> = (0..sample.width as u32).collect();
    while !left.is_empty() {
        let feature = left.swap_remove(random.below(left.len()));
        let (low, high) = range(feature as usize);
        if low < high {
            let place = f64::from(low) + random.unit() * (f64::from(high) - f64::from(low));
            return Some(Split { threshold: at_most(place).clamp(low, high.next_down()), feature });
        }
    }
    None
}

/// Puts the rows that go left first; returns how many they are.
fn partition(sample: &Sample<'_>, rows: &mut [u32], split: Split) -> usize {
    let mut left = 0;
    for at in 0..rows.len() {
        if sample.values[rows[at] as usize * sample.width + split.feature as usize] <= split.threshold {
            rows.swap(at, left);
            left += 1;
        }
    }
    left
}
