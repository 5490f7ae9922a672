//! Shapley values of one row against one row of the background, tree by tree.

use super::grown::{Grown, Kind, Splits};

/// Weights `1 / ((p + q - 1) (p + q - 2 over p - 1))`: the integral of `t^(p-1) (1-t)^(q-1)`.
pub(super) struct BetaWeights {
    size: usize,
    cells: Vec<f64>,
}

impl BetaWeights {
    /// For leaves with up to `features` features on the path.
    pub(super) fn new(features: usize) -> Self {
        let size = features + 2;
        let mut cells = vec![0.0; size * size];
        for q in 1..size {
            cells[size + q] = 1.0 / q as f64;
            for p in 2..size {
                cells[p * size + q] = cells[(p - 1) * size + q] * (p - 1) as f64 / (p + q - 1) as f64;
            }
        }
        Self { size, cells }
    }

    pub(super) fn at(&self, p: usize, q: usize) -> f64 {
        self.cells[p * self.size + q]
    }
}

/// Whose way a feature goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Free,
    Row,
    Other,
}

/// What is still to be done.
enum Next {
    Visit(usize),
    /// The last feature of the row's side goes to the other's.
    Turn,
    /// The last feature of the other's side is free again.
    Release,
}

/// The features on the way to a leaf where the two rows part.
#[derive(Default)]
pub(super) struct Parted {
    /// Those that must be the row's.
    pub(super) row: Vec<usize>,
    /// Those that must be the other's.
    pub(super) other: Vec<usize>,
}

/// Walks two rows through trees at once.
pub(super) struct Duel {
    sides: Vec<Side>,
    todo: Vec<Next>,
    parted: Parted,
}

/// Which nodes send a row left, for all nodes of a tree.
pub(super) fn decisions(tree: &Grown, splits: &impl Splits, value: impl Fn(usize) -> f64, into: &mut Vec<bool>) {
    into.extend(tree.nodes.iter().map(|node| match node.kind {
        Kind::Split { feature, .. } => splits.goes_left(tree.index, node.source, value(feature)),
        Kind::Leaf(_) => false,
    }));
}

impl Duel {
    pub(super) fn new(features: usize) -> Self {
        Self { sides: vec![Side::Free; features], todo: Vec::new(), parted: Parted::default() }
    }

    /// Visits each leaf that some mixture of the two rows reaches. Cost: the nodes on the way.
    pub(super) fn walk(&mut self, tree: &Grown, row: &[bool], other: &[bool], mut visit: impl FnMut(&Parted, usize)) {
        self.todo.push(Next::Visit(0));
        while let Some(next) = self.todo.pop() {
            match next {
                Next::Turn => {
                    if let Some(feature) = self.parted.row.pop() {
                        self.sides[feature] = Side::Other;
                        self.parted.other.push(feature);
                    }
                }
                Next::Release => {
                    if let Some(feature) = self.parted.other.pop() {
                        self.sides[feature] = Side::Free;
                    }
                }
                Next::Visit(start) => {
                    let mut at = start;
                    while let Kind::Split { feature, right, .. } = tree.nodes[at].kind {
                        let child = |left: bool| if left { at + 1 } else { right };
                        let (of_row, of_other) = (child(row[at]), child(other[at]));
                        at = match self.sides[feature] {
                            Side::Other => of_other,
                            Side::Row => of_row,
                            Side::Free if of_row == of_other => of_row,
                            Side::Free => {
                                self.todo.extend([Next::Release, Next::Visit(of_other), Next::Turn]);
                                self.sides[feature] = Side::Row;
                                self.parted.row.push(feature);
                                of_row
                            }
                        };
                    }
                    if let Kind::Leaf(leaf) = tree.nodes[at].kind {
                        visit(&self.parted, leaf);
                    }
                }
            }
        }
    }
}

/// Adds a leaf's part to each feature that parts the rows.
pub(super) fn add_values(parted: &Parted, weights: &BetaWeights, value: f64, mut add: impl FnMut(usize, f64)) {
    let (a, n) = (parted.row.len(), parted.other.len());
    if a > 0 {
        let part = value * weights.at(a, n + 1);
        parted.row.iter().for_each(|feature| add(*feature, part));
    }
    if n > 0 {
        let part = value * weights.at(a + 1, n);
        parted.other.iter().for_each(|feature| add(*feature, -part));
    }
}

/// Adds half of a leaf's part to each pair of features that part the rows.
pub(super) fn add_pairs(parted: &Parted, weights: &BetaWeights, value: f64, mut add: impl FnMut((usize, usize), f64)) {
    let (a, n) = (parted.row.len(), parted.other.len());
    let half = 0.5 * value;
    for (at, i) in parted.row.iter().enumerate() {
        parted.row[..at].iter().for_each(|j| add((*i, *j), half * weights.at(a - 1, n + 1)));
        parted.other.iter().for_each(|j| add((*i, *j), -half * weights.at(a, n)));
    }
    for (at, i) in parted.other.iter().enumerate() {
        parted.other[..at].iter().for_each(|j| add((*i, *j), half * weights.at(a + 1, n - 1)));
    }
}
