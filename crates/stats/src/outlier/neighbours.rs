//! The nearest of many rows, exactly: by a k-d tree for few columns, by comparing all for many.

mod scan;

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use super::reference_rows::{ReferenceRows, squared_distance};

/// Rows that are compared one by one.
const LEAF: usize = 24;
/// With more columns than this a tree rules out too little to be worth its walk.
const MOST_TREE_COLUMNS: usize = 12;

/// A tree over rows: each node halves its rows at the middle of the column that spreads most. A single leaf where there
/// are many columns.
///
/// A search costs `O(ln(n))` for few columns and comes near `O(n)` for many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Neighbours {
    rows: ReferenceRows,
    /// Rows in the order of the tree's leaves.
    order: Vec<u32>,
    /// Column and value of the split of each node; the children of `i` are `2 i + 1` and `2 i + 2`.
    splits: Vec<(u32, f64)>,
}

/// A row and its squared distance; the farthest is the greatest.
#[derive(Clone, Copy, PartialEq)]
struct Near {
    squared: f64,
    row: u32,
}

impl Eq for Near {}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> Ordering {
        self.squared.total_cmp(&other.squared).then(self.row.cmp(&other.row))
    }
}

impl Neighbours {
    pub(super) fn new(rows: ReferenceRows) -> Self {
        let count = rows.len();
        let mut tree = Self { order: (0..count as u32).collect(), splits: Vec::new(), rows };
        let levels = if tree.rows.width() > MOST_TREE_COLUMNS { 0 } else { (count / LEAF).max(1).ilog2() };
        tree.splits = vec![(0, 0.0); (1 << levels) - 1];
        let mut open = vec![(0_usize, 0_usize, count)];
        while let Some((node, first, last)) = open.pop() {
            if node >= tree.splits.len() {
                continue;
            }
            let column = tree.widest(first, last);
            let middle = first.midpoint(last);
            let rows = &tree.rows;
            let at = |row: &u32| rows.row(*row as usize)[column];
            let range = &mut tree.order[first..last];
            range.select_nth_unstable_by(middle - first, |a, b| at(a).total_cmp(&at(b)).then(a.cmp(b)));
            tree.splits[node] = (column as u32, at(&tree.order[middle]));
            open.extend([(2 * node + 1, first, middle), (2 * node + 2, middle, last)]);
        }
        tree
    }

    pub(super) fn rows(&self) -> &ReferenceRows {
        &self.rows
    }

    fn widest(&self, first: usize, last: usize) -> usize {
        let range = |column: usize| {
            let values = self.order[first..last].iter().map(|row| self.rows.row(*row as usize)[column]);
            let (low, high) =
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
            high - low
        };
        (0..self.rows.width()).max_by(|a, b| range(*a).total_cmp(&range(*b))).unwrap_or(0)
    }

    /// The `count` nearest rows and their distances, nearest first; without row `except`. Equal distances come in the
    /// order of the rows.
    pub(super) fn nearest(&self, point: &[f64], count: usize, except: Option<usize>) -> Vec<(usize, f64)> {
        let mut found = BinaryHeap::with_capacity(count + 1);
        let except = except.map_or(u32::MAX, |row| row as u32);
        let mut sides = vec![0.0; self.rows.width()];
        self.search(
            Place { node: 0, first: 0, last: self.order.len(), squared: 0.0 },
            point,
            count,
            except,
            &mut sides,
            &mut found,
        );
        in_order(&mut found)
    }

    /// Visits the `count` nearest rows of each point, point after point; where the points are the tree's own rows,
    /// without themselves.
    pub(super) fn for_each_nearest(
        &self,
        points: &ReferenceRows,
        count: usize,
        are_own: bool,
        mut visit: impl FnMut(Vec<(usize, f64)>),
    ) {
        if self.splits.is_empty() && points.len() >= scan::LANES {
            return scan::for_each_nearest(&self.rows, points, count, are_own, |found| visit(in_order(found)));
        }
        for at in 0..points.len() {
            visit(self.nearest(points.row(at), count, are_own.then_some(at)));
        }
    }

