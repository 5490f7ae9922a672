#![allow(clippy::needless_range_loop, reason = "several lists are read at the same place")]

use proptest::prelude::*;

use super::curve::Curve;
use super::engine::{Engine, totals};
use super::grown::{Grown, Kind, Node, Splits};
use super::sums::{Cells, Sums};
use super::table::pairs;
use super::{TreeModel, TreeNode, TreeShap};
use crate::explain::PointLoss;
use crate::explain::game::shapley;
use crate::learn::Features;
use crate::random::SplitMix;

/// How one node of a test's tree decides.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Below(f64),
    OneOf(u32),
}

/// The rules of all nodes of one tree; missing values go left at even nodes.
#[derive(Debug)]
struct Rules(Vec<Rule>);

impl Splits for Rules {
    fn goes_left(&self, _tree: usize, node: usize, value: f64) -> bool {
        match self.0[node] {
            _ if value.is_nan() => node.is_multiple_of(2),
            Rule::Below(threshold) => value < threshold,
            Rule::OneOf(set) => set >> (value.abs() as u32 % 32) & 1 == 1,
        }
    }
}

/// A random tree over some features, which repeat on its paths.
fn random_tree(random: &mut SplitMix, features: usize, depth: usize, sparse: bool) -> (Grown, Rules) {
    let (mut nodes, mut rules, mut values) = (Vec::new(), Vec::new(), Vec::new());
    // What is to be made: its depth, and the split whose right child it is.
    let mut todo = vec![(0, None)];
    let mut lasts: Vec<usize> = Vec::new();
    let (mut most_features, mut deepest) = (0, 0);
    while let Some((level, parent)) = todo.pop() {
        let at = nodes.len();
        if let Some(parent) = parent
            && let Node { kind: Kind::Split { right, .. }, .. } = &mut nodes[parent]
        {
            *right = at;
        }
        lasts.truncate(level);
        let seen: std::collections::HashSet<usize> = lasts.iter().copied().collect();
        (most_features, deepest) = (most_features.max(seen.len()), deepest.max(level));
        let threshold = random.unit() * 4.0;
        rules.push(if random.below(4) == 0 { Rule::OneOf(random.next() as u32) } else { Rule::Below(threshold) });
        // Sparse: the left side goes on to the bottom, and most right sides end at once.
        let ends = if sparse {
            parent.is_some() && (nodes.len() > 300 || random.below(8) > 0)
        } else {
            level > 1 && random.below(6) == 0
        };
        if level == depth || ends {
            nodes.push(Node { source: at, kind: Kind::Leaf(values.len()), end: at + 1 });
            values.push(random.normal());
        } else {
            let feature = random.below(features);
            lasts.push(feature);
            let share_left = if random.below(12) == 0 { 0.0 } else { random.unit() };
            nodes.push(Node { source: at, kind: Kind::Split { feature, right: 0, share_left }, end: 0 });
            todo.push((level + 1, Some(at)));
            todo.push((level + 1, None));
        }
    }
    for at in (0..nodes.len()).rev() {
        if let Kind::Split { right, .. } = nodes[at].kind {
            nodes[at].end = nodes[right].end;
        }
    }
    let second = values.iter().map(|value| value * value - 0.3).collect();
    let leaves = vec![values, second];
    (Grown { index: 0, nodes, outputs: vec![0, 2], leaves, most_features, depth: deepest }, Rules(rules))
}

fn random_columns(random: &mut SplitMix, features: usize, rows: usize) -> Vec<Vec<f64>> {
    let mut cell = || if random.below(8) == 0 { f64::NAN } else { (random.unit() * 40.0).floor() / 10.0 };
    (0..features).map(|_| (0..rows).map(|_| cell()).collect()).collect()
}

fn table(columns: &[Vec<f64>]) -> Features<'_> {
    Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap()
}

/// The expected leaf where only some features are known, by the definition.
fn expected(tree: &Grown, rules: &Rules, row: &dyn Fn(usize) -> f64, known: usize, at: usize, output: usize) -> f64 {
    match tree.nodes[at].kind {
        Kind::Leaf(leaf) => tree.leaves[output][leaf],
        Kind::Split { feature, right, share_left } => {
            if known >> feature & 1 == 1 {
                let next = if rules.goes_left(0, at, row(feature)) { at + 1 } else { right };
                return expected(tree, rules, row, known, next, output);
            }
            share_left * expected(tree, rules, row, known, at + 1, output)
                + (1.0 - share_left) * expected(tree, rules, row, known, right, output)
        }
    }
}

