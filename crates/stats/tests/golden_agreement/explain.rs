//! Shapley values of models that are read from their files, against shap 0.51.0.

use wardline_stats::explain::{TreeShap, TreeValues};
use wardline_stats::learn::Features;
use wardline_stats::trees::Ensemble;

use crate::trees::{all, columns, features, rows_of};
use crate::values::{Golden, trees};

/// shap's values and base of each output, checked to 1e-6; rows that shap puts on the other side of a threshold are
/// left out, and how many they were is returned.
fn check(
    name: &str,
    found: &TreeValues,
    golden: &Golden,
    kind: &str,
    (rows, outputs, width): (usize, usize, usize),
) -> usize {
    let values = golden.flat(&format!("/{name}/{kind}"));
    let base = golden.flat(&format!("/{name}/{}", kind.replace("path_dependent", "path") + "_base"));
    assert_eq!(values.len(), rows * outputs * width, "{name}, {kind}");
    let mut apart = 0;
    for row in 0..rows {
        let off = (0..outputs * width).map(|at| {
            let (output, feature) = (at / width, at % width);
            (found.column(feature, output)[row] - values[row * outputs * width + at]).abs()
        });
        apart += usize::from(off.fold(0.0, f64::max) > 1e-6);
    }
    for (output, base) in base.iter().enumerate() {
        let found = found.base(0, output);
        assert!((found - base).abs() < 1e-6, "{name}, {kind}: base {found} for {base}");
    }
    apart
}

fn additive(name: &str, ensemble: &Ensemble, shap: &TreeShap<'_, Ensemble>, found: &TreeValues, judged: &Features<'_>) {
    let margins = shap.margins(judged);
    for output in 0..ensemble.outputs() {
        for row in 0..judged.rows() {
            let sum: f64 = (0..ensemble.width()).map(|feature| found.column(feature, output)[row]).sum();
            let margin = margins[output * judged.rows() + row];
            let off = (found.base(row, output) + sum - margin).abs();
            assert!(off < 1e-9, "{name}, output {output}, row {row}: off by {off:e}");
        }
    }
}

#[test]
fn golden_values_of_trees() {
    let golden = trees();
    golden.is_from("shap", "0.51.0");
    let mut checked = 0;
    for (name, ensemble) in all() {
        let judged = rows_of(&golden, &name);
        let rows = features(&judged);
        let shape = (rows.rows(), ensemble.outputs(), ensemble.width());
        if golden.has(&format!("/{name}/path_dependent")) && ensemble.has_covers() {
            let shap = TreeShap::path_dependent(&ensemble).unwrap();
            let found = shap.values(&rows).unwrap();
            additive(&name, &ensemble, &shap, &found, &rows);
            let apart = check(&name, &found, &golden, "path_dependent", shape);
            assert_eq!(apart, 0, "{name}: rows whose values differ");
            checked += 1;
        }
        if golden.has(&format!("/{name}/interventional")) {
            let path = if name.starts_with("onnx") { "/plain_background" } else { "/background" };
            let background = columns(&golden, path);
            let background = features(&background);
            let shap = TreeShap::interventional(&ensemble, &background).unwrap();
            let found = shap.values(&rows).unwrap();
            additive(&name, &ensemble, &shap, &found, &rows);
            let apart = check(&name, &found, &golden, "interventional", shape);
            assert_eq!(apart, 0, "{name}: rows whose values differ");
            checked += 1;
        }
    }
    assert!(checked >= 20, "{checked} comparisons");
}

#[test]
fn golden_interactions() {
    let golden = trees();
    let (_, ensemble) = all().into_iter().find(|(name, _)| name == "xgboost_binary").unwrap();
    let judged = rows_of(&golden, "xgboost_binary");
    let rows = features(&judged);
    let found = TreeShap::path_dependent(&ensemble).unwrap().interactions(&rows).unwrap();
    let expected = golden.flat("/xgboost_binary/interactions");
    let width = ensemble.width();
    assert_eq!(expected.len(), rows.rows() * width * width);
    for (at, expected) in expected.iter().enumerate() {
        let (row, pair) = (at / (width * width), at % (width * width));
        let found = found.column((pair / width, pair % width), 0)[row];
        assert!((found - expected).abs() < 1e-6, "row {row}, pair {pair}: {found} for {expected}");
    }
}
