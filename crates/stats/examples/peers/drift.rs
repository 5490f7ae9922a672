//! Drift of 25 columns: every test of a window of 100,000 rows against a reference of a million.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::drift::{Column, Policy, Reference};

use crate::data::{categories, labels, numeric, words};
use crate::measure::{measured, told};

const KEPT: &str = "kept-reference.json";

fn columns<'a>(numeric: &'a [Vec<f64>], labels: &'a [Vec<&'a str>]) -> Vec<Column<'a>> {
    let numeric = numeric.iter().map(|column| Column::Numeric(column));
    numeric.chain(labels.iter().map(|column| Column::Labels(column))).collect()
}

/// Makes what is kept of the reference, once, and writes it.
pub(crate) fn keep(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let (words, numeric) = (words(), numeric(folder, "reference")?);
    let labels = labels(&categories(folder, "reference")?, &words);
    let columns = columns(&numeric, &labels);
    let (reference, cost) = measured(|| Reference::new(&columns));
    let kept = serde_json::to_vec(&reference?)?;
    fs::write(folder.join(KEPT), &kept)?;
    Ok(told("drift_keep", cost, json!({"kept_json_mib": kept.len() as f64 / 1_048_576.0})))
}

/// Judges the window in a process that has only what was kept.
pub(crate) fn judge(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let reference: Reference = serde_json::from_slice(&fs::read(folder.join(KEPT))?)?;
    let (words, numeric) = (words(), numeric(folder, "current")?);
    let labels = labels(&categories(folder, "current")?, &words);
    let columns = columns(&numeric, &labels);
    let (report, cost) = measured(|| {
        let mut window = reference.window();
        window.observe(&columns)?;
        reference.compare(&window, &Policy::default())
    });
    let report = report?;
    let drifted: Vec<usize> = report.drifted().collect();
    Ok(told("drift", cost, json!({"drifted_columns": drifted.len(), "which": drifted})))
}