/// The worth of all coalitions of a row, by the definition.
fn worths(engine: &Engine<'_, Rules>, columns: &[Vec<f64>], row: usize, output: usize) -> Vec<f64> {
    let tree = &engine.trees[0];
    let of_row = |feature: usize| columns[feature][row];
    (0..1_usize << engine.features)
        .map(|known| match engine.background {
            None => expected(tree, engine.splits, &of_row, known, 0, output),
            Some(background) => {
                let mixed = |other: usize| {
                    let value = |feature: usize| {
                        if known >> feature & 1 == 1 { of_row(feature) } else { background.columns()[feature][other] }
                    };
                    tree.leaves[output][tree.leaf(engine.splits, value)]
                };
                (0..background.rows()).map(mixed).sum::<f64>() / background.rows() as f64
            }
        })
        .collect()
}

/// Half of the Shapley interaction index of a pair, by the definition.
fn interaction(features: usize, worth: &[f64], (i, j): (usize, usize)) -> f64 {
    let mut sum = 0.0;
    for without in (0..1_usize << features).filter(|set| set >> i & 1 == 0 && set >> j & 1 == 0) {
        let mut weight = 0.5 / (features - 1) as f64;
        // s! (n - s - 2)! / (n - 2)!
        for step in 1..=without.count_ones() as usize {
            weight *= step as f64 / (features - 1 - step) as f64;
        }
        let (with_i, with_j) = (without | 1 << i, without | 1 << j);
        sum += weight * (worth[with_i | with_j] - worth[with_i] - worth[with_j] + worth[without]);
    }
    sum
}

