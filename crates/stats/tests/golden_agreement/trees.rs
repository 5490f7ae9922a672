//! Models of XGBoost 3.2.0, LightGBM 4.7.0 and scikit-learn 1.9.1 (by skl2onnx 1.20.0 and onnxruntime 1.32.0): the
//! same margins to the last bit, the same predictions.

use wardline_stats::learn::Features;
use wardline_stats::trees::{
    Ensemble, LoadError, read_lightgbm_json, read_lightgbm_text, read_onnx, read_xgboost_json, read_xgboost_ubj,
};

use crate::values::{Golden, trees};

/// A table of rows, column by column; what is missing becomes NaN.
pub(crate) fn columns(golden: &Golden, path: &str) -> Vec<Vec<f64>> {
    let rows = golden.table(path);
    let width = rows.first().map_or(0, Vec::len);
    (0..width).map(|column| rows.iter().map(|row| row[column]).collect()).collect()
}

pub(crate) fn features(columns: &[Vec<f64>]) -> Features<'_> {
    Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap()
}

macro_rules! models {
    ($read:ident, $($file:literal),+) => {
        [$(($file, $read(include_bytes!(concat!("../../testdata/models/", $file))))),+]
    };
}

/// Every model with the name of its golden values.
pub(crate) fn all() -> Vec<(String, Ensemble)> {
    type Read = (&'static str, Result<Ensemble, LoadError>);
    let mut all: Vec<Read> = Vec::new();
    all.extend(models!(
        read_xgboost_json,
        "xgboost_binary.json",
        "xgboost_regression.json",
        "xgboost_multiclass.json",
        "xgboost_poisson.json",
        "xgboost_dart.json",
        "xgboost_forest.json",
        "xgboost_categories.json",
        "xgboost_one_hot.json"
    ));
    all.extend(models!(
        read_xgboost_ubj,
        "xgboost_binary.ubj",
        "xgboost_regression.ubj",
        "xgboost_multiclass.ubj",
        "xgboost_poisson.ubj",
        "xgboost_dart.ubj",
        "xgboost_forest.ubj",
        "xgboost_categories.ubj",
        "xgboost_one_hot.ubj"
    ));
    all.extend(models!(
        read_lightgbm_text,
        "lightgbm_binary.txt",
        "lightgbm_regression.txt",
        "lightgbm_multiclass.txt",
        "lightgbm_poisson.txt",
        "lightgbm_forest.txt",
        "lightgbm_categories.txt",
        "lightgbm_zero_as_missing.txt",
        "lightgbm_no_missing.txt"
    ));
    all.extend(models!(
        read_lightgbm_json,
        "lightgbm_binary.json",
        "lightgbm_regression.json",
        "lightgbm_multiclass.json",
        "lightgbm_poisson.json",
        "lightgbm_forest.json",
        "lightgbm_categories.json",
        "lightgbm_zero_as_missing.json",
        "lightgbm_no_missing.json"
    ));
    all.extend(models!(
        read_onnx,
        "onnx_boosted_regression.onnx",
        "onnx_boosted_binary.onnx",
        "onnx_forest_regression.onnx",
        "onnx_forest_multiclass.onnx",
        "onnx_tree_regression.onnx"
    ));
    all.into_iter()
        .map(|(file, read)| {
            let name = file.split_once('.').map_or(file, |(name, _)| name).to_owned();
            (name, read.unwrap_or_else(|error| panic!("{file}: {error}")))
        })
        .collect()
}

/// The rows that a model was asked about.
pub(crate) fn rows_of(golden: &Golden, name: &str) -> Vec<Vec<f64>> {
    let own = format!("/{name}/rows");
    if golden.has(&own) {
        columns(golden, &own)
    } else if name.starts_with("onnx") {
        columns(golden, "/plain_rows")
    } else {
        columns(golden, "/rows")
    }
}

#[test]
fn golden_margins_to_the_last_bit() {
    let golden = trees();
    for (library, version) in [("xgboost", "3.2.0"), ("lightgbm", "4.7.0"), ("onnxruntime", "1.32.0")] {
        golden.is_from(library, version);
    }
    for (name, ensemble) in all() {
        let judged = rows_of(&golden, &name);
        let path = format!("/{name}/margins");
        if golden.has(&path) {
            let margins = ensemble.margins(&features(&judged)).unwrap();
            let expected = golden.flat(&path);
            assert_eq!(margins.len(), expected.len(), "{name}");
            // What LightGBM calls raw is the sum of its forest, before the mean over four trees.
            let trees = if name == "lightgbm_forest" { 4.0 } else { 1.0 };
            for (at, (margin, expected)) in margins.iter().zip(expected).enumerate() {
                assert_eq!(*margin * trees, expected, "{name}, margin {at}");
            }
        }
    }
}

#[test]
fn golden_predictions() {
    let golden = trees();
    for (name, ensemble) in all() {
        let predictions = ensemble.predict(&features(&rows_of(&golden, &name))).unwrap();
        let mut expected = golden.flat(&format!("/{name}/predictions"));
        // Two classes are one probability here and two there.
        if expected.len() == 2 * predictions.len() {
            expected = expected.chunks_exact(2).map(|pair| pair[1]).collect();
        }
        assert_eq!(predictions.len(), expected.len(), "{name}");
        let tolerance = if name.starts_with("lightgbm") { 1e-15 } else { 2e-7 };
        for (at, (found, expected)) in predictions.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() <= tolerance * expected.abs().max(1.0),
                "{name}, row {at}: {found} for {expected}"
            );
        }
    }
}
