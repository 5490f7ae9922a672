//! Outlier models of scikit-learn 1.9.1 and PyOD 3.6.7: the same scores of the same rows.

use wardline_stats::learn::Features;
use wardline_stats::outlier::{
    HistogramScore, IsolationForest, LocalOutlierFactor, NearestDistance, OneClassSvm, Part, PrincipalResidual,
    TailRule, TailScore,
};

use crate::inputs::lcg;
use crate::trees::{columns, features};
use crate::values::{Golden, close, outlier_models, outliers};

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

fn check(what: &str, found: Option<Vec<f64>>, expected: &[f64], tolerance: f64) {
    let found = found.unwrap_or_else(|| panic!("{what}: nothing"));
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        close(what, *found, *expected, tolerance);
    }
}

#[test]
fn golden_outlier_models() {
    let golden = outlier_models();
    golden.is_from("scikit-learn", "1.9.1");
    golden.is_from("pyod", "3.6.7");
    let (fitted, judged) = (columns(&golden, "/fitted"), columns(&golden, "/judged"));
    let (reference, rows) = (features(&fitted), features(&judged));
    let numbers = |path: &str| golden.numbers(path);

    let machine = OneClassSvm::fit(&reference, 0.15, 1.5, 1e-12).unwrap();
    for (found, expected) in machine.decision(&rows).unwrap().iter().zip(numbers("/one_class")) {
        // libsvm keeps its kernel in single precision.
        assert!((found - expected).abs() < 1e-6, "decision {found} for {expected}");
    }
    assert_eq!(machine.support_vectors() as f64, golden.number("/support_vectors"));

    let factor = LocalOutlierFactor::fit(&reference, 10).unwrap();
    check("local outlier factor", factor.score(&rows), &numbers("/local_outlier_factor"), 1e-9);
    check("of its own rows", Some(factor.reference_scores().to_vec()), &numbers("/local_outlier_factor_fitted"), 1e-9);
    let nearest = NearestDistance::fit(&reference, 5).unwrap();
    check("nearest", nearest.score(&rows), &numbers("/nearest"), 1e-9);
    check("nearest of its own rows", Some(nearest.reference_scores()), &numbers("/nearest_fitted"), 1e-9);

    let principal = PrincipalResidual::fit(&reference, 0.95).unwrap();
    assert_eq!(principal.components(), 2);
    check("principal residual", principal.score(&rows), &numbers("/principal_residual"), 1e-9);
    check("HBOS", HistogramScore::fit(&reference, 10).unwrap().score(&rows), &numbers("/hbos"), 1e-9);
    for (rule, path) in [(TailRule::Ecod, "/ecod"), (TailRule::Copod, "/copod")] {
        check(path, TailScore::fit(&reference, rule).unwrap().score(&rows), &numbers(path), 1e-9);
        let among = TailScore::among_themselves(&reference, rule);
        check("of its own rows", among, &numbers(&format!("{path}_fitted")), 1e-9);
    }
}
