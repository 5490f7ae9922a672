//! One tree of random half-spaces, and how many rows of the window lie in each.

use serde::{Deserialize, Serialize};

use crate::random::SplitMix;

/// Where less than this share of the window lies, a search ends.
const ENOUGH: f64 = 0.1;

/// Rows above the threshold go right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Split {
    threshold: f64,
    column: u32,
}

/// Where a row goes left without being asked.
const NOWHERE: Split = Split { threshold: f64::MAX, column: 0 };

/// A complete tree: the root is at place one, the children of place `i` at `2 i` and `2 i + 1`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HalfSpaceTree {
    /// `2^depth` of them.
    splits: Vec<Split>,
    /// How many rows came by each place; twice as many.
    masses: Vec<u32>,
}

impl HalfSpaceTree {
    /// A tree over the ranges of columns, which has counted nothing.
    ///
    /// Each range is widened at random, by a point within it and twice the distance to its farther end, so that trees
    /// differ and there is room around. A split halves what is left of the range of a random column.
    pub(super) fn grow(ranges: &[[f64; 2]], depth: u32, random: &mut SplitMix) -> Self {
        let mut sides: Vec<[f64; 2]> = ranges.iter().map(|[low, high]| widened(*low, *high, random)).collect();
        let varying: Vec<u32> = (0..sides.len() as u32).filter(|at| varies(ranges[*at as usize])).collect();
        let mut splits = vec![NOWHERE; 1 << depth];
        if !varying.is_empty() {
            divide(&mut splits, 1, &mut sides, &varying, random);
        }
        Self::from_splits(splits)
    }

    /// A tree that was grown before, which has counted nothing.
    pub(super) fn from_splits(splits: Vec<Split>) -> Self {
        let masses = vec![0; 2 * splits.len()];
        Self { splits, masses }
    }

    pub(super) fn into_splits(self) -> Vec<Split> {
        self.splits
    }

    #[inline]
    fn child(&self, place: usize, row: &[f64]) -> usize {
        let split = self.splits[place];
        2 * place + usize::from(row[split.column as usize] > split.threshold)
    }

    /// Counts a row.
    pub(super) fn learn(&mut self, row: &[f64]) {
        let mut place = 1;
        while place < self.splits.len() {
            self.masses[place] += 1;
            place = self.child(place, row);
        }
        self.masses[place] += 1;
    }

    /// Counts the first rows: each in its lowest place, and those above as the sum of what is below.
    pub(super) fn learn_all<'a>(&mut self, rows: impl Iterator<Item = &'a [f64]>) {
        for row in rows {
            let mut place = 1;
            while place < self.splits.len() {
                place = self.child(place, row);
            }
            self.masses[place] += 1;
        }
        for place in (1..self.splits.len()).rev() {
            self.masses[place] = self.masses[2 * place] + self.masses[2 * place + 1];
        }
    }

    /// Takes a row out again that was counted.
    pub(super) fn forget(&mut self, row: &[f64]) {
        let mut place = 1;
        while place < self.splits.len() {
            self.masses[place] -= 1;
            place = self.child(place, row);
        }
        self.masses[place] -= 1;
    }

    /// The sum of `2^k m / rows` along a row's way, `m` the mass at depth `k`: at least one, the root's.
    #[inline]
    pub(super) fn density(&self, row: &[f64], rows: usize) -> f64 {
        let enough = (ENOUGH * rows as f64) as u32;
        let (mut place, mut factor, mut sum) = (1, 1.0, 0.0);
        loop {
            let mass = self.masses[place];
            sum += factor * f64::from(mass);
            if mass <= enough || place >= self.splits.len() {
                return sum / rows as f64;
            }
            place = self.child(place, row);
            factor *= 2.0;
        }
    }
}

/// Whether there are as many as the depth wants, and each is of a column that is there.
pub(super) fn are_sound(splits: &[Split], depth: u32, width: usize) -> bool {
    splits.len() == 1 << depth
        && splits.iter().all(|split| (split.column as usize) < width && split.threshold.is_finite())
}

fn varies([low, high]: [f64; 2]) -> bool {
    low < high
}

fn widened(low: f64, high: f64, random: &mut SplitMix) -> [f64; 2] {
    let middle = low + random.unit() * (high - low);
    let half = 2.0 * (middle - low).max(high - middle);
    [middle - half, middle + half]
}

fn divide(splits: &mut [Split], place: usize, sides: &mut [[f64; 2]], varying: &[u32], random: &mut SplitMix) {
    if place >= splits.len() {
        return;
    }
    let column = varying[random.below(varying.len())];
    let [low, high] = sides[column as usize];
    let threshold = low + 0.5 * (high - low);
    splits[place] = Split { threshold, column };
    sides[column as usize] = [low, threshold];
    divide(splits, 2 * place, sides, varying, random);
    sides[column as usize] = [threshold, high];
    divide(splits, 2 * place + 1, sides, varying, random);
    sides[column as usize] = [low, high];
}
