//! Which trees are explained by which method.

use super::curve::Curve;
use super::descent::Descent;
use super::duel::{BetaWeights, Duel, add_pairs, add_values, decisions};
use super::grown::{Grown, Splits};
use super::patterns::{CHUNK, Chunk};
use super::quadrature::Quadrature;
use super::sums::{Cells, Sums};
use crate::learn::Features;

/// Different features on a path that tables are made for, at most.
const MOST_TABLED: usize = 12;

/// Decisions of background rows that are kept at once: 64 MiB.
const MOST_DECISIONS: usize = 1 << 26;

/// Trees, and where features come from that are not known.
#[derive(Clone, Debug)]
pub(super) struct Engine<'a, S> {
    pub(super) splits: &'a S,
    /// Those with at least one split.
    pub(super) trees: Vec<Grown>,
    pub(super) features: usize,
    /// What is added to each output: base margins and trees without a split.
    pub(super) constants: Vec<f64>,
    /// `None`: the training rows' shares.
    pub(super) background: Option<&'a Features<'a>>,
}

impl<S: Splits> Engine<'_, S> {
    /// The output where no feature is known.
    pub(super) fn base(&self) -> Vec<f64> {
        let Some(background) = self.background else {
            let mut base = self.constants.clone();
            for tree in &self.trees {
                tree.outputs.iter().zip(tree.expected()).for_each(|(output, value)| base[*output] += value);
            }
            return base;
        };
        let margins = self.margins(background);
        margins.chunks_exact(background.rows()).map(|all| all.iter().sum::<f64>() / all.len() as f64).collect()
    }

    /// The margins of rows: by output, then by row.
    pub(super) fn margins(&self, rows: &Features<'_>) -> Vec<f64> {
        let mut margins: Vec<f64> =
            self.constants.iter().flat_map(|constant| std::iter::repeat_n(*constant, rows.rows())).collect();
        for tree in &self.trees {
            for row in 0..rows.rows() {
                let leaf = tree.leaf(self.splits, |feature| rows.columns()[feature][row]);
                for (output, values) in tree.outputs.iter().zip(&tree.leaves) {
                    margins[output * rows.rows() + row] += values[leaf];
                }
            }
        }
        margins
    }

    /// Values, or main effects and pairs; `None` if they do not fit into memory.
    pub(super) fn explain(&self, rows: &Features<'_>, of_pairs: bool) -> Option<Sums> {
        let mut sums = Sums::new(of_pairs, rows.rows(), self.features, self.constants.len())?;
        let (tabled, deep): (Vec<&Grown>, Vec<&Grown>) =
            self.trees.iter().partition(|tree| self.is_tabled(tree, rows.rows()));
        for tree in tabled {
            let rule = Quadrature::for_features(tree.most_features);
            for first in (0..rows.rows()).step_by(CHUNK) {
                let range = (first, CHUNK.min(rows.rows() - first));
                let (splits, background) = (self.splits, self.background);
                Chunk { tree, splits, rows, range, background, rule: &rule }.explain(&mut sums);
            }
        }
        match self.background {
            None => deep.iter().for_each(|tree| self.descend(tree, rows, &mut sums)),
            Some(background) => self.duel(&deep, rows, background, &mut sums),
        }
        Some(sums)
    }

    /// Whether the tables of a tree are worth their making.
    fn is_tabled(&self, tree: &Grown, rows: usize) -> bool {
        let features = tree.most_features;
        let answers = rows.saturating_mul(self.background.map_or(1, Features::rows)).saturating_mul(8);
        features <= MOST_TABLED && features << features <= answers
    }

    pub(super) fn descend(&self, tree: &Grown, rows: &Features<'_>, sums: &mut Sums) {
        let rule = Quadrature::for_features(tree.most_features);
        let mut descent = Descent::new(tree, &rule);
        let used = tree.features();
        let mut parts = vec![0.0; self.features];
        for row in 0..rows.rows() {
            let value = |feature: usize| rows.columns()[feature][row];
            for (at, output) in tree.outputs.iter().enumerate() {
                descent.walk(self.splits, value, at, None, &mut parts);
                for feature in &used {
                    let part = std::mem::take(&mut parts[*feature]);
                    *sums.cell(Cells { output: *output, pair: (*feature, *feature) }, row) += part;
                }
                if !sums.of_pairs {
                    continue;
                }
                for held in &used {
                    descent.walk(self.splits, value, at, Some(*held), &mut parts);
                    for feature in &used {
                        let part = 0.5 * std::mem::take(&mut parts[*feature]);
                        if held < feature {
                            add_pair(sums, Cells { output: *output, pair: (*held, *feature) }, row, part);
                        }
                    }
                }
            }
        }
    }

    /// Each row against each background row.
    pub(super) fn duel(&self, trees: &[&Grown], rows: &Features<'_>, background: &Features<'_>, sums: &mut Sums) {
        let share = 1.0 / background.rows() as f64;
        let of_pairs = sums.of_pairs;
        let mut duel = Duel::new(self.features);
        let (mut of_row, mut of_others) = (Vec::new(), Vec::new());
        for tree in trees {
            let weights = BetaWeights::new(tree.most_features);
            let nodes = tree.nodes.len();
            let at_once = (MOST_DECISIONS / nodes).max(1);
            for first in (0..background.rows()).step_by(at_once) {
                of_others.clear();
                for other in first..background.rows().min(first + at_once) {
                    decisions(tree, self.splits, |feature| background.columns()[feature][other], &mut of_others);
                }
                for row in 0..rows.rows() {
                    of_row.clear();
                    decisions(tree, self.splits, |feature| rows.columns()[feature][row], &mut of_row);
                    for other in of_others.chunks_exact(nodes) {
                        duel.walk(tree, &of_row, other, |parted, leaf| {
                            for (output, leaves) in tree.outputs.iter().zip(&tree.leaves) {
                                let (output, value) = (*output, share * leaves[leaf]);
                                add_values(parted, &weights, value, |feature, part| {
                                    *sums.cell(Cells { output, pair: (feature, feature) }, row) += part;
                                });
                                if of_pairs {
                                    add_pairs(parted, &weights, value, |pair, part| {
                                        add_pair(sums, Cells { output, pair }, row, part);
                                    });
                                }
                            }
                        });
                    }
                }
            }
        }
    }

    /// Values of a function of the first output, with the base of each row; needs a background.
    ///
    /// Against each background row, the margin's values are scaled by the slope of the line between the
    /// two outputs, so that they sum to the difference of the function.
    pub(super) fn bend(
        &self,
        rows: &Features<'_>,
        background: &Features<'_>,
        curve: impl Fn(usize) -> Curve,
    ) -> Option<(Sums, Vec<f64>)> {
        let mut sums = Sums::new(false, rows.rows(), self.features, 1)?;
        let all: usize = self.trees.iter().map(|tree| tree.nodes.len()).sum::<usize>().max(1);
        let most = self.trees.iter().map(|tree| tree.most_features).max().unwrap_or(0);
        let (weights, share) = (BetaWeights::new(most), 1.0 / background.rows() as f64);
        let (of_rows, of_background) = (self.margins(rows), self.margins(background));
        let mut base = vec![0.0; rows.rows()];
        let mut duel = Duel::new(self.features);
        let (mut of_row, mut of_others) = (Vec::new(), Vec::new());
        let mut parts = vec![0.0; self.features];
        let at_once = (MOST_DECISIONS / all).max(1);
        for first in (0..background.rows()).step_by(at_once) {
            of_others.clear();
            let others = first..background.rows().min(first + at_once);
            others.clone().for_each(|other| self.decide(background, other, &mut of_others));
            for row in 0..rows.rows() {
                of_row.clear();
                self.decide(rows, row, &mut of_row);
                let curve = curve(row);
                for other in others.clone() {
                    let decided = &of_others[(other - first) * of_row.len()..];
                    self.against(&mut duel, &weights, &of_row, decided, &mut parts);
                    let margin = of_background[other];
                    let scale = share * curve.chord(margin, of_rows[row]);
                    base[row] += share * curve.at(margin);
                    for (feature, part) in parts.iter_mut().enumerate() {
                        *sums.cell(Cells { output: 0, pair: (feature, feature) }, row) += scale * std::mem::take(part);
                    }
                }
            }
        }
        Some((sums, base))
    }

    /// The values of one row against another, over all trees.
    fn against(&self, duel: &mut Duel, weights: &BetaWeights, row: &[bool], other: &[bool], parts: &mut [f64]) {
        let mut start = 0;
        for tree in &self.trees {
            let end = start + tree.nodes.len();
            if let Some(leaves) = tree.leaves.first() {
                duel.walk(tree, &row[start..end], &other[start..end], |parted, leaf| {
                    add_values(parted, weights, leaves[leaf], |feature, part| parts[feature] += part);
                });
            }
            start = end;
        }
    }

    fn decide(&self, rows: &Features<'_>, row: usize, into: &mut Vec<bool>) {
        self.trees.iter().for_each(|tree| decisions(tree, self.splits, |feature| rows.columns()[feature][row], into));
    }
}

/// Adds to a pair of features, and takes it from the main effect of both.
fn add_pair(sums: &mut Sums, cells: Cells, row: usize, part: f64) {
    let (i, j) = cells.pair;
    *sums.cell(cells, row) += part;
    *sums.cell(Cells { pair: (i, i), ..cells }, row) -= part;
    *sums.cell(Cells { pair: (j, j), ..cells }, row) -= part;
}

/// The sum over each row of all features and pairs (twice), for a check.
#[cfg(test)]
pub(super) fn totals(sums: &Sums, output: usize) -> Vec<f64> {
    let mut totals = vec![0.0; sums.rows()];
    let mut add = |pair: (usize, usize), times: f64| {
        let column = sums.column(Cells { output, pair });
        totals.iter_mut().zip(column).for_each(|(total, value)| *total += times * value);
    };
    (0..sums.features()).for_each(|feature| add((feature, feature), 1.0));
    if sums.of_pairs {
        super::table::pairs(sums.features()).for_each(|pair| add(pair, 2.0));
    }
    totals
}