    /// Walks a node whose box is at least `place.squared` away; `sides` holds how far along each column.
    fn search(
        &self,
        place: Place,
        point: &[f64],
        count: usize,
        except: u32,
        sides: &mut [f64],
        found: &mut BinaryHeap<Near>,
    ) {
        if found.len() == count && found.peek().is_some_and(|farthest| place.squared * (1.0 - 1e-12) > farthest.squared)
        {
            return;
        }
        let Some((column, value)) = self.splits.get(place.node).copied() else {
            for row in &self.order[place.first..place.last] {
                if *row != except {
                    let squared = squared_distance(point, self.rows.row(*row as usize));
                    keep(found, Near { squared, row: *row }, count);
                }
            }
            return;
        };
        let column = column as usize;
        let middle = place.first.midpoint(place.last);
        let left = Place { node: 2 * place.node + 1, last: middle, ..place };
        let right = Place { node: 2 * place.node + 2, first: middle, ..place };
        let away = point[column] - value;
        let (near, far) = if away < 0.0 { (left, right) } else { (right, left) };
        self.search(near, point, count, except, sides, found);
        let before = sides[column];
        let squared = place.squared - before * before + away * away;
        sides[column] = away;
        self.search(Place { squared: squared.max(place.squared), ..far }, point, count, except, sides, found);
        sides[column] = before;
    }

    pub(super) fn is_sound(&self) -> bool {
        let count = self.rows.len();
        let mut seen = vec![false; count];
        let permutes = self.order.len() == count
            && self
                .order
                .iter()
                .all(|row| seen.get_mut(*row as usize).is_some_and(|seen| !std::mem::replace(seen, true)));
        let halves = (self.splits.len() + 1).is_power_of_two() && self.splits.len() <= count;
        let known = |(column, value): &(u32, f64)| (*column as usize) < self.rows.width() && !value.is_nan();
        self.rows.is_sound() && permutes && halves && self.splits.iter().all(known)
    }
}

/// Keeps a row if it is among the `count` nearest.
fn keep(found: &mut BinaryHeap<Near>, near: Near, count: usize) {
    if found.len() < count {
        found.push(near);
    } else if let Some(mut farthest) = found.peek_mut()
        && near < *farthest
    {
        *farthest = near;
    }
}

/// Rows and distances, nearest first.
fn in_order(found: &mut BinaryHeap<Near>) -> Vec<(usize, f64)> {
    let found = std::mem::take(found).into_sorted_vec();
    found.into_iter().map(|near| (near.row as usize, near.squared.sqrt())).collect()
}

/// A node, its rows, and how far its box is.
#[derive(Clone, Copy)]
struct Place {
    node: usize,
    first: usize,
    last: usize,
    squared: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::learn::Features;
    use crate::random::SplitMix;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// Tree and scan find what comparing all rows finds, with ties, constant columns and a large offset.
        #[test]
        fn finds_what_comparing_all_finds(
            rows in 1_usize..200,
            width in prop_oneof![1_usize..5, MOST_TREE_COLUMNS + 1..MOST_TREE_COLUMNS + 4],
            cells in 2_u32..50,
            count in 1_usize..12,
            offset in prop_oneof![Just(0.0), Just(1e9)],
            seed in 0_u64..99,
        ) {
            let mut random = SplitMix::new(seed);
            let mut table = |rows: usize| {
                let columns: Vec<Vec<f64>> = (0..width)
                    .map(|_| (0..rows).map(|_| offset + (random.unit() * f64::from(cells)).floor()).collect())
                    .collect();
                ReferenceRows::of(&Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap()).unwrap()
            };
            let (tree, points) = (Neighbours::new(table(rows)), table(37));
            prop_assert!(tree.is_sound());
            for (points, are_own) in [(&points, false), (tree.rows(), true)] {
                let mut judged = 0;
                tree.for_each_nearest(points, count, are_own, |found| {
                    let expected = by_comparing_all(tree.rows(), points.row(judged), are_own.then_some(judged), count);
                    assert_eq!(found, expected);
                    judged += 1;
                });
                prop_assert_eq!(judged, points.len());
            }
        }
    }

    fn by_comparing_all(rows: &ReferenceRows, point: &[f64], except: Option<usize>, count: usize) -> Vec<(usize, f64)> {
        let mut all: Vec<(usize, f64)> = (0..rows.len())
            .filter(|row| Some(*row) != except)
            .map(|row| (row, squared_distance(point, rows.row(row)).sqrt()))
            .collect();
        all.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        all.truncate(count);
        all
    }
}
