//! Reads `testdata/golden.json`, which `testdata/golden.py` makes.

use serde_json::Value;

/// The rows of numbers at a path such as `/distribution/beta`.
pub(crate) fn rows(path: &str) -> Vec<Vec<f64>> {
    let rows = value(path);
    let rows = rows.as_array().unwrap_or_else(|| panic!("no rows at {path}"));
    rows.iter().map(flat).collect()
}

/// The numbers at a path, in order; lists within are laid out flat.
pub(crate) fn numbers(path: &str) -> Vec<f64> {
    flat(&value(path))
}

/// Checks a number to `tolerance`, relative to what is expected.
#[track_caller]
pub(crate) fn close(found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.unwrap_or_else(|| panic!("nothing where {expected} is expected"));
    let near = (found - expected).abs() <= tolerance * expected.abs() + 1e-300;
    assert!(near, "{found:e} where {expected:e} is expected");
}

fn value(path: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../testdata/golden.json"))
        .unwrap_or_else(|error| panic!("golden.json: {error}"));
    all.pointer(path).unwrap_or_else(|| panic!("no golden value at {path}")).clone()
}

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(flat).collect(),
        number => number.as_f64().into_iter().collect(),
    }
}
