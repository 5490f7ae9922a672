//! Isolation forests of scikit-learn 1.9.1: its trees give its scores.

use wardline_stats::learn::Features;
use wardline_stats::outlier::{IsolationForest, Part};

use crate::inputs::lcg;
use crate::values::{Golden, close, outliers};

/// As `table` of `testdata/golden_outliers.py`, column by column.
fn table(rows: usize, columns: usize, seed: u64) -> Vec<Vec<f64>> {
    let values = lcg(rows * columns, seed);
    let mut table: Vec<Vec<f64>> =
        (0..columns).map(|column| values.iter().skip(column).step_by(columns).copied().collect()).collect();
    table[columns - 1] = table[0].iter().map(|value| (value * 8.0).floor() / 4.0).collect();
    table
}

fn part(node: &Golden) -> Part {
    match node.numbers("")[..] {
        [feature, threshold, left, right] => {
            Part::Split { feature: feature as usize, threshold, left: left as usize, right: right as usize }
        }
        [rows] => Part::Leaf { rows: rows as usize },
        _ => panic!("neither a split nor a leaf"),
    }
}

#[test]
fn golden_isolation_forest() {
    let all = outliers();
    all.is_from("scikit-learn", "1.9.1");
    let mut judged = table(120, 4, 77);
    judged.iter_mut().for_each(|column| column.iter_mut().step_by(10).for_each(|value| *value *= 3.0));
    let rows = Features::new(judged.iter().map(Vec::as_slice).collect()).unwrap();
    for name in ["small", "usual"] {
        let golden = all.at(&format!("/{name}"));
        let trees: Vec<Vec<Part>> =
            golden.items("/trees").iter().map(|tree| tree.items("").iter().map(part).collect()).collect();
        let forest = IsolationForest::from_parts(&trees, golden.number("/sample") as usize, 4).unwrap();
        let scores = forest.score(&rows).unwrap();
        for (score, expected) in scores.iter().zip(golden.numbers("/scores")) {
            close(name, *score, expected, 1e-12);
        }
    }
}