/// Every cell of the sums against the definition.
fn check(engine: &Engine<'_, Rules>, columns: &[Vec<f64>], sums: &Sums, method: &str) {
    for row in 0..columns[0].len() {
        for (at, output) in [0, 2].into_iter().enumerate() {
            let worth = worths(engine, columns, row, at);
            let values = shapley(engine.features, &worth);
            let cell = |pair: (usize, usize)| sums.column(Cells { output, pair })[row];
            let mut expected_at = vec![0.0; engine.features];
            expected_at.copy_from_slice(&values);
            if sums.of_pairs {
                for (i, j) in pairs(engine.features) {
                    let expected = interaction(engine.features, &worth, (i, j));
                    let found = cell((j, i));
                    assert!((found - expected).abs() < 1e-10, "{method} row {row} {i} {j}: {found} {expected}");
                    expected_at[i] -= expected;
                    expected_at[j] -= expected;
                }
            }
            for (feature, expected) in expected_at.iter().enumerate() {
                let found = cell((feature, feature));
                assert!((found - expected).abs() < 1e-10, "{method} row {row} feature {feature}: {found} {expected}");
            }
            assert_eq!(sums.column(Cells { output: 1, pair: (0, 0) })[row], 0.0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Goal: each method gives the values and pairs of the definition, over all coalitions.
    #[test]
    fn every_method_is_the_definition(seed in 0_u64..1 << 40, features in 2_usize..6, depth in 1_usize..7, sparse: bool) {
        let mut random = SplitMix::new(seed);
        let (tree, rules) = random_tree(&mut random, features, depth, sparse);
        let columns = random_columns(&mut random, features, 9);
        let others = random_columns(&mut random, features, 5);
        let (rows, background) = (table(&columns), table(&others));
        for background in [None, Some(&background)] {
            let engine = Engine {
                splits: &rules, trees: vec![tree.clone()], features, constants: vec![0.5; 3], background,
            };
            for of_pairs in [false, true] {
                check(&engine, &columns, &engine.explain(&rows, of_pairs).unwrap(), "table");
                let mut sums = Sums::new(of_pairs, 9, features, 3).unwrap();
                match background {
                    None => engine.descend(&tree, &rows, &mut sums),
                    Some(background) => engine.duel(&[&tree], &rows, background, &mut sums),
                }
                check(&engine, &columns, &sums, "walk");
            }
        }
    }
}

/// Goal: deep sparse trees over many features stay additive, whatever the method.
#[test]
fn deep_sparse_trees_stay_additive() {
    for (seed, depth, features) in [(1, 30, 8), (2, 40, 60), (3, 64, 200), (4, 300, 500), (5, 25, 11)] {
        let mut random = SplitMix::new(seed);
        let (tree, rules) = random_tree(&mut random, features, depth, true);
        let columns = random_columns(&mut random, features, 20);
        let others = random_columns(&mut random, features, 7);
        let (rows, background) = (table(&columns), table(&others));
        for background in [None, Some(&background)] {
            let engine =
                Engine { splits: &rules, trees: vec![tree.clone()], features, constants: vec![0.0; 3], background };
            let (base, margins) = (engine.base(), engine.margins(&rows));
            let sums = engine.explain(&rows, false).unwrap();
            for output in [0, 2] {
                for (row, total) in totals(&sums, output).iter().enumerate() {
                    let off = (base[output] + total - margins[output * 20 + row]).abs();
                    assert!(off < 1e-12, "depth {depth}, output {output}: {off}");
                }
            }
        }
    }
}

/// Goal: a chain of 3,000 splits over 400 features, each of which almost no training row takes, is
/// additive, and walks neither overflow the stack nor lose a digit.
#[test]
fn a_chain_of_thousands_of_splits_is_additive() {
    let (splits, features) = (3_000, 400);
    let mut nodes = Vec::new();
    for at in 0..splits {
        let kind = Kind::Split { feature: at * 7 % features, right: 2 * splits - at, share_left: 1e-3 };
        nodes.push(Node { source: at, kind, end: 2 * splits + 1 - at });
    }
    (splits..=2 * splits).for_each(|at| nodes.push(Node { source: at, kind: Kind::Leaf(at - splits), end: at + 1 }));
    let leaves = vec![(0..=splits).map(|leaf| (leaf % 13) as f64 - 6.0).collect()];
    let tree = Grown { index: 0, nodes, outputs: vec![0], leaves, most_features: features, depth: splits };
    let rules = Rules((0..=2 * splits).map(|_| Rule::Below(2.0)).collect());
    let columns: Vec<Vec<f64>> =
        (0..features).map(|feature| vec![1.0, f64::from(u8::from(feature % 50 == 49)) * 3.0]).collect();
    let rows = table(&columns);
    let engine = Engine { splits: &rules, trees: vec![tree], features, constants: vec![0.0], background: None };
    let sums = engine.explain(&rows, false).unwrap();
    for (total, margin) in totals(&sums, 0).iter().zip(engine.margins(&rows)) {
        assert!((engine.base()[0] + total - margin).abs() < 1e-9, "{total} {margin}");
    }
}

/// Goal: values of a probability or a loss sum to it, row by row.
#[test]
fn bent_values_sum_to_the_difference() {
    let mut random = SplitMix::new(3);
    let (tree, rules) = random_tree(&mut random, 5, 5, false);
    let columns = random_columns(&mut random, 5, 30);
    let others = random_columns(&mut random, 5, 11);
    let (rows, background) = (table(&columns), table(&others));
    let engine = Engine {
        splits: &rules,
        trees: vec![tree],
        features: 5,
        constants: vec![-0.2; 3],
        background: Some(&background),
    };
    let margins = engine.margins(&rows);
    let target = |row: usize| f64::from(u8::from(row.is_multiple_of(3)));
    let curves: [&dyn Fn(usize) -> Curve; 4] = [
        &|_| Curve::Probability,
        &|row| Curve::Loss(PointLoss::Log, target(row)),
        &|row| Curve::Loss(PointLoss::Squared, target(row)),
        &|row| Curve::Loss(PointLoss::Absolute, target(row)),
    ];
    for curve in curves {
        let (sums, base) = engine.bend(&rows, &background, curve).unwrap();
        for (row, total) in totals(&sums, 0).iter().enumerate() {
            assert!((base[row] + total - curve(row).at(margins[row])).abs() < 1e-12);
        }
    }
}

/// Goal: an ensemble's values; shap 0.51.0 and all coalitions give these for the tree T1 at (0.2, 0.1, 0.9).
#[test]
fn an_ensemble_is_explained() {
    use crate::trees::{Ensemble, Link, Missing, Node, Split, Tree};

    let split = |feature, threshold, left| Node::Split {
        split: Split::Number { feature, threshold, missing: Missing::Right },
        left,
        right: left + 1,
    };
    // Children next to each other: the nodes of T1 in order of their depth; two trees of half the values.
    let leaves = [1.0, 5.0, -2.0, 4.0].map(|value| Node::Leaf { output: 0, values: vec![0.5 * value] });
    let nodes: Vec<Node> = [split(0, 0.5, 1), split(1, 0.3, 3), split(2, 0.7, 5)].into_iter().chain(leaves).collect();
    let ensemble = |covers: bool| {
        let covers = if covers { vec![100.0, 60.0, 40.0, 20.0, 40.0, 30.0, 10.0] } else { Vec::new() };
        let tree = Tree::new(nodes.clone(), covers).unwrap();
        Ensemble::new(vec![tree.clone(), tree], 3, vec![0.25], Link::Identity).unwrap()
    };
    let rows = Features::new(vec![&[0.2], &[0.1], &[0.9]]).unwrap();
    let background =
        Features::new(vec![&[0.1, 0.7, 0.45, 0.65], &[0.5, 0.2, 0.25, 0.8], &[0.5, 0.9, 0.1, 0.6]]).unwrap();
    let model = ensemble(true);
    let path = TreeShap::path_dependent(&model).unwrap();
    let against = TreeShap::interventional(&model, &background).unwrap();
    let expected = [[0.7 / 3.0, -6.4 / 3.0, 0.9], [-0.25, -1.5, 0.75]];
    for (shap, expected) in [path, against].iter().zip(expected) {
        let found = shap.values(&rows).unwrap();
        assert_eq!((found.base(0, 0), shap.margins(&rows)), (2.25, vec![1.25]));
        for (feature, expected) in expected.into_iter().enumerate() {
            assert!((found.column(feature, 0)[0] - expected).abs() < 1e-14, "{feature}");
        }
        assert!(shap.values(&background.clone()).is_some());
        assert!(shap.values(&Features::new(vec![&[0.2]]).unwrap()).is_none());
    }
    assert!(TreeShap::path_dependent(&ensemble(false)).is_none());
    assert!(TreeShap::interventional(&ensemble(false), &rows).is_some());
    assert!(TreeShap::path_dependent(&model).unwrap().probabilities(&rows).is_none());
}

/// A model with a fault.
struct Faulty(&'static str);

impl TreeModel for Faulty {
    fn features(&self) -> usize {
        1
    }

    fn base_margins(&self) -> &[f64] {
        if self.0 == "base" { &[f64::NAN] } else { &[0.0] }
    }

    fn trees(&self) -> usize {
        1
    }

    fn nodes(&self, _tree: usize) -> usize {
        3
    }

    fn node(&self, _tree: usize, node: usize) -> TreeNode<'_> {
        match (node, self.0) {
            (0, "feature") => TreeNode::Split { feature: 1, left: 1, right: 2 },
            (0, "child") => TreeNode::Split { feature: 0, left: 1, right: 7 },
            (1, "cycle") => TreeNode::Split { feature: 0, left: 0, right: 2 },
            (0, _) => TreeNode::Split { feature: 0, left: 1, right: 2 },
            (_, "output") => TreeNode::Leaf { output: usize::MAX, values: &[1.0] },
            (_, "value") => TreeNode::Leaf { output: 0, values: &[f64::INFINITY] },
            _ => TreeNode::Leaf { output: 0, values: &[1.0] },
        }
    }

    fn cover(&self, _tree: usize, node: usize) -> Option<f64> {
        match self.0 {
            "no cover" => None,
            "cover" => Some(-1.0),
            _ => Some(node as f64),
        }
    }

    fn goes_left(&self, _tree: usize, _node: usize, _value: f64) -> bool {
        true
    }
}

#[test]
fn faulty_models_are_refused() {
    assert!(TreeShap::path_dependent(&Faulty("none")).is_some());
    for fault in ["base", "feature", "child", "cycle", "output", "value", "cover", "no cover"] {
        assert!(TreeShap::path_dependent(&Faulty(fault)).is_none(), "{fault}");
    }
}
